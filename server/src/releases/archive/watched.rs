//! Tells a storage that fails from an archive that is broken: decoders wrap both alike.

use std::cell::RefCell;
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom};
use std::rc::Rc;

/// A source that remembers its first failure.
pub(super) struct Watched<S> {
    inner: S,
    failure: Failure,
}

/// The first failure of a source.
#[derive(Clone, Default)]
pub(super) struct Failure(Rc<RefCell<Option<Error>>>);

impl Failure {
    pub(super) fn take(&self) -> Option<Error> {
        self.0.borrow_mut().take()
    }

    fn note<T>(&self, result: std::io::Result<T>) -> std::io::Result<T> {
        result.map_err(|error| {
            let kind = error.kind();
            if kind != ErrorKind::Interrupted {
                self.0.borrow_mut().get_or_insert(error);
            }
            kind.into()
        })
    }
}

impl<S> Watched<S> {
    pub(super) fn new(inner: S) -> Self {
        Self {
            inner,
            failure: Failure::default(),
        }
    }

    pub(super) fn failure(&self) -> Failure {
        self.failure.clone()
    }
}

impl<S: Read> Read for Watched<S> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.failure.note(self.inner.read(buffer))
    }
}

impl<S: Seek> Seek for Watched<S> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.failure.note(self.inner.seek(to))
    }
}
