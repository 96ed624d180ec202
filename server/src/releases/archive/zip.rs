//! Zip archives (PKWARE's APPNOTE): the directory at the end, the headers beside the data, the data.

pub(super) mod directory;
pub(super) mod end;
mod fields;
mod local;

use std::io::{BufReader, Read, Seek, SeekFrom};

use flate2::read::DeflateDecoder;

use super::Listing;
use super::fault::{Fault, Reason};
use super::meter::Meter;
use super::names::{Kind, Names, check_target};
use crate::releases::model::ArchiveFormat;
use directory::{Entry, Nature};
use end::{End, EndFault, find_end};

/// Longest target of a symbolic link.
const TARGET_MAX: u64 = 4096;

pub(super) fn list<S: Read + Seek>(source: S, mut meter: Meter<'_>) -> Result<Listing, Fault> {
    let mut source = BufReader::with_capacity(64 << 10, source);
    let (end, entries) = read_directory(&mut source, &meter)?;
    let mut names = Names::default();
    for entry in &entries {
        meter.entry().map_err(|reason| reason.of(&entry.name))?;
        let kind = match entry.nature()? {
            Nature::File => Kind::File,
            Nature::Folder => Kind::Folder,
            Nature::Link => Kind::Link,
        };
        let added = names.add(&entry.name, kind, meter.bounds);
        let path = added.map_err(|reason| reason.of(&entry.name))?;
        let path = path.unwrap_or_default();
        announced(&meter, entry, &path).map_err(|reason| reason.of(&entry.name))?;
    }
    together(&meter, &entries)?;
    read_entries(&mut source, &end, entries, &mut meter)?;
    Ok(Listing {
        format: ArchiveFormat::Zip,
        entries: meter.entries,
        bytes: meter.bytes,
        zip_end: Some(end.records),
        has_stamp: names.has_stamp(),
    })
}

/// Many small entries may be what one large one must not.
fn together(meter: &Meter<'_>, entries: &[Entry]) -> Result<(), Reason> {
    let sum = |of: fn(&Entry) -> u64| entries.iter().map(of).fold(0, u64::saturating_add);
    let (size, packed) = (sum(|entry| entry.size), sum(|entry| entry.packed));
    meter.ratio(size, packed)?;
    if size > meter.bounds.bytes {
        return Err(Reason::TooLarge);
    }
    Ok(())
}

/// What the directory says of an entry, before its data is touched.
fn announced(meter: &Meter<'_>, entry: &Entry, path: &str) -> Result<(), Reason> {
    meter.ratio(entry.size, entry.packed)?;
    meter.nested(path, entry.size, entry.packed)?;
    if entry.size > meter.bounds.bytes {
        return Err(Reason::TooLarge);
    }
    Ok(())
}

fn read_directory<S: Read + Seek>(
    source: &mut S,
    meter: &Meter<'_>,
) -> Result<(End, Vec<Entry>), Fault> {
    let end = find_end(source).map_err(|fault| match fault {
        // Cut off at its end, it still begins as a zip does.
        EndFault::None if read_at(source, 0, 4).is_ok_and(|head| head == b"PK\x03\x04") => {
            Reason::Malformed
        }
        EndFault::None => Reason::NotAnArchive,
        EndFault::Broken => Reason::Malformed,
        EndFault::Trailing => Reason::Trailing,
        EndFault::Prepended => Reason::Prepended,
    })?;
    if end.entries > meter.bounds.entries {
        return Err(Reason::TooManyEntries.into());
    }
    if end.directory_size > meter.bounds.names.saturating_mul(2) {
        return Err(Reason::TooLarge.into());
    }
    let bytes = read_at(source, end.directory_offset, end.directory_size)?;
    let entries = directory::parse(&bytes, end.entries)?;
    Ok((end, entries))
}

fn read_at<S: Read + Seek>(source: &mut S, at: u64, size: u64) -> Result<Vec<u8>, Reason> {
    let moved = source.seek(SeekFrom::Start(at));
    let mut bytes = Vec::new();
    let read = moved.and_then(|_at| source.take(size).read_to_end(&mut bytes));
    match read {
        Ok(read) if read as u64 == size => Ok(bytes),
        _ => Err(Reason::Malformed),
    }
}

/// Reads every entry in the order of the file: each begins where the one before ended.
fn read_entries<S: Read + Seek>(
    source: &mut S,
    end: &End,
    mut entries: Vec<Entry>,
    meter: &mut Meter<'_>,
) -> Result<(), Fault> {
    entries.sort_by_key(|entry| entry.offset);
    if entries
        .first()
        .map_or(end.directory_offset, |first| first.offset)
        != 0
    {
        return Err(Reason::Prepended.into());
    }
    source
        .seek(SeekFrom::Start(0))
        .map_err(|_broken| Reason::Malformed)?;
    let ends = entries.iter().skip(1).map(|next| next.offset);
    let ends: Vec<u64> = ends.chain([end.directory_offset]).collect();
    for (entry, limit) in entries.iter().zip(ends) {
        read_entry(source, entry, limit, meter).map_err(|reason| reason.of(&entry.name))?;
    }
    Ok(())
}

fn read_entry<S: Read>(
    source: &mut S,
    entry: &Entry,
    limit: u64,
    meter: &mut Meter<'_>,
) -> Result<(), Reason> {
    let length = local::check(source, entry)?;
    let data_ends = entry.offset.checked_add(length);
    let data_ends = data_ends.and_then(|start| start.checked_add(entry.packed));
    let data_ends = data_ends.ok_or(Reason::Malformed)?;
    let between = limit.checked_sub(data_ends).ok_or(Reason::Overlap)?;
    let mut data = source.take(entry.packed);
    let target = if entry.is_deflated {
        let mut inflated = DeflateDecoder::new(&mut data);
        let target = drain(&mut inflated, entry, meter)?;
        // Data behind the end of the stream would be a second, hidden entry.
        if inflated.total_in() != entry.packed {
            return Err(Reason::Gap);
        }
        target
    } else {
        drain(&mut data, entry, meter)?
    };
    // The decoder may have read ahead of what it needed, never beyond the entry.
    std::io::copy(&mut data, &mut std::io::sink()).map_err(|_broken| Reason::Malformed)?;
    if matches!(entry.nature, Nature::Link) {
        let name = std::str::from_utf8(&entry.name).map_err(|_binary| Reason::NameEncoding)?;
        check_target(name.trim_start_matches("./"), &target)?;
    }
    local::check_descriptor(source, entry, between)
}

/// Reads the data to its end: size and checksum must be the announced ones. Gives the target of a
/// link.
fn drain(data: &mut impl Read, entry: &Entry, meter: &mut Meter<'_>) -> Result<Vec<u8>, Reason> {
    let is_link = matches!(entry.nature, Nature::Link);
    if is_link && entry.size > TARGET_MAX {
        return Err(Reason::LinkEscapes);
    }
    let mut buffer = vec![0; 64 << 10];
    let (mut target, mut size) = (Vec::new(), 0_u64);
    let mut hash = crc32fast::Hasher::new();
    loop {
        let read = match data.read(&mut buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_broken) => return Err(Reason::Malformed),
        };
        let bytes = buffer.get(..read).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        size += read as u64;
        if size > entry.size {
            return Err(Reason::Size);
        }
        meter.unpacked(read as u64)?;
        hash.update(bytes);
        if is_link {
            target.extend_from_slice(bytes);
        }
    }
    if size != entry.size {
        Err(Reason::Size)
    } else if hash.finalize() != entry.crc32 {
        Err(Reason::Checksum)
    } else {
        Ok(target)
    }
}
