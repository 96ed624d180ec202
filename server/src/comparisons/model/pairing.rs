//! Which file of one tree is which of the other.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::tree::{Entry, ObjectId, Tree};

/// A file in its tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path.
    pub path: Vec<u8>,
    /// What it is.
    pub entry: Entry,
}

/// A file that is not the same in both trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Only in the new tree.
    Added(File),
    /// Only in the old tree.
    Removed(File),
    /// In both; under another path where it was moved.
    Changed {
        /// In the old tree.
        old: File,
        /// In the new tree.
        new: File,
        /// How much of it is the same, in percent; given for what was moved.
        similarity: u8,
    },
}

impl Change {
    /// Its path: the new one, where it has one.
    pub fn path(&self) -> &[u8] {
        match self {
            Self::Added(file) | Self::Removed(file) => &file.path,
            Self::Changed { new, .. } => &new.path,
        }
    }

    /// The file it was.
    pub fn before(&self) -> Option<&File> {
        match self {
            Self::Added(_) => None,
            Self::Removed(file) | Self::Changed { old: file, .. } => Some(file),
        }
    }

    /// The file it is.
    pub fn after(&self) -> Option<&File> {
        match self {
            Self::Removed(_) => None,
            Self::Added(file) | Self::Changed { new: file, .. } => Some(file),
        }
    }

    /// Whether it has another path now.
    pub fn is_move(&self) -> bool {
        matches!(self, Self::Changed { old, new, .. } if old.path != new.path)
    }

    /// Whether its bytes are not the same.
    pub fn is_edit(&self) -> bool {
        match self {
            Self::Added(_) | Self::Removed(_) => true,
            Self::Changed { old, new, .. } => old.entry.id != new.entry.id,
        }
    }
}

/// What differs, as far as names of contents tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairing {
    /// Files that have a counterpart.
    pub changed: Vec<Change>,
    /// Files that gave their path to one of another kind, and these: git takes no move from or to
    /// such a path.
    pub replaced: Vec<Change>,
    /// Files of the old tree without one.
    pub removed: Vec<File>,
    /// Files of the new tree without one.
    pub added: Vec<File>,
}

impl Pairing {
    /// By path, then by equal content.
    pub fn new(old: &Tree, new: &Tree) -> Self {
        let mut pairing = Self::default();
        for (path, entry) in old {
            let before = file(path, entry);
            match new.get(path) {
                Some(now) if now.mode.is_link() != entry.mode.is_link() => {
                    // Git replaces one kind of file by the other; it does not edit it.
                    pairing.replaced.push(Change::Removed(before));
                    pairing.replaced.push(Change::Added(file(path, now)));
                }
                Some(now) if (now.id, now.mode) != (entry.id, entry.mode) => {
                    pairing.changed.push(changed(before, file(path, now), 0));
                }
                Some(_) => {}
                None => pairing.removed.push(before),
            }
        }
        let fresh = new.iter().filter(|(path, _)| !old.contains_key(*path));
        pairing
            .added
            .extend(fresh.map(|(path, entry)| file(path, entry)));
        pairing.pair_equal();
        pairing
    }

    fn pair_equal(&mut self) {
        let mut known: HashMap<ObjectId, Vec<usize>> = HashMap::new();
        for (at, file) in self.removed.iter().enumerate() {
            known.entry(file.entry.id).or_default().push(at);
        }
        let mut pairs = Vec::new();
        for (to, file) in self.added.iter().enumerate() {
            // Empty files are equal by chance.
            let Some(same) = known
                .get_mut(&file.entry.id)
                .filter(|_| file.entry.size > 0)
            else {
                continue;
            };
            let fits = |from: &usize| self.removed.get(*from).is_some_and(|it| may_pair(it, file));
            let named = |from: &usize| {
                let old = self.removed.get(*from);
                fits(from) && old.is_some_and(|it| base_name(&it.path) == base_name(&file.path))
            };
            let best = same.iter().position(named);
            if let Some(best) = best.or_else(|| same.iter().position(fits)) {
                pairs.push((same.remove(best), to, 100));
            }
        }
        self.pair(&pairs);
    }

    /// Takes these pairs of removed and added files, with their similarity, as moves.
    pub fn pair(&mut self, pairs: &[(usize, usize, u8)]) {
        let to: BTreeMap<usize, (usize, u8)> = pairs
            .iter()
            .map(|(from, to, same)| (*from, (*to, *same)))
            .collect();
        let taken: BTreeSet<usize> = pairs.iter().map(|(_, to, _)| *to).collect();
        let mut added: Vec<Option<File>> = self.added.drain(..).map(Some).collect();
        for (at, old) in std::mem::take(&mut self.removed).into_iter().enumerate() {
            let partner = to
                .get(&at)
                .and_then(|(at, same)| Some((added.get_mut(*at)?.take()?, *same)));
            match partner {
                Some((new, same)) => self.changed.push(changed(old, new, same)),
                None => self.removed.push(old),
            }
        }
        debug_assert!(
            taken
                .iter()
                .all(|at| added.get(*at).is_some_and(Option::is_none))
        );
        self.added = added.into_iter().flatten().collect();
    }

    /// All of it by path; what was removed comes before what took its place.
    pub fn finish(self) -> Vec<Change> {
        let mut all = self.changed;
        all.extend(self.replaced);
        all.extend(self.removed.into_iter().map(Change::Removed));
        all.extend(self.added.into_iter().map(Change::Added));
        all.sort_by(|a, b| {
            let rank = |change: &Change| matches!(change, Change::Added(_));
            (a.path(), rank(a)).cmp(&(b.path(), rank(b)))
        });
        all
    }
}

fn file(path: &[u8], entry: &Entry) -> File {
    File {
        path: path.to_vec(),
        entry: *entry,
    }
}

fn changed(old: File, new: File, similarity: u8) -> Change {
    Change::Changed {
        old,
        new,
        similarity,
    }
}

/// A link does not become a file by a move; and git, which is told no mode of what is only moved,
/// takes a moved link for one that still stands in the way.
pub(super) fn may_pair(old: &File, new: &File) -> bool {
    !old.entry.mode.is_link() && !new.entry.mode.is_link()
}

pub(super) fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}
