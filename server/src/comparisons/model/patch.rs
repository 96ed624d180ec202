//! A whole patch, and what it says in figures.

use std::collections::HashMap;

use super::pairing::{Change, File, Pairing};
use super::quoting::is_for_git;
use super::similarity::alike;
use super::stanza::{self, Form};
use super::summary::{FileChange, Summary};
use super::tree::Listing;

/// Contents by their place in each archive; those too large are missing.
#[derive(Debug, Default)]
pub struct Contents {
    /// Of the old archive.
    pub old: HashMap<usize, Vec<u8>>,
    /// Of the new archive.
    pub new: HashMap<usize, Vec<u8>>,
}

impl Contents {
    fn of_old(&self, file: &File) -> Option<&[u8]> {
        self.old.get(&file.entry.place).map(Vec::as_slice)
    }

    fn of_new(&self, file: &File) -> Option<&[u8]> {
        self.new.get(&file.entry.place).map(Vec::as_slice)
    }

    /// Both sides of a change; empty where there is no file. Nothing where one is not known.
    fn of(&self, change: &Change) -> Option<(&[u8], &[u8])> {
        if !change.is_edit() {
            return Some((&[], &[]));
        }
        let old = match change.before() {
            Some(file) => self.of_old(file)?,
            None => &[],
        };
        let new = match change.after() {
            Some(file) => self.of_new(file)?,
            None => &[],
        };
        Some((old, new))
    }
}

/// How much may be said.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a patch; what does not fit any more is named only.
    pub patch_bytes: usize,
    /// Bytes of a patch with those names.
    pub names_bytes: usize,
    /// Files listed one by one.
    pub files: usize,
}

/// Writes the patch that makes the new files of the old ones. `is_over` says that time has run out:
/// from then on files stand in it whole.
pub fn write(
    listings: &(Listing, Listing),
    mut pairing: Pairing,
    contents: &Contents,
    limits: &Limits,
    is_over: &dyn Fn() -> bool,
) -> (Vec<u8>, Summary) {
    let of_old = |file: &File| contents.of_old(file);
    let of_new = |file: &File| contents.of_new(file);
    let pairs = alike(
        &pairing.removed,
        &pairing.added,
        (&of_old, &of_new),
        is_over,
    );
    pairing.pair(&pairs);
    let (mut patch, mut summary) = (Vec::new(), Summary::new(&listings.0, &listings.1));
    for change in pairing.finish() {
        let start = patch.len();
        let form = append(&change, contents.of(&change), limits, is_over(), &mut patch);
        let row = FileChange::new(&change, form, start..patch.len());
        summary.add(row, limits.files);
    }
    (patch, summary)
}

fn append(
    change: &Change,
    contents: Option<(&[u8], &[u8])>,
    limits: &Limits,
    is_over: bool,
    patch: &mut Vec<u8>,
) -> Form {
    let is_ours = |file: Option<&File>| file.is_none_or(|file| is_for_git(&file.path));
    if !is_ours(change.before()) || !is_ours(change.after()) {
        return Form::Named;
    }
    let start = patch.len();
    // Contents that alone are more than fits are not worth the work.
    let fits = |(old, new): &(&[u8], &[u8])| old.len() + new.len() <= 2 * limits.patch_bytes;
    if let Some(contents) = contents.filter(fits).filter(|_| start < limits.patch_bytes) {
        let form = stanza::whole(change, contents, !is_over, patch);
        if patch.len() <= limits.patch_bytes {
            return form;
        }
        patch.truncate(start);
    }
    if start < limits.names_bytes {
        stanza::named(change, patch);
    }
    Form::Named
}
