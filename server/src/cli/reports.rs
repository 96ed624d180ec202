//! Figures, and mails about releases, over HTTP.

use std::io::Write as _;

use serde_json::{Value, json};

use super::arguments::{NotifyRelease, ReportCommand, ReportDays};
use super::catalog::{get, post, show};
use super::client::Client;
use super::output::{Failed, Output, table};

pub(super) async fn report(command: ReportCommand, output: Output) -> Result<(), Failed> {
    match command {
        ReportCommand::Downloads(days) => {
            let columns = [
                "version",
                "channel",
                "published_at",
                "downloads",
                "licenses",
                "quality_score",
            ];
            figures(output, "downloads", days, &columns).await
        }
        ReportCommand::Versions(days) => {
            let columns = ["version", "seats", "checks", "asking"];
            figures(output, "versions", days, &columns).await
        }
    }
}

async fn figures(
    output: Output,
    name: &str,
    days: ReportDays,
    columns: &[&str],
) -> Result<(), Failed> {
    let client = Client::from_environment()?;
    let format = if days.csv { "csv" } else { "json" };
    let mut query = vec![("kit", days.kit.as_str()), ("format", format)];
    query.extend(days.from.as_deref().map(|day| ("from", day)));
    query.extend(days.to.as_deref().map(|day| ("to", day)));
    let answer = client.download(&["reports", name], &query).await?;
    let bytes = answer.bytes().await?;
    if days.csv {
        std::io::stdout().lock().write_all(&bytes)?;
        return Ok(());
    }
    let value: Value = serde_json::from_slice(&bytes)?;
    let items = value.get("items").and_then(Value::as_array);
    let text = table(items.map_or(&[][..], Vec::as_slice), columns);
    output.show(&text, &value);
    Ok(())
}

pub(super) async fn notify(output: Output, asked: NotifyRelease) -> Result<(), Failed> {
    let notices = ["releases", &asked.release, "notices"];
    if asked.preview {
        return get(output, &[&notices[..], &["preview"]].concat()).await;
    }
    if asked.skip {
        let client = Client::from_environment()?;
        show(output, &client.delete(&notices).await?);
        return Ok(());
    }
    post(output, &notices, &json!({})).await
}
