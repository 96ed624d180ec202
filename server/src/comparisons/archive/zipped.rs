//! Zip.

use std::io::{Read, Seek, SeekFrom};

use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

use super::limited::{Limited, Limits};
use super::{ArchiveError, Found, Visit, Wanted};
use crate::comparisons::model::Mode;

/// The end record, and the longest comment behind it.
const END_MAX: i64 = 22 + 0xffff;

impl From<ZipError> for ArchiveError {
    fn from(error: ZipError) -> Self {
        match error {
            ZipError::Io(error) => error.into(),
            other => Self::Damaged(other.to_string()),
        }
    }
}

pub(super) fn walk(
    mut file: impl Read + Seek,
    limits: &Limits,
    wanted: Wanted<'_>,
    visit: &mut Visit<'_>,
) -> Result<(), ArchiveError> {
    // Before the list is read into memory.
    if entries(&mut file)? > 2 * limits.files {
        return Err(ArchiveError::TooManyFiles);
    }
    let mut archive = ZipArchive::new(file)?;
    let mut left = limits.bytes;
    for place in 0..archive.len() {
        if wanted.is_some_and(|wanted| !wanted.contains_key(&place)) {
            continue;
        }
        let entry = archive.by_index(place)?;
        if entry.is_dir() {
            continue;
        }
        let found = described(place, &entry);
        let mut content = Limited::with(entry, left, limits.until);
        visit(found, &mut content)?;
        left = content.left();
    }
    Ok(())
}

/// How many entries the end of the archive announces.
fn entries(file: &mut (impl Read + Seek)) -> Result<usize, ArchiveError> {
    let size = file.seek(SeekFrom::End(0))?;
    let tail = i64::try_from(size).unwrap_or(END_MAX).min(END_MAX);
    file.seek(SeekFrom::End(-tail))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    file.seek(SeekFrom::Start(0))?;
    let at = end.windows(4).rposition(|window| window == b"PK\x05\x06");
    let count = at.and_then(|at| end.get(at + 10..at + 12));
    let count = count.and_then(|bytes| <[u8; 2]>::try_from(bytes).ok());
    let count = count.ok_or_else(|| ArchiveError::Damaged("it has no end".to_owned()))?;
    Ok(u16::from_le_bytes(count).into())
}

fn described<R: Read>(place: usize, entry: &ZipFile<'_, R>) -> Found {
    // Names without a mark are UTF-8 more often than of an old code page.
    let raw = entry.name_raw();
    let decoded = || entry.name().map(|name| name.as_bytes().to_vec());
    let path = match std::str::from_utf8(raw) {
        Ok(_) => raw.to_vec(),
        Err(_) => decoded().unwrap_or_else(|_undecodable| raw.to_vec()),
    };
    Found {
        place,
        path,
        mode: if entry.is_symlink() {
            Mode::Link
        } else {
            Mode::of(entry.unix_mode().unwrap_or_default())
        },
        size: entry.size(),
        same_as: None,
    }
}
