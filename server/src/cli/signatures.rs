//! `kitward release sign`: signatures of files, over HTTP.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::client::Client;
use super::output::{Failed, Output, lines};

/// Lets the server sign anew, or supplies what the vendor's own key signed.
pub(super) async fn sign(
    client: &Client,
    release: &str,
    signatures: &[PathBuf],
    output: Output,
) -> Result<(), Failed> {
    if signatures.is_empty() {
        let signed = client
            .post(&["releases", release, "sign"], &json!({}))
            .await?;
        output.show(&lines(&signed), &signed);
        return Ok(());
    }
    // All are read before the first is sent.
    let read: Vec<(String, String)> = signatures
        .iter()
        .map(|path| read(path))
        .collect::<Result<_, _>>()?;
    for (name, text) in read {
        let path = ["releases", release, "artifacts", &name, "signature"];
        let artifact = client.put_text(&path, text).await?;
        output.show(&lines(&artifact), &artifact);
    }
    Ok(())
}

/// The name of the file that was signed, and the signature file.
pub(super) fn read(path: &Path) -> Result<(String, String), Failed> {
    let failed = |reason: String| Failed::new(format!("{}: {reason}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    let comment = text
        .lines()
        .find_map(|line| line.strip_prefix("trusted comment: "));
    let name = comment.and_then(|comment| kitward_keys::comment_field(comment, "file"));
    let name = name.ok_or_else(|| failed("its trusted comment names no file".to_owned()))?;
    Ok((name.to_owned(), text))
}
