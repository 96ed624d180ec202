//! Figures: what is downloaded, and which versions are in the field.
//!
//! Downloads are counted from their rows. Versions are those that seats reported last, and those that
//! asked for updates: counted in memory by day and written each minute, so that a check costs no
//! write. A killed process loses the last minute; no right of anybody rests on a figure.

pub mod admin;
pub mod checks;
pub mod days;
pub mod store;
