//! Tar archives (POSIX ustar and pax, GNU), as they are or in gzip or Zstandard.

mod extended;
mod frames;
mod unpack;

use std::io::Read;

use super::fault::{Fault, Reason};
use super::meter::{Bounds, Meter};
use super::names::{Kind, Names, check_target, parts};
use super::{HEAD, Listing};
use crate::releases::model::ArchiveFormat;
use extended::Extended;
use tar::EntryType as T;
use unpack::Unpacked;

pub(crate) use frames::Frames;

/// Whether bytes begin with the header of an entry: by the word in it, or by its checksum, because
/// headers of old have no such word.
pub(crate) fn is_header(head: &[u8]) -> bool {
    if head.get(257..262) == Some(b"ustar") {
        return true;
    }
    let Some((block, _rest)) = head.split_first_chunk::<512>() else {
        return false;
    };
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    let header = tar::Header::from_byte_slice(block);
    let field = &header.as_old().cksum;
    // The checksum's own field counts as blanks.
    let own = sum(block) - sum(field) + sum(&[b' '; 8]);
    header.cksum().is_ok_and(|told| told == own)
}

/// Whether what is packed like this begins as a tar. What cannot be unpacked this far does not.
pub(super) fn is_packed<S: Read>(format: ArchiveFormat, source: S, meter: Meter<'_>) -> bool {
    let unpacked = Unpacked::open(format, source, meter);
    let mut head = Vec::new();
    let read = unpacked.take(HEAD).read_to_end(&mut head);
    read.is_ok() && is_header(&head)
}

pub(super) fn list<S: Read>(
    format: ArchiveFormat,
    source: S,
    meter: Meter<'_>,
) -> Result<Listing, Fault> {
    let bounds = meter.bounds;
    let unpacked = Unpacked::open(format, source, meter);
    let mut archive = tar::Archive::new(unpacked);
    let mut names = Names::default();
    let mut extended = Extended::default();
    let mut count = 0_u64;
    // As they lie in the file: headers that describe the next entry are entries here.
    let entries = archive.entries().map_err(|_broken| Reason::NotAnArchive)?;
    for entry in entries.raw(true) {
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(error) => return Err(unpack::reason(&error, count).into()),
        };
        let kind = entry.header().entry_type();
        if Extended::holds(kind) {
            let size = entry.size();
            extended.take_in(kind, size, &mut entry)?;
            continue;
        }
        count += 1;
        if count > bounds.entries {
            return Err(Reason::TooManyEntries.into());
        }
        let described = std::mem::take(&mut extended);
        let name = described.path(&entry.path_bytes());
        check(&mut names, &entry, &described, bounds).map_err(|reason| reason.of(&name))?;
        std::io::copy(&mut entry, &mut std::io::sink())
            .map_err(|error| unpack::reason(&error, count).of(&name))?;
    }
    if count == 0 {
        return Err(Reason::NotAnArchive.into());
    }
    if extended != Extended::default() {
        return Err(Reason::Malformed.into());
    }
    let mut unpacked = archive.into_inner();
    unpacked
        .expect_zeros()
        .map_err(|error| unpack::reason(&error, 1))?;
    Ok(Listing {
        format,
        entries: count,
        bytes: unpacked.count(),
        zip_end: None,
        has_stamp: names.has_stamp(),
    })
}

fn check<R: Read>(
    names: &mut Names,
    entry: &tar::Entry<'_, R>,
    described: &Extended,
    bounds: &Bounds,
) -> Result<(), Reason> {
    let name = described.path(&entry.path_bytes());
    let header = entry.header().entry_type();
    // Tars of old tell a folder by its name alone.
    let is_folder = header == T::Directory || (header == T::Regular && name.ends_with(b"/"));
    let kind = match header {
        _ if is_folder => Kind::Folder,
        T::Regular | T::Continuous | T::Link => Kind::File,
        T::Symlink => Kind::Link,
        T::GNUSparse => return Err(Reason::Sparse),
        _ => return Err(Reason::SpecialFile),
    };
    let has_data = matches!(header, T::Regular | T::Continuous) && !is_folder;
    if !has_data && entry.size() > 0 {
        return Err(Reason::Size);
    }
    let target = described.link(entry.link_name_bytes().as_deref().unwrap_or_default());
    if header == T::Link {
        check_hard_link(names, &target)?;
    }
    let path = names.add(&name, kind, bounds)?;
    match header {
        T::Symlink => check_target(path.as_deref().unwrap_or_default(), &target),
        _ => Ok(()),
    }
}

fn check_hard_link(names: &Names, target: &[u8]) -> Result<(), Reason> {
    let target = std::str::from_utf8(target).map_err(|_binary| Reason::HardLink)?;
    let target = parts(target)
        .map_err(|_refused| Reason::HardLink)?
        .join("/");
    if names.has_file(&target) {
        Ok(())
    } else {
        Err(Reason::HardLink)
    }
}
