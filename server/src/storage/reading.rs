//! A file on its way out.

use std::fs::File;
use std::io::{Error, ErrorKind};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures_util::stream::{self, BoxStream, try_unfold};
use futures_util::{Stream, StreamExt, TryStreamExt};
use object_store::{GetOptions, GetRange};
use sha2::{Digest, Sha256};

use super::{Key, Storage, StorageError};

/// Bytes read at once, off the async workers.
const CHUNK: u64 = 48 << 10;

/// An open file.
#[derive(Debug, Clone)]
pub struct StoredFile {
    place: Place,
    size: u64,
}

#[derive(Debug, Clone)]
enum Place {
    Local(Arc<File>, Duration),
    /// With the SHA-256 it must have, where its key is one.
    Remote(Storage, Key, Option<String>),
}

impl StoredFile {
    pub(super) fn local(file: File, size: u64, patience: Duration) -> Self {
        let place = Place::Local(Arc::new(file), patience);
        Self { place, size }
    }

    pub(super) fn remote(storage: Storage, key: Key, sha256: Option<String>, size: u64) -> Self {
        let place = Place::Remote(storage, key, sha256);
        Self { place, size }
    }

    /// In bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The bytes of a range, a chunk at a time; an error where the file ends before the range. All of
    /// a file that comes from a service are checked against its hash: its last bytes are held back
    /// until that fits.
    pub fn stream(&self, range: Range<u64>) -> BoxStream<'static, Result<Bytes, Error>> {
        if range.is_empty() {
            return stream::empty().boxed();
        }
        match &self.place {
            Place::Local(file, patience) => local(Arc::clone(file), range, *patience).boxed(),
            Place::Remote(storage, key, sha256) => {
                let is_whole = range == (0..self.size);
                let chunks = remote(storage.clone(), key.clone(), range).boxed();
                match sha256.clone().filter(|_| is_whole) {
                    Some(sha256) => checked(chunks, sha256).boxed(),
                    None => chunks,
                }
            }
        }
    }
}

fn local(
    file: Arc<File>,
    range: Range<u64>,
    patience: Duration,
) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
    try_unfold(range, move |range| {
        let file = Arc::clone(&file);
        async move {
            if range.is_empty() {
                return Ok(None);
            }
            let end = range.end.min(range.start.saturating_add(CHUNK));
            // Made here and not where it is filled: each thread that allocates keeps memory of its own,
            // and there are few workers and many threads that read.
            let length = usize::try_from(end - range.start).map_err(Error::other)?;
            let (start, mut chunk) = (range.start, vec![0; length]);
            let read = tokio::task::spawn_blocking(move || {
                file.read_exact_at(&mut chunk, start).map(|()| chunk)
            });
            let read = tokio::time::timeout(patience, read).await;
            let bytes = read?.map_err(Error::other)??;
            Ok(Some((Bytes::from(bytes), end..range.end)))
        }
    })
}

fn remote(
    storage: Storage,
    key: Key,
    range: Range<u64>,
) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
    let length = range.end - range.start;
    let opened = async move {
        let options = GetOptions::new().with_range(Some(GetRange::Bounded(range.clone())));
        let found = storage
            .within(storage.store.get_opts(&key, options))
            .await?;
        if found.range != range {
            return Err(StorageError::from(Error::from(ErrorKind::UnexpectedEof)));
        }
        Ok(patiently(found.into_stream(), storage.patience, length))
    };
    stream::once(opened).map_err(Error::other).try_flatten()
}

/// A stream that may be slow, but not silent, and must have this length.
fn patiently(
    chunks: BoxStream<'static, object_store::Result<Bytes>>,
    patience: Duration,
    length: u64,
) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
    try_unfold((chunks, length), move |(mut chunks, left)| async move {
        let next = tokio::time::timeout(patience, chunks.next()).await?;
        let Some(bytes) = next.transpose().map_err(Error::other)? else {
            return if left == 0 {
                Ok(None)
            } else {
                Err(Error::from(ErrorKind::UnexpectedEof))
            };
        };
        match left.checked_sub(bytes.len() as u64) {
            Some(left) => Ok(Some((bytes, (chunks, left)))),
            None => Err(Error::from(ErrorKind::InvalidData)),
        }
    })
}

/// A stream that ends well only where its bytes have this hash.
fn checked(
    chunks: BoxStream<'static, Result<Bytes, Error>>,
    sha256: String,
) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
    let start = (chunks, Sha256::new(), Bytes::new(), sha256);
    try_unfold(
        start,
        |(mut chunks, mut hash, mut held, sha256)| async move {
            while let Some(next) = chunks.try_next().await? {
                hash.update(&next);
                let ready = std::mem::replace(&mut held, next);
                if !ready.is_empty() {
                    return Ok(Some((ready, (chunks, hash, held, sha256))));
                }
            }
            if HEXLOWER.encode(&hash.clone().finalize()) != sha256 {
                let other = "the kit storage answered other bytes than were stored";
                return Err(Error::new(ErrorKind::InvalidData, other));
            }
            let last = std::mem::take(&mut held);
            Ok((!last.is_empty()).then_some((last, (chunks, hash, held, sha256))))
        },
    )
}
