//! What changed, in figures.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::hunks::Lines;
use super::pairing::{Change, File};
use super::stanza::Form;
use super::tree::Listing;

/// What changed between two archives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ComparisonSummary)]
pub struct Summary {
    /// The one folder that holds all files of the old archive. It is left out of all paths, where
    /// both archives have one.
    pub from_folder: Option<String>,
    /// That of the new archive.
    pub to_folder: Option<String>,
    /// Whether the patch makes the new files of the old ones; else some of them are only named in it.
    pub complete: bool,
    /// How many files, and lines.
    pub counts: Counts,
    /// The files, by path.
    pub files: Vec<FileChange>,
    /// How many more changed than are listed here.
    #[schema(minimum = 0)]
    pub files_left_out: u64,
}

/// How much changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ComparisonCounts)]
pub struct Counts {
    /// Files that are new.
    pub added: u64,
    /// Files that are gone.
    pub removed: u64,
    /// Files with other bytes or another mode.
    pub modified: u64,
    /// Files that were moved, edited or not.
    pub renamed: u64,
    /// Files among all these that are not shown by line.
    pub binary: u64,
    /// Lines that are new.
    pub lines_added: u64,
    /// Lines that are gone.
    pub lines_removed: u64,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FileChangeStatus)]
pub enum ChangeStatus {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has other bytes or another mode.
    Modified,
    /// It was moved, and perhaps edited.
    Renamed,
}

/// A file that is not the same in both archives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileChange {
    /// What became of it.
    pub status: ChangeStatus,
    /// Its path; that of the old archive where it is gone.
    pub path: String,
    /// Where it was, if it was moved.
    pub old_path: Option<String>,
    /// How much of it is the same, in percent, if it was moved.
    #[schema(minimum = 0, maximum = 100)]
    pub similarity: Option<u8>,
    /// Whether it is not shown by line: it holds NUL bytes, or is large.
    pub binary: bool,
    /// Whether the patch makes this change.
    pub in_patch: bool,
    /// In the old archive.
    pub old: Option<FileState>,
    /// In the new archive.
    pub new: Option<FileState>,
    /// Lines that are new.
    #[schema(minimum = 0)]
    pub lines_added: u64,
    /// Lines that are gone.
    #[schema(minimum = 0)]
    pub lines_removed: u64,
    /// Places in the file where lines changed.
    #[schema(minimum = 0)]
    pub hunks: u64,
    /// Where it stands in the patch: first byte.
    #[schema(minimum = 0)]
    pub patch_offset: u64,
    /// How many bytes of the patch it takes.
    #[schema(minimum = 0)]
    pub patch_length: u64,
}

/// A file in one of the archives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileState {
    /// In bytes.
    #[schema(minimum = 0)]
    pub size: u64,
    /// As git has it: `100644`, `100755` for what is run, `120000` for a symbolic link.
    #[schema(min_length = 6, max_length = 6)]
    pub mode: String,
    /// What git calls its content.
    #[schema(min_length = 40, max_length = 40)]
    pub object_id: String,
}

impl FileState {
    fn new(file: &File) -> Self {
        Self {
            size: file.entry.size,
            mode: file.entry.mode.as_str().to_owned(),
            object_id: file.entry.id.to_string(),
        }
    }
}

impl FileChange {
    pub(super) fn new(change: &Change, form: Form, place: Range<usize>) -> Self {
        let lines = match form {
            Form::Text(lines) => lines,
            Form::Bare | Form::Literal | Form::Named => Lines::default(),
        };
        let moved = match change {
            Change::Changed {
                old, similarity, ..
            } if change.is_move() => Some((old, *similarity)),
            Change::Changed { .. } | Change::Added(_) | Change::Removed(_) => None,
        };
        Self {
            status: ChangeStatus::of(change),
            path: shown(change.path()),
            old_path: moved.map(|(old, _)| shown(&old.path)),
            similarity: moved.map(|(_, similarity)| similarity),
            binary: matches!(form, Form::Literal | Form::Named),
            in_patch: form != Form::Named,
            old: change.before().map(FileState::new),
            new: change.after().map(FileState::new),
            lines_added: lines.added,
            lines_removed: lines.removed,
            hunks: lines.hunks,
            patch_offset: place.start as u64,
            patch_length: place.len() as u64,
        }
    }
}

impl ChangeStatus {
    fn of(change: &Change) -> Self {
        match change {
            Change::Added(_) => Self::Added,
            Change::Removed(_) => Self::Removed,
            Change::Changed { .. } if change.is_move() => Self::Renamed,
            Change::Changed { .. } => Self::Modified,
        }
    }
}

impl Summary {
    pub(super) fn new(old: &Listing, new: &Listing) -> Self {
        let folder = |listing: &Listing| listing.folder.as_deref().map(shown);
        Self {
            from_folder: folder(old),
            to_folder: folder(new),
            complete: true,
            ..Self::default()
        }
    }

    /// Nothing changed.
    pub fn nothing() -> Self {
        Self {
            complete: true,
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, row: FileChange, limit: usize) {
        let counts = &mut self.counts;
        match row.status {
            ChangeStatus::Added => counts.added += 1,
            ChangeStatus::Removed => counts.removed += 1,
            ChangeStatus::Modified => counts.modified += 1,
            ChangeStatus::Renamed => counts.renamed += 1,
        }
        counts.binary += u64::from(row.binary);
        counts.lines_added += row.lines_added;
        counts.lines_removed += row.lines_removed;
        self.complete &= row.in_patch;
        if self.files.len() < limit {
            self.files.push(row);
        } else {
            self.files_left_out += 1;
        }
    }
}

/// Paths need not be text; what is not is shown as such.
fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}
