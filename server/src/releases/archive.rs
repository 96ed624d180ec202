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

use std::io::{Read, Seek};

pub use fault::{ArchiveError, Fault, Reason};
pub use meter::Bounds;
pub use names::STAMP_NAME;
pub use zip::end::{End, EndFault, end_records, find_end, parse_records};

pub(crate) use zip::directory::parse as parse_directory;

use super::model::ArchiveFormat;
use meter::Meter;
use watched::Watched;

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
    } else if ends(&[".tar"]) || head.get(257..262) == Some(b"ustar") {
        Some(ArchiveFormat::Tar)
    } else {
        None
    }
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
