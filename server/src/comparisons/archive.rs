//! Reading the files of an archive, one after the other, within limits.
//!
//! Nothing is written anywhere. Zip, tar, and tar behind gzip or Zstandard are told by their first
//! bytes.

mod limited;
mod stored;
mod tarball;
mod zipped;

use std::collections::{BTreeMap, HashMap};
use std::io::{BufReader, Read, Seek, SeekFrom};

use flate2::read::MultiGzDecoder;

use self::limited::Limited;
pub(super) use self::limited::Limits;
pub(super) use self::stored::Source;
use super::model::{BlobHasher, Entry, Mode, ObjectId, PathFault, Tree, clean_path};
use crate::releases::archive::{Frames, is_tar_header, packed_format};
use crate::releases::model::ArchiveFormat;

/// Bytes read at once.
const CHUNK: usize = 64 << 10;

/// Why an archive cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ArchiveError {
    /// Neither zip nor tar.
    #[error("it is no zip, tar, tar.gz or tar.zst")]
    Unknown,
    /// Its bytes make no sense, or could not be had.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// A path that has no place in a folder.
    #[error("the name {0:?} {1}")]
    Name(String, PathFault),
    /// More entries than are read.
    #[error("it has too many files")]
    TooManyFiles,
    /// More bytes than are read.
    #[error("its files are too large")]
    TooLarge,
    /// It took too long.
    #[error("it took too long")]
    TooSlow,
}

impl From<std::io::Error> for ArchiveError {
    fn from(error: std::io::Error) -> Self {
        match limited::cause(&error) {
            Some(limited::Exceeded::Bytes) => Self::TooLarge,
            Some(limited::Exceeded::Time) => Self::TooSlow,
            None => Self::Damaged(error.to_string()),
        }
    }
}

/// An entry on its way by.
struct Found {
    /// Counts the entries of the archive.
    place: usize,
    /// As it stands there.
    path: Vec<u8>,
    /// Its mode.
    mode: Mode,
    /// In bytes, as the archive says.
    size: u64,
    /// Another path with the same content, for hard links.
    same_as: Option<Vec<u8>>,
}

type Visit<'a> = dyn FnMut(Found, &mut dyn Read) -> Result<(), ArchiveError> + 'a;
/// Which entries are read; those of no interest are passed over.
type Wanted<'a> = Option<&'a BTreeMap<usize, u64>>;

/// The files of an archive, with the names of their contents.
pub(super) fn list(file: impl Read + Seek, limits: &Limits) -> Result<Tree, ArchiveError> {
    let mut tree = Tree::new();
    walk(file, limits, None, &mut |found, content| {
        let path = clean(&found.path)?;
        if path.is_empty() {
            return Ok(());
        }
        let entry = match &found.same_as {
            Some(other) => tree.get(&clean(other)?).copied().ok_or_else(|| {
                ArchiveError::Damaged("a hard link leads to no file before it".to_owned())
            })?,
            None => Entry {
                mode: found.mode,
                size: found.size,
                id: name_content(found.size, content)?,
                place: found.place,
            },
        };
        tree.insert(path, entry);
        if tree.len() > limits.files {
            return Err(ArchiveError::TooManyFiles);
        }
        Ok(())
    })?;
    Ok(tree)
}

/// The contents of some entries, by place; `wanted` says how large each is.
pub(super) fn read(
    file: impl Read + Seek,
    limits: &Limits,
    wanted: &BTreeMap<usize, u64>,
) -> Result<HashMap<usize, Vec<u8>>, ArchiveError> {
    let mut contents = HashMap::new();
    if wanted.is_empty() {
        return Ok(contents);
    }
    walk(file, limits, Some(wanted), &mut |found, content| {
        if let Some(size) = wanted.get(&found.place) {
            let mut bytes = Vec::with_capacity(usize::try_from(*size).unwrap_or_default());
            content.take(size + 1).read_to_end(&mut bytes)?;
            if bytes.len() as u64 != *size {
                return Err(other_size());
            }
            contents.insert(found.place, bytes);
        }
        Ok(())
    })?;
    Ok(contents)
}

fn walk(
    mut file: impl Read + Seek,
    limits: &Limits,
    wanted: Wanted<'_>,
    visit: &mut Visit<'_>,
) -> Result<(), ArchiveError> {
    let mut start = [0; 512];
    let length = fill(&mut file, &mut start)?;
    file.seek(SeekFrom::Start(0))?;
    let start = start.get(..length).unwrap_or_default();
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
        return zipped::walk(file, limits, wanted, visit);
    }
    let file = BufReader::with_capacity(CHUNK, file);
    match packed_format(start) {
        Some(ArchiveFormat::TarGz) => {
            let tar = Limited::new(MultiGzDecoder::new(file), limits);
            tarball::walk(tar, limits, wanted, visit)
        }
        Some(ArchiveFormat::TarZst) => {
            let tar = Limited::new(Frames::new(file), limits);
            tarball::walk(tar, limits, wanted, visit)
        }
        _ if is_tar_header(start) => {
            tarball::walk(Limited::new(file, limits), limits, wanted, visit)
        }
        _ => Err(ArchiveError::Unknown),
    }
}

fn fill(file: &mut impl Read, buffer: &mut [u8]) -> Result<usize, ArchiveError> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest)? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

fn clean(path: &[u8]) -> Result<Vec<u8>, ArchiveError> {
    let fault = |fault| ArchiveError::Name(String::from_utf8_lossy(path).into_owned(), fault);
    clean_path(path).map_err(fault)
}

fn name_content(size: u64, content: &mut dyn Read) -> Result<ObjectId, ArchiveError> {
    let mut hasher = BlobHasher::new(size);
    let mut buffer = vec![0; CHUNK];
    let mut total = 0;
    loop {
        let read = content.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        total += read as u64;
        hasher.update(buffer.get(..read).unwrap_or_default());
    }
    if total == size {
        Ok(hasher.finish())
    } else {
        Err(other_size())
    }
}

fn other_size() -> ArchiveError {
    ArchiveError::Damaged("a file has another size than the archive says".to_owned())
}

#[cfg(test)]
mod tests;
