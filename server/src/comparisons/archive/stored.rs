//! An archive where it is stored, for readers that block.

use std::io::{Error, Read, Seek, SeekFrom};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::runtime::Handle;

use super::limited::Exceeded;
use crate::storage::{Storage, StorageError};

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;

/// A stored archive that can be read several times.
#[derive(Debug, Clone)]
pub(in crate::comparisons) struct Source {
    storage: Storage,
    sha256: String,
    size: u64,
    runtime: Handle,
    /// What the storage failed with: no fault of the archive.
    failure: Arc<Mutex<Option<StorageError>>>,
}

impl Source {
    /// The stored file with this hash and size.
    pub(in crate::comparisons) fn new(storage: &Storage, sha256: &str, size: u64) -> Self {
        Self {
            storage: storage.clone(),
            sha256: sha256.to_owned(),
            size,
            runtime: Handle::current(),
            failure: Arc::default(),
        }
    }

    /// From its first byte, until time is over.
    pub(in crate::comparisons) fn open(&self, until: Instant) -> StoredReader {
        StoredReader {
            source: self.clone(),
            until,
            position: 0,
            chunks: None,
            chunk: Bytes::new(),
            start: 0,
        }
    }

    /// What the storage failed with, if it did.
    pub(in crate::comparisons) fn failure(&self) -> Option<StorageError> {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.take()
    }

    fn fail(&self, error: StorageError) -> Error {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        *failure = Some(error);
        Error::other("the storage failed")
    }
}

/// Reads where it lies, in pieces as the storage gives them. Not for async workers.
pub(in crate::comparisons) struct StoredReader {
    source: Source,
    until: Instant,
    position: u64,
    /// What comes behind `chunk`.
    chunks: Option<Chunks>,
    chunk: Bytes,
    /// Where `chunk` begins.
    start: u64,
}

impl StoredReader {
    fn end(&self) -> u64 {
        self.start + self.chunk.len() as u64
    }

    /// Gets the piece in which the position lies.
    fn advance(&mut self) -> Result<(), Error> {
        let runtime = self.source.runtime.clone();
        let until = tokio::time::Instant::from_std(self.until);
        let next = async { tokio::time::timeout_at(until, self.next()).await };
        let over = |_elapsed| Error::other(Exceeded::Time);
        runtime.block_on(next).map_err(over)?
    }

    async fn next(&mut self) -> Result<(), Error> {
        if self.chunks.is_none() || self.position != self.end() {
            let opened = self
                .source
                .storage
                .open_for_reading(&self.source.sha256)
                .await;
            let file = opened.map_err(|error| self.source.fail(error))?;
            self.chunks = Some(Box::pin(file.stream(self.position..self.source.size)));
        }
        let chunk = match &mut self.chunks {
            Some(chunks) => chunks.next().await,
            None => None,
        };
        let chunk = chunk.unwrap_or_else(|| Err(std::io::ErrorKind::UnexpectedEof.into()));
        self.chunk = chunk.map_err(|error| self.source.fail(error.into()))?;
        self.start = self.position;
        Ok(())
    }
}

impl Read for StoredReader {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        if self.position >= self.source.size || buffer.is_empty() {
            return Ok(0);
        }
        if !(self.start..self.end()).contains(&self.position) {
            self.advance()?;
        }
        let from = usize::try_from(self.position - self.start).map_err(Error::other)?;
        let here = self.chunk.get(from..).unwrap_or_default();
        let length = here.len().min(buffer.len());
        if let (Some(to), Some(bytes)) = (buffer.get_mut(..length), here.get(..length)) {
            to.copy_from_slice(bytes);
        }
        self.position += length as u64;
        Ok(length)
    }
}

impl Seek for StoredReader {
    fn seek(&mut self, to: SeekFrom) -> Result<u64, Error> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(by) => self.source.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = position.ok_or(std::io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
