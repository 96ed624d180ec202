//! Files that come in parts, so that a cut costs one part.
//!
//! States: begun → (parts in any order, several at once) → complete, when it is a file of its release
//! and the upload is gone; or given up, or over after a day in which nobody went on with it. A part
//! counts when its bytes are durable and then its row is: what is acknowledged survives a crash.
//! Parts are put together once, at the end, while the whole is hashed; until then nothing is seen of
//! them. The same file begun again is the same upload.

pub mod abandon;
pub mod begin;
pub mod complete;
pub mod part;
pub mod room;
