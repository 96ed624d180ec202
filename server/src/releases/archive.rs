//! Looks into archives before they are sold: every entry is listed and its data read to the end, and
//! nothing is ever written.
//!
//! What a buyer's program would unpack outside of its folder, on top of another file, or without end
//! is refused with the entry's name: [`Fault`]. Both views of a zip, its directory and the headers
//! beside the data, must agree, and nothing may lie between, before or behind.

mod fault;
mod meter;
mod names;
mod tar;
mod watched;
mod zip;

use std::io::{Read, Seek, SeekFrom};

pub use fault::{ArchiveError, Fault, Reason};
pub use meter::Bounds;
pub use names::STAMP_NAME;
pub use zip::end::{End, EndFault, end_records, find_end, parse_records};

pub(crate) use tar::{Frames, is_header as is_tar_header};
pub(crate) use zip::directory::parse as parse_directory;

use super::model::ArchiveFormat;
use meter::Meter;
use watched::Watched;

/// Bytes of a file that tell what it is: a tar's header has as many.
const HEAD: u64 = 512;

/// What an archive holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Its kind.
    pub format: ArchiveFormat,
    /// How many entries it has.
    pub entries: u64,
    /// How many bytes they have, unpacked.
    pub bytes: u64,
    /// The records at the end of a zip, up to its comment.
    pub zip_end: Option<Vec<u8>>,
    /// Whether an entry has the name of the stamp.
    pub has_stamp: bool,
}

/// The kind of archive that a file is by its name, or by its first bytes.
pub fn format_of(name: &str, head: &[u8]) -> Option<ArchiveFormat> {
    let name = name.to_ascii_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    if ends(&[".zip"]) || head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        Some(ArchiveFormat::Zip)
    } else if ends(&[".tar.gz", ".tgz"]) {
        Some(ArchiveFormat::TarGz)
    } else if ends(&[".tar.zst", ".tzst"]) {
        Some(ArchiveFormat::TarZst)
    } else if ends(&[".tar"]) || is_tar_header(head) {
        Some(ArchiveFormat::Tar)
    } else {
        None
    }
}

/// What a file is packed in by its first bytes, as the tar that may be in there.
pub(crate) fn packed_format(head: &[u8]) -> Option<ArchiveFormat> {
    match head {
        [0x1f, 0x8b, ..] => Some(ArchiveFormat::TarGz),
        // A frame, or one to be skipped before it.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            Some(ArchiveFormat::TarZst)
        }
        _ => None,
    }
}

/// The kind of archive that a file is, whatever it is called: what its name and its first bytes do not
/// tell may be a packed tar. What is packed and no tar is no archive.
///
/// `may_go_on` is asked as by [`list`]; the source is left wherever it was read to.
pub fn find_format<S: Read + Seek>(
    name: &str,
    mut source: S,
    may_go_on: &dyn Fn() -> bool,
) -> Result<Option<ArchiveFormat>, ArchiveError> {
    let mut head = Vec::new();
    let read = source.by_ref().take(HEAD).read_to_end(&mut head);
    read.map_err(ArchiveError::Source)?;
    if let Some(format) = format_of(name, &head) {
        return Ok(Some(format));
    }
    let Some(packed) = packed_format(&head) else {
        return Ok(None);
    };
    let start = source.seek(SeekFrom::Start(0));
    start.map_err(ArchiveError::Source)?;
    let watched = Watched::new(source, may_go_on);
    let failure = watched.failure();
    let bounds = Bounds::default();
    let is_tar = tar::is_packed(packed, watched, Meter::new(&bounds, may_go_on));
    if let Some(error) = failure.take() {
        return Err(ArchiveError::Source(error));
    }
    if failure.is_late() || (!is_tar && !may_go_on()) {
        return Err(Fault::from(Reason::TooSlow).into());
    }
    Ok(is_tar.then_some(packed))
}

/// Lists an archive of this kind, reading all of it.
///
/// `may_go_on` is asked now and then; where it says no, the archive takes too long.
pub fn list<S: Read + Seek>(
    format: ArchiveFormat,
    source: S,
    bounds: &Bounds,
    may_go_on: &dyn Fn() -> bool,
) -> Result<Listing, ArchiveError> {
    let watched = Watched::new(source, may_go_on);
    let failure = watched.failure();
    let meter = Meter::new(bounds, may_go_on);
    let listed = match format {
        ArchiveFormat::Zip => zip::list(watched, meter),
        ArchiveFormat::Tar | ArchiveFormat::TarGz | ArchiveFormat::TarZst => {
            tar::list(format, watched, meter)
        }
    };
    // What was read wrong says nothing about the archive.
    if let Some(error) = failure.take() {
        return Err(ArchiveError::Source(error));
    }
    // Decoders call it broken when they are given no more.
    listed.map_err(|mut fault| {
        if failure.is_late() {
            fault.reason = Reason::TooSlow;
        }
        fault.into()
    })
}

#[cfg(test)]
mod tests;
