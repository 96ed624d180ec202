//! Commands that open the data folder themselves.

use std::path::Path;

use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::arguments::NewToken;
use super::output::{Failed, Output};
use crate::app::{App, Parts, create_data_dir, database_url};
use crate::audit::Actor;
use crate::clock::Timestamp;
use crate::config;
use crate::db;
use crate::staff::{CreateToken, CreateTokenError, create_token};

pub(super) fn check_config(path: Option<&Path>, output: Output) -> Result<(), Failed> {
    let config = config::from_process(path)?;
    let rows = config::effective(&config);
    let width = rows
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or_default();
    let lines: Vec<String> = rows
        .iter()
        .map(|(name, value)| format!("{name:width$}  {value}"))
        .collect();
    let value: Map<String, Value> = rows
        .iter()
        .map(|(name, value)| (name.clone(), value.clone().into()))
        .collect();
    output.show(&lines.join("\n"), &Value::Object(value));
    Ok(())
}

pub(super) fn migrate(path: Option<&Path>, output: Output) -> Result<(), Failed> {
    let config = config::from_process(path)?;
    create_data_dir(&config.data_dir)?;
    let done = db::migrate(&database_url(&config)?)?;
    let text = if done.is_empty() {
        "nothing to do".to_owned()
    } else {
        done.join("\n")
    };
    output.show(&text, &json!({ "applied": done }));
    Ok(())
}

pub(super) async fn create(
    path: Option<&Path>,
    new: NewToken,
    output: Output,
) -> Result<(), Failed> {
    let expires_at = match new.expires {
        Some(text) => Some(Timestamp::parse(&text).ok_or_else(|| {
            Failed::new("--expires must be an RFC 3339 time, as in 2027-01-31T00:00:00Z")
        })?),
        None => None,
    };
    let app = App::build(config::from_process(path)?, Parts::default()).await?;
    let input = CreateToken {
        name: new.name,
        scopes: new.scope,
        expires_at,
        actor: Actor::Operator,
    };
    let created = create_token(&app, input)
        .await
        .map_err(|error| match error {
            CreateTokenError::Name => Failed::new(format!("--name: {error}")),
            CreateTokenError::Expired => Failed::new(format!("--expires: {error}")),
            CreateTokenError::Scopes => Failed::new(format!("--scope: {error}")),
            CreateTokenError::Seal(error) => Failed::from(error),
            CreateTokenError::Db(error) => Failed::from(error),
        })?;
    let secret = created.secret.expose_secret();
    output.show(secret, &json!({ "id": created.id, "token": secret }));
    app.db.close();
    Ok(())
}
