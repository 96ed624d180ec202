//! Stamps: which license a copy of an archive was made for, signed, in the archive itself.
//!
//! The stamp is an entry of its own, [`STAMP_NAME`](crate::releases::archive::STAMP_NAME), put in
//! while the file is on its way; what is stored never changes. The same license gets the same bytes
//! from every process until what the stamp says changes, or the key that signs it. `docs/key-format.md`
//! describes the form.

mod document;
mod prepare;
mod splice;
mod strip;

pub use document::{StampFault, read_document};
pub use prepare::{PrepareError, Prepared, is_stamped, is_told, prepare};
pub use splice::{Piece, splice};
pub use strip::{STAMP_MAX, Stripped, strip};

#[cfg(test)]
mod tests;
