//! Puts a stamp into an archive without touching what is there: the pieces of the stamped file.
//!
//! | Archive | Stamped |
//! |---|---|
//! | zip | entries ‖ stamp's entry ‖ directory ‖ stamp's header ‖ new end ‖ comment |
//! | tar | stamp's header and data ‖ archive |
//! | tar.gz | a gzip member that holds these ‖ archive |
//! | tar.zst | a Zstandard frame that holds these ‖ archive |
//!
//! Nothing is compressed, so that the same stamp makes the same bytes for ever.

use std::ops::Range;

use crate::releases::archive::{End, STAMP_NAME, end_records, parse_records};
use crate::releases::model::ArchiveFormat;

/// Extra field of the stamp's entry: the end of the zip as it was.
pub(super) const ORIGINAL_END: u16 = 0x574b;
/// Where the modes of Unix stand.
const MODE: u32 = 0o100_644 << 16;
const BLOCK: usize = 512;

/// A piece of a stamped file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A range of the archive as it was.
    Original(Range<u64>),
    /// Bytes of the stamp.
    Made(Vec<u8>),
}

/// The pieces of an archive of so many bytes with this stamp; `None` where it has no room for one.
pub fn splice(
    format: ArchiveFormat,
    size: u64,
    zip_end: Option<&[u8]>,
    stamp: &[u8],
) -> Option<Vec<Piece>> {
    let before = |made| Some(vec![Piece::Made(made), Piece::Original(0..size)]);
    match format {
        ArchiveFormat::Zip => zip(size, &parse_records(zip_end?)?, stamp),
        ArchiveFormat::Tar => before(tar_entry(stamp)),
        ArchiveFormat::TarGz => before(gzip_member(&tar_entry(stamp))),
        ArchiveFormat::TarZst => before(zstandard_frame(&tar_entry(stamp))?),
    }
}

fn zip(size: u64, end: &End, stamp: &[u8]) -> Option<Vec<Piece>> {
    let directory_ends = end.directory_offset.checked_add(end.directory_size)?;
    let comment = size.checked_sub(end.comment_size)?;
    let records = comment.checked_sub(directory_ends)?;
    if records != end.records.len() as u64 {
        return None;
    }
    let entry = local_entry(&end.records, stamp)?;
    let header = directory_header(end.directory_offset, stamp)?;
    let spliced = End {
        directory_offset: end.directory_offset.checked_add(entry.len() as u64)?,
        directory_size: end.directory_size.checked_add(header.len() as u64)?,
        entries: end.entries.checked_add(1)?,
        comment_size: end.comment_size,
        is_zip64: end.is_zip64,
        records: Vec::new(),
    };
    let tail = [header, end_records(&spliced)].concat();
    let pieces = [
        Piece::Original(0..end.directory_offset),
        Piece::Made(entry),
        Piece::Original(end.directory_offset..directory_ends),
        Piece::Made(tail),
        Piece::Original(comment..size),
    ];
    let is_something = |piece: &Piece| *piece != Piece::Original(size..size);
    Some(pieces.into_iter().filter(is_something).collect())
}

/// What both headers of an entry share: flags to sizes. Stored, as of 1980-01-01.
fn shared(stamp: &[u8]) -> Option<Vec<u8>> {
    let size = u32::try_from(stamp.len()).ok()?;
    let mut bytes = [0_u16, 0, 0, 0x21].map(u16::to_le_bytes).concat();
    bytes.extend(
        [crc32fast::hash(stamp), size, size]
            .map(u32::to_le_bytes)
            .concat(),
    );
    bytes.extend(u16::try_from(STAMP_NAME.len()).ok()?.to_le_bytes());
    Some(bytes)
}

fn local_entry(original_end: &[u8], stamp: &[u8]) -> Option<Vec<u8>> {
    let kept = u16::try_from(original_end.len()).ok()?;
    let mut entry = b"PK\x03\x04\x0a\0".to_vec();
    entry.extend(shared(stamp)?);
    entry.extend(kept.checked_add(4)?.to_le_bytes());
    entry.extend(STAMP_NAME.as_bytes());
    entry.extend(ORIGINAL_END.to_le_bytes());
    entry.extend(kept.to_le_bytes());
    entry.extend(original_end);
    entry.extend(stamp);
    Some(entry)
}

fn directory_header(offset: u64, stamp: &[u8]) -> Option<Vec<u8>> {
    // Made by Unix; 4.5 understands offsets that find no room in the header.
    let (version, short) = match u32::try_from(offset) {
        Ok(short) if short < u32::MAX => (10_u8, short),
        _ => (45, u32::MAX),
    };
    let extra = if short == u32::MAX {
        [&[1, 0, 8, 0][..], &offset.to_le_bytes()].concat()
    } else {
        Vec::new()
    };
    let mut header = b"PK\x01\x02".to_vec();
    header.extend([version, 3, version, 0]);
    header.extend(shared(stamp)?);
    header.extend(u16::try_from(extra.len()).ok()?.to_le_bytes());
    // No comment, first disk, no internal attributes.
    header.extend([0; 6]);
    header.extend(MODE.to_le_bytes());
    header.extend(short.to_le_bytes());
    header.extend(STAMP_NAME.as_bytes());
    header.extend(extra);
    Some(header)
}

/// A header and data, without the blocks that would end the archive.
pub(super) fn tar_entry(stamp: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    // A constant that fits; the round trip below tests it.
    let _ = header.set_path(STAMP_NAME);
    header.set_size(stamp.len() as u64);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    let mut entry = header.as_bytes().to_vec();
    entry.extend(stamp);
    entry.resize(entry.len().next_multiple_of(BLOCK), 0);
    entry
}

/// A gzip member (RFC 1952) of stored blocks.
pub(super) fn gzip_member(bytes: &[u8]) -> Vec<u8> {
    let mut member = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = bytes.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        let is_last = u8::from(blocks.peek().is_none());
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        member.push(is_last);
        member.extend([length.to_le_bytes(), (!length).to_le_bytes()].concat());
        member.extend(block);
    }
    member.extend(crc32fast::hash(bytes).to_le_bytes());
    member.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    member
}

/// A Zstandard frame (RFC 8878) of one raw block; `None` beyond its 128 KiB.
pub(super) fn zstandard_frame(bytes: &[u8]) -> Option<Vec<u8>> {
    let size = u32::try_from(bytes.len())
        .ok()
        .filter(|size| *size <= 128 << 10)?;
    // A single segment whose size stands in 4 bytes.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0];
    frame.extend(size.to_le_bytes());
    // The last block, raw.
    frame.extend((size << 3 | 1).to_le_bytes().iter().take(3));
    frame.extend(bytes);
    Some(frame)
}
