//! Licenses, customers, seats and the one box that finds, over HTTP.

mod bodies;

use std::io::Read as _;
use std::path::Path;

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use self::bodies::with;
use super::arguments::licenses::{CustomerCommand, LicenseCommand, Narrow, SeatCommand, Seats};
use super::catalog::{get, list, post, show};
use super::client::Client;
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

pub(super) async fn license(command: LicenseCommand, output: Output) -> Result<(), Failed> {
    match command {
        LicenseCommand::List(narrow) => {
            let filter = narrow.query();
            let filter: Vec<(&str, &str)> = pairs(&filter);
            list(output, &["licenses"], &filter, &COLUMNS).await
        }
        LicenseCommand::Show { license } => get(output, &["licenses", &license]).await,
        LicenseCommand::Export { file, narrow } => export(output, &file, &narrow).await,
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
    let client = Client::from_environment()?;
    show(output, &client.patch(&["licenses", license], &body).await?);
    Ok(())
}

/// The file is written as it comes; one that is not whole is taken away again.
async fn export(output: Output, file: &Path, narrow: &Narrow) -> Result<(), Failed> {
    let name = match file.extension().and_then(|it| it.to_str()) {
        Some("csv") => "export.csv",
        Some("json") => "export.json",
        _ => return Err(Failed::new("the file's name must end with .csv or .json")),
    };
    let query = narrow.query();
    let client = Client::from_environment()?;
    let response = client.download(&["licenses", name], &pairs(&query)).await?;
    let written = write(response, file).await;
    if written.is_err() {
        // What is there is no export; that it stays is no second failure.
        let _ = tokio::fs::remove_file(file).await;
    }
    let bytes = written?;
    let shown = file.display().to_string();
    let value = json!({ "file": shown, "bytes": bytes });
    output.show(&format!("{shown}: {bytes} bytes"), &value);
    Ok(())
}

async fn write(response: reqwest::Response, file: &Path) -> Result<u64, Failed> {
    let mut target = tokio::fs::File::create(file).await?;
    let mut bytes = 0;
    let mut body = response.bytes_stream();
    while let Some(chunk) = body.next().await {
        let chunk = chunk?;
        target.write_all(&chunk).await?;
        bytes += chunk.len() as u64;
    }
    target.flush().await?;
    Ok(bytes)
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
        CustomerCommand::Show { customer } => get(output, &["customers", &customer]).await,
        CustomerCommand::Rename { customer, name } => {
            let client = Client::from_environment()?;
            let body = json!({ "name": name });
            show(
                output,
                &client.patch(&["customers", &customer], &body).await?,
            );
            Ok(())
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
