//! The list of configuration fields, read from the structs' own schema.

use std::fmt::Write as _;

use serde_json::Value;

use super::Config;

/// Fields that may be given as `NAME_file` and are never shown.
const SECRETS: [&str; 9] = [
    "database_url",
    "master_key",
    "storage.s3.access_key_id",
    "storage.s3.secret_access_key",
    "storage.gcs.service_account_key",
    "storage.azure.access_key",
    "mail.smtp_url",
    "stripe.secret_key",
    "stripe.webhook_secrets",
];

/// How a variable's text becomes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    List,
}

/// One setting.
#[derive(Debug)]
pub(super) struct Field {
    /// As in the file, sections separated by dots.
    pub(super) path: String,
    pub(super) kind: Kind,
    description: String,
    default: Option<String>,
}

impl Field {
    pub(super) fn variable(&self) -> String {
        format!("KITWARD_{}", self.path.replace('.', "_").to_uppercase())
    }

    pub(super) fn is_secret(&self) -> bool {
        SECRETS.contains(&self.path.as_str())
    }
}

/// Every setting, in the order of the structs.
pub(super) fn fields() -> Vec<Field> {
    let schema = schemars::schema_for!(Config).to_value();
    let defaults = default_values();
    let mut found = Vec::new();
    collect(&schema, &schema, "", &mut found);
    for field in &mut found {
        let pointer = format!("/{}", field.path.replace('.', "/"));
        field.default = defaults.pointer(&pointer).map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
    }
    found
}

fn collect(root: &Value, schema: &Value, prefix: &str, found: &mut Vec<Field>) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return;
    };
    for (name, property) in properties {
        let path = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}.{name}")
        };
        let target = follow(root, property);
        if target.get("properties").is_some() {
            collect(root, target, &path, found);
            continue;
        }
        let text = property
            .get("description")
            .or_else(|| target.get("description"));
        let description = text
            .and_then(Value::as_str)
            .unwrap_or_default()
            .replace('\n', " ");
        found.push(Field {
            path,
            kind: kind(target),
            description,
            default: None,
        });
    }
}

fn follow<'v>(root: &'v Value, property: &'v Value) -> &'v Value {
    let reference = property.get("$ref").and_then(Value::as_str);
    let target = reference
        .and_then(|text| text.strip_prefix('#'))
        .and_then(|p| root.pointer(p));
    target.unwrap_or(property)
}

fn kind(schema: &Value) -> Kind {
    let is = |name: &str| match schema.get("type") {
        Some(Value::String(text)) => text == name,
        Some(Value::Array(names)) => names.iter().any(|text| text == name),
        _ => false,
    };
    if is("array") {
        Kind::List
    } else if is("integer") {
        Kind::Integer
    } else {
        Kind::Text
    }
}

/// Defaults worth showing; those that depend on others are told in the description.
fn default_values() -> Value {
    let config = Config::default();
    serde_json::json!({
        "listen": config.listen.to_string(),
        "data_dir": config.data_dir.display().to_string(),
        "database": { "write_batch": config.database.write_batch },
        "log": config.log,
        "log_format": "text",
        "vendor": { "name": config.vendor.name, "brand_hue": config.vendor.brand_hue,
            "key_prefix": config.vendor.key_prefix },
        "storage": {
            "kind": "local",
            "delivery": "redirect",
            "signed_seconds": config.storage.signed_seconds,
            "timeout_seconds": config.storage.timeout_seconds,
            "s3": { "region": config.storage.s3.region, "addressing": "path" },
        },
        "mail": { "from": config.mail.from, "timeout_seconds": config.mail.timeout_seconds,
            "notices_per_minute": config.mail.notices_per_minute,
            "notices_quiet_minutes": config.mail.notices_quiet_minutes },
        "stripe": { "mode": config.stripe.mode, "api_url": config.stripe.api_url.as_str() },
        "limits": {
            "json_bytes": config.limits.json_bytes,
            "webhook_bytes": config.limits.webhook_bytes,
            "artifact_bytes": config.limits.artifact_bytes,
            "key_misses_per_minute": config.limits.key_misses_per_minute,
            "key_misses_burst": config.limits.key_misses_burst,
            "token_requests_per_minute": config.limits.token_requests_per_minute,
            "token_calls_per_minute": config.limits.token_calls_per_minute,
        },
        "retention": { "download_networks_days": config.retention.download_networks_days },
    })
}

/// The reference page, `docs/configuration.md`.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Configuration\n\nGenerated from the program; `UPDATE_DOCS=1 cargo test` writes it anew.\n\n\
         One TOML file (`--config FILE` or `KITWARD_CONFIG`), and variables over it. A dot in a name\n\
         is a section of the file (`[mail]` `smtp_url = …`). Secrets may also be given as a file:\n\
         `NAME_file` in the TOML file, `VARIABLE_FILE` in the environment. Unknown keys and\n\
         `KITWARD_*` variables are refused. `kitward check-config` shows what is in effect.\n\n\
         | Field | Variable | Default | Meaning |\n|---|---|---|---|\n",
    );
    for field in fields() {
        let secret = if field.is_secret() { " *(secret)*" } else { "" };
        let default = field
            .default
            .as_deref()
            .map_or("–".to_owned(), |text| format!("`{text}`"));
        // Writing to a String cannot fail.
        let _ = writeln!(
            page,
            "| `{}`{secret} | `{}` | {default} | {} |",
            field.path,
            field.variable(),
            field.description.replace('|', "\\|"),
        );
    }
    page
}

/// What is in effect, with secrets masked: for `check-config`.
pub fn effective(config: &Config) -> Vec<(String, String)> {
    let optional = |value: Option<String>| value.unwrap_or_default();
    let proxies: Vec<String> = config
        .trusted_proxies
        .iter()
        .map(ToString::to_string)
        .collect();
    let rows = [
        ("listen", config.listen.to_string()),
        (
            "public_url",
            optional(config.public_url.as_ref().map(ToString::to_string)),
        ),
        ("data_dir", config.data_dir.display().to_string()),
        ("database_url", masked(config.database_url.is_some())),
        (
            "database.write_batch",
            config.database.write_batch.to_string(),
        ),
        ("master_key", masked(config.master_key.is_some())),
        (
            "metrics_listen",
            optional(config.metrics_listen.map(|a| a.to_string())),
        ),
        ("trusted_proxies", proxies.join(" ")),
        ("log", config.log.clone()),
        (
            "log_format",
            format!("{:?}", config.log_format).to_lowercase(),
        ),
        ("vendor.name", config.vendor.name.clone()),
        (
            "vendor.support_email",
            optional(config.vendor.support_email.clone()),
        ),
        ("vendor.brand_hue", config.vendor.brand_hue.to_string()),
        ("vendor.key_prefix", config.vendor.key_prefix.clone()),
        (
            "vendor.former_key_prefixes",
            config.vendor.former_key_prefixes.join(", "),
        ),
        ("storage", config.storage.in_words()),
        (
            "vendor.minisign_keys",
            config.vendor.minisign_keys.join(", "),
        ),
    ];
    let all = rows.into_iter().chain(of_services_and_limits(config));
    all.map(|(name, value)| (name.to_owned(), value)).collect()
}

fn masked(present: bool) -> String {
    if present { "********" } else { "" }.to_owned()
}

fn of_services_and_limits(config: &Config) -> Vec<(&'static str, String)> {
    let (stripe, limits) = (&config.stripe, &config.limits);
    vec![
        ("mail.smtp_url", masked(config.mail.smtp_url.is_some())),
        ("mail.from", config.mail.from.clone()),
        (
            "mail.reply_to",
            config.mail.reply_to.clone().unwrap_or_default(),
        ),
        (
            "mail.timeout_seconds",
            config.mail.timeout_seconds.to_string(),
        ),
        (
            "mail.notices",
            format!(
                "{} a minute · after {} quiet minutes",
                config.mail.notices_per_minute, config.mail.notices_quiet_minutes
            ),
        ),
        ("stripe.secret_key", masked(stripe.secret_key.is_some())),
        (
            "stripe.webhook_secrets",
            masked(!stripe.webhook_secrets.is_empty()),
        ),
        ("stripe.mode", stripe.mode.to_string()),
        ("stripe.api_url", stripe.api_url.to_string()),
        (
            "limits",
            format!(
                "json {} · webhook {} · artifact {} bytes",
                limits.json_bytes, limits.webhook_bytes, limits.artifact_bytes
            ),
        ),
        (
            "limits per minute",
            format!(
                "{} wrong keys ({} at once) · {} requests of a management token · {} calls of a derived one",
                limits.key_misses_per_minute,
                limits.key_misses_burst,
                limits.token_requests_per_minute,
                limits.token_calls_per_minute
            ),
        ),
        (
            "retention.download_networks_days",
            config.retention.download_networks_days.to_string(),
        ),
    ]
}
