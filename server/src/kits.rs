//! Kits and the policies under which they are licensed.
//!
//! A kit is a thing sold; its slug, and every slug it ever had, is compiled into shipped code and
//! answers for ever. A policy is a set of license terms with a buyer-facing edition and a license
//! text. Its terms and the texts are versions whose rows never change: an edit adds the next one, and
//! a license stands under the one it was issued under until another is applied to it.

pub mod add_license_text;
pub mod admin;
pub mod create_kit;
pub mod create_policy;
pub mod edit_kit;
pub mod edit_policy;
pub mod known_terms;
pub mod model;
pub mod overlay;
pub mod store;
pub mod texts;
