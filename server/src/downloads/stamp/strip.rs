//! Takes a stamp out of an archive again: what is left is the archive as it was, byte for byte.

use std::io::{Read, Seek, SeekFrom};

use super::splice::{ORIGINAL_END, Piece, gzip_member, splice, tar_entry, zstandard_frame};
use crate::releases::archive::{End, STAMP_NAME, find_end, parse_directory};
use crate::releases::model::ArchiveFormat;

/// The largest stamp, in bytes.
pub const STAMP_MAX: usize = 64 << 10;
/// The largest directory of a zip that is looked into.
const DIRECTORY_MAX: u64 = 256 << 20;

/// An archive with its stamp taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stripped {
    /// The stamp, as it stands in the archive.
    pub stamp: Vec<u8>,
    /// The pieces of the archive as it was; ranges are of the stamped file.
    pub original: Vec<Piece>,
}

/// Looks for a stamp; `None` where there is none of the form that [`splice`] gives it.
pub fn strip<S: Read + Seek>(source: &mut S) -> std::io::Result<Option<Stripped>> {
    let size = source.seek(SeekFrom::End(0))?;
    let mut head = Vec::new();
    let room = (STAMP_MAX + 4096) as u64;
    read_into(source, 0, room.min(size), &mut head)?;
    if let Some((stamp, length)) = before(&head) {
        let original = vec![Piece::Original(length..size)];
        return Ok(Some(Stripped { stamp, original }));
    }
    let Ok(end) = find_end(source) else {
        return Ok(None);
    };
    zip(source, size, &end)
}

fn read_into<S: Read + Seek>(
    source: &mut S,
    at: u64,
    size: u64,
    bytes: &mut Vec<u8>,
) -> std::io::Result<()> {
    source.seek(SeekFrom::Start(at))?;
    bytes.clear();
    source.take(size).read_to_end(bytes)?;
    Ok(())
}

/// A stamp that stands before the archive, and its length there. The stamp is made anew and
/// compared, so that nothing passes that [`splice`] does not make.
fn before(head: &[u8]) -> Option<(Vec<u8>, u64)> {
    let (format, at) = match head {
        [0x1f, 0x8b, ..] => (ArchiveFormat::TarGz, 15),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => (ArchiveFormat::TarZst, 12),
        _ => (ArchiveFormat::Tar, 0),
    };
    let entry = head.get(at..)?;
    let header = entry.first_chunk::<512>()?;
    let header = tar::Header::from_byte_slice(header);
    if header.path_bytes().as_ref() != STAMP_NAME.as_bytes() {
        return None;
    }
    let size = usize::try_from(header.entry_size().ok()?).ok()?;
    let size = Some(size).filter(|size| *size <= STAMP_MAX)?;
    let stamp = entry.get(512..)?.get(..size)?.to_vec();
    let entry = tar_entry(&stamp);
    let made = match format {
        ArchiveFormat::TarGz => gzip_member(&entry),
        ArchiveFormat::TarZst => zstandard_frame(&entry)?,
        ArchiveFormat::Tar | ArchiveFormat::Zip => entry,
    };
    head.starts_with(&made)
        .then_some((stamp, made.len() as u64))
}

fn zip<S: Read + Seek>(source: &mut S, size: u64, end: &End) -> std::io::Result<Option<Stripped>> {
    if end.directory_size > DIRECTORY_MAX {
        return Ok(None);
    }
    let mut directory = Vec::new();
    read_into(
        source,
        end.directory_offset,
        end.directory_size,
        &mut directory,
    )?;
    let Ok(entries) = parse_directory(&directory, end.entries) else {
        return Ok(None);
    };
    let Some(last) = entries
        .last()
        .filter(|last| last.name == STAMP_NAME.as_bytes())
    else {
        return Ok(None);
    };
    let room = (STAMP_MAX + 4096) as u64;
    let Some(length) = end
        .directory_offset
        .checked_sub(last.offset)
        .filter(|it| *it <= room)
    else {
        return Ok(None);
    };
    let mut entry = Vec::new();
    read_into(source, last.offset, length, &mut entry)?;
    let tail_at = end.directory_offset + last.header_at;
    let mut tail = Vec::new();
    read_into(
        source,
        tail_at,
        size.saturating_sub(end.comment_size + tail_at).min(room),
        &mut tail,
    )?;
    let found = Found {
        entry_at: last.offset,
        tail_at,
        entry,
        tail,
    };
    Ok(found.original(size, end))
}

/// What a zip holds where its stamp would be.
struct Found {
    entry_at: u64,
    entry: Vec<u8>,
    /// From the stamp's header in the directory to the comment.
    tail_at: u64,
    tail: Vec<u8>,
}

impl Found {
    /// The zip without it. It is stamped anew and compared, so that nothing passes that [`splice`]
    /// does not make.
    fn original(&self, size: u64, end: &End) -> Option<Stripped> {
        let (records, stamp) = self.parts()?;
        let comment = size.checked_sub(end.comment_size)?;
        let directory = self.tail_at.checked_sub(end.directory_offset)?;
        let kept = [
            self.entry_at,
            directory,
            records.len() as u64,
            end.comment_size,
        ];
        let original_size = kept.into_iter().try_fold(0, u64::checked_add)?;
        let again = splice(ArchiveFormat::Zip, original_size, Some(records), stamp)?;
        let mut made = again.iter().filter_map(|piece| match piece {
            Piece::Made(bytes) => Some(bytes),
            Piece::Original(_) => None,
        });
        let is_ours = made.next() == Some(&self.entry) && made.next() == Some(&self.tail);
        is_ours.then(|| Stripped {
            stamp: stamp.to_vec(),
            original: vec![
                Piece::Original(0..self.entry_at),
                Piece::Original(end.directory_offset..self.tail_at),
                Piece::Made(records.to_vec()),
                Piece::Original(comment..size),
            ],
        })
    }

    /// The end of the zip as it was, and the stamp.
    fn parts(&self) -> Option<(&[u8], &[u8])> {
        let behind_name = self.entry.get(30 + STAMP_NAME.len()..)?;
        let (field, rest) = behind_name.split_first_chunk::<4>()?;
        let [id0, id1, size0, size1] = *field;
        let kept = usize::from(u16::from_le_bytes([size0, size1]));
        let is_ours = u16::from_le_bytes([id0, id1]) == ORIGINAL_END;
        is_ours.then_some(())?;
        rest.split_at_checked(kept)
    }
}

impl Piece {
    /// In bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Original(range) => range.end.saturating_sub(range.start),
            Self::Made(bytes) => bytes.len() as u64,
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
