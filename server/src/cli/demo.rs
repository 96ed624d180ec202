//! `kitward demo`: a complete sample vendor in a temporary folder.
//!
//! One purchase goes through the real path: a stand-in of Stripe on loopback holds the checkout, a
//! signed event is posted to the own webhook route, the outbox fetches, issues and mails.

mod shop;
mod walkthrough;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use kitward_fakes::{FakeStripe, Inbox};
use secrecy::SecretString;
use url::Url;

use super::client::Client;
use super::output::{Failed, Output};
use super::serve::{bind, until_told};
use crate::app::{App, Parts};
use crate::audit::Actor;
use crate::config::{self, Config};
use crate::entropy::{Entropy, SystemEntropy, bytes};
use crate::run::{self, Options};
use crate::staff::{CreateToken, Scope, create_token};
use crate::{logging, people};

use walkthrough::Walkthrough;

/// How long the sample purchase may take.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn run(port: u16, output: Output) -> Result<(), Failed> {
    let folder = tempfile::TempDir::with_prefix("kitward-demo-")?;
    let listener = bind(&SocketAddr::from(([127, 0, 0, 1], port)))?;
    let address = listener.local_addr()?;
    let stripe = FakeStripe::start().await?;
    let inbox = Inbox::start().await?;
    let inbox_page = inbox.serve_web()?;
    let secret = format!("whsec_{}", random_word());
    let config = settings(&folder, address, &stripe, &inbox, &secret)?;
    logging::start(&config);
    let app = App::build(config, Parts::default()).await?;
    let running = run::start(&app, listener, Options::default())?;

    let client = client(&app).await?;
    let kit = shop::open(&client, folder.path()).await?;
    shop::buy(&app, &stripe, &secret).await?;
    let mails = inbox.wait_for(1, PATIENCE).await;
    let mail = mails.and_then(|mails| mails.into_iter().next());
    let mail = mail.ok_or_else(|| Failed::new("the license mail did not arrive"))?;
    let key = shop::key_in(&mail.text())
        .ok_or_else(|| Failed::new("the license mail holds no license key"))?;
    let link = people::operator_link(&app, shop::BUYER).await?;
    let walkthrough = Walkthrough {
        origin: app.origin().to_owned(),
        inbox: format!("http://{inbox_page}/"),
        link,
        key,
        kit,
    };
    output.show(&walkthrough.text(), &walkthrough.value());

    until_told().await?;
    running.stop().await;
    inbox.stop();
    stripe.stop().await;
    Ok(())
}

fn random_word() -> String {
    HEXLOWER.encode(&bytes::<16>(&SystemEntropy as &dyn Entropy))
}

fn settings(
    folder: &tempfile::TempDir,
    listen: SocketAddr,
    stripe: &FakeStripe,
    inbox: &Inbox,
    webhook_secret: &str,
) -> Result<Config, Failed> {
    let mut config = Config {
        listen,
        public_url: Some(Url::parse(&format!("http://localhost:{}/", listen.port()))?),
        data_dir: folder.path().join("data"),
        ..config::log_from_process("warn")?
    };
    "Example Kits".clone_into(&mut config.vendor.name);
    config.mail.smtp_url = Some(SecretString::from(inbox.smtp_url()));
    "Example Kits <licenses@example.com>".clone_into(&mut config.mail.from);
    config.stripe.secret_key = Some(SecretString::from("sk_test_demo"));
    config.stripe.webhook_secrets = vec![SecretString::from(webhook_secret.to_owned())];
    config.stripe.api_url = Url::parse(&stripe.base_url())?;
    Ok(config)
}

async fn client(app: &Arc<App>) -> Result<Client, Failed> {
    let input = CreateToken {
        name: "demo".to_owned(),
        scopes: vec![Scope::Admin],
        expires_at: None,
        actor: Actor::Operator,
    };
    let token = create_token(app, input).await?;
    Client::new(app.public_url().clone(), token.secret)
}
