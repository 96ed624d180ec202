//! `kitward publish`: draft, upload, publish; run again with equal files, it changes nothing.

use std::io::Read as _;
use std::path::Path;

use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::arguments::Publish;
use super::client::Client;
use super::output::{Failed, Output, lines};
use crate::releases::model::{Channel, Severity};

pub(super) async fn run(publish: Publish, output: Output) -> Result<(), Failed> {
    let client = Client::from_environment()?;
    let release = upload(&client, &publish).await?;
    output.show(&lines(&release), &release);
    Ok(())
}

pub(super) async fn upload(client: &Client, publish: &Publish) -> Result<Value, Failed> {
    let notes = match &publish.notes {
        Some(path) => Some(read_text(path)?),
        None => None,
    };
    // Everything that can fail here does so before a draft exists.
    let files: Vec<File<'_>> = publish
        .files
        .iter()
        .map(|path| File::examine(path))
        .collect::<Result<_, _>>()?;
    let release = draft(client, publish, notes.as_deref()).await?;
    let id = release
        .get("id")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    for file in &files {
        send(client, &id, file).await?;
    }
    client.post(&["releases", &id, "publish"], &json!({})).await
}

/// The draft of this version, or the release that an earlier run left.
async fn draft(client: &Client, publish: &Publish, notes: Option<&str>) -> Result<Value, Failed> {
    let known = client.list(&["releases"], &[("kit", &publish.kit)]).await?;
    let same = |row: &&Value| row.get("version").and_then(Value::as_str) == Some(&publish.version);
    // What was not asked for is the server's to choose, or was chosen by the earlier run.
    let asked = [
        ("channel", publish.channel.map(Channel::as_str)),
        ("severity", publish.severity.map(Severity::as_str)),
        ("notes", notes),
    ];
    if let Some(release) = known.iter().find(same) {
        refuse_difference(release, &publish.version, &asked)?;
        return Ok(release.clone());
    }
    let mut body = Map::new();
    body.insert("kit".to_owned(), publish.kit.as_str().into());
    body.insert("version".to_owned(), publish.version.as_str().into());
    for (name, value) in asked {
        if let Some(value) = value {
            body.insert(name.to_owned(), value.into());
        }
    }
    client.post(&["releases"], &Value::Object(body)).await
}

/// A run that cannot do what it was asked must not look as if it had.
fn refuse_difference(
    release: &Value,
    version: &str,
    asked: &[(&str, Option<&str>)],
) -> Result<(), Failed> {
    for (name, asked) in asked {
        let Some(asked) = asked else { continue };
        let present = release.get(*name).and_then(Value::as_str);
        if present != Some(asked) {
            let present = present.filter(|_| *name != "notes");
            let present = present.map_or_else(|| "different".to_owned(), |p| format!("\"{p}\""));
            return Err(Failed::new(format!(
                "release {version} is there, and its {name} is {present}"
            ))
            .with_detail(format!("leave --{name} out, or publish a new version")));
        }
    }
    Ok(())
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
    let open = tokio::fs::File::open(file.path)
        .await
        .map_err(|error| at(file.path, &error))?;
    let path = ["releases", release, "artifacts", file.name];
    let sent = client.put_file(&path, open, file.size, &file.sha256).await;
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
