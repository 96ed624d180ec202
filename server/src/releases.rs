//! Releases: versions of kits on channels, and their files.
//!
//! States: `draft → published`; yanked and withdrawn are times. Files are added while it is a
//! draft. A published release never changes its files. What a license may have is decided by one
//! predicate, [`model::downloadable`]: offered ⇒ listed ⇒ downloadable.

pub mod admin;
pub mod create_release;
pub mod fields;
pub mod model;
pub mod publish_release;
pub mod rights;
pub mod store;
pub mod upload_artifact;
