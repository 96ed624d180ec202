//! Licenses, customers, seats and the one box that finds, over HTTP.

mod bodies;

use std::io::Read as _;

use serde_json::{Value, json};

use self::bodies::with;
use super::arguments::licenses::{
    CustomerCommand, EditLicense, LicenseCommand, LicenseList, Narrow, SeatCommand, Seats,
};
use super::catalog::{get, list, patch, post};
use super::client::Client;
use super::export::export;
use super::license_tokens;
use super::output::{Failed, Output, table};

/// Longest key that is read from standard input, in bytes.
const KEY_MAX: u64 = 4_096;

const COLUMNS: [&str; 6] = [
    "id",
    "status",
    "edition",
    "key_hint",
    "updates_until",
    "customer_id",
];

const DELIVERY: [&str; 7] = [
    "started_at",
    "kit",
    "version",
    "name",
    "network",
    "credential",
    "bytes_asked",
];

pub(super) async fn license(command: LicenseCommand, output: Output) -> Result<(), Failed> {
    match command {
        LicenseCommand::Token { command } => license_tokens::token(command, output).await,
        LicenseCommand::List(narrow) => {
            let filter = narrow.query();
            let filter: Vec<(&str, &str)> = pairs(&filter);
            list(output, &["licenses"], &filter, &COLUMNS).await
        }
        LicenseCommand::Show { license } => get(output, &["licenses", &license]).await,
        LicenseCommand::Export { file, narrow } => {
            let filter = narrow.query();
            export(output, "licenses", &pairs(&filter), &file).await
        }
        LicenseCommand::Edit(edit) => edited(output, edit).await,
        LicenseCommand::Seats {
            license,
            set,
            over_limit_days,
        } => seats(output, &license, set, over_limit_days).await,
        LicenseCommand::ImportKey { license, source } => {
            let body = json!({ "source": source, "key": piped()? });
            post(output, &["licenses", &license, "import-key"], &body).await
        }
        LicenseCommand::Issue(issue) => {
            let body = issue.body();
            post(output, &["licenses"], &body).await
        }
        LicenseCommand::Look(look) => {
            let (license, part, columns) = look.call();
            list(output, &["licenses", &license, part], &[], columns).await
        }
        LicenseCommand::Act(act) => {
            let (license, verb, body) = act.call();
            post(output, &["licenses", &license, verb], &body).await
        }
    }
}

impl Narrow {
    fn query(&self) -> Vec<(&'static str, String)> {
        let number = |days: Option<u32>| days.map(|days| days.to_string());
        let yes = |asked: bool| asked.then(|| "true".to_owned());
        let all = [
            ("status", self.status.map(|status| status.to_string())),
            ("kit", self.kit.clone()),
            ("customer", self.customer.clone()),
            ("policy", self.policy.clone()),
            ("expiring", number(self.expiring)),
            ("dormant", number(self.dormant)),
            ("over_limit", yes(self.over_limit)),
            ("never_activated", yes(self.never_activated)),
        ];
        let given = all.into_iter();
        given
            .filter_map(|(name, value)| value.map(|value| (name, value)))
            .collect()
    }
}

fn pairs<'a>(query: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    query
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect()
}

async fn seats(
    output: Output,
    license: &str,
    set: Option<Seats>,
    over_limit_days: Option<u32>,
) -> Result<(), Failed> {
    let Some(Seats(limit)) = set else {
        let columns = ["id", "kind", "identity", "name", "version", "last_seen_at"];
        return list(output, &["licenses", license, "seats"], &[], &columns).await;
    };
    let body = json!({ "seat_limit": limit });
    let body = with(body, "over_limit_days", over_limit_days.map(Value::from));
    patch(output, &["licenses", license], &body).await
}

async fn edited(output: Output, edit: EditLicense) -> Result<(), Failed> {
    let (license, body) = edit.call();
    if body == json!({}) {
        return Err(Failed::new("nothing to change was given"));
    }
    patch(output, &["licenses", &license], &body).await
}

impl LicenseList {
    /// License, part, and what is shown of it.
    fn call(self) -> (String, &'static str, &'static [&'static str]) {
        match self {
            Self::Keys { license } => {
                let columns = &["source", "key_hint", "created_at", "honored_until", "id"];
                (license, "keys", columns)
            }
            Self::Holds { license } => {
                let columns = &["kind", "reason", "cause", "opened_at", "closed_at", "id"];
                (license, "holds", columns)
            }
            Self::Notes { license } => (license, "notes", &["created_at", "author", "body"]),
            Self::History { license } => {
                let columns = &["seq", "at", "actor", "action", "fields"];
                (license, "history", columns)
            }
            Self::Downloads { license } => (license, "downloads", &DELIVERY),
        }
    }
}

/// What stands on standard input.
fn piped() -> Result<String, Failed> {
    let mut text = String::new();
    std::io::stdin().take(KEY_MAX).read_to_string(&mut text)?;
    Ok(text.trim().to_owned())
}

pub(super) async fn customer(command: CustomerCommand, output: Output) -> Result<(), Failed> {
    match command {
        CustomerCommand::List { email } => {
            let filter: Vec<(&str, &str)> = email.iter().map(|it| ("email", it.as_str())).collect();
            let columns = ["id", "name", "claim_address", "created_at"];
            list(output, &["customers"], &filter, &columns).await
        }
        CustomerCommand::Export { file, email } => {
            let filter: Vec<(&str, &str)> = email.iter().map(|it| ("email", it.as_str())).collect();
            export(output, "customers", &filter, &file).await
        }
        CustomerCommand::Show { customer } => get(output, &["customers", &customer]).await,
        CustomerCommand::Rename { customer, name } => {
            let body = json!({ "name": name });
            patch(output, &["customers", &customer], &body).await
        }
    }
}

pub(super) async fn seat(command: SeatCommand, output: Output) -> Result<(), Failed> {
    let SeatCommand::Free { license, seat } = command;
    let path = ["licenses", &license, "seats", &seat, "free"];
    post(output, &path, &json!({})).await
}

/// The text is sent in the body: it may be a license key.
pub(super) async fn find(text: &str, output: Output) -> Result<(), Failed> {
    // Commands and their words are seen by whoever shares the machine.
    let text = if text == "-" {
        piped()?
    } else {
        text.to_owned()
    };
    let client = Client::from_environment()?;
    let found = client.post(&["find"], &json!({ "q": text })).await?;
    let columns: [(&str, &[&str]); 4] = [
        ("licenses", &COLUMNS),
        ("customers", &["id", "name", "claim_address"]),
        (
            "orders",
            &["id", "status", "email", "total", "currency", "business_key"],
        ),
        (
            "seats",
            &[
                "id",
                "license_id",
                "kind",
                "identity",
                "last_seen_at",
                "freed_at",
            ],
        ),
    ];
    let mut shown = Vec::new();
    for (group, columns) in columns {
        let rows = found.get(group).and_then(Value::as_array);
        let rows = rows.map_or(&[][..], Vec::as_slice);
        if !rows.is_empty() {
            shown.push(format!("{group}\n{}", table(rows, columns)));
        }
    }
    if shown.is_empty() {
        shown.push("nothing found".to_owned());
    }
    output.show(&shown.join("\n\n"), &found);
    Ok(())
}
