//! One file in a patch.

use std::io::Write as _;

use super::hunks::{self, LINES_MAX, Lines};
use super::literal;
use super::pairing::{Change, File};
use super::quoting::name;
use super::tree::ObjectId;

/// How a change stands in a patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Name and mode alone: no byte is another.
    Bare,
    /// Line by line.
    Text(Lines),
    /// As whole contents.
    Literal,
    /// Named, no more: git cannot apply it.
    Named,
}

/// Writes a change whose contents are known.
pub(super) fn whole(
    change: &Change,
    contents: (&[u8], &[u8]),
    by_line: bool,
    out: &mut Vec<u8>,
) -> Form {
    head(change, out);
    let (old, new) = contents;
    if !change.is_edit() || (old.is_empty() && new.is_empty()) {
        return Form::Bare;
    }
    let is_text = by_line && !is_binary(old) && !is_binary(new);
    if is_text {
        let (before, after) = (hunks::lines(old), hunks::lines(new));
        labels(change, out);
        Form::Text(hunks::write(&before, &after, out))
    } else {
        literal::write(old, new, out);
        Form::Literal
    }
}

/// Writes that a file changed, without how.
pub(super) fn named(change: &Change, out: &mut Vec<u8>) {
    head(change, out);
    if change.is_edit() {
        let [old, new] = sides(change);
        let _ = out.write_all(&[b"Binary files ", &*old, b" and ", &*new, b" differ\n"].concat());
    }
}

/// Whether a content has no lines that could be shown, or too many.
pub(super) fn is_binary(content: &[u8]) -> bool {
    let mut lines = 0;
    for byte in content {
        match byte {
            0 => return true,
            b'\n' => lines += 1,
            _ => {}
        }
    }
    lines >= LINES_MAX
}

fn head(change: &Change, out: &mut Vec<u8>) {
    let (old, new) = (change.before(), change.after());
    let (Some(from), Some(to)) = (old.or(new), new.or(old)) else {
        return;
    };
    line(
        out,
        &[
            b"diff --git ",
            &name("a/", &from.path),
            b" ",
            &name("b/", &to.path),
        ],
    );
    match change {
        Change::Added(file) => line(out, &[b"new file mode ", mode(file)]),
        Change::Removed(file) => line(out, &[b"deleted file mode ", mode(file)]),
        Change::Changed {
            old,
            new,
            similarity,
        } => {
            if old.entry.mode != new.entry.mode {
                line(out, &[b"old mode ", mode(old)]);
                line(out, &[b"new mode ", mode(new)]);
            }
            if change.is_move() {
                line(out, &[format!("similarity index {similarity}%").as_bytes()]);
                line(out, &[b"rename from ", &name("", &old.path)]);
                line(out, &[b"rename to ", &name("", &new.path)]);
            }
        }
    }
    if change.is_edit() {
        line(out, &[index(change).as_bytes()]);
    }
}

/// Whole names: git looks for the old content by them before it takes a new one.
fn index(change: &Change) -> String {
    let id = |file: Option<&File>| file.map_or_else(ObjectId::default, |file| file.entry.id);
    let (from, to) = (id(change.before()), id(change.after()));
    match change {
        Change::Changed { old, new, .. } if old.entry.mode == new.entry.mode => {
            format!("index {from}..{to} {}", new.entry.mode.as_str())
        }
        Change::Changed { .. } | Change::Added(_) | Change::Removed(_) => {
            format!("index {from}..{to}")
        }
    }
}

fn labels(change: &Change, out: &mut Vec<u8>) {
    let [old, new] = sides(change);
    // As git does it, so that a name with a space has an end.
    let end = |name: &[u8]| -> &'static [u8] { if name.contains(&b' ') { b"\t" } else { b"" } };
    line(out, &[b"--- ", &old, end(&old)]);
    line(out, &[b"+++ ", &new, end(&new)]);
}

fn sides(change: &Change) -> [Vec<u8>; 2] {
    let one = |prefix: &str, file: Option<&File>| match file {
        Some(file) => name(prefix, &file.path).into_owned(),
        None => b"/dev/null".to_vec(),
    };
    [one("a/", change.before()), one("b/", change.after())]
}

fn mode(file: &File) -> &'static [u8] {
    file.entry.mode.as_str().as_bytes()
}

fn line(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        out.extend_from_slice(part);
    }
    out.push(b'\n');
}
