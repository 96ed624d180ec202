//! What the sample vendor sells, and the one purchase.

use std::path::Path;
use std::sync::Arc;

use kitward_fakes::{Checkout, CheckoutLine, FakeStripe, sample_kit_zip, sign_event};
use serde_json::json;

use super::super::arguments::Publish;
use super::super::client::Client;
use super::super::output::Failed;
use super::super::publish::{self, Progress};
use super::walkthrough::Kit;
use crate::app::App;

pub(super) const BUYER: &str = "buyer@example.com";

struct Sample {
    slug: &'static str,
    name: &'static str,
    description: &'static str,
    cents: i64,
    status: &'static str,
}

/// The production queue, in its order.
const SAMPLES: [Sample; 6] = [
    Sample {
        slug: "feedback-widget",
        name: "Feedback Widget Kit",
        description: "A feedback button and form for any web app.",
        cents: 3_700,
        status: "released",
    },
    Sample {
        slug: "api-rate-limiter",
        name: "API Rate Limiter Kit",
        description: "Fair limits per key and per address for HTTP APIs.",
        cents: 3_700,
        status: "in_production",
    },
    Sample {
        slug: "changelog",
        name: "Changelog Kit",
        description: "A changelog page with feeds and an in-app badge.",
        cents: 2_700,
        status: "queued",
    },
    Sample {
        slug: "feature-flags",
        name: "Feature Flags Kit",
        description: "Flags with targeting and gradual rollouts.",
        cents: 4_700,
        status: "queued",
    },
    Sample {
        slug: "error-tracking",
        name: "Error Tracking Kit",
        description: "Grouped errors with source maps and alerts.",
        cents: 5_700,
        status: "queued",
    },
    Sample {
        slug: "session-recording",
        name: "Session Recording Kit",
        description: "Recordings of sessions, masked by default.",
        cents: 6_700,
        status: "queued",
    },
];

const VERSION: &str = "1.0.0";

fn price_of(sample: &Sample) -> String {
    format!("price_{}", sample.slug.replace('-', "_"))
}

/// Creates kits, policies and prices, and publishes the first kit.
pub(super) async fn open(client: &Client, folder: &Path) -> Result<Kit, Failed> {
    for sample in &SAMPLES {
        let kit = json!({
            "slug": sample.slug, "name": sample.name, "description": sample.description,
            "ecosystems": ["npm"], "status": sample.status,
        });
        client.post(&["kits"], &kit).await?;
        let name = format!("{} personal", sample.name);
        let policy = json!({
            "name": name, "edition": "Personal", "scope": "kits", "kits": [sample.slug],
            "seat_kind": "device", "seat_limit": 3, "updates_months": 12, "valid_months": null,
            "license_file_days": 14,
        });
        client.post(&["policies"], &policy).await?;
        let price = json!({
            "external_id": price_of(sample), "policies": [name], "quantity_rule": "seats",
        });
        client.post(&["prices"], &price).await?;
    }
    let [first, ..] = &SAMPLES;
    let file = format!("{}-kit-{VERSION}.zip", first.slug);
    let path = folder.join(&file);
    std::fs::write(&path, sample_kit_zip())?;
    let publish = Publish {
        kit: first.slug.to_owned(),
        version: VERSION.to_owned(),
        files: vec![path],
        ..Publish::default()
    };
    publish::upload(client, &publish, Progress::silent()).await?;
    Ok(Kit {
        slug: first.slug,
        name: first.name,
        file,
    })
}

/// A checkout at the stand-in, and its signed event at the own webhook.
pub(super) async fn buy(app: &Arc<App>, stripe: &FakeStripe, secret: &str) -> Result<(), Failed> {
    let [first, ..] = &SAMPLES;
    let checkout = Checkout {
        email: BUYER.to_owned(),
        name: Some("Example Buyer".to_owned()),
        lines: vec![CheckoutLine {
            price: price_of(first),
            product: format!("prod_{}", first.slug.replace('-', "_")),
            description: first.name.to_owned(),
            quantity: 1,
            unit_amount: first.cents,
            tax: 0,
        }],
        ..Checkout::default()
    };
    let ids = stripe.add_checkout(checkout);
    let event = stripe
        .event("checkout.session.completed", &ids.session)
        .to_string();
    let signature = sign_event(secret, app.clock.now().unix(), event.as_bytes());
    #[expect(
        clippy::disallowed_methods,
        reason = "posts to this process's own webhook"
    )]
    let response = reqwest::Client::new()
        .post(app.link("/webhooks/stripe"))
        .header("stripe-signature", signature)
        .header("content-type", "application/json")
        .body(event)
        .send()
        .await?;
    if response.status().is_success() {
        return Ok(());
    }
    Err(Failed::new(format!(
        "the webhook answered {}",
        response.status()
    )))
}

/// The license key in a mail's text.
pub(super) fn key_in(text: &str) -> Option<String> {
    text.split_whitespace()
        .find(|word| word.starts_with("kwl_"))
        .map(str::to_owned)
}
