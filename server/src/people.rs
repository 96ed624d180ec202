//! People: who signs in, by a mailed link or code, and their sessions.

pub mod mail;
pub mod model;
pub mod pages;
