//! Kits and the policies under which they are licensed.
//!
//! A kit is a thing sold; its slug, and every slug it ever had, is compiled into shipped code and
//! answers for ever. A policy is a set of license terms; licenses snapshot it at issue.

pub mod admin;
pub mod create_kit;
pub mod create_policy;
pub mod edit_kit;
pub mod known_terms;
pub mod model;
pub mod store;
pub mod texts;
