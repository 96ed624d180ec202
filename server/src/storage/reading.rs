//! A file on its way out.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::try_unfold;

/// Bytes read at once, off the async workers.
const CHUNK: u64 = 256 << 10;

/// An open file.
#[derive(Debug)]
pub struct StoredFile {
    file: File,
    size: u64,
}

impl StoredFile {
    pub(super) fn new(file: File, size: u64) -> Self {
        Self { file, size }
    }

    /// In bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The bytes of a range, a chunk at a time; an error where the file ends before the range.
    pub fn stream(self, range: Range<u64>) -> impl Stream<Item = Result<Bytes, Error>> {
        try_unfold((self.file, range), |(file, range)| async move {
            if range.is_empty() {
                return Ok(None);
            }
            let read = tokio::task::spawn_blocking(move || read_chunk(file, range));
            read.await.map_err(Error::other)?.map(Some)
        })
    }
}

type Rest = (File, Range<u64>);

fn read_chunk(mut file: File, range: Range<u64>) -> Result<(Bytes, Rest), Error> {
    let length = CHUNK.min(range.end - range.start);
    file.seek(SeekFrom::Start(range.start))?;
    let mut buffer = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    let read = (&mut file).take(length).read_to_end(&mut buffer)? as u64;
    if read < length {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok((buffer.into(), (file, range.start + read..range.end)))
}
