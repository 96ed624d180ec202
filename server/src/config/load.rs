//! Reading the configuration: file, then environment, then checks that name the offending field.

use std::collections::BTreeMap;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use toml::{Table, Value};
use url::Url;

use super::Config;
use super::document::{Field, Kind, fields};

/// Variables that belong to commands, not to the configuration.
const NOT_CONFIGURATION: [&str; 3] = ["KITWARD_URL", "KITWARD_TOKEN", "KITWARD_CONFIG"];

/// Why the configuration is refused; names the field.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file could not be read.
    #[error("cannot read {path}")]
    File {
        /// Its path.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{path} is not valid TOML")]
    Toml {
        /// Its path.
        path: String,
        /// Where and why.
        source: toml::de::Error,
    },
    /// A variable that means nothing here.
    #[error("unknown variable {0}")]
    UnknownVariable(String),
    /// A value of the wrong type, or an unknown key.
    #[error("{field}: {reason}")]
    Field {
        /// Path of the field, as in the file.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
}

fn field(field: &str, reason: impl Into<String>) -> ConfigError {
    ConfigError::Field {
        field: field.to_owned(),
        reason: reason.into(),
    }
}

/// The configuration of this process: `--config` or `KITWARD_CONFIG`, and its environment.
pub fn from_process(path: Option<&Path>) -> Result<Config, ConfigError> {
    #[expect(
        clippy::disallowed_methods,
        reason = "configuration is read here and nowhere else"
    )]
    let variables: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with("KITWARD_"))
        .collect();
    load(path, &variables)
}

/// The configuration from a file and a set of variables.
pub fn load(
    path: Option<&Path>,
    variables: &BTreeMap<String, String>,
) -> Result<Config, ConfigError> {
    let mut table = match path {
        Some(path) => parse_file(path)?,
        None => Table::new(),
    };
    let known = fields();
    overlay(&mut table, &known, variables)?;
    resolve_files(&mut table, &known)?;
    let config: Config =
        serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
            let path = error.path().to_string();
            field(
                if path == "." { "configuration" } else { &path },
                short(error.inner()),
            )
        })?;
    check(config)
}

/// The message without the excerpt of the source, which may hold a secret.
fn short(error: &toml::de::Error) -> String {
    error.message().to_owned()
}

fn read_file(path: &str) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|source| ConfigError::File {
        path: path.to_owned(),
        source,
    })
}

fn parse_file(path: &Path) -> Result<Table, ConfigError> {
    let path = path.display().to_string();
    let text = read_file(&path)?;
    text.parse::<Table>().map_err(|mut source| {
        source.set_input(None);
        ConfigError::Toml { path, source }
    })
}

fn overlay(
    table: &mut Table,
    known: &[Field],
    variables: &BTreeMap<String, String>,
) -> Result<(), ConfigError> {
    for (name, text) in variables {
        if NOT_CONFIGURATION.contains(&name.as_str()) {
            continue;
        }
        let direct = known.iter().find(|field| field.variable() == *name);
        let from_file = known.iter().find(|field| {
            field.is_secret() && name.strip_suffix("_FILE") == Some(field.variable().as_str())
        });
        match (direct, from_file) {
            (Some(known), _) => insert(table, &known.path, parse(known, text)?),
            (None, Some(known)) => {
                insert(
                    table,
                    &format!("{}_file", known.path),
                    Value::String(text.clone()),
                );
            }
            (None, None) => return Err(ConfigError::UnknownVariable(name.clone())),
        }
    }
    Ok(())
}

fn parse(known: &Field, text: &str) -> Result<Value, ConfigError> {
    match known.kind {
        Kind::Text => Ok(Value::String(text.to_owned())),
        Kind::Integer => text
            .parse()
            .map(Value::Integer)
            .map_err(|_not_a_number| field(&known.path, "expected a whole number")),
        Kind::List => Ok(list(text)),
    }
}

fn list(text: &str) -> Value {
    let words = text
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty());
    Value::Array(words.map(|word| Value::String(word.to_owned())).collect())
}

fn insert(table: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.to_owned(), value);
        }
        Some((section, rest)) => {
            let entry = table
                .entry(section)
                .or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = entry {
                insert(inner, rest, value);
            }
        }
    }
}

fn take(table: &mut Table, path: &str) -> Option<Value> {
    match path.split_once('.') {
        None => table.remove(path),
        Some((section, rest)) => take(table.get_mut(section)?.as_table_mut()?, rest),
    }
}

/// Replaces each `NAME_file` of a secret by what the file holds.
fn resolve_files(table: &mut Table, known: &[Field]) -> Result<(), ConfigError> {
    for secret in known.iter().filter(|field| field.is_secret()) {
        let Some(value) = take(table, &format!("{}_file", secret.path)) else {
            continue;
        };
        let Value::String(path) = value else {
            return Err(field(&format!("{}_file", secret.path), "expected a path"));
        };
        let text = read_file(&path)?;
        insert(table, &secret.path, parse(secret, text.trim())?);
    }
    Ok(())
}

fn check(mut config: Config) -> Result<Config, ConfigError> {
    if config.public_url.is_none() {
        if !config.listen.ip().is_loopback() {
            return Err(field(
                "public_url",
                "is required when listen is not a loopback address",
            ));
        }
        let url = format!("http://localhost:{}/", config.listen.port());
        config.public_url = Url::parse(&url).ok();
    }
    config.public_url = config.public_url.map(check_public_url).transpose()?;
    if config
        .stripe
        .webhook_secrets
        .iter()
        .any(|secret| secret.expose_secret().is_empty())
    {
        return Err(field(
            "stripe.webhook_secrets",
            "a secret is empty: anybody could sign with it",
        ));
    }
    if config.stripe.secret_key.as_ref().is_some_and(is_blank) {
        return Err(field("stripe.secret_key", "is empty"));
    }
    if config.vendor.brand_hue > 360 {
        return Err(field("vendor.brand_hue", "must be 0 to 360"));
    }
    if !(1..=600).contains(&config.mail.timeout_seconds) {
        return Err(field("mail.timeout_seconds", "must be 1 to 600"));
    }
    if let Some(url) = &config.database_url {
        crate::db::DatabaseUrl::parse(url)
            .map_err(|error| field("database_url", error.to_string()))?;
    }
    crate::mail::check(&config.mail).map_err(|(name, reason)| field(name, reason))?;
    Ok(config)
}

fn is_blank(secret: &SecretString) -> bool {
    secret.expose_secret().trim().is_empty()
}

fn check_public_url(url: Url) -> Result<Url, ConfigError> {
    let refuse = |reason: &str| Err(field("public_url", reason));
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return refuse("must be scheme, host and port only");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("must not hold a user name or password");
    }
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => return refuse("has no host"),
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        "http" => refuse("plain http is accepted for loopback hosts only: use https"),
        _ => refuse("must be https:// (or http://localhost)"),
    }
}
