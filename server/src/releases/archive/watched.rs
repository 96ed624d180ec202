//! Tells a storage that fails from an archive that is broken: decoders wrap both alike. And asks for
//! the time wherever packed bytes are read: there are archives that are read for hours and give nothing.

use std::cell::{Cell, RefCell};
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom};
use std::rc::Rc;

/// A source that remembers its first failure, and gives nothing any more when the time is up.
pub(super) struct Watched<'a, S> {
    inner: S,
    failure: Failure,
    may_go_on: &'a dyn Fn() -> bool,
}

/// The first failure of a source.
#[derive(Clone, Default)]
pub(super) struct Failure {
    first: Rc<RefCell<Option<Error>>>,
    is_late: Rc<Cell<bool>>,
}

impl Failure {
    pub(super) fn take(&self) -> Option<Error> {
        self.first.borrow_mut().take()
    }

    /// Whether it ended because the time was up.
    pub(super) fn is_late(&self) -> bool {
        self.is_late.get()
    }

    fn note<T>(&self, result: std::io::Result<T>) -> std::io::Result<T> {
        result.map_err(|error| {
            let kind = error.kind();
            if kind != ErrorKind::Interrupted {
                self.first.borrow_mut().get_or_insert(error);
            }
            kind.into()
        })
    }
}

impl<'a, S> Watched<'a, S> {
    pub(super) fn new(inner: S, may_go_on: &'a dyn Fn() -> bool) -> Self {
        Self {
            inner,
            failure: Failure::default(),
            may_go_on,
        }
    }

    pub(super) fn failure(&self) -> Failure {
        self.failure.clone()
    }
}

impl<S: Read> Read for Watched<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if !(self.may_go_on)() {
            self.failure.is_late.set(true);
            return Err(ErrorKind::TimedOut.into());
        }
        self.failure.note(self.inner.read(buffer))
    }
}

impl<S: Seek> Seek for Watched<'_, S> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.failure.note(self.inner.seek(to))
    }
}
