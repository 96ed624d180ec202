//! What changed between two releases: files, figures, and a patch that `git apply` takes.
//!
//! Compared are the archives as they were published. What two archives come to never changes and is
//! the same for everybody: it is computed once, kept, and given to whoever may download both. Work
//! is bounded in bytes, files and time; what goes beyond is a refusal, which is kept as well. Whoever
//! asks for much waits for itself, not others for it. A patch is source: taking one is a download of
//! both archives.

pub mod api;
mod archive;
pub mod compare;
mod compute;
pub mod model;
pub mod pages;
pub mod store;
mod turns;

pub use turns::Turns;
