//! Reading the configuration: file, then environment, then checks that name the offending field.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use toml::{Table, Value};

use super::Config;
use super::checks::check;
use super::document::{Field, Kind, fields};

/// Variables that belong to commands, not to the configuration.
const NOT_CONFIGURATION: [&str; 3] = ["KITWARD_URL", "KITWARD_TOKEN", "KITWARD_CONFIG"];

/// The variables that `kitward demo` heeds.
const OF_THE_LOG: [&str; 2] = ["KITWARD_LOG", "KITWARD_LOG_FORMAT"];

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
    /// A variable that would be left out silently.
    #[error("the value of {0} is not UTF-8")]
    NotText(String),
    /// A value of the wrong type, or an unknown key.
    #[error("{field}: {reason}")]
    Field {
        /// Path of the field, as in the file.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
}

pub(super) fn field(field: &str, reason: impl Into<String>) -> ConfigError {
    ConfigError::Field {
        field: field.to_owned(),
        reason: reason.into(),
    }
}

/// The configuration of this process: `--config` or `KITWARD_CONFIG`, and its environment.
pub fn from_process(path: Option<&Path>) -> Result<Config, ConfigError> {
    load(path, &process_variables()?)
}

/// Defaults, with what the environment says of the log only: a demo must not take part of the
/// machine's real settings.
pub fn log_from_process(log: &str) -> Result<Config, ConfigError> {
    log_only(process_variables()?, log)
}

fn log_only(mut variables: BTreeMap<String, String>, log: &str) -> Result<Config, ConfigError> {
    variables.retain(|name, _| OF_THE_LOG.contains(&name.as_str()));
    let filter = variables.entry("KITWARD_LOG".to_owned());
    filter.or_insert_with(|| log.to_owned());
    load(None, &variables)
}

#[expect(
    clippy::disallowed_methods,
    reason = "configuration is read here and nowhere else"
)]
fn process_variables() -> Result<BTreeMap<String, String>, ConfigError> {
    ours(std::env::vars_os())
}

fn ours(
    all: impl Iterator<Item = (OsString, OsString)>,
) -> Result<BTreeMap<String, String>, ConfigError> {
    all.map(|(name, value)| (name.to_string_lossy().into_owned(), value))
        .filter(|(name, _)| name.starts_with("KITWARD_"))
        .map(|(name, value)| match value.into_string() {
            Ok(text) => Ok((name, text)),
            Err(_not_text) => Err(ConfigError::NotText(name)),
        })
        .collect()
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
    split_lists(&mut table, &known);
    let config: Config =
        serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
            let path = error.path().to_string();
            field(
                if path == "." { "configuration" } else { &path },
                without_value(error.inner().message()),
            )
        })?;
    check(config)
}

/// What was expected, never what was found: that may be a secret, also where a secret was written
/// into the wrong field.
fn without_value(message: &str) -> String {
    // Names a key, which is what the operator must find.
    if message.starts_with("unknown field") || message.starts_with("missing field") {
        return message.to_owned();
    }
    // These forms of serde put the value first and a constant text last.
    let is_serde = ["invalid type:", "invalid value:", "unknown variant"]
        .iter()
        .any(|form| message.starts_with(form));
    let expected = message.rsplit_once(", expected ").map(|(_, text)| text);
    match expected.filter(|_| is_serde) {
        Some(text) if text.starts_with("struct ") => "must be a section".to_owned(),
        Some(text) => format!("is not accepted: expected {text}"),
        None => "has the wrong type or form".to_owned(),
    }
}

fn parse_file(path: &Path) -> Result<Table, ConfigError> {
    let path = path.display().to_string();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) => return Err(ConfigError::File { path, source }),
    };
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

/// Blanks stay, to be refused: what looks given must not vanish.
fn list(text: &str) -> Value {
    let words = text.split(',').map(str::trim);
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
        // Not by its path: who mixes the two up writes the secret there.
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let reason = format!("cannot be read: {}", error.kind());
            field(&format!("{}_file", secret.path), reason)
        })?;
        insert(table, &secret.path, parse(secret, text.trim())?);
    }
    Ok(())
}

/// The file may give a list as one text with commas, as variables do.
fn split_lists(table: &mut Table, known: &[Field]) {
    for known in known.iter().filter(|field| field.kind == Kind::List) {
        match take(table, &known.path) {
            Some(Value::String(text)) => insert(table, &known.path, list(&text)),
            Some(other) => insert(table, &known.path, other),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests;
