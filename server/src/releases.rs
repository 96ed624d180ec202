//! Releases: versions of kits on channels, and their files.
//!
//! States: `draft → published`; yanked, withdrawn and halted are times. Files are added while it is a
//! draft; a published release never changes its files, its version or its channel. What a license may
//! have is decided by one predicate, [`model::downloadable`]: offered ⇒ listed ⇒ downloadable. To how
//! many a release is offered is its rollout, which is no matter of what they may have.

pub mod admin;
pub mod archive;
pub mod catalogs;
pub mod change;
pub mod create_release;
pub mod delete_draft;
pub mod edit_release;
pub mod examine;
pub mod fields;
pub mod grant_release;
pub mod look_again;
pub mod model;
pub mod publish_release;
pub mod remove_artifact;
pub mod rights;
pub mod roll_out;
pub mod sign;
pub mod store;
pub mod supply_signature;
pub mod sweep;
pub mod take_back;
pub mod upload;
pub mod upload_artifact;
