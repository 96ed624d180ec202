//! Policies and license texts, over HTTP.

use serde_json::{Map, Value, json};

use super::arguments::{ApplyPolicy, LicenseTextCommand, PolicyCommand, PolicyTermsArguments};
use super::catalog::{get, list, patch, post, show};
use super::client::Client;
use super::output::{Failed, Output, lines};

pub(super) async fn policy(command: PolicyCommand, output: Output) -> Result<(), Failed> {
    match command {
        PolicyCommand::List => {
            let columns = ["name", "edition", "scope", "seat_kind", "seat_limit", "id"];
            list(output, &["policies"], &[], &columns).await
        }
        PolicyCommand::Templates => {
            let columns = ["template", "description"];
            list(output, &["policy-templates"], &[], &columns).await
        }
        PolicyCommand::Versions { policy } => {
            let columns = [
                "number",
                "created_at",
                "edition",
                "scope",
                "seat_kind",
                "seat_limit",
                "id",
            ];
            list(output, &["policies", &policy, "versions"], &[], &columns).await
        }
        PolicyCommand::Show { policy } => get(output, &["policies", &policy]).await,
        PolicyCommand::Create {
            name,
            template,
            terms,
        } => {
            let mut body = members(*terms)?;
            body.insert("name".to_owned(), name.into());
            if let Some(template) = template {
                body.insert("template".to_owned(), template.as_str().into());
            }
            post(output, &["policies"], &Value::Object(body)).await
        }
        PolicyCommand::Edit {
            policy,
            name,
            terms,
        } => {
            let mut body = members(*terms)?;
            if let Some(name) = name {
                body.insert("name".to_owned(), name.into());
            }
            patch(output, &["policies", &policy], &Value::Object(body)).await
        }
        PolicyCommand::Apply(apply) => apply_policy(&apply, output).await,
    }
}

/// What was given, and nothing else: the rest is the template's, or stays.
fn members(terms: PolicyTermsArguments) -> Result<Map<String, Value>, Failed> {
    let scope = match (terms.all, terms.kits.is_empty()) {
        (true, _) => Some("all"),
        (false, false) => Some("kits"),
        (false, true) => None,
    };
    let kits = (!terms.kits.is_empty() || terms.all).then_some(terms.kits);
    let flags = [
        ("scope", scope.map(Value::from)),
        ("kits", kits.map(Value::from)),
        ("edition", terms.edition.map(Value::from)),
        (
            "seat_kind",
            terms.seat_kind.map(|kind| kind.as_str().into()),
        ),
        ("seat_limit", terms.seat_limit.map(Value::from)),
        ("updates_months", terms.updates_months.map(Value::from)),
        ("valid_months", terms.valid_months.map(Value::from)),
        (
            "license_file_days",
            terms.license_file_days.map(Value::from),
        ),
        ("renew_url", terms.renew_url.map(Value::from)),
    ];
    let mut members = Map::new();
    for (name, value) in flags {
        if let Some(value) = value {
            members.insert(name.to_owned(), value);
        }
    }
    for member in terms.set {
        if members.contains_key(&member.name) {
            let line = format!("{} is given twice", member.name);
            return Err(Failed::new(line));
        }
        members.insert(member.name, member.value);
    }
    Ok(members)
}

/// Slice by slice; what was done stays done, and running it again does the rest.
async fn apply_policy(apply: &ApplyPolicy, output: Output) -> Result<(), Failed> {
    let client = Client::from_environment()?;
    let path = ["policies", apply.policy.as_str(), "apply"];
    let body = |preview: bool| {
        json!({
            "preview": preview, "over_limit_days": apply.over_limit_days,
            "seats": apply.seats, "dates": apply.dates, "limit": 100,
        })
    };
    let seen = client.post(&path, &body(true)).await?;
    if !apply.yes {
        show(output, &seen);
        return Ok(());
    }
    let mut request = body(false);
    if let (Some(members), Some(number)) = (request.as_object_mut(), seen.get("terms_number")) {
        members.insert("terms_number".to_owned(), number.clone());
    }
    let (mut changed, mut over_limit, mut staying) = (0, 0, Vec::new());
    loop {
        let done = client.post(&path, &request).await?;
        let count = |name: &str| done.get(name).and_then(Value::as_u64).unwrap_or_default();
        changed += count("changed");
        over_limit += count("over_limit");
        if let Some(some) = done.get("standing_still").and_then(Value::as_array) {
            staying.extend(some.iter().cloned());
        }
        let next = done.get("next_cursor").filter(|next| !next.is_null());
        let (Some(next), Some(members)) = (next, request.as_object_mut()) else {
            break;
        };
        members.insert("cursor".to_owned(), next.clone());
    }
    let total = json!({ "changed": changed, "over_limit": over_limit, "standing_still": staying });
    output.show(&lines(&total), &total);
    Ok(())
}

pub(super) async fn license_text(
    command: LicenseTextCommand,
    output: Output,
) -> Result<(), Failed> {
    match command {
        LicenseTextCommand::List => {
            let columns = ["name", "number", "created_at", "id"];
            list(output, &["license-texts"], &[], &columns).await
        }
        LicenseTextCommand::Show { text } => get(output, &["license-texts", &text]).await,
        LicenseTextCommand::Add { name, file } => {
            let body = std::fs::read_to_string(&file).map_err(|error| {
                let line = format!("cannot read {}", file.display());
                Failed::new(line).with_detail(error.to_string())
            })?;
            let body = json!({ "name": name, "body": body });
            post(output, &["license-texts"], &body).await
        }
    }
}
