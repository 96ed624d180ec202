//! The bytes of a tar, out of whatever they are packed in, counted.

use std::cell::Cell;
use std::io::{BufReader, Error, Read};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;

use super::super::fault::Reason;
use super::super::meter::Meter;
use super::frames::Frames;
use crate::releases::model::ArchiveFormat;

/// A refusal on its way through a reader.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Stopped(Reason);

/// A tar that is being unpacked.
pub(super) struct Unpacked<'a, S: Read> {
    packing: Packing<S>,
    meter: Meter<'a>,
    packed: Rc<Cell<u64>>,
}

enum Packing<S: Read> {
    None(Counted<S>),
    Gzip(Box<MultiGzDecoder<BufReader<Counted<S>>>>),
    Zstandard(Box<Frames<BufReader<Counted<S>>>>),
}

/// Counts what is read of the packed bytes.
struct Counted<S> {
    inner: S,
    count: Rc<Cell<u64>>,
}

impl<S: Read> Read for Counted<S> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.set(self.count.get() + read as u64);
        Ok(read)
    }
}

impl<'a, S: Read> Unpacked<'a, S> {
    pub(super) fn open(format: ArchiveFormat, source: S, meter: Meter<'a>) -> Self {
        let packed = Rc::default();
        let counted = Counted {
            inner: source,
            count: Rc::clone(&packed),
        };
        let buffered = |counted| BufReader::with_capacity(64 << 10, counted);
        let packing = match format {
            ArchiveFormat::TarGz => Packing::Gzip(Box::new(MultiGzDecoder::new(buffered(counted)))),
            ArchiveFormat::TarZst => Packing::Zstandard(Box::new(Frames::new(buffered(counted)))),
            ArchiveFormat::Tar | ArchiveFormat::Zip => Packing::None(counted),
        };
        Self {
            packing,
            meter,
            packed,
        }
    }

    /// How many bytes came out.
    pub(super) fn count(&self) -> u64 {
        self.meter.bytes
    }

    /// Behind the end of a tar there are zeros only.
    pub(super) fn expect_zeros(&mut self) -> std::io::Result<()> {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = self.read(&mut buffer)?;
            if read == 0 {
                return Ok(());
            }
            if buffer.iter().take(read).any(|byte| *byte != 0) {
                return Err(Error::other(Stopped(Reason::Trailing)));
            }
        }
    }
}

impl<S: Read> Read for Unpacked<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = match &mut self.packing {
            Packing::None(inner) => inner.read(buffer)?,
            Packing::Gzip(inner) => inner.read(buffer)?,
            Packing::Zstandard(inner) => inner.read(buffer)?,
        };
        let counted = self.meter.unpacked(read as u64);
        let fits = counted.and_then(|()| self.meter.ratio(self.meter.bytes, self.packed.get()));
        fits.map_err(|reason| Error::other(Stopped(reason)))?;
        Ok(read)
    }
}

/// What an error of a reader means, after so many entries.
pub(super) fn reason(error: &Error, entries: u64) -> Reason {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = source {
        if let Some(Stopped(reason)) = current.downcast_ref() {
            return *reason;
        }
        let inner = current.downcast_ref::<Error>().and_then(Error::get_ref);
        source = match inner {
            Some(inner) => Some(inner),
            None => current.source(),
        };
    }
    if entries == 0 {
        Reason::NotAnArchive
    } else {
        Reason::Malformed
    }
}
