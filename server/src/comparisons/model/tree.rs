//! Files by path, as git would name them.

use std::collections::BTreeMap;
use std::fmt;

use data_encoding::HEXLOWER;
use sha1::{Digest, Sha1};

/// Longest path that is taken, in bytes: that of Linux.
const PATH_MAX: usize = 4_096;

/// What git calls a file with these bytes: SHA-1 of their count and themselves. A name, no proof:
/// what is delivered is checked by SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ObjectId([u8; 20]);

impl ObjectId {
    /// Of bytes in memory.
    pub fn of(content: &[u8]) -> Self {
        let mut hasher = BlobHasher::new(content.len() as u64);
        hasher.update(content);
        hasher.finish()
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

/// An [`ObjectId`] of bytes as they come.
#[derive(Debug)]
pub struct BlobHasher(Sha1);

impl BlobHasher {
    /// For exactly so many bytes.
    pub fn new(size: u64) -> Self {
        let mut hash = Sha1::new();
        hash.update(format!("blob {size}\0"));
        Self(hash)
    }

    /// Adds some.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The name.
    pub fn finish(self) -> ObjectId {
        ObjectId(self.0.finalize().into())
    }
}

/// What git keeps of a file's permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A file.
    File,
    /// A file that is run.
    Executable,
    /// A symbolic link; its content is where it leads.
    Link,
}

impl Mode {
    /// Of a file with these permissions.
    pub fn of(permissions: u32) -> Self {
        if permissions & 0o111 == 0 {
            Self::File
        } else {
            Self::Executable
        }
    }

    /// As git writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "100644",
            Self::Executable => "100755",
            Self::Link => "120000",
        }
    }

    pub(super) fn is_link(self) -> bool {
        self == Self::Link
    }
}

/// One file of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its mode.
    pub mode: Mode,
    /// In bytes.
    pub size: u64,
    /// Of its content.
    pub id: ObjectId,
    /// Which entry of the archive holds its content.
    pub place: usize,
}

/// Files by path.
pub type Tree = BTreeMap<Vec<u8>, Entry>;

/// The files of an archive, without the one folder that holds them all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// That folder.
    pub folder: Option<Vec<u8>>,
    /// Its files.
    pub tree: Tree,
}

/// Takes the one folder at the top off both, where each has exactly one: `kit-1.0.0/` and
/// `kit-1.1.0/` hold the same files.
pub fn strip(old: Tree, new: Tree) -> (Listing, Listing) {
    match (only_folder(&old), only_folder(&new)) {
        (Some(from), Some(to)) => (without(old, from), without(new, to)),
        _ => (whole(old), whole(new)),
    }
}

fn whole(tree: Tree) -> Listing {
    Listing { folder: None, tree }
}

fn without(tree: Tree, folder: Vec<u8>) -> Listing {
    let cut = folder.len() + 1;
    let short =
        |(path, entry): (Vec<u8>, Entry)| (path.get(cut..).unwrap_or_default().to_vec(), entry);
    Listing {
        tree: tree.into_iter().map(short).collect(),
        folder: Some(folder),
    }
}

fn only_folder(tree: &Tree) -> Option<Vec<u8>> {
    let top = |path: &[u8]| {
        let end = path.iter().position(|byte| *byte == b'/')?;
        path.get(..end).map(<[u8]>::to_vec)
    };
    let first = top(tree.keys().next()?)?;
    let same = |path: &Vec<u8>| top(path).as_ref() == Some(&first);
    tree.keys().all(same).then_some(first)
}

/// Why a path cannot stand in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathFault {
    /// It leads elsewhere, or nowhere.
    #[error("leads out of the archive")]
    Escapes,
    /// It is too long.
    #[error("is longer than 4096 bytes")]
    TooLong,
}

/// A path of an archive in one form: no `./`, no double slash, no slash at the end. Empty where it
/// names the folder of the archive itself.
pub fn clean_path(path: &[u8]) -> Result<Vec<u8>, PathFault> {
    if path.len() > PATH_MAX {
        return Err(PathFault::TooLong);
    }
    if path.first() == Some(&b'/') || path.contains(&0) {
        return Err(PathFault::Escapes);
    }
    let parts = path.split(|byte| *byte == b'/');
    let parts: Vec<&[u8]> = parts
        .filter(|part| !part.is_empty() && *part != b".")
        .collect();
    if parts.contains(&&b".."[..]) {
        return Err(PathFault::Escapes);
    }
    Ok(parts.join(&b'/'))
}
