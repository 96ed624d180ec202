//! Releases: versions of kits on channels, and their files.

pub mod admin;
