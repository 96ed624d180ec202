//! What is delivered: a file, as a sequence of stored ranges and of bytes in memory.

use std::io::Error;
use std::ops::Range;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use sha2::{Digest as _, Sha256};

use super::named::checksum_line;
use super::stamp::{Piece, Prepared};
use crate::releases::store::Artifact;
use crate::storage::{Storage, StorageError, StoredFile};

/// Bytes in memory leave in slices of so many: a connection copies each one whole, and asks for the
/// next when it has room again.
const SLICE: usize = 48 << 10;

/// A file on its way out, whole: its length and entity tag are known before its first byte.
#[derive(Debug, Clone)]
pub struct Content {
    /// Name it is saved under.
    pub name: String,
    /// In bytes: those of its segments together.
    pub size: u64,
    /// Strong entity tag, in quotes.
    pub etag: String,
    /// SHA-256 of all its bytes in hexadecimal, where it is known.
    pub sha256: Option<String>,
    /// What it consists of, in order.
    pub segments: Vec<Segment>,
}

/// A piece of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// A range of a stored file.
    Stored {
        /// Which file.
        sha256: String,
        /// How many bytes that file has.
        size: u64,
        /// Which of them.
        range: Range<u64>,
    },
    /// Bytes made for this delivery.
    Memory(Bytes),
}

/// Why it cannot be delivered.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The stored file is not the one that was published.
    #[error("the stored file {sha256} has {found} bytes, not {expected}")]
    OtherSize {
        /// Which file.
        sha256: String,
        /// Bytes it has.
        found: u64,
        /// Bytes it should have.
        expected: u64,
    },
}

impl Content {
    /// A published file as it is stored.
    pub fn of(artifact: &Artifact) -> Result<Self, std::num::TryFromIntError> {
        let size = u64::try_from(artifact.size)?;
        Ok(Self {
            name: artifact.name.clone(),
            size,
            etag: format!("\"{}\"", artifact.sha256),
            sha256: Some(artifact.sha256.clone()),
            segments: vec![Segment::Stored {
                sha256: artifact.sha256.clone(),
                size,
                range: 0..size,
            }],
        })
    }

    /// The file beside a published one that `sha256sum --check` reads.
    pub fn checksum(artifact: &Artifact) -> Result<Self, std::num::TryFromIntError> {
        let line = checksum_line(artifact);
        Ok(Self {
            name: format!("{}.sha256", artifact.name),
            size: line.len() as u64,
            etag: format!("\"{}.sha256\"", artifact.sha256),
            sha256: None,
            segments: vec![Segment::Memory(line.into())],
        })
    }

    /// A published file with the stamp of a license.
    pub fn stamped(
        artifact: &Artifact,
        stamped: Prepared,
    ) -> Result<Self, std::num::TryFromIntError> {
        let size = u64::try_from(artifact.size)?;
        let total = stamped.size();
        let segment = |piece| match piece {
            Piece::Made(bytes) => Segment::Memory(bytes.into()),
            Piece::Original(range) => Segment::Stored {
                sha256: artifact.sha256.clone(),
                size,
                range,
            },
        };
        Ok(Self {
            name: artifact.name.clone(),
            size: total,
            etag: stamped.etag,
            sha256: None,
            segments: stamped.pieces.into_iter().map(segment).collect(),
        })
    }

    /// The file beside a published one that `minisign -V` reads.
    pub fn signature(artifact: &Artifact, text: String) -> Self {
        Self {
            name: format!("{}.minisig", artifact.name),
            size: text.len() as u64,
            etag: format!("\"{}\"", HEXLOWER.encode(&Sha256::digest(&text))),
            sha256: None,
            segments: vec![Segment::Memory(text.into())],
        }
    }

    /// The stored file, where the content is all of one: only that can be fetched elsewhere.
    pub fn as_stored(&self) -> Option<&str> {
        match self.segments.as_slice() {
            [
                Segment::Stored {
                    sha256,
                    size,
                    range,
                },
            ] if range.start == 0 && range.end == *size => Some(sha256),
            _ => None,
        }
    }

    /// The segments of a range of it.
    pub fn cut(&self, range: &Range<u64>) -> Vec<Segment> {
        let mut at = 0_u64;
        let mut cut = Vec::new();
        for segment in &self.segments {
            let length = segment.len();
            let from = range.start.clamp(at, at + length) - at;
            let to = range.end.clamp(at, at + length) - at;
            if from < to {
                cut.push(segment.slice(from..to));
            }
            at += length;
        }
        cut
    }
}

impl Segment {
    /// In bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Stored { range, .. } => range.end.saturating_sub(range.start),
            Self::Memory(bytes) => bytes.len() as u64,
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A part of it that lies inside.
    fn slice(&self, part: Range<u64>) -> Self {
        match self {
            Self::Stored {
                sha256,
                size,
                range,
            } => Self::Stored {
                sha256: sha256.clone(),
                size: *size,
                range: range.start + part.start..range.start + part.end,
            },
            Self::Memory(bytes) => {
                // What lies inside of bytes in memory fits.
                let at = |offset: u64| usize::try_from(offset).unwrap_or(bytes.len());
                Self::Memory(bytes.slice(at(part.start)..at(part.end)))
            }
        }
    }
}

enum Opened {
    File(StoredFile, Range<u64>),
    Memory(Bytes),
}

/// The bytes of segments. All files are opened first, so that one that is missing, silent or of
/// another size is told before anything was sent.
pub async fn open(
    storage: &Storage,
    segments: Vec<Segment>,
) -> Result<BoxStream<'static, Result<Bytes, Error>>, ContentError> {
    let mut opened = Vec::with_capacity(segments.len());
    let mut last: Option<(String, StoredFile)> = None;
    for segment in segments {
        let (sha256, size, range) = match segment {
            Segment::Memory(bytes) => {
                opened.push(Opened::Memory(bytes));
                continue;
            }
            Segment::Stored {
                sha256,
                size,
                range,
            } => (sha256, size, range),
        };
        let known = last.take().filter(|(open, _)| *open == sha256);
        let file = match known {
            Some((_, file)) => file,
            None => open_checked(storage, &sha256, size).await?,
        };
        opened.push(Opened::File(file.clone(), range));
        last = Some((sha256, file));
    }
    let bytes = |opened| match opened {
        Opened::File(file, range) => file.stream(range),
        Opened::Memory(bytes) => stream::iter(slices(bytes)).boxed(),
    };
    Ok(stream::iter(opened).flat_map(bytes).boxed())
}

fn slices(mut rest: Bytes) -> impl Iterator<Item = Result<Bytes, Error>> {
    std::iter::from_fn(move || {
        let slice = rest.split_to(rest.len().min(SLICE));
        (!slice.is_empty()).then_some(Ok(slice))
    })
}

async fn open_checked(
    storage: &Storage,
    sha256: &str,
    expected: u64,
) -> Result<StoredFile, ContentError> {
    let file = storage.open_for_reading(sha256).await?;
    let found = file.size();
    if found == expected {
        return Ok(file);
    }
    Err(ContentError::OtherSize {
        sha256: sha256.to_owned(),
        found,
        expected,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamped() -> Content {
        let stored = |range: Range<u64>| Segment::Stored {
            sha256: "a".to_owned(),
            size: 100,
            range,
        };
        Content {
            name: "kit.zip".to_owned(),
            size: 95,
            etag: "\"x\"".to_owned(),
            sha256: None,
            segments: vec![
                stored(10..90),
                Segment::Memory(Bytes::from_static(b"0123456789")),
                stored(95..100),
            ],
        }
    }

    #[test]
    fn a_range_is_cut_over_stored_bytes_and_bytes_in_memory() {
        let content = stamped();
        let lengths = |range: Range<u64>| -> Vec<u64> {
            content.cut(&range).iter().map(Segment::len).collect()
        };
        assert_eq!(lengths(0..95), [80, 10, 5]);
        assert_eq!(lengths(0..80), [80]);
        assert_eq!(lengths(79..81), [1, 1]);
        assert_eq!(lengths(94..95), [1]);
        assert_eq!(
            content.cut(&(85..87)),
            [Segment::Memory(Bytes::from_static(b"56"))]
        );
        let expected = Segment::Stored {
            sha256: "a".to_owned(),
            size: 100,
            range: 97..99,
        };
        assert_eq!(content.cut(&(92..94)), [expected]);
    }

    #[test]
    fn bytes_in_memory_leave_in_slices() {
        let whole: Vec<u8> = (0..=250).cycle().take(100 << 10).collect();
        let found: Vec<Bytes> = slices(whole.clone().into()).map(Result::unwrap).collect();
        let lengths: Vec<usize> = found.iter().map(Bytes::len).collect();
        assert_eq!(lengths, [48 << 10, 48 << 10, 4 << 10]);
        let joined: Vec<u8> = found.iter().flatten().copied().collect();
        assert_eq!(joined, whole);
        assert_eq!(slices(Bytes::new()).count(), 0);
    }

    #[test]
    fn only_a_whole_stored_file_may_be_fetched_elsewhere() {
        let mut content = stamped();
        assert_eq!(content.as_stored(), None);
        content.segments.truncate(1);
        assert_eq!(content.as_stored(), None, "a part of it");
        content.segments = vec![Segment::Stored {
            sha256: "a".to_owned(),
            size: 100,
            range: 0..100,
        }];
        assert_eq!(content.as_stored(), Some("a"));
    }
}
