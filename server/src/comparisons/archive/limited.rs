//! What one archive may cost.

use std::io::{Error, Read};
use std::time::Instant;

/// What one archive may cost.
#[derive(Debug, Clone, Copy)]
pub(in crate::comparisons) struct Limits {
    /// Files in it.
    pub(in crate::comparisons) files: usize,
    /// Bytes of all its files.
    pub(in crate::comparisons) bytes: u64,
    /// When its time is over.
    pub(in crate::comparisons) until: Instant,
}

/// Which limit was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Exceeded {
    #[error("too many bytes")]
    Bytes,
    #[error("too much time")]
    Time,
}

/// The limit behind an error, wherever it passed through.
pub(super) fn cause(error: &Error) -> Option<Exceeded> {
    let mut current = error
        .get_ref()
        .map(|inner| inner as &(dyn std::error::Error + 'static));
    while let Some(error) = current {
        if let Some(exceeded) = error.downcast_ref::<Exceeded>() {
            return Some(*exceeded);
        }
        current = match error.downcast_ref::<Error>().and_then(Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// A reader that ends with an error where a limit is passed.
#[derive(Debug)]
pub(super) struct Limited<R> {
    inner: R,
    left: u64,
    until: Instant,
}

impl<R> Limited<R> {
    pub(super) fn new(inner: R, limits: &Limits) -> Self {
        Self::with(inner, limits.bytes, limits.until)
    }

    pub(super) fn with(inner: R, left: u64, until: Instant) -> Self {
        Self { inner, left, until }
    }

    pub(super) fn left(&self) -> u64 {
        self.left
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        if Instant::now() > self.until {
            return Err(Error::other(Exceeded::Time));
        }
        let read = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| Error::other(Exceeded::Bytes))?;
        Ok(read)
    }
}
