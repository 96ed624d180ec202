//! Ids and times of downloads, byte ranges, and names of files in headers and addresses.

mod naming;
mod ranges;

use crate::db::types::typed_id;

pub use naming::{content_disposition, content_type, path_segment};
pub use ranges::{Delivery, plan};

typed_id!(
    /// One delivery of an artifact.
    DownloadId, "dld"
);

/// How long a ticket is good.
pub const TICKET_SECONDS: i64 = 10 * 60;
