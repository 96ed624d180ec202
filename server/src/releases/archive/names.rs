//! Names of entries: safe on every system, and one file each on every system.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use super::fault::Reason;
use super::meter::Bounds;
use crate::kits::model::is_invisible;
use crate::releases::model::{folded, is_device};

/// The entry that a stamp adds.
pub const STAMP_NAME: &str = "LICENSE-KITWARD.json";

/// Longest name and longest part of one, in bytes; most parts.
const NAME_MAX: usize = 1024;
const PART_MAX: usize = 255;
const DEPTH_MAX: usize = 64;

/// What has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Link,
    Folder,
    /// A folder that only names of other entries mention.
    Implied,
}

/// The names of one archive.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// By what they are on systems where case and composition do not count.
    known: HashMap<String, (Kind, String)>,
    bytes: u64,
}

impl Names {
    /// Takes a name in and gives it as it is compared; `None` for the archive's own folder (`./`).
    pub(super) fn add(
        &mut self,
        name: &[u8],
        kind: Kind,
        bounds: &Bounds,
    ) -> Result<Option<String>, Reason> {
        let text = std::str::from_utf8(name).map_err(|_binary| Reason::NameEncoding)?;
        let parts = parts(text)?;
        let Some((last, folders)) = parts.split_last() else {
            return if kind == Kind::Folder {
                Ok(None)
            } else {
                Err(Reason::NameLength)
            };
        };
        let mut path = String::with_capacity(text.len());
        for folder in folders {
            path.push_str(folder);
            self.put(&path, Kind::Implied, bounds)?;
            path.push('/');
        }
        path.push_str(last);
        self.put(&path, kind, bounds)?;
        Ok(Some(path))
    }

    fn put(&mut self, path: &str, kind: Kind, bounds: &Bounds) -> Result<(), Reason> {
        match self.known.entry(folded(path)) {
            Slot::Vacant(slot) => {
                self.bytes += 2 * path.len() as u64;
                if self.bytes > bounds.names.saturating_mul(2) {
                    return Err(Reason::TooManyEntries);
                }
                slot.insert((kind, path.to_owned()));
                Ok(())
            }
            Slot::Occupied(mut slot) => {
                let (known, name) = slot.get_mut();
                let same = name == path;
                match (*known, kind) {
                    (Kind::Implied | Kind::Folder, Kind::Implied) if same => Ok(()),
                    (Kind::Implied, Kind::Folder) if same => {
                        *known = Kind::Folder;
                        Ok(())
                    }
                    (Kind::Implied, Kind::File | Kind::Link)
                    | (Kind::File | Kind::Link, Kind::Implied)
                        if same =>
                    {
                        Err(Reason::FileAsFolder)
                    }
                    _ if same => Err(Reason::Duplicate),
                    _ => Err(Reason::Twin),
                }
            }
        }
    }

    /// Whether a file of this name came before.
    pub(super) fn has_file(&self, path: &str) -> bool {
        let known = self.known.get(&folded(path));
        known.is_some_and(|(kind, name)| *kind == Kind::File && name == path)
    }

    /// Whether an entry has, somewhere, the name of the stamp.
    pub(super) fn has_stamp(&self) -> bool {
        self.known.contains_key(&folded(STAMP_NAME))
    }
}

/// The parts of a name, checked; `.` is left out where it leads.
pub(super) fn parts(name: &str) -> Result<Vec<&str>, Reason> {
    if name.is_empty() || name.len() > NAME_MAX {
        return Err(Reason::NameLength);
    }
    if name.contains('\\') {
        return Err(Reason::Backslash);
    }
    if name.starts_with('/') {
        return Err(Reason::AbsoluteName);
    }
    if name.contains(':') {
        return Err(Reason::Drive);
    }
    if name.chars().any(is_refused) {
        return Err(Reason::Character);
    }
    let mut rest = name;
    while let Some(shorter) = rest.strip_prefix("./") {
        rest = shorter;
    }
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.is_empty() || rest == "." {
        return Ok(Vec::new());
    }
    let parts: Vec<&str> = rest.split('/').collect();
    if parts.len() > DEPTH_MAX {
        return Err(Reason::Depth);
    }
    for part in &parts {
        check_part(part)?;
    }
    Ok(parts)
}

fn check_part(part: &str) -> Result<(), Reason> {
    if part == ".." {
        Err(Reason::ParentName)
    } else if part.is_empty() || part.len() > PART_MAX {
        Err(Reason::NameLength)
    } else if part.ends_with(['.', ' ']) {
        Err(Reason::NameEnd)
    } else if is_device(part) {
        Err(Reason::DeviceName)
    } else {
        Ok(())
    }
}

fn is_refused(c: char) -> bool {
    let is_reserved = matches!(c, '<' | '>' | '"' | '|' | '?' | '*' | '\u{FFFD}');
    is_reserved || c.is_control() || is_invisible(c)
}

/// Where a symbolic link leads must lie in the archive's folder, whatever other links there are: so
/// `..` may only lead, and not further up than the link lies deep.
pub(super) fn check_target(link: &str, target: &[u8]) -> Result<(), Reason> {
    let Ok(target) = std::str::from_utf8(target) else {
        return Err(Reason::LinkEscapes);
    };
    let depth = link.matches('/').count();
    let mut rest = target;
    let mut up = 0;
    while let Some(shorter) = rest.strip_prefix("../") {
        rest = shorter;
        up += 1;
    }
    if rest == ".." {
        rest = ".";
        up += 1;
    }
    let leads_in = up <= depth && parts(rest).is_ok();
    if leads_in {
        Ok(())
    } else {
        Err(Reason::LinkEscapes)
    }
}
