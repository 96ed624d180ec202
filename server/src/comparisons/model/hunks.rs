//! Line by line: what to take out, what to put in, with the lines around it.

use std::io::Write as _;
use std::ops::Range;

use imara_diff::{Algorithm, Diff, InternedInput, Token};

/// Lines shown before and after a change.
const CONTEXT: usize = 3;
/// Longer texts are not compared by line.
pub(super) const LINES_MAX: usize = 200_000;

/// What a text's hunks come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Lines {
    pub(super) added: u64,
    pub(super) removed: u64,
    pub(super) hunks: u64,
}

type Edit = (Range<usize>, Range<usize>);

pub(super) fn lines(content: &[u8]) -> Vec<&[u8]> {
    content.split_inclusive(|byte| *byte == b'\n').collect()
}

/// Writes the hunks of two texts.
pub(super) fn write(old: &[&[u8]], new: &[&[u8]], out: &mut Vec<u8>) -> Lines {
    let edits = edits(old, new);
    let mut total = Lines::default();
    for (removed, added) in &edits {
        total.removed += removed.len() as u64;
        total.added += added.len() as u64;
    }
    for group in groups(&edits) {
        total.hunks += 1;
        hunk(old, new, group, out);
    }
    total
}

fn edits(old: &[&[u8]], new: &[&[u8]]) -> Vec<Edit> {
    let mut input = InternedInput::default();
    input.reserve(size(old), size(new));
    input.update_before(old.iter().copied());
    input.update_after(new.iter().copied());
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    let wide = |range: Range<u32>| range.start as usize..range.end as usize;
    let hunks = diff.hunks();
    hunks
        .map(|hunk| (wide(hunk.before), wide(hunk.after)))
        .collect()
}

fn size(lines: &[&[u8]]) -> u32 {
    u32::try_from(lines.len()).unwrap_or_default()
}

/// Edits whose surroundings touch belong to one hunk.
fn groups(edits: &[Edit]) -> impl Iterator<Item = &[Edit]> {
    edits.chunk_by(|(before, _), (after, _)| after.start - before.end <= 2 * CONTEXT)
}

fn hunk(old: &[&[u8]], new: &[&[u8]], edits: &[Edit], out: &mut Vec<u8>) {
    let (Some(first), Some(last)) = (edits.first(), edits.last()) else {
        return;
    };
    let lead = first.0.start.min(CONTEXT);
    let trail = old.len().saturating_sub(last.0.end).min(CONTEXT);
    let from = first.0.start - lead..last.0.end + trail;
    let to = first.1.start - lead..last.1.end + trail;
    // Writing to a Vec cannot fail.
    let _ = writeln!(out, "@@ -{} +{} @@", extent(&from), extent(&to));
    let mut at = from.start;
    for (removed, added) in edits {
        put(b' ', old.get(at..removed.start), out);
        put(b'-', old.get(removed.clone()), out);
        put(b'+', new.get(added.clone()), out);
        at = removed.end;
    }
    put(b' ', old.get(at..from.end), out);
}

/// Counted from one; nothing stands behind the line before it.
fn extent(range: &Range<usize>) -> String {
    match range.len() {
        0 => format!("{},0", range.start),
        1 => (range.start + 1).to_string(),
        length => format!("{},{length}", range.start + 1),
    }
}

fn put(sign: u8, lines: Option<&[&[u8]]>, out: &mut Vec<u8>) {
    for line in lines.unwrap_or_default() {
        out.push(sign);
        out.extend_from_slice(line);
        if line.last() != Some(&b'\n') {
            out.extend_from_slice(b"\n\\ No newline at end of file\n");
        }
    }
}

/// The type that the algorithm works on fits every text that is compared.
const _: () = assert!(LINES_MAX < (u32::MAX / 2) as usize && size_of::<Token>() == 4);
