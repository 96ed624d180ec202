//! A stored file for code that cannot wait: on threads that may block, never on the async workers.

use std::io::{Error, ErrorKind, Read, Seek, SeekFrom};
use std::pin::Pin;

use bytes::{Buf as _, Bytes};
use futures_util::{Stream, StreamExt as _};
use tokio::runtime::Handle;

use super::Storage;

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;

/// A stored file as bytes to read and places to go to. Reading on costs no new request.
pub struct BlockingFile {
    storage: Storage,
    sha256: String,
    size: u64,
    runtime: Handle,
    at: u64,
    /// What was read and not yet asked for.
    ahead: Bytes,
    chunks: Option<Chunks>,
}

impl Storage {
    /// Opens a stored file of so many bytes. Must be called on an async worker.
    pub fn open_blocking(&self, sha256: &str, size: u64) -> BlockingFile {
        BlockingFile {
            storage: self.clone(),
            sha256: sha256.to_owned(),
            size,
            runtime: Handle::current(),
            at: 0,
            ahead: Bytes::new(),
            chunks: None,
        }
    }
}

impl BlockingFile {
    fn next_chunk(&mut self) -> Result<Bytes, Error> {
        let mut chunks = match self.chunks.take() {
            Some(chunks) => chunks,
            None => self.open()?,
        };
        let chunk = self.runtime.block_on(chunks.next());
        self.chunks = Some(chunks);
        chunk.ok_or_else(|| Error::from(ErrorKind::UnexpectedEof))?
    }

    fn open(&self) -> Result<Chunks, Error> {
        let opened = self.storage.open_for_reading(&self.sha256);
        let file = self.runtime.block_on(opened).map_err(Error::other)?;
        Ok(Box::pin(file.stream(self.at..self.size)))
    }
}

impl Read for BlockingFile {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        while self.ahead.is_empty() {
            self.ahead = self.next_chunk()?;
        }
        let count = self.ahead.len().min(buffer.len());
        if let Some(room) = buffer.get_mut(..count) {
            self.ahead.copy_to_slice(room);
        }
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for BlockingFile {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        let target = target.ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        let forward = target.checked_sub(self.at);
        let forward = forward.and_then(|by| usize::try_from(by).ok());
        if let Some(by) = forward.filter(|by| *by <= self.ahead.len()) {
            self.ahead.advance(by);
        } else {
            self.ahead = Bytes::new();
            self.chunks = None;
        }
        self.at = target;
        Ok(target)
    }
}

impl std::fmt::Debug for BlockingFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlockingFile")
            .field("sha256", &self.sha256)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}
