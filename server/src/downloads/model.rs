//! Ids and times of downloads, byte ranges, and names of files in headers, addresses and commands.

mod daily;
mod naming;
mod ranges;

use crate::clock::Timestamp;
use crate::db::types::{text_enum, typed_id};
use crate::entropy::Entropy;

pub use daily::{DAY_SECONDS, Day, DayLimits, LimitReached, day_start, network_of, seconds_left};
pub use naming::{content_disposition, content_type, path_segment, shell_word};
pub use ranges::{Delivery, RANGES_MAX, plan};

typed_id!(
    /// One delivery of an artifact.
    DownloadId, "dld"
);

#[derive(Debug)]
struct NoChance;

impl Entropy for NoChance {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}

impl DownloadId {
    /// No id of a delivery that began then or later comes before it.
    pub fn least(began: Timestamp) -> Self {
        Self::new(began, &NoChance)
    }
}

/// Whether a text has the form of the nonce of a stamp: 16 bytes in base64url.
pub fn is_stamp_nonce(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.len() == 22 && text.bytes().all(is_letter)
}

/// How long a ticket is good.
pub const TICKET_SECONDS: i64 = 10 * 60;
/// How many times the bytes of its file a ticket gives: enough to resume, too few to share.
pub const TICKET_TIMES: i64 = 3;

text_enum! {
    /// The form in which a key or token came.
    pub enum CredentialForm {
        /// `Authorization: License KEY`.
        License = "license",
        /// `Authorization: Bearer KEY`.
        Bearer = "bearer",
        /// `Authorization: Basic …`, the key as password or user name.
        Basic = "basic",
        /// `Authorization: KEY`.
        Bare = "bare",
        /// In the path.
        Path = "path",
        /// The portal: a ticket, or the session of whoever is signed in.
        Ticket = "ticket",
        /// None: the kit is open.
        None = "none",
        /// Before this was recorded.
        Unknown = "unknown",
    }
}
