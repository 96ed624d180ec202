//! Trees of files, what differs between two of them, and the patch that says so.

mod hunks;
mod literal;
mod pairing;
mod patch;
mod quoting;
mod similarity;
mod stanza;
mod summary;
mod tree;

pub use pairing::{Change, File, Pairing};
pub use patch::{Contents, Limits, write};
pub use summary::{ChangeStatus, Counts, FileChange, FileState, Summary};
pub use tree::{BlobHasher, Entry, Listing, Mode, ObjectId, PathFault, Tree, clean_path, strip};

#[cfg(test)]
mod tests;
