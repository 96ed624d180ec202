//! Reading a part into memory.

use std::time::Duration;

use actix_web::web;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use crate::http::extract::too_slow;
use crate::http::{ApiError, Code};
use crate::storage::StorageError;

/// How long the next bytes of a part may take to arrive.
const CHUNK_PATIENCE: Duration = Duration::from_secs(30);
/// How long a whole part may take: its room in memory is not there for others meanwhile.
const PART_PATIENCE: Duration = Duration::from_mins(10);

/// The body, of at most as many bytes as the part must have.
pub(super) async fn read_part(body: web::Payload, length: u64) -> Result<Bytes, ApiError> {
    let whole = tokio::time::timeout(PART_PATIENCE, collect(body, length));
    whole.await.unwrap_or_else(|_elapsed| Err(too_slow()))
}

async fn collect(mut body: web::Payload, length: u64) -> Result<Bytes, ApiError> {
    let most = usize::try_from(length).unwrap_or(usize::MAX);
    let mut part = BytesMut::new();
    loop {
        let next = tokio::time::timeout(CHUNK_PATIENCE, body.next()).await;
        let chunk = match next {
            Ok(None) => return Ok(part.freeze()),
            Err(_elapsed) => return Err(too_slow()),
            Ok(Some(Ok(chunk))) => chunk,
            Ok(Some(Err(_broken))) => {
                let detail = "The body could not be read to its end.";
                return Err(ApiError::new(Code::MalformedRequest, detail));
            }
        };
        if part.len() + chunk.len() > most {
            return Err(StorageError::TooLarge { limit: length }.into());
        }
        if part.is_empty() {
            // Known, and not taken before something comes.
            part.reserve(most);
        }
        part.extend_from_slice(&chunk);
    }
}
