//! The central directory: one header for each entry.

use super::super::fault::{Fault, Reason};
use super::fields::{Fields, extra_fields};

const HEADER: u32 = 0x0201_4b50;
/// Extra fields: large numbers, and a name in Unicode.
pub(super) const ZIP64: u16 = 0x0001;
pub(super) const UNICODE_NAME: u16 = 0x7075;
/// Flags: encrypted; sizes behind the data; patch; strong encryption; name in UTF-8; masked.
pub(super) const DESCRIBED_BEHIND: u16 = 1 << 3;
const REFUSED_FLAGS: u16 = 1 | (1 << 5) | (1 << 6) | (1 << 13);

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nature {
    File,
    Folder,
    Link,
}

/// One entry.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) flags: u16,
    pub(crate) is_deflated: bool,
    pub(crate) crc32: u32,
    /// Bytes in the archive.
    pub(crate) packed: u64,
    /// Bytes when unpacked.
    pub(crate) size: u64,
    /// Where its local header begins.
    pub(crate) offset: u64,
    pub(crate) nature: Nature,
    /// Where its header stands in the directory.
    pub(crate) header_at: u64,
    method: u16,
    is_special: bool,
}

impl Entry {
    /// What it is, unless that is refused.
    pub(super) fn nature(&self) -> Result<Nature, Fault> {
        let refused = |reason: Reason| Err(reason.of(&self.name));
        if self.flags & REFUSED_FLAGS != 0 {
            return refused(Reason::Encrypted);
        }
        if !matches!(self.method, 0 | 8) {
            return refused(Reason::Method);
        }
        if self.is_special {
            return refused(Reason::SpecialFile);
        }
        let is_empty = self.size == 0;
        let as_stored = self.is_deflated || self.size == self.packed;
        if !as_stored || (self.nature == Nature::Folder && !is_empty) {
            return refused(Reason::Size);
        }
        Ok(self.nature)
    }
}

/// Reads a directory of so many entries, to its last byte.
pub(crate) fn parse(bytes: &[u8], count: u64) -> Result<Vec<Entry>, Fault> {
    let mut rest = Fields(bytes);
    let mut entries = Vec::new();
    for _entry in 0..count {
        let header_at = (bytes.len() - rest.0.len()) as u64;
        let (entry, extra) = header(&mut rest, header_at).ok_or(Reason::Malformed)?;
        let name = entry.name.clone();
        entries.push(completed(entry, extra).map_err(|reason| reason.of(&name))?);
    }
    if rest.0.is_empty() {
        Ok(entries)
    } else {
        Err(Reason::Malformed.into())
    }
}

/// One header as it stands, and its extra fields.
fn header<'a>(rest: &mut Fields<'a>, header_at: u64) -> Option<(Entry, &'a [u8])> {
    if rest.u32()? != HEADER {
        return None;
    }
    let made_by = rest.u16()?;
    let (_needed, flags, method) = (rest.u16()?, rest.u16()?, rest.u16()?);
    let (_changed, crc32) = (rest.u32()?, rest.u32()?);
    let (packed, size) = (rest.u32()?, rest.u32()?);
    let (name_size, extra_size, comment_size) = (rest.u16()?, rest.u16()?, rest.u16()?);
    let (disk, _internal) = (rest.u16()?, rest.u16()?);
    let (attributes, offset) = (rest.u32()?, rest.u32()?);
    let name = rest.take(name_size.into())?.to_vec();
    let extra = rest.take(extra_size.into())?;
    let _comment = rest.take(comment_size.into())?;
    // Unix and macOS tell the kind of file; elsewhere there are files and folders only.
    let mode = if matches!(made_by >> 8, 3 | 19) {
        attributes >> 28
    } else {
        0
    };
    let nature = match mode {
        0o12 => Nature::Link,
        0o4 => Nature::Folder,
        // Some packers call everything a file.
        _ if name.ends_with(b"/") => Nature::Folder,
        _ => Nature::File,
    };
    let entry = Entry {
        flags,
        is_deflated: method == 8,
        crc32,
        packed: packed.into(),
        size: size.into(),
        offset: offset.into(),
        nature,
        header_at,
        method,
        is_special: !matches!(mode, 0 | 0o4 | 0o10 | 0o12)
            || (name.ends_with(b"/") && mode == 0o12),
        name,
    };
    (disk == 0 || disk == 0xffff).then_some((entry, extra))
}

/// Takes the numbers from the extra fields that found no room in the header.
fn completed(mut entry: Entry, extra: &[u8]) -> Result<Entry, Reason> {
    let fields = extra_fields(extra).ok_or(Reason::Malformed)?;
    check_unicode_name(&fields, &entry.name)?;
    let mut large = fields.iter().filter(|(id, _)| *id == ZIP64);
    let (first, more) = (large.next(), large.next());
    if more.is_some() {
        return Err(Reason::HeadersDisagree);
    }
    let mut numbers = Fields(first.map_or(&[], |(_, bytes)| *bytes));
    for number in [&mut entry.size, &mut entry.packed, &mut entry.offset] {
        if *number == 0xffff_ffff {
            *number = numbers.u64().ok_or(Reason::Malformed)?;
        }
    }
    Ok(entry)
}

/// Programs that know this field take its name instead of the header's: they must be one.
pub(super) fn check_unicode_name(fields: &[(u16, &[u8])], name: &[u8]) -> Result<(), Reason> {
    let mut names = fields.iter().filter(|(id, _)| *id == UNICODE_NAME);
    // Version and checksum stand before the name.
    if names.any(|(_, bytes)| bytes.get(5..) != Some(name)) {
        return Err(Reason::HeadersDisagree);
    }
    Ok(())
}
