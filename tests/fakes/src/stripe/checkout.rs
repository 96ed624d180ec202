//! What a test says about a sale.

/// A completed checkout to be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// Whether real money was paid.
    pub livemode: bool,
    /// `payment`, `subscription` or `setup`.
    pub mode: String,
    /// `paid`, `unpaid` or `no_payment_required`.
    pub payment_status: String,
    /// The buyer's address, as typed at the checkout.
    pub email: String,
    /// The buyer's name.
    pub name: Option<String>,
    /// Three lower-case letters.
    pub currency: String,
    /// The customer's id; a guest has none.
    pub customer: Option<String>,
    /// Two upper-case letters of the billing address.
    pub country: Option<String>,
    /// Type and value of a tax number, such as `("eu_vat", "DE123456789")`.
    pub tax_id: Option<(String, String)>,
    /// What was bought.
    pub lines: Vec<CheckoutLine>,
}

/// One position of a [`Checkout`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutLine {
    /// The id of the price.
    pub price: String,
    /// The id of the product.
    pub product: String,
    /// What the buyer read.
    pub description: String,
    /// How many were bought.
    pub quantity: u64,
    /// Price of one, in the smallest unit of the currency, without tax.
    pub unit_amount: i64,
    /// Tax of the whole position.
    pub tax: i64,
}

/// The ids under which a [`Checkout`] was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutIds {
    /// The Checkout Session, `cs_…`.
    pub session: String,
    /// The payment, `pi_…`; empty when there was nothing to pay or the mode is not `payment`.
    pub payment_intent: String,
    /// The positions, `li_…`, in the order given.
    pub line_items: Vec<String>,
}

impl Default for Checkout {
    fn default() -> Self {
        Self {
            livemode: false,
            mode: "payment".to_owned(),
            payment_status: "paid".to_owned(),
            email: "buyer@example.com".to_owned(),
            name: Some("Example Company".to_owned()),
            currency: "usd".to_owned(),
            customer: None,
            country: Some("US".to_owned()),
            tax_id: None,
            lines: vec![CheckoutLine::default()],
        }
    }
}

impl Default for CheckoutLine {
    fn default() -> Self {
        Self {
            price: "price_feedback_widget".to_owned(),
            product: "prod_feedback_widget".to_owned(),
            description: "Feedback Widget Kit".to_owned(),
            quantity: 1,
            unit_amount: 3700,
            tax: 0,
        }
    }
}

impl Checkout {
    /// Whether a payment belongs to the session.
    pub(super) fn has_payment(&self) -> bool {
        self.mode == "payment" && self.payment_status != "no_payment_required"
    }

    pub(super) fn subtotal(&self) -> i64 {
        self.lines
            .iter()
            .map(CheckoutLine::subtotal)
            .fold(0, i64::saturating_add)
    }

    pub(super) fn tax(&self) -> i64 {
        self.lines
            .iter()
            .map(|line| line.tax)
            .fold(0, i64::saturating_add)
    }
}

impl CheckoutLine {
    pub(super) fn subtotal(&self) -> i64 {
        let quantity = i64::try_from(self.quantity).unwrap_or(i64::MAX);
        self.unit_amount.saturating_mul(quantity)
    }
}
