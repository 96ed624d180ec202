//! How much two files have in common, and which of many belong together.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::pairing::{File, base_name, may_pair};

/// From so many percent on a file counts as moved.
const LEAST: u64 = 50;
/// Larger files are not looked at.
const SIZE_MAX: usize = 1 << 20;
/// Most files of each side that are looked at.
const FILES_MAX: usize = 300;
/// Longest piece of a file without line breaks.
const PIECE: usize = 64;

/// The content of a file, where it is known.
type ContentOf<'f, 'a> = &'f dyn Fn(&File) -> Option<&'a [u8]>;

/// Bytes by the hash of the line or piece they stand in.
struct Sketch {
    pieces: Vec<(u64, u64)>,
    size: u64,
}

impl Sketch {
    fn new(content: &[u8]) -> Self {
        let mut counts: HashMap<u64, u64> = HashMap::new();
        for line in content.split_inclusive(|byte| *byte == b'\n') {
            for piece in line.chunks(PIECE) {
                let mut hasher = DefaultHasher::new();
                piece.hash(&mut hasher);
                *counts.entry(hasher.finish()).or_default() += piece.len() as u64;
            }
        }
        let mut pieces: Vec<(u64, u64)> = counts.into_iter().collect();
        pieces.sort_unstable();
        Self {
            pieces,
            size: content.len() as u64,
        }
    }

    /// In percent of the larger one.
    fn similarity(&self, other: &Self) -> u64 {
        let larger = self.size.max(other.size).max(1);
        if self.size.min(other.size) * 100 < larger * LEAST {
            return 0;
        }
        let (mut mine, mut theirs) = (
            self.pieces.iter().peekable(),
            other.pieces.iter().peekable(),
        );
        let mut same = 0;
        while let (Some((a, ours)), Some((b, others))) = (mine.peek(), theirs.peek()) {
            match a.cmp(b) {
                std::cmp::Ordering::Less => drop(mine.next()),
                std::cmp::Ordering::Greater => drop(theirs.next()),
                std::cmp::Ordering::Equal => {
                    same += ours.min(others);
                    mine.next();
                    theirs.next();
                }
            }
        }
        same * 100 / larger
    }
}

/// Pairs of removed and added files that are much alike, with how much. `is_over` ends it early.
pub(super) fn alike<'a>(
    removed: &[File],
    added: &[File],
    content: (ContentOf<'_, 'a>, ContentOf<'_, 'a>),
    is_over: &dyn Fn() -> bool,
) -> Vec<(usize, usize, u8)> {
    let (old, new) = (sketches(removed, content.0), sketches(added, content.1));
    let mut found = Vec::new();
    for (from, before) in &old {
        if is_over() {
            break;
        }
        for (to, after) in &new {
            let (Some(source), Some(target)) = (removed.get(*from), added.get(*to)) else {
                continue;
            };
            let percent = before.similarity(after);
            if percent >= LEAST && may_pair(source, target) {
                let named = base_name(&source.path) == base_name(&target.path);
                found.push((percent, named, *from, *to));
            }
        }
    }
    best(found)
}

fn sketches(files: &[File], content: ContentOf<'_, '_>) -> Vec<(usize, Sketch)> {
    let known = files.iter().enumerate().filter_map(|(at, file)| {
        let content = content(file).filter(|bytes| !bytes.is_empty() && bytes.len() <= SIZE_MAX)?;
        Some((at, content))
    });
    let known = known.take(FILES_MAX);
    known.map(|(at, bytes)| (at, Sketch::new(bytes))).collect()
}

/// The most alike first, each file once.
fn best(mut found: Vec<(u64, bool, usize, usize)>) -> Vec<(usize, usize, u8)> {
    found.sort_by(|a, b| (b.0, b.1, a.2, a.3).cmp(&(a.0, a.1, b.2, b.3)));
    let (mut from_taken, mut to_taken) = (Vec::new(), Vec::new());
    let mut pairs = Vec::new();
    for (percent, _, from, to) in found {
        if from_taken.contains(&from) || to_taken.contains(&to) {
            continue;
        }
        from_taken.push(from);
        to_taken.push(to);
        // Only equal bytes are 100 percent the same.
        pairs.push((from, to, u8::try_from(percent.min(99)).unwrap_or(99)));
    }
    pairs
}
