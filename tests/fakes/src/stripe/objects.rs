//! The Stripe objects made from a sale.
//!
//! They have every key of API version [`API_VERSION`], as strict clients require.

use serde_json::{Map, Value, json};

use super::checkout::{Checkout, CheckoutIds, CheckoutLine};

/// The version whose shapes are served.
pub(super) const API_VERSION: &str = "2026-09-30.endive";

/// How long a Checkout Session stays open, in seconds.
const SESSION_LIFETIME: i64 = 86_400;

/// The Checkout Session, without its positions, which Stripe sends only when asked.
pub(super) fn session(checkout: &Checkout, ids: &CheckoutIds, created: i64) -> Value {
    let parts = [
        identity(checkout, ids, created),
        money(checkout, ids),
        buyer(checkout),
        pages(),
        options(checkout),
    ];
    let mut all = Map::new();
    for part in parts {
        if let Value::Object(part) = part {
            all.extend(part);
        }
    }
    Value::Object(all)
}

fn identity(checkout: &Checkout, ids: &CheckoutIds, created: i64) -> Value {
    json!({
        "id": ids.session,
        "object": "checkout.session",
        "livemode": checkout.livemode,
        "created": created,
        "expires_at": created + SESSION_LIFETIME,
        "status": "complete",
        "mode": checkout.mode,
        "metadata": {},
        "client_reference_id": null,
        "client_secret": null,
        "integration_identifier": null,
        "recovered_from": null,
        "after_expiration": null,
        "origin_context": null,
    })
}

fn money(checkout: &Checkout, ids: &CheckoutIds) -> Value {
    let payment_intent = checkout.has_payment().then_some(&ids.payment_intent);
    let taxed = checkout.tax() != 0;
    json!({
        "currency": checkout.currency,
        "amount_subtotal": checkout.subtotal(),
        "amount_total": checkout.subtotal().saturating_add(checkout.tax()),
        "total_details": {
            "amount_discount": 0,
            "amount_shipping": 0,
            "amount_tax": checkout.tax(),
        },
        "automatic_tax": {
            "enabled": taxed,
            "liability": taxed.then(|| json!({ "type": "self" })),
            "provider": taxed.then_some("stripe"),
            "status": taxed.then_some("complete"),
        },
        "payment_status": checkout.payment_status,
        "payment_intent": payment_intent,
        "payment_link": null,
        "setup_intent": null,
        "subscription": null,
        "invoice": null,
        "discounts": [],
        "currency_conversion": null,
        "presentment_details": null,
        "shipping_cost": null,
        "shipping_options": [],
    })
}

fn buyer(checkout: &Checkout) -> Value {
    let tax_ids: Vec<Value> = checkout
        .tax_id
        .iter()
        .map(|(kind, value)| json!({ "type": kind, "value": value }))
        .collect();
    json!({
        "customer": checkout.customer,
        "customer_account": null,
        "customer_creation": if checkout.mode == "payment" { Some("if_required") } else { None },
        "customer_email": null,
        "customer_details": {
            "address": {
                "city": null,
                "country": checkout.country,
                "line1": null,
                "line2": null,
                "postal_code": null,
                "state": null,
            },
            "business_name": null,
            "email": checkout.email,
            "individual_name": null,
            "name": checkout.name,
            "phone": null,
            "tax_exempt": "none",
            "tax_ids": tax_ids,
        },
        "collected_information": {
            "business_name": null,
            "individual_name": null,
            "shipping_details": null,
        },
        "consent": null,
    })
}

fn pages() -> Value {
    json!({
        "ui_mode": "hosted_page",
        "url": null,
        "success_url": "https://example.com/thanks?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://example.com/cart",
        "return_url": null,
        "redirect_on_completion": null,
        "locale": null,
        "submit_type": null,
        "branding_settings": null,
        "custom_fields": [],
        "custom_text": {
            "after_submit": null,
            "shipping_address": null,
            "submit": null,
            "terms_of_service_acceptance": null,
        },
        "optional_items": null,
        "wallet_options": null,
    })
}

fn options(checkout: &Checkout) -> Value {
    let invoice = json!({
        "enabled": false,
        "invoice_data": {
            "account_tax_ids": null,
            "custom_fields": null,
            "description": null,
            "footer": null,
            "issuer": null,
            "metadata": {},
            "rendering_options": null,
        },
    });
    json!({
        "adaptive_pricing": { "enabled": false },
        "allow_promotion_codes": null,
        "allowed_payment_method_types": null,
        "billing_address_collection": "auto",
        "consent_collection": null,
        "excluded_payment_method_types": null,
        "invoice_creation": (checkout.mode == "payment").then_some(invoice),
        "managed_payments": { "enabled": false },
        "name_collection": null,
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": null,
        "payment_method_options": { "card": { "request_three_d_secure": "automatic" } },
        "payment_method_types": ["card"],
        "permissions": null,
        "phone_number_collection": { "enabled": false },
        "saved_payment_method_options": null,
        "shipping_address_collection": null,
        "tax_id_collection": { "enabled": checkout.tax_id.is_some(), "required": "never" },
    })
}

/// One position of a session.
pub(super) fn line_item(checkout: &Checkout, line: &CheckoutLine, id: &str, created: i64) -> Value {
    json!({
        "id": id,
        "object": "item",
        "adjustable_quantity": null,
        "amount_discount": 0,
        "amount_subtotal": line.subtotal(),
        "amount_tax": line.tax,
        "amount_total": line.subtotal().saturating_add(line.tax),
        "currency": checkout.currency,
        "description": line.description,
        "metadata": {},
        "price": price(checkout, line, created),
        "quantity": line.quantity,
    })
}

fn price(checkout: &Checkout, line: &CheckoutLine, created: i64) -> Value {
    let recurring = (checkout.mode == "subscription").then(|| {
        json!({
            "interval": "year",
            "interval_count": 1,
            "meter": null,
            "trial_period_days": null,
            "usage_type": "licensed",
        })
    });
    json!({
        "id": line.price,
        "object": "price",
        "active": true,
        "billing_scheme": "per_unit",
        "created": created,
        "currency": checkout.currency,
        "custom_unit_amount": null,
        "livemode": checkout.livemode,
        "lookup_key": null,
        "metadata": {},
        "nickname": null,
        "product": line.product,
        "tax_behavior": "unspecified",
        "tiers_mode": null,
        "transform_quantity": null,
        "type": if recurring.is_some() { "recurring" } else { "one_time" },
        "recurring": recurring,
        "unit_amount": line.unit_amount,
        "unit_amount_decimal": line.unit_amount.to_string(),
    })
}

/// A page of a list.
pub(super) fn list(url: &str, page: &[Value], has_more: bool) -> Value {
    json!({ "object": "list", "data": page, "has_more": has_more, "url": url })
}

/// An event about `object`.
pub(super) fn event(id: &str, event_type: &str, created: i64, object: &Value) -> Value {
    let livemode = object
        .get("livemode")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    json!({
        "id": id,
        "object": "event",
        "api_version": API_VERSION,
        "created": created,
        "data": { "object": object },
        "livemode": livemode,
        "pending_webhooks": 1,
        "request": { "id": null, "idempotency_key": null },
        "type": event_type,
    })
}
