//! `kitward publish`: draft, upload, publish; run again with equal files, it changes nothing.

use std::io::Read as _;
use std::path::Path;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::arguments::Publish;
use super::client::Client;
use super::output::{Failed, Output, lines};

pub(super) async fn run(publish: Publish, output: Output) -> Result<(), Failed> {
    let client = Client::from_environment()?;
    let release = upload(&client, &publish).await?;
    output.show(&lines(&release), &release);
    Ok(())
}

pub(super) async fn upload(client: &Client, publish: &Publish) -> Result<Value, Failed> {
    let notes = match &publish.notes {
        Some(path) => read_text(path)?,
        None => String::new(),
    };
    // Everything that can fail here does so before a draft exists.
    let files: Vec<File<'_>> = publish
        .files
        .iter()
        .map(|path| File::examine(path))
        .collect::<Result<_, _>>()?;
    let release = draft(client, publish, &notes).await?;
    let id = release
        .get("id")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    for file in &files {
        send(client, &id, file).await?;
    }
    client
        .post(&format!("/v1/admin/releases/{id}/publish"), &json!({}))
        .await
}

/// The draft of this version, or the release that an earlier run left.
async fn draft(client: &Client, publish: &Publish, notes: &str) -> Result<Value, Failed> {
    let path = format!("/v1/admin/releases?kit={}", publish.kit);
    let known = client.list(&path).await?;
    let same = |row: &&Value| row.get("version").and_then(Value::as_str) == Some(&publish.version);
    if let Some(release) = known.iter().find(same) {
        return Ok(release.clone());
    }
    let body = json!({
        "kit": publish.kit,
        "version": publish.version,
        "channel": publish.channel,
        "severity": publish.severity,
        "notes": notes,
    });
    client.post("/v1/admin/releases", &body).await
}

/// A file to upload.
struct File<'a> {
    path: &'a Path,
    name: &'a str,
    sha256: String,
    size: u64,
}

impl<'a> File<'a> {
    fn examine(path: &'a Path) -> Result<Self, Failed> {
        let name = path.file_name().and_then(|name| name.to_str());
        let name =
            name.ok_or_else(|| Failed::new(format!("{} has no usable name", path.display())))?;
        let (sha256, size) = digest(path)?;
        Ok(Self {
            path,
            name,
            sha256,
            size,
        })
    }
}

async fn send(client: &Client, release: &str, file: &File<'_>) -> Result<(), Failed> {
    let mut url = url::Url::parse("http://localhost/")?;
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.extend(["v1", "admin", "releases", release, "artifacts", file.name]);
    }
    let open = tokio::fs::File::open(file.path)
        .await
        .map_err(|error| at(file.path, &error))?;
    let sent = client
        .put_file(url.path(), open, file.size, &file.sha256)
        .await;
    sent.map(|_artifact| ())
}

fn digest(path: &Path) -> Result<(String, u64), Failed> {
    let mut file = std::fs::File::open(path).map_err(|error| at(path, &error))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut size = 0;
    loop {
        let count = file.read(&mut buffer).map_err(|error| at(path, &error))?;
        let Some(chunk) = buffer.get(..count).filter(|chunk| !chunk.is_empty()) else {
            break;
        };
        hash.update(chunk);
        size += count as u64;
    }
    Ok((HEXLOWER.encode(&hash.finalize()), size))
}

fn read_text(path: &Path) -> Result<String, Failed> {
    std::fs::read_to_string(path).map_err(|error| at(path, &error))
}

fn at(path: &Path, error: &std::io::Error) -> Failed {
    Failed::new(format!("{}: {error}", path.display()))
}
