//! What changed between two versions of a kit.

mod samples;

use askama::Template;

use crate::frame::Frame;
use crate::links;
use crate::wording::{count, shorten, size, turns_direction};

/// Most text of paths and lines on one page, in bytes; the patch holds the rest.
const TEXT_MAX: usize = 9_000;
/// Most files that are named.
const FILES_MAX: usize = 150;
/// Longest line that is shown, in characters.
const LINE_MAX: usize = 300;

/// `GET /downloads/{kit}/compare/{from}...{to}`.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/compare.html")]
pub struct ComparePage {
    /// What stands around the page.
    pub frame: Frame,
    /// Name of the kit.
    pub kit_name: String,
    /// Its slug.
    pub kit: String,
    /// The version that is there.
    pub from: String,
    /// The version to come to.
    pub to: String,
    /// Files that changed, all together.
    pub total: u64,
    /// Lines that are new.
    pub lines_added: u64,
    /// Lines that are gone.
    pub lines_removed: u64,
    /// Whether the patch makes the new files of the old ones.
    pub complete: bool,
    /// Size of the patch in bytes.
    pub patch_bytes: u64,
    /// The folder of the old archive in which the patch is to be applied.
    pub folder: Option<String>,
    /// Other versions to come from.
    pub others: Vec<String>,
    /// The files, by path.
    pub files: Vec<ChangedFile>,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has other bytes or another mode.
    Modified,
    /// It was moved.
    Renamed,
}

/// A file that is not the same in both versions.
#[derive(Debug, Clone)]
pub struct ChangedFile {
    /// What became of it.
    pub kind: ChangeKind,
    /// Its path.
    pub path: String,
    /// Where it was.
    pub old_path: Option<String>,
    /// What lines do not tell, in words.
    pub note: Option<String>,
    /// Lines that are new.
    pub lines_added: u64,
    /// Lines that are gone.
    pub lines_removed: u64,
    /// Its hunks, as they stand in the patch.
    pub diff: String,
}

/// A line of a diff, ready for the page.
pub(crate) struct DiffLine {
    pub(crate) kind: LineKind,
    pub(crate) text: String,
}

/// What a line of a diff is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineKind {
    Place,
    Added,
    Removed,
    Same,
}

impl LineKind {
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Place => "b",
            Self::Added => "ins",
            Self::Removed => "del",
            Self::Same => "span",
        }
    }
}

/// A file as far as it is shown.
pub(crate) struct Shown<'a> {
    pub(crate) file: &'a ChangedFile,
    pub(crate) path: String,
    pub(crate) old_path: Option<String>,
    pub(crate) lines: Vec<DiffLine>,
    pub(crate) is_cut: bool,
}

impl ChangeKind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Added => "Added",
            Self::Removed => "Removed",
            Self::Modified => "Changed",
            Self::Renamed => "Moved",
        }
    }

    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Added => "ok",
            Self::Removed => "danger",
            Self::Modified => "info",
            Self::Renamed => "warn",
        }
    }
}

impl ChangedFile {
    pub(crate) fn figures(&self) -> Option<String> {
        let (added, removed) = (self.lines_added, self.lines_removed);
        (added + removed > 0).then(|| format!("+{added} −{removed}"))
    }
}

impl ComparePage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::document(Template::render(self))
    }

    /// Files in their order, until the page is full.
    pub(crate) fn shown(&self) -> Vec<Shown<'_>> {
        let mut left = TEXT_MAX;
        let mut all: Vec<Shown<'_>> = Vec::new();
        // Names first: what changed is worth more than how.
        for file in self.files.iter().take(FILES_MAX) {
            let path = readable(&shorten(&file.path, 120));
            let old_path = file
                .old_path
                .as_deref()
                .map(|path| readable(&shorten(path, 120)));
            let cost = path.len() + old_path.as_ref().map_or(0, String::len) + 16;
            let Some(rest) = left.checked_sub(cost).filter(|rest| *rest > TEXT_MAX / 3) else {
                break;
            };
            left = rest;
            all.push(Shown {
                file,
                path,
                old_path,
                lines: Vec::new(),
                is_cut: false,
            });
        }
        for shown in &mut all {
            (shown.lines, shown.is_cut) = lines(&shown.file.diff, &mut left);
        }
        all
    }

    pub(crate) fn is_cut(&self, shown: usize) -> bool {
        (shown as u64) < self.total
    }

    pub(crate) fn summary(&self) -> String {
        let files = usize::try_from(self.total).unwrap_or(usize::MAX);
        let files = count(files, "file", "files");
        format!(
            "{files} changed, {} lines added, {} removed",
            self.lines_added, self.lines_removed
        )
    }

    pub(crate) fn patch_label(&self) -> String {
        format!("Download the patch ({})", size(self.patch_bytes))
    }

    pub(crate) fn patch_path(&self) -> String {
        format!("{}.patch", self.path_from(&self.from))
    }

    pub(crate) fn path_from(&self, from: &str) -> String {
        compare_path(&self.kit, from, &self.to)
    }

    pub(crate) fn kit_path(&self) -> String {
        format!("/downloads?kit={}", links::encode(&self.kit))
    }

    pub(crate) fn command(&self) -> String {
        let name = format!("{}-{}-to-{}.patch", self.kit, self.from, self.to);
        format!("git apply {}", crate::wording::shell_quote(&name))
    }
}

/// The page of what changed between two versions.
pub(crate) fn compare_path(kit: &str, from: &str, to: &str) -> String {
    let [kit, from, to] = [kit, from, to].map(links::encode);
    format!("/downloads/{kit}/compare/{from}...{to}")
}

fn lines(diff: &str, left: &mut usize) -> (Vec<DiffLine>, bool) {
    let mut lines = Vec::new();
    for line in diff.lines() {
        let kind = match line.bytes().next() {
            Some(b'@') => LineKind::Place,
            Some(b'+') => LineKind::Added,
            Some(b'-') => LineKind::Removed,
            _ => LineKind::Same,
        };
        let text = readable(&shorten(line, LINE_MAX));
        let Some(rest) = left.checked_sub(text.len() + 4) else {
            return (lines, true);
        };
        *left = rest;
        lines.push(DiffLine { kind, text });
    }
    (lines, false)
}

/// What cannot be seen, or turns what follows around, is shown as a sign: nobody is to read other
/// lines than a compiler does.
fn readable(text: &str) -> String {
    let seen = |c: char| {
        let is_hidden = (c.is_control() && c != '\t') || turns_direction(c);
        if is_hidden { '\u{fffd}' } else { c }
    };
    text.chars().map(seen).collect()
}
