//! Tar.

use std::io::Read;

use tar::{Archive, Entry, EntryType};

use super::limited::{Limited, Limits};
use super::{ArchiveError, Found, Visit, Wanted};
use crate::comparisons::model::Mode;

pub(super) fn walk<R: Read>(
    tar: Limited<R>,
    limits: &Limits,
    wanted: Wanted<'_>,
    visit: &mut Visit<'_>,
) -> Result<(), ArchiveError> {
    let mut archive = Archive::new(tar);
    for (place, entry) in archive.entries()?.enumerate() {
        let mut entry = entry?;
        // Folders and the like count too: each costs a header.
        if place >= 2 * limits.files {
            return Err(ArchiveError::TooManyFiles);
        }
        if wanted.is_some_and(|wanted| !wanted.contains_key(&place)) {
            continue;
        }
        one(place, &mut entry, visit)?;
    }
    Ok(())
}

fn one<R: Read>(
    place: usize,
    entry: &mut Entry<'_, R>,
    visit: &mut Visit<'_>,
) -> Result<(), ArchiveError> {
    let path = entry.path_bytes().into_owned();
    let found = |mode, size, same_as| Found {
        place,
        path,
        mode,
        size,
        same_as,
    };
    match entry.header().entry_type() {
        // An older form marks folders by a slash alone.
        EntryType::Regular | EntryType::Continuous if !entry.path_bytes().ends_with(b"/") => {
            let mode = Mode::of(entry.header().mode()?);
            visit(found(mode, entry.size(), None), entry)
        }
        // Its holes cost nothing to say and everything to read.
        EntryType::GNUSparse => Err(ArchiveError::Damaged("a sparse file".to_owned())),
        EntryType::Symlink => {
            let target = entry.link_name_bytes().unwrap_or_default().into_owned();
            let found = found(Mode::Link, target.len() as u64, None);
            visit(found, &mut target.as_slice())
        }
        EntryType::Link => {
            let target = entry.link_name_bytes().unwrap_or_default().into_owned();
            visit(found(Mode::File, 0, Some(target)), &mut std::io::empty())
        }
        // Folders, and what no kit consists of.
        _ => Ok(()),
    }
}
