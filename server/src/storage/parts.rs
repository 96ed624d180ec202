//! Parts of files on their way in, and what a sweep looks at and removes.
//!
//! A part is an object of its own under `uploads/ID/`, there as a whole or not at all. Whatever else
//! lies under `uploads/` is a whole file on its way.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use futures_util::{Stream, StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStoreExt};
use sha2::{Digest, Sha256};

use super::{Key, Storage, StorageError, content_key};
use crate::clock::Timestamp;

/// Where files lie until they have their name.
const TEMPORARY: &str = "uploads";
/// Where files lie for good.
const CONTENT: &str = "sha256";

/// A part of an upload.
#[derive(Debug, Clone, Copy)]
pub struct PartName<'a> {
    /// Id of the upload.
    pub upload: &'a str,
    /// Which part.
    pub number: i32,
    /// What it hashes to: two who send other bytes under one number do not meet.
    pub sha256: &'a str,
}

impl PartName<'_> {
    fn key(self) -> Key {
        let tag = self.sha256.get(..16).unwrap_or_default();
        Key::from(format!("{TEMPORARY}/{}/{}-{tag}", self.upload, self.number))
    }
}

/// A file on its way that was found in the storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemporaryFile {
    key: Key,
    /// Id of the upload it seems to be of, or a word of chance.
    pub upload: String,
    /// When it was written.
    pub written_at: Timestamp,
}

/// A file that was found in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentFile {
    /// What its place says it hashes to.
    pub sha256: String,
    /// In bytes.
    pub size: u64,
    /// Where it lies.
    pub key: String,
    /// When it was written.
    pub written_at: Timestamp,
}

impl Storage {
    /// Stores a part; afterwards it survives a crash.
    pub async fn put_part(&self, name: PartName<'_>, part: Bytes) -> Result<(), StorageError> {
        self.put(&name.key(), part).await
    }

    /// The bytes of a part: those that were put there, or an error.
    pub async fn read_part(&self, name: PartName<'_>) -> Result<Bytes, StorageError> {
        let key = name.key();
        let reading = async { self.store.get(&key).await?.bytes().await };
        let bytes = self.within(reading).await?;
        let hashed = bytes.clone();
        let hashing = tokio::task::spawn_blocking(move || Sha256::digest(&hashed));
        if HEXLOWER.encode(&hashing.await?) == name.sha256 {
            Ok(bytes)
        } else {
            Err(StorageError::OtherBytes)
        }
    }

    /// Removes one part.
    pub async fn remove_part(&self, name: PartName<'_>) -> Result<(), StorageError> {
        self.delete(&name.key()).await
    }

    /// Removes all parts of an upload; how many.
    pub async fn remove_parts_of(&self, upload: &str) -> Result<usize, StorageError> {
        let folder = Key::from(format!("{TEMPORARY}/{upload}"));
        let mut parts = self.list(&folder);
        let mut removed = 0;
        while let Some(part) = parts.try_next().await? {
            self.delete(&part.location).await?;
            removed += 1;
        }
        if let Some(local) = &self.folder {
            // Not there, or not empty because a part comes just now: the sweep looks again.
            let _ = tokio::fs::remove_dir(local.join(TEMPORARY).join(upload)).await;
        }
        Ok(removed)
    }

    /// Files on their way.
    pub fn temporary_files(&self) -> impl Stream<Item = Result<TemporaryFile, StorageError>> {
        let found = self.list(&Key::from(TEMPORARY));
        found.filter_map(|found| async move { found.map(temporary_file).transpose() })
    }

    /// Removes a file on its way.
    pub async fn remove_temporary(&self, file: &TemporaryFile) -> Result<(), StorageError> {
        self.delete(&file.key).await
    }

    /// Files in their place.
    pub fn content_files(&self) -> impl Stream<Item = Result<ContentFile, StorageError>> {
        let found = self.list(&Key::from(CONTENT));
        found.filter_map(|found| async move { found.map(|found| content_file(&found)).transpose() })
    }

    /// Bytes of the file with this hash, if it is in its place.
    pub async fn size_of(&self, sha256: &str) -> Result<Option<u64>, StorageError> {
        let key = content_key(sha256).ok_or(StorageError::Missing)?;
        match self.within(self.store.head(&key)).await {
            Ok(found) => Ok(Some(found.size)),
            Err(StorageError::Missing) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes the file with this hash. Nobody may refer to it.
    pub async fn remove_content(&self, sha256: &str) -> Result<(), StorageError> {
        let key = content_key(sha256).ok_or(StorageError::Missing)?;
        self.delete(&key).await
    }

    /// Removes what a killed process left of files it was writing, last written before a moment; how
    /// many. A local folder shows such files to nobody; object stores drop them by a rule of theirs.
    pub async fn remove_stale_staging(&self, before: Timestamp) -> Result<usize, StorageError> {
        let Some(folder) = self.folder.clone() else {
            return Ok(0);
        };
        let removing = tokio::task::spawn_blocking(move || remove_staging(&folder, before));
        Ok(removing.await??)
    }
}

fn temporary_file(found: ObjectMeta) -> Option<TemporaryFile> {
    let upload = found.location.parts().nth(1)?.as_ref().to_owned();
    Some(TemporaryFile {
        key: found.location,
        upload,
        written_at: Timestamp::new(found.last_modified),
    })
}

fn content_file(found: &ObjectMeta) -> Option<ContentFile> {
    let key = found.location.to_string();
    let sha256: String = key.split('/').skip(1).collect();
    // What else lies there is not ours.
    content_key(&sha256).filter(|place| *place == found.location)?;
    Some(ContentFile {
        sha256,
        size: found.size,
        key,
        written_at: Timestamp::new(found.last_modified),
    })
}

/// Files being written carry a `#` and a number after their name.
fn remove_staging(folder: &Path, before: Timestamp) -> std::io::Result<usize> {
    let mut waiting: Vec<PathBuf> = vec![folder.join(TEMPORARY), folder.join(CONTENT)];
    let mut removed = 0;
    while let Some(folder) = waiting.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            match remove_stale(&entry, before, &mut waiting) {
                Ok(was_removed) => removed += usize::from(was_removed),
                // The others are removed all the same.
                Err(error) => {
                    let path = entry.path();
                    tracing::warn!(%error, path = %path.display(), "a stale file stays");
                }
            }
        }
    }
    Ok(removed)
}

/// Whether it was a stale file and is removed; a folder is looked at later.
fn remove_stale(
    entry: &std::fs::DirEntry,
    before: Timestamp,
    waiting: &mut Vec<PathBuf>,
) -> std::io::Result<bool> {
    let mut remove = || -> std::io::Result<bool> {
        if entry.file_type()?.is_dir() {
            waiting.push(entry.path());
            return Ok(false);
        }
        if !is_staging(&entry.file_name()) || !is_before(entry, before)? {
            return Ok(false);
        }
        std::fs::remove_file(entry.path())?;
        Ok(true)
    };
    match remove() {
        // Whoever was writing it gave it its name just now, or another sweep was faster.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        outcome => outcome,
    }
}

fn is_staging(name: &std::ffi::OsStr) -> bool {
    let name = name.to_string_lossy();
    let number = name.rsplit_once('#').map(|(_, number)| number);
    number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

fn is_before(entry: &std::fs::DirEntry, before: Timestamp) -> std::io::Result<bool> {
    let written: DateTime<Utc> = entry.metadata()?.modified()?.into();
    Ok(Timestamp::new(written) < before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_got_its_name_meanwhile_is_no_failure() {
        let folder = std::env::temp_dir().join(format!("kitward-staging-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let before = Timestamp::parse("2999-01-01T00:00:00Z").unwrap();
        let mut outcomes = Vec::new();
        for is_renamed in [true, false] {
            std::fs::write(folder.join("kit#1"), b"half").unwrap();
            let entry = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap();
            if is_renamed {
                std::fs::remove_file(entry.path()).unwrap();
            }
            outcomes.push(remove_stale(&entry, before, &mut Vec::new()).unwrap());
        }
        assert_eq!(outcomes, [false, true]);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
