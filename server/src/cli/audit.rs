//! `kitward audit`.

use std::path::Path;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::arguments::AuditCommand;
use super::check::look_at;
use super::client::Client;
use super::output::{Failed, Output, lines, table};
use crate::app::{App, Parts, database_url};
use crate::audit::{AuditError, Broken, verify};
use crate::config;

pub(super) async fn audit(
    path: Option<&Path>,
    command: AuditCommand,
    output: Output,
) -> Result<(), Failed> {
    match command {
        AuditCommand::Verify { checkpoints } => verify_log(path, &checkpoints, output).await,
        AuditCommand::List { subject, limit } => list(subject.as_deref(), limit, output).await,
    }
}

async fn verify_log(
    path: Option<&Path>,
    checkpoints: &[String],
    output: Output,
) -> Result<(), Failed> {
    let config = config::from_process(path)?;
    // A new, empty log in a wrong folder would be whole.
    look_at(database_url(&config)?).await.map_err(Failed::new)?;
    let app = App::build(config, Parts::default()).await?;
    let outcome = verify(&app, checkpoints).await;
    app.db.close();
    match outcome {
        Ok(verified) => {
            let value = json!({
                "ok": true,
                "entries": verified.entries,
                "head": HEXLOWER.encode(&verified.head),
                "checkpoints": verified.checkpoints,
                "proven": verified.proven,
                "unproven": verified.unproven,
                "erased": verified.erased,
            });
            output.show(&lines(&value), &value);
            Ok(())
        }
        Err(AuditError::Broken(broken)) => Err(told(&broken, output)),
        Err(error @ (AuditError::Db(_) | AuditError::Given(_, _))) => Err(error.into()),
    }
}

fn told(broken: &Broken, output: Output) -> Failed {
    let value = json!({ "ok": false, "entry": broken.seq, "flaw": broken.flaw.word() });
    output.show(&lines(&value), &value);
    let line = format!("the audit log is broken: {broken}");
    match std::error::Error::source(&broken.flaw) {
        Some(cause) => Failed::new(line).with_detail(cause.to_string()),
        None => Failed::new(line),
    }
}

async fn list(subject: Option<&str>, limit: usize, output: Output) -> Result<(), Failed> {
    let filter: Vec<_> = subject.map(|id| ("subject", id)).into_iter().collect();
    let client = Client::from_environment()?;
    let rows = client.list_first(&["audit"], &filter, limit).await?;
    let columns = ["seq", "at", "actor", "action", "subject"];
    output.show(&table(&rows, &columns), &Value::from(rows.clone()));
    Ok(())
}
