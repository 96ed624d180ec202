//! Notices: mails that tell people of new versions and of security releases.
//!
//! Publishing a release writes one job with it. The job walks through the people whose licenses cover
//! the kit, slice by slice, and writes one row for each person and release: `waiting → sent`,
//! `skipped` or `failed`. A new version waits for a quiet time in an open mail that further ones join;
//! a security release is an advisory and leaves at once, also to those who may not have it, who are
//! told the way out. A mail is closed, and everything it rests on looked at again, just before it
//! leaves.
//!
//! - A person hears of a release once: the row is unique, and a mail that is sent again carries the
//!   same Message-ID.
//! - Nobody hears of what was yanked, withdrawn, halted or called off before the mail left.
//! - Who hears: owners and members, never the role billing. Buyers who never signed in hear of security
//!   releases alone, at the address their keys were mailed to.
//! - Each of the two kinds has a lane and a pace of its own; sign-in mails wait for neither.

pub mod admin;
pub mod announce;
pub mod buyers;
pub mod choose;
pub mod hearing;
pub mod letter;
pub mod model;
pub mod pace;
pub mod pages;
pub mod preview;
pub mod send;
pub mod skip;
pub mod start;
pub mod store;
pub mod unsubscribe;
pub mod walk;
