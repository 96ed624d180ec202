//! From two archives to what changed. It blocks; not for async workers.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use sha2::{Digest, Sha256};

use super::archive::{self, ArchiveError, Limits, Source};
use super::model::{self, Contents, File, Listing, Pairing, Summary, strip};
use super::store::Outcome;
use crate::storage::StorageError;

/// Files in one archive.
const FILES_MAX: usize = 50_000;
/// Bytes of all files in one archive.
const BYTES_MAX: u64 = 1 << 30;
/// Seconds for all of it.
const SECONDS_MAX: u64 = 20;
/// Bytes of a file whose content stands in a patch.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// Bytes of all contents that are looked at.
const CONTENT_BYTES_MAX: u64 = 64 << 20;
/// Bytes of a patch; names of what does not fit may add an eighth.
const PATCH_BYTES_MAX: usize = 16 << 20;
/// Files that are listed one by one.
const LISTED_MAX: usize = 5_000;

/// From then on nothing is compared by line any more: what is left of the time is for writing.
const HURRY_SECONDS: u64 = 12;

/// What is kept of a comparison.
#[derive(Debug)]
pub(super) struct Computed {
    pub(super) summary: Summary,
    /// The patch, compressed by zlib.
    pub(super) packed: Vec<u8>,
    pub(super) patch_size: u64,
    /// 64 hexadecimal digits.
    pub(super) patch_sha256: String,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum ComputeError {
    /// The storage failed: no fault of the archives.
    #[error("the archives could not be read")]
    Storage(#[from] StorageError),
    /// They cannot be compared.
    #[error("the archives cannot be compared: {detail}")]
    Refused {
        /// Why, as a word.
        outcome: Outcome,
        /// Why, as a sentence.
        detail: String,
    },
}

pub(super) fn compute(old: &Source, new: &Source) -> Result<Computed, ComputeError> {
    let started = Instant::now();
    let limits = Limits {
        files: FILES_MAX,
        bytes: BYTES_MAX,
        until: started + Duration::from_secs(SECONDS_MAX),
    };
    let before = list(old, &limits, "old")?;
    let after = list(new, &limits, "new")?;
    let listings = strip(before, after);
    let pairing = Pairing::new(&listings.0.tree, &listings.1.tree);
    let contents = read(old, new, &pairing, &limits)?;
    let hurry = started + Duration::from_secs(HURRY_SECONDS);
    Ok(write(&listings, pairing, &contents, &|| {
        Instant::now() > hurry
    }))
}

fn list(source: &Source, limits: &Limits, which: &str) -> Result<model::Tree, ComputeError> {
    let listed = archive::list(source.open(limits.until), limits);
    listed.map_err(|error| refused(source, &error, which))
}

fn read(
    old: &Source,
    new: &Source,
    pairing: &Pairing,
    limits: &Limits,
) -> Result<Contents, ComputeError> {
    let (before, after) = wanted(pairing);
    let of = |source: &Source, wanted, which| {
        let contents = archive::read(source.open(limits.until), limits, wanted);
        contents.map_err(|error| refused(source, &error, which))
    };
    Ok(Contents {
        old: of(old, &before, "old")?,
        new: of(new, &after, "new")?,
    })
}

fn refused(source: &Source, error: &ArchiveError, which: &str) -> ComputeError {
    if let Some(failure) = source.failure() {
        return failure.into();
    }
    let outcome = match error {
        ArchiveError::Unknown | ArchiveError::Damaged(_) | ArchiveError::Name(..) => {
            Outcome::Unreadable
        }
        ArchiveError::TooManyFiles => Outcome::TooManyFiles,
        ArchiveError::TooLarge => Outcome::TooLarge,
        ArchiveError::TooSlow => Outcome::TooSlow,
    };
    let detail = format!("The {which} archive cannot be compared: {error}.");
    ComputeError::Refused { outcome, detail }
}

type Wanted = BTreeMap<usize, u64>;

/// Contents to read, as many as fit: both sides of a change, or none.
fn wanted(pairing: &Pairing) -> (Wanted, Wanted) {
    let (mut old, mut new) = (Wanted::new(), Wanted::new());
    let mut left = CONTENT_BYTES_MAX;
    let changed = pairing.changed.iter().chain(&pairing.replaced);
    let edited = changed.filter(|change| change.is_edit());
    let pairs = edited.map(|change| (change.before(), change.after()));
    let removed = pairing.removed.iter().map(|file| (Some(file), None));
    let added = pairing.added.iter().map(|file| (None, Some(file)));
    for (before, after) in pairs.chain(added).chain(removed) {
        let size = |file: Option<&File>| file.map_or(0, |file| file.entry.size);
        let both = size(before).saturating_add(size(after));
        let fits = size(before).max(size(after)) <= FILE_BYTES_MAX;
        let Some(rest) = left.checked_sub(both).filter(|_| fits) else {
            continue;
        };
        left = rest;
        old.extend(before.map(|file| (file.entry.place, file.entry.size)));
        new.extend(after.map(|file| (file.entry.place, file.entry.size)));
    }
    (old, new)
}

fn write(
    listings: &(Listing, Listing),
    pairing: Pairing,
    contents: &Contents,
    is_over: &dyn Fn() -> bool,
) -> Computed {
    let limits = model::Limits {
        patch_bytes: PATCH_BYTES_MAX,
        names_bytes: PATCH_BYTES_MAX + PATCH_BYTES_MAX / 8,
        files: LISTED_MAX,
    };
    let (patch, summary) = model::write(listings, pairing, contents, &limits, is_over);
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Memory takes everything.
    let _ = encoder.write_all(&patch);
    Computed {
        summary,
        packed: encoder.finish().unwrap_or_default(),
        patch_size: patch.len() as u64,
        patch_sha256: HEXLOWER.encode(&Sha256::digest(&patch)),
    }
}
