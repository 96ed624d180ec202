//! What is done with releases, over HTTP.

use serde_json::{Map, Value, json};

use super::arguments::{DraftCommand, EditRelease, ReleaseCommand, ReleaseFilters};
use super::catalog::{list, show};
use super::client::Client;
use super::output::{Failed, Output};
use super::reports;
use super::signatures;

pub(super) async fn release(command: ReleaseCommand, output: Output) -> Result<(), Failed> {
    match command {
        ReleaseCommand::List(filters) => listed(filters, output).await,
        ReleaseCommand::Show { release } => {
            let client = Client::from_environment()?;
            let id = id_of(&client, &release).await?;
            show(output, &client.get(&["releases", &id]).await?);
            Ok(())
        }
        ReleaseCommand::Edit(edit) => edited(*edit, output).await,
        ReleaseCommand::Yank { release, reason } => {
            verb(&release, "yank", &json!({ "reason": reason }), output).await
        }
        ReleaseCommand::Unyank { release } => verb(&release, "unyank", &json!({}), output).await,
        ReleaseCommand::Withdraw { release, reason } => {
            verb(&release, "withdraw", &json!({ "reason": reason }), output).await
        }
        ReleaseCommand::Rollout {
            release,
            percent,
            steps,
        } => verb(&release, "rollout", &rollout(percent, &steps)?, output).await,
        ReleaseCommand::Halt { release } => verb(&release, "halt", &json!({}), output).await,
        ReleaseCommand::Resume { release } => verb(&release, "resume", &json!({}), output).await,
        ReleaseCommand::Notify(mut notify) => {
            let client = Client::from_environment()?;
            notify.release = id_of(&client, &notify.release).await?;
            reports::notify(output, notify).await
        }
        ReleaseCommand::Grant {
            release,
            license,
            reason,
        } => {
            let body = json!({ "license": license, "reason": reason });
            verb(&release, "grants", &body, output).await
        }
        ReleaseCommand::Ungrant { release, license } => {
            let client = Client::from_environment()?;
            let id = id_of(&client, &release).await?;
            client
                .delete(&["releases", &id, "grants", &license])
                .await?;
            let told = json!({ "release": id, "license": license, "granted": false });
            show(output, &told);
            Ok(())
        }
        ReleaseCommand::Grants { release } => {
            let id = id_of(&Client::from_environment()?, &release).await?;
            let columns = ["license_id", "reason", "created_at"];
            list(output, &["releases", &id, "grants"], &[], &columns).await
        }
        ReleaseCommand::Sign {
            release,
            signatures,
        } => {
            let client = Client::from_environment()?;
            let id = id_of(&client, &release).await?;
            signatures::sign(&client, &id, &signatures, output).await
        }
        ReleaseCommand::Draft(command) => draft(command, output).await,
    }
}

async fn draft(command: DraftCommand, output: Output) -> Result<(), Failed> {
    let client = Client::from_environment()?;
    match command {
        DraftCommand::RemoveFile { release, name } => {
            let id = id_of(&client, &release).await?;
            let path = ["releases", &id, "artifacts", &name];
            client.delete(&path).await?;
            let told = json!({ "release": id, "name": name, "removed": true });
            show(output, &told);
            Ok(())
        }
        DraftCommand::Uploads { release } => {
            let id = id_of(&client, &release).await?;
            let columns = ["id", "name", "kind", "size", "part_count", "expires_at"];
            list(output, &["releases", &id, "uploads"], &[], &columns).await
        }
        DraftCommand::AbandonUpload { upload } => {
            client.delete(&["uploads", &upload]).await?;
            show(output, &json!({ "upload": upload, "abandoned": true }));
            Ok(())
        }
        DraftCommand::Delete { release } => {
            let id = id_of(&client, &release).await?;
            client.delete(&["releases", &id]).await?;
            let told = json!({ "release": id, "deleted": true });
            show(output, &told);
            Ok(())
        }
    }
}

async fn verb(release: &str, verb: &str, body: &Value, output: Output) -> Result<(), Failed> {
    let client = Client::from_environment()?;
    let id = id_of(&client, release).await?;
    show(output, &client.post(&["releases", &id, verb], body).await?);
    Ok(())
}

/// An id as it is; of `KIT@VERSION` the id that has it.
async fn id_of(client: &Client, text: &str) -> Result<String, Failed> {
    let Some((kit, version)) = text.split_once('@') else {
        return Ok(text.to_owned());
    };
    let known = client.list(&["releases"], &[("kit", kit)]).await?;
    let same = |row: &&Value| row.get("version").and_then(Value::as_str) == Some(version);
    let found = known.iter().find(same).and_then(|row| row.get("id"));
    let found = found.and_then(Value::as_str).map(str::to_owned);
    found.ok_or_else(|| Failed::new(format!("{kit} has no release {version}")))
}

async fn listed(filters: ReleaseFilters, output: Output) -> Result<(), Failed> {
    let word = |flag: Option<bool>| flag.map(|flag| flag.to_string());
    let filters = [
        ("kit", filters.kit),
        ("status", filters.status.map(|it| it.to_string())),
        ("channel", filters.channel.map(|it| it.to_string())),
        ("severity", filters.severity.map(|it| it.to_string())),
        ("yanked", word(filters.yanked)),
        ("withdrawn", word(filters.withdrawn)),
        ("halted", word(filters.halted)),
    ];
    let given = filters.iter().filter_map(|(name, value)| {
        let value = value.as_deref()?;
        Some((*name, value))
    });
    let given: Vec<(&str, &str)> = given.collect();
    let columns = [
        "version",
        "channel",
        "severity",
        "status",
        "published_at",
        "id",
    ];
    list(output, &["releases"], &given, &columns).await
}

fn rollout(percent: Option<u8>, steps: &[String]) -> Result<Value, Failed> {
    if let Some(percent) = percent {
        return Ok(json!({ "percent": percent }));
    }
    let step = |text: &String| {
        let (at, percent) = text.split_once('=')?;
        let percent: u8 = percent.parse().ok()?;
        Some(json!({ "at": at, "percent": percent }))
    };
    let read = |text: &String| {
        let wrong = || {
            Failed::new(format!(
                "\"{text}\" is no step, such as 2027-03-01T09:00:00Z=10"
            ))
        };
        step(text).ok_or_else(wrong)
    };
    let steps: Vec<Value> = steps.iter().map(read).collect::<Result<_, _>>()?;
    Ok(json!({ "steps": steps }))
}

async fn edited(edit: EditRelease, output: Output) -> Result<(), Failed> {
    let body = members(&edit)?;
    if body.is_empty() {
        return Err(Failed::new("nothing to change was given"));
    }
    let client = Client::from_environment()?;
    let id = id_of(&client, &edit.release).await?;
    let body = Value::Object(body);
    show(output, &client.patch(&["releases", &id], &body).await?);
    Ok(())
}

fn members(edit: &EditRelease) -> Result<Map<String, Value>, Failed> {
    let notes = match &edit.notes {
        Some(path) => Some(std::fs::read_to_string(path).map_err(|error| {
            Failed::new(format!("cannot read {}", path.display())).with_detail(error.to_string())
        })?),
        None => None,
    };
    let or_none = |text: &Option<String>| {
        let text = text.as_deref()?;
        Some(if text == "none" {
            Value::Null
        } else {
            text.into()
        })
    };
    let is_required = edit.require_nothing || !edit.required.is_empty();
    let given = [
        ("notes", notes.map(Value::from)),
        ("severity", edit.severity.map(|it| it.as_str().into())),
        ("entitled_at", or_none(&edit.entitled_at)),
        ("minimum_version", or_none(&edit.minimum_version)),
        (
            "required_entitlements",
            is_required.then(|| json!(edit.required)),
        ),
        ("quality_score", edit.quality_score.map(Value::from)),
        ("build_seconds", edit.build_seconds.map(Value::from)),
        ("tests_passed", edit.tests_passed.map(Value::from)),
        ("tests_failed", edit.tests_failed.map(Value::from)),
        ("bugs_found", edit.bugs_found.map(Value::from)),
        ("bugs_fixed", edit.bugs_fixed.map(Value::from)),
    ];
    let given = given.into_iter().filter_map(|(name, value)| {
        let value = value?;
        Some((name.to_owned(), value))
    });
    Ok(given.collect())
}
