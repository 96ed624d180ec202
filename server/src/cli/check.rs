//! `kitward doctor`.

use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::json;

use super::output::{Failed, Output};
use crate::app::{App, Parts, database_url};
use crate::clock::Timestamp;
use crate::config::{self, Config};
use crate::payments::model::Mode;
use crate::secrets::MasterKey;

/// One thing that was looked at.
struct Finding {
    what: &'static str,
    ok: bool,
    detail: String,
}

fn finding(what: &'static str, outcome: Result<String, String>) -> Finding {
    match outcome {
        Ok(detail) => Finding {
            what,
            ok: true,
            detail,
        },
        Err(detail) => Finding {
            what,
            ok: false,
            detail,
        },
    }
}

pub(super) async fn run(path: Option<&Path>, output: Output) -> Result<(), Failed> {
    let config = config::from_process(path)?;
    let mut findings = vec![database(&config), payments(&config), master_key(&config)];
    match App::build(config, Parts::default()).await {
        Ok(app) => {
            findings.push(finding("key material", Ok("opens".to_owned())));
            findings.push(storage(&app).await);
            findings.push(mail(&app).await);
            findings.push(clock(&app).await);
            app.db.close();
        }
        Err(error) => {
            let cause = crate::http::error::chain(&error);
            findings.push(finding("key material", Err(cause)));
        }
    }
    let lines: Vec<String> = findings
        .iter()
        .map(|f| {
            format!(
                "{}  {:12}  {}",
                if f.ok { "ok  " } else { "FAIL" },
                f.what,
                f.detail
            )
        })
        .collect();
    let rows: Vec<_> = findings
        .iter()
        .map(|f| json!({ "check": f.what, "ok": f.ok, "detail": f.detail }))
        .collect();
    output.show(&lines.join("\n"), &json!(rows));
    if findings.iter().all(|finding| finding.ok) {
        Ok(())
    } else {
        Err(Failed::new("something needs attention"))
    }
}

fn database(config: &Config) -> Finding {
    let outcome = database_url(config).and_then(|url| {
        if url.is_sqlite() {
            std::fs::create_dir_all(&config.data_dir).map_err(crate::db::OpenError::Thread)?;
        }
        crate::db::ping(&url)?;
        crate::db::pending(&url)
    });
    let outcome = outcome
        .map_err(|error| crate::http::error::chain(&error))
        .map(|pending| {
            if pending.is_empty() {
                "answers, schema up to date".to_owned()
            } else {
                format!("answers, {} migrations wait", pending.len())
            }
        });
    finding("database", outcome)
}

/// Keys name their mode; one of the other mode would see nothing of what is sold.
fn payments(config: &Config) -> Finding {
    let outcome = match &config.stripe.secret_key {
        None => Ok("no Stripe key: payments are off".to_owned()),
        Some(key) => {
            let key = key.expose_secret();
            let fits = match config.stripe.mode {
                Mode::Live => key.contains("_live_"),
                Mode::Test => key.contains("_test_"),
            };
            if !fits {
                Err(format!(
                    "the Stripe key is not of mode {}",
                    config.stripe.mode
                ))
            } else if config.stripe.webhook_secrets.is_empty() {
                Err("stripe.webhook_secrets is empty: no event can be accepted".to_owned())
            } else {
                Ok(format!("Stripe, mode {}", config.stripe.mode))
            }
        }
    };
    finding("payments", outcome)
}

fn master_key(config: &Config) -> Finding {
    let beside = MasterKey::default_path(&config.data_dir).exists();
    let outcome = match (&config.master_key, beside) {
        (Some(_), false) => Ok("given, not kept beside the database".to_owned()),
        (Some(_), true) => Err("given, but a copy lies in the data folder: remove one".to_owned()),
        (None, _) => Ok(
            "kept in the data folder: store a copy elsewhere, and never back it up \
                         together with the database"
                .to_owned(),
        ),
    };
    finding("master key", outcome)
}

async fn storage(app: &App) -> Finding {
    let outcome = app
        .storage
        .check()
        .await
        .map_err(|error| crate::http::error::chain(&error));
    finding(
        "storage",
        outcome.map(|()| "can be written and read".to_owned()),
    )
}

async fn mail(app: &App) -> Finding {
    let outcome = match &app.mailer {
        None => Ok("mail.smtp_url is not set: mails wait in the outbox".to_owned()),
        Some(mailer) => match mailer.ping().await {
            Ok(true) => Ok("the mail server answers".to_owned()),
            Ok(false) => Err("the mail server does not answer".to_owned()),
            Err(error) => Err(crate::http::error::chain(&error)),
        },
    };
    finding("mail", outcome)
}

/// A clock behind what was already written would reorder history.
async fn clock(app: &App) -> Finding {
    let now = app.clock.now();
    let newest = app.db.read_slow(crate::audit::newest_time).await;
    let outcome = match newest {
        Err(error) => Err(crate::http::error::chain(&error)),
        Ok(Some(newest)) if newest > now => Err(format!(
            "the clock is behind the newest audit entry ({newest})"
        )),
        Ok(_) if now < Timestamp::from_unix(1_760_000_000).unwrap_or(now) => {
            Err(format!("the clock says {now}"))
        }
        Ok(_) => Ok(now.to_string()),
    };
    finding("clock", outcome)
}

/// Asks the running server, for health checks of containers.
pub(super) async fn ping(path: Option<&Path>, output: Output) -> Result<(), Failed> {
    let config = config::from_process(path)?;
    let mut address = config.listen;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    #[expect(clippy::disallowed_methods, reason = "asks this machine only")]
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(3))
        .no_proxy()
        .build()?;
    let status = client
        .get(format!("http://{address}/readyz"))
        .send()
        .await?
        .status();
    if !status.is_success() {
        return Err(Failed::new(format!("the server answered {status}")));
    }
    output.show("ready", &json!({ "ready": true }));
    Ok(())
}
