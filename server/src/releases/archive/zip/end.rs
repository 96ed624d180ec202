//! The records at the end of a zip: where its directory is.

use std::io::{Read, Seek, SeekFrom};

use super::fields::Fields;

const RECORD: [u8; 4] = *b"PK\x05\x06";
const RECORD_SIZE: usize = 22;
const LOCATOR: u32 = 0x0706_4b50;
const LOCATOR_SIZE: usize = 20;
const RECORD64: u32 = 0x0606_4b50;
/// Without the part that may be longer, which nobody writes.
const RECORD64_SIZE: usize = 56;
const COMMENT_MAX: u64 = 0xffff;

/// What the end of a zip says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Where the directory begins.
    pub directory_offset: u64,
    /// How many bytes it has.
    pub directory_size: u64,
    /// How many entries it lists.
    pub entries: u64,
    /// How many bytes of comment follow the records.
    pub comment_size: u64,
    /// Whether there are records of zip64.
    pub is_zip64: bool,
    /// The records themselves, from the end of the directory to the comment.
    pub records: Vec<u8>,
}

/// Why there is no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndFault {
    /// It is no zip.
    None,
    /// Records that contradict each other, or a part of several.
    Broken,
    /// Bytes behind the end.
    Trailing,
    /// Bytes before the first entry, or between directory and end.
    Prepended,
}

/// Finds the end of a zip.
pub fn find_end<S: Read + Seek>(source: &mut S) -> Result<End, EndFault> {
    let broken = |_error| EndFault::Broken;
    let size = source.seek(SeekFrom::End(0)).map_err(broken)?;
    let room = COMMENT_MAX + (RECORD_SIZE + LOCATOR_SIZE + RECORD64_SIZE) as u64;
    let start = size.saturating_sub(room);
    source.seek(SeekFrom::Start(start)).map_err(broken)?;
    let mut tail = Vec::new();
    source.take(room).read_to_end(&mut tail).map_err(broken)?;
    let at = locate(&tail)?;
    let (before, record) = tail.split_at_checked(at).ok_or(EndFault::Broken)?;
    let mut end = read(before, record).ok_or(EndFault::Broken)?;
    let ends = start + at as u64 + RECORD_SIZE as u64;
    let directory_ends = ends - end.records.len() as u64;
    let told = end.directory_offset.checked_add(end.directory_size);
    end.comment_size = size - ends;
    match told {
        Some(told) if told == directory_ends => Ok(end),
        Some(told) if told < directory_ends => Err(EndFault::Prepended),
        _ => Err(EndFault::Broken),
    }
}

/// The end that these records tell, where they are read apart from their zip.
pub fn parse_records(records: &[u8]) -> Option<End> {
    let at = records.len().checked_sub(RECORD_SIZE)?;
    let (before, record) = records.split_at_checked(at)?;
    let end = read(before, record)?;
    (end.records == records).then_some(end)
}

/// The one record whose comment ends with the file.
fn locate(tail: &[u8]) -> Result<usize, EndFault> {
    let mut found = None;
    let mut seen = false;
    for (at, window) in tail.windows(RECORD_SIZE).enumerate() {
        if !window.starts_with(&RECORD) {
            continue;
        }
        seen = true;
        let comment = window
            .get(20..22)
            .map_or(0, |bytes| Fields(bytes).u16().unwrap_or(0));
        if at + RECORD_SIZE + usize::from(comment) == tail.len() {
            // A comment that reads as an end: programs would not agree on which one counts.
            if found.is_some() {
                return Err(EndFault::Broken);
            }
            found = Some(at);
        }
    }
    match found {
        Some(at) => Ok(at),
        None if seen => Err(EndFault::Trailing),
        None => Err(EndFault::None),
    }
}

fn read(before: &[u8], record: &[u8]) -> Option<End> {
    let mut fields = Fields(record.get(4..RECORD_SIZE)?);
    let (disk, directory_disk) = (fields.u16()?, fields.u16()?);
    let (entries_here, entries) = (fields.u16()?, fields.u16()?);
    let (directory_size, directory_offset) = (fields.u32()?, fields.u32()?);
    let comment_size = fields.u16()?;
    let end = End {
        directory_offset: directory_offset.into(),
        directory_size: directory_size.into(),
        entries: entries.into(),
        comment_size: comment_size.into(),
        is_zip64: false,
        records: record.get(..RECORD_SIZE)?.to_vec(),
    };
    if entries_here != entries || directory_disk != disk {
        return None;
    }
    match read64(before) {
        Some(large) => {
            // Numbers that fit may stand in both, and are then the same.
            let agree = |short: u64, full: u64, long: u64| short == full || short == long;
            let all = agree(end.entries, 0xffff, large.entries)
                && agree(end.directory_size, 0xffff_ffff, large.directory_size)
                && agree(end.directory_offset, 0xffff_ffff, large.directory_offset)
                && (disk == 0 || disk == 0xffff);
            let records = [&large.records[..], &end.records].concat();
            all.then_some(End {
                comment_size: end.comment_size,
                records,
                ..large
            })
        }
        // A locator is followed by some programs whatever it leads to, into a directory of its own.
        None if disk == 0 && !has_locator(before) => Some(end),
        None => None,
    }
}

fn has_locator(before: &[u8]) -> bool {
    let at = before.len().checked_sub(LOCATOR_SIZE);
    let locator = at.and_then(|at| before.get(at..));
    locator.is_some_and(|bytes| bytes.starts_with(&LOCATOR.to_le_bytes()))
}

/// The records of zip64 that stand right before the record every zip has.
fn read64(before: &[u8]) -> Option<End> {
    let start = before.len().checked_sub(LOCATOR_SIZE + RECORD64_SIZE)?;
    let records = before.get(start..)?;
    let mut locator = Fields(records.get(RECORD64_SIZE..)?);
    if locator.u32()? != LOCATOR || locator.u32()? != 0 {
        return None;
    }
    let (record_offset, disks) = (locator.u64()?, locator.u32()?);
    let mut fields = Fields(records);
    let is_plain = fields.u32()? == RECORD64 && fields.u64()? == 44 && disks <= 1;
    let _versions = fields.u32()?;
    let (disk, directory_disk) = (fields.u32()?, fields.u32()?);
    let (entries_here, entries) = (fields.u64()?, fields.u64()?);
    let (directory_size, directory_offset) = (fields.u64()?, fields.u64()?);
    let in_place = directory_offset.checked_add(directory_size) == Some(record_offset);
    let whole = disk == 0 && directory_disk == 0 && entries_here == entries;
    (is_plain && whole && in_place).then(|| End {
        directory_offset,
        directory_size,
        entries,
        comment_size: 0,
        is_zip64: true,
        records: records.to_vec(),
    })
}

/// The records for a directory of these measures.
pub fn end_records(end: &End) -> Vec<u8> {
    let (entries, size, offset) = (end.entries, end.directory_size, end.directory_offset);
    let mut records = Vec::with_capacity(RECORD64_SIZE + LOCATOR_SIZE + RECORD_SIZE);
    let is_large = entries >= 0xffff || size >= 0xffff_ffff || offset >= 0xffff_ffff;
    if end.is_zip64 || is_large {
        records.extend(RECORD64.to_le_bytes());
        records.extend(44_u64.to_le_bytes());
        // Made by and needed: 4.5, of Unix.
        records.extend([45, 3, 45, 0]);
        records.extend([0; 8]);
        for number in [entries, entries, size, offset] {
            records.extend(number.to_le_bytes());
        }
        records.extend(LOCATOR.to_le_bytes());
        records.extend([0; 4]);
        records.extend(offset.saturating_add(size).to_le_bytes());
        records.extend(1_u32.to_le_bytes());
    }
    let short = u16::try_from(entries).unwrap_or(u16::MAX);
    records.extend(RECORD);
    records.extend([0; 4]);
    records.extend([short.to_le_bytes(), short.to_le_bytes()].concat());
    for number in [size, offset] {
        records.extend(u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
    }
    let comment = u16::try_from(end.comment_size).unwrap_or(u16::MAX);
    records.extend(comment.to_le_bytes());
    records
}
