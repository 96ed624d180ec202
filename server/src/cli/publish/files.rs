//! The files of a run, looked at before anything is sent.

use std::collections::HashMap;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::super::arguments::{PerFile, Publish, word_for};
use super::super::output::Failed;
use super::progress::Progress;
use crate::releases::model::{FileWords, SOURCE};

/// A file to upload.
#[derive(Debug, Clone)]
pub(super) struct LocalFile {
    pub(super) path: PathBuf,
    pub(super) name: String,
    pub(super) sha256: String,
    pub(super) size: u64,
    /// What is said of it beside that.
    words: Vec<(&'static str, String)>,
}

/// Hashes every file.
pub(super) async fn examine(
    publish: &Publish,
    progress: &Progress,
) -> Result<Vec<LocalFile>, Failed> {
    let mut names: HashMap<String, &Path> = HashMap::new();
    for path in &publish.files {
        let name = name_of(path)?;
        if let Some(other) = names.insert(name.clone(), path) {
            let line = format!("{} and {} have one name", other.display(), path.display());
            return Err(Failed::new(line).with_detail("a release has one file of each name"));
        }
    }
    let said = [
        ("kind", publish.kind.as_slice()),
        ("platform", publish.platform.as_slice()),
        ("arch", publish.arch.as_slice()),
    ];
    for words in said {
        refuse_unknown(words, &names)?;
    }
    let mut files = Vec::new();
    for path in &publish.files {
        let name = name_of(path)?;
        let words = said.into_iter().filter_map(|(field, words)| {
            let word = word_for(words, &name)?;
            Some((field, word.to_owned()))
        });
        let words = words.collect();
        let _shown = progress.hashing(&name);
        let hashed = path.clone();
        let (sha256, size) = tokio::task::spawn_blocking(move || digest(&hashed)).await??;
        files.push(LocalFile {
            path: path.clone(),
            name,
            sha256,
            size,
            words,
        });
    }
    Ok(files)
}

fn name_of(path: &Path) -> Result<String, Failed> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Failed::new(format!("{} has no usable name", path.display())))?;
    Ok(name.to_owned())
}

/// A word for a file that is not there is a slip of the pen.
fn refuse_unknown(
    (field, words): (&str, &[PerFile]),
    names: &HashMap<String, &Path>,
) -> Result<(), Failed> {
    let mut said = words.iter().filter_map(|word| word.name.as_ref());
    match said.find(|name| !names.contains_key(*name)) {
        Some(name) => Err(Failed::new(format!(
            "--{field} names {name}, which is not among the files"
        ))),
        None => Ok(()),
    }
}

fn digest(path: &Path) -> Result<(String, u64), Failed> {
    let mut file = std::fs::File::open(path).map_err(|error| at(path, &error))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
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

impl LocalFile {
    /// What the server is told of it.
    pub(super) fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("name".to_owned(), self.name.as_str().into());
        body.insert("size".to_owned(), self.size.into());
        body.insert("sha256".to_owned(), self.sha256.as_str().into());
        for (field, word) in &self.words {
            body.insert((*field).to_owned(), word.as_str().into());
        }
        Value::Object(body)
    }

    /// What the server has otherwise than it is said here, of a file that it knows.
    pub(super) fn other_word(&self, known: &Value) -> Option<&'static str> {
        let has = |field: &str| known.get(field).and_then(Value::as_str);
        let said = |field: &str| {
            let mut words = self.words.iter();
            let found = words.find(|(name, _)| *name == field);
            found.map(|(_, word)| word.as_str())
        };
        let known = FileWords {
            kind: has("kind").unwrap_or_default(),
            platform: has("platform"),
            arch: has("arch"),
        };
        let said = FileWords {
            kind: said("kind").unwrap_or(SOURCE),
            platform: said("platform"),
            arch: said("arch"),
        };
        known.difference(said).map(|(member, _)| member)
    }

    /// Some of its bytes, and what they hash to.
    pub(super) async fn part(&self, start: u64, length: u64) -> Result<(Bytes, String), Failed> {
        let path = self.path.clone();
        let reading = tokio::task::spawn_blocking(move || read_part(&path, start, length));
        reading.await?
    }
}

fn read_part(path: &Path, start: u64, length: u64) -> Result<(Bytes, String), Failed> {
    let fail = |error: std::io::Error| at(path, &error);
    let mut file = std::fs::File::open(path).map_err(fail)?;
    file.seek(SeekFrom::Start(start)).map_err(fail)?;
    let mut part = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    file.take(length).read_to_end(&mut part).map_err(fail)?;
    if part.len() as u64 != length {
        return Err(Failed::new(format!(
            "{} became shorter while it was read",
            path.display()
        )));
    }
    let sha256 = HEXLOWER.encode(&Sha256::digest(&part));
    Ok((part.into(), sha256))
}

pub(super) fn at(path: &Path, error: &std::io::Error) -> Failed {
    Failed::new(format!("{}: {error}", path.display()))
}
