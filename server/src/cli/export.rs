//! Whole lists as files, over HTTP.

use std::path::Path;

use futures_util::StreamExt as _;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use super::client::Client;
use super::output::{Failed, Output};

/// Writes all rows of a list into a file, as it comes; one that is not whole is taken away again.
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
