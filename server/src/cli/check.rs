//! `kitward doctor`.

mod files;
mod ring;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::json;

use super::output::{Failed, Output};
use crate::app::{App, Parts, database_url};
use crate::clock::Timestamp;
use crate::config::{self, Config};
use crate::db::{DatabaseUrl, Db};
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
    let database = database(&config).await;
    let is_set_up = database.ok;
    let mut findings = vec![
        database,
        data_folder(&config),
        payments(&config),
        master_key(&config),
    ];
    // Building it sets up what is missing; a look must change nothing.
    if is_set_up {
        findings.extend(installation(config).await);
    }
    report(&findings, output)
}

async fn installation(config: Config) -> Vec<Finding> {
    match App::build(config, Parts::default()).await {
        Ok(app) => {
            let mut findings = vec![finding("key material", Ok("opens".to_owned()))];
            findings.extend(ring::findings(&app).await);
            findings.extend([storage(&app).await, files::finding_of(&app).await]);
            findings.extend([mail(&app).await, clock(&app).await]);
            app.db.close();
            findings
        }
        Err(error) => {
            let cause = crate::http::error::chain(&error);
            vec![finding("key material", Err(cause))]
        }
    }
}

fn report(findings: &[Finding], output: Output) -> Result<(), Failed> {
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

async fn database(config: &Config) -> Finding {
    let outcome = match database_url(config) {
        Ok(url) => look_at(url).await,
        Err(error) => Err(crate::http::error::chain(&error)),
    };
    finding("database", outcome)
}

/// Looks without making anything: connecting to a missing SQLite file would create it.
pub(super) async fn look_at(url: DatabaseUrl) -> Result<String, String> {
    let not_set_up = |why: &str| {
        Err(format!(
            "not set up yet ({why}): run kitward serve or kitward migrate"
        ))
    };
    if let DatabaseUrl::Sqlite(path) = &url {
        let size = std::fs::metadata(path).map_or(0, |file| file.len());
        if size == 0 {
            return not_set_up("there is no database file");
        }
    }
    let fail = |error| crate::http::error::chain(&error);
    crate::db::ping(&url).map_err(fail)?;
    let pending = crate::db::pending(&url).map_err(fail)?;
    if !pending.is_empty() {
        return not_set_up(&format!("{} migrations wait", pending.len()));
    }
    let db = Db::open(url).map_err(fail)?;
    let newest = db.read_slow(crate::audit::newest_time).await;
    db.close();
    match newest {
        Ok(Some(_time)) => Ok("answers, schema up to date".to_owned()),
        // The first start makes keys, and says so in the audit trail.
        Ok(None) => Err("not set up yet (it was never started): run kitward serve".to_owned()),
        Err(error) => Err(crate::http::error::chain(&error)),
    }
}

/// Others of this machine should not read what lies there.
fn data_folder(config: &Config) -> Finding {
    let holds_key = MasterKey::default_path(&config.data_dir).exists();
    let outcome = match std::fs::metadata(&config.data_dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok("will be made at the first start".to_owned())
        }
        Err(error) => Err(error.to_string()),
        Ok(folder) => judge_mode(folder.permissions().mode() & 0o777, holds_key),
    };
    finding("data folder", outcome)
}

fn judge_mode(mode: u32, holds_key: bool) -> Result<String, String> {
    let advice = "chmod 700 keeps others of this machine out";
    if mode & 0o007 != 0 && holds_key {
        Err(format!(
            "mode {mode:03o}, open to everybody, and holds the master key: {advice}"
        ))
    } else if mode & 0o077 != 0 {
        Ok(format!(
            "warning: mode {mode:03o}, open to others: {advice}"
        ))
    } else {
        Ok(format!("mode {mode:03o}"))
    }
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
        (None, false) => Ok("neither given nor in the data folder".to_owned()),
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
        outcome.map(|()| {
            let words = app.config.storage.in_words();
            format!("can be written and read ({words})")
        }),
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

#[cfg(test)]
mod tests {
    use super::judge_mode;

    #[test]
    fn a_folder_open_to_everybody_fails_where_it_holds_the_key() {
        assert!(judge_mode(0o755, true).is_err());
        assert!(judge_mode(0o755, false).unwrap().starts_with("warning"));
        assert!(judge_mode(0o750, true).unwrap().starts_with("warning"));
        assert_eq!(judge_mode(0o700, true).unwrap(), "mode 700");
    }
}
