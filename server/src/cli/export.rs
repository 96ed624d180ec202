//! Whole lists as files, over HTTP.

use std::path::{Path, PathBuf};

use futures_util::StreamExt as _;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use super::client::Client;
use super::output::{Failed, Output};
use crate::downloads::model::shell_word;

/// Writes all rows of a list into a file. One that is there stays until the new one is whole.
pub(super) async fn export(
    output: Output,
    list: &str,
    filter: &[(&str, &str)],
    file: &Path,
) -> Result<(), Failed> {
    let name = match file.extension().and_then(|it| it.to_str()) {
        Some("csv") => "export.csv",
        Some("json") => "export.json",
        _ => return Err(Failed::new("the file's name must end with .csv or .json")),
    };
    let client = Client::from_environment()?;
    let response = client.download(&[list, name], filter).await?;
    let bytes = write_whole(response, file).await?;
    let shown = file.display().to_string();
    let value = json!({ "file": shown, "bytes": bytes });
    output.show(&format!("{shown}: {bytes} bytes"), &value);
    Ok(())
}

/// Names and addresses are for its owner alone to read, and a file that is not whole is no export.
async fn write_whole(response: reqwest::Response, file: &Path) -> Result<u64, Failed> {
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let target = options.open(&part).await.map_err(|error| {
        let shown = part.display().to_string();
        let way_out = format!("rm -- {}", shell_word(&shown));
        Failed::from(error).in_front(&shown).with_way_out(way_out)
    })?;
    let written = settle(response, target, (&part, file)).await;
    if written.is_err() {
        // That it stays is no second failure.
        let _ = tokio::fs::remove_file(&part).await;
    }
    written
}

async fn settle(
    response: reqwest::Response,
    target: tokio::fs::File,
    (part, file): (&Path, &Path),
) -> Result<u64, Failed> {
    let bytes = write(response, target).await?;
    tokio::fs::rename(part, file).await?;
    Ok(bytes)
}

async fn write(response: reqwest::Response, mut target: tokio::fs::File) -> Result<u64, Failed> {
    let mut bytes = 0;
    let mut body = response.bytes_stream();
    while let Some(chunk) = body.next().await {
        let chunk = chunk?;
        target.write_all(&chunk).await?;
        bytes += chunk.len() as u64;
    }
    // What failed of the last write is told by this alone.
    target.flush().await?;
    target.sync_all().await?;
    Ok(bytes)
}
