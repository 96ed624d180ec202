//! Headers that describe the entry after them: pax, and the long names of GNU.

use std::io::Read;

use tar::EntryType;

use super::super::fault::Reason;

/// Most bytes of one such header.
const SIZE_MAX: u64 = 64 << 10;

/// What was told of the next entry.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Extended {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    has_pax: bool,
}

impl Extended {
    pub(super) fn holds(kind: EntryType) -> bool {
        matches!(
            kind,
            EntryType::XHeader
                | EntryType::XGlobalHeader
                | EntryType::GNULongName
                | EntryType::GNULongLink
        )
    }

    pub(super) fn take_in(
        &mut self,
        kind: EntryType,
        size: u64,
        source: &mut impl Read,
    ) -> Result<(), Reason> {
        if size > SIZE_MAX {
            return Err(Reason::ExtendedHeader);
        }
        let mut bytes = Vec::new();
        let read = source.take(SIZE_MAX).read_to_end(&mut bytes);
        if read.map_or(true, |read| read as u64 != size) {
            return Err(Reason::Malformed);
        }
        match kind {
            EntryType::GNULongName => put(&mut self.path, until_zero(&bytes)),
            EntryType::GNULongLink => put(&mut self.link, until_zero(&bytes)),
            EntryType::XHeader if self.has_pax => Err(Reason::ExtendedHeader),
            EntryType::XHeader => {
                self.has_pax = true;
                self.pax(&bytes, true)
            }
            _ => self.pax(&bytes, false),
        }
    }

    /// Records of the form `length name=value\n`.
    fn pax(&mut self, bytes: &[u8], is_local: bool) -> Result<(), Reason> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (record, behind) = split_record(rest).ok_or(Reason::Malformed)?;
            rest = behind;
            let mut halves = record.splitn(2, |byte| *byte == b'=');
            let (name, value) = (halves.next().unwrap_or_default(), halves.next());
            let value = value.ok_or(Reason::Malformed)?;
            match name {
                b"path" if is_local => put(&mut self.path, value)?,
                b"linkpath" if is_local => put(&mut self.link, value)?,
                // For all entries to come, or another size than the header's: programs disagree.
                b"path" | b"linkpath" | b"size" => return Err(Reason::ExtendedHeader),
                _ if name.starts_with(b"GNU.sparse.") => return Err(Reason::Sparse),
                _ => {}
            }
        }
        Ok(())
    }

    /// The entry's name: as told, or as in its own header.
    pub(super) fn path(&self, own: &[u8]) -> Vec<u8> {
        self.path.clone().unwrap_or_else(|| own.to_vec())
    }

    /// Where a link leads.
    pub(super) fn link(&self, own: &[u8]) -> Vec<u8> {
        self.link.clone().unwrap_or_else(|| own.to_vec())
    }
}

/// A name that is told twice is told differently to different programs.
fn put(slot: &mut Option<Vec<u8>>, value: &[u8]) -> Result<(), Reason> {
    if slot.replace(value.to_vec()).is_some() {
        Err(Reason::ExtendedHeader)
    } else {
        Ok(())
    }
}

fn until_zero(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn split_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = bytes.iter().position(|byte| *byte == b' ')?;
    let (length, _rest) = bytes.split_at_checked(blank)?;
    let length: usize = std::str::from_utf8(length).ok()?.parse().ok()?;
    let (record, rest) = bytes.split_at_checked(length)?;
    let record = record.get(blank + 1..)?.strip_suffix(b"\n")?;
    Some((record, rest))
}
