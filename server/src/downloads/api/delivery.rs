//! Sending one file, whole or in parts, or sending the client on to where it lies.

mod parts;
mod shipping;
mod tracked;

use std::ops::Range;

use actix_web::body::SizedStream;
use actix_web::http::header::{CACHE_CONTROL, IF_RANGE, LOCATION, RANGE, REFERRER_POLICY};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures_util::stream;

use super::errors::delivery_refused;
use crate::downloads::content::{self, Content, ContentError, Segment};
use crate::downloads::model::{Delivery, content_disposition, content_type, plan};
use crate::downloads::record::{Begun, NewDelivery, Recipient, begin_delivery};
use crate::http::ApiError;
use crate::http::client_address::client_address;
use crate::http::conditional::none_match;
use crate::http::extract::AppData;
use crate::releases::model::ArtifactId;
use crate::storage::Presented;

use parts::{head, one, one_part, several, unsatisfiable, whole};
use tracked::Tracked;

/// A file and who gets it. Whoever makes one has checked the license.
#[derive(Debug)]
pub struct Shipment {
    /// The file.
    pub content: Content,
    /// What is recorded, for each of these files; nothing for what lies beside a file.
    pub to: Option<(Vec<ArtifactId>, Recipient)>,
    /// Nonce of the stamp in it.
    pub stamp_nonce: Option<String>,
}

impl Shipment {
    /// Whether it was asked for by a ticket, which gives so many bytes and no more: there a part that is
    /// fetched elsewhere would count as all of the file.
    fn is_by_ticket(&self) -> bool {
        let recipient = self.to.as_ref();
        recipient.is_some_and(|(_, to)| to.ticket.is_some())
    }
}

impl From<ContentError> for ApiError {
    fn from(error: ContentError) -> Self {
        match error {
            ContentError::Storage(error) => error.into(),
            error @ ContentError::OtherSize { .. } => Self::internal(error),
        }
    }
}

/// Whether [`deliver`] will send bytes of a content with this entity tag and size.
pub fn needs_bytes(request: &HttpRequest, etag: &str, size: u64) -> bool {
    if none_match(request, etag) || request.method() != Method::GET {
        return false;
    }
    let range = one(request, RANGE);
    plan(range, if_range(request), etag, size) != Delivery::Unsatisfiable
}

/// Sends what of the content the request asks for.
pub async fn deliver(
    app: &AppData,
    request: &HttpRequest,
    shipment: Shipment,
) -> Result<HttpResponse, ApiError> {
    let content = &shipment.content;
    if none_match(request, &content.etag) {
        return Ok(head(StatusCode::NOT_MODIFIED, content).finish());
    }
    // Ranges are defined for GET alone (RFC 9110 §14.2).
    if request.method() != Method::GET {
        let nothing = stream::empty::<Result<Bytes, std::io::Error>>();
        return Ok(whole(content).body(SizedStream::new(content.size, nothing)));
    }
    let if_range = if_range(request);
    let range = one(request, RANGE);
    let parts = match plan(range, if_range, &content.etag, content.size) {
        Delivery::Unsatisfiable => return Ok(unsatisfiable(content.size)),
        Delivery::Whole => Vec::new(),
        Delivery::Parts(parts) => parts,
    };
    // Another host knows nothing of our entity tags, and not every one sends several parts.
    let ours_alone = parts.len() > 1
        || if_range == Some(content.etag.as_str())
        || (shipment.is_by_ticket() && !parts.is_empty());
    if !ours_alone && let Some(address) = address_elsewhere(app, content).await? {
        // An address opens all of the file, whatever part was asked for.
        record(app, request, &shipment, &[]).await?;
        return Ok(HttpResponse::Found()
            .insert_header((LOCATION, address))
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((REFERRER_POLICY, "no-referrer"))
            .finish());
    }
    send(app, request, &shipment, &parts).await
}

async fn send(
    app: &AppData,
    request: &HttpRequest,
    shipment: &Shipment,
    parts: &[Range<u64>],
) -> Result<HttpResponse, ApiError> {
    let content = &shipment.content;
    let (mut response, segments) = match parts {
        [] => (whole(content), content.segments.clone()),
        [part] => (one_part(content, part), content.cut(part)),
        parts => several(app, content, parts),
    };
    let length = segments.iter().map(Segment::len).sum();
    // What cannot be had is told, and counts against no limit.
    let body = content::open(&app.storage, segments).await?;
    let recorded = record(app, request, shipment, parts).await?;
    let body = Tracked::new(body, recorded.map(|begun| (AppData::clone(app), begun)));
    Ok(response.body(SizedStream::new(length, body)))
}

/// The signed address of the file, where it can be fetched elsewhere as it is.
async fn address_elsewhere(app: &AppData, content: &Content) -> Result<Option<String>, ApiError> {
    let Some(sha256) = content.as_stored().filter(|_| app.storage.redirects()) else {
        return Ok(None);
    };
    let presented = Presented {
        disposition: content_disposition(&content.name),
        content_type: content_type(&content.name),
    };
    let address = app.storage.signed_address(sha256, &presented).await?;
    Ok(address.map(String::from))
}

async fn record(
    app: &AppData,
    request: &HttpRequest,
    shipment: &Shipment,
    parts: &[Range<u64>],
) -> Result<Option<Begun>, ApiError> {
    let Some((artifacts, to)) = &shipment.to else {
        return Ok(None);
    };
    let size = shipment.content.size;
    let asked = match parts {
        [] => size,
        parts => parts.iter().map(|part| part.end - part.start).sum(),
    };
    let new = NewDelivery {
        to: to.clone(),
        address: client_address(app, request),
        artifacts: artifacts.clone(),
        size,
        asked,
        stamp_nonce: shipment.stamp_nonce.clone(),
    };
    let begun = begin_delivery(app, new).await;
    Ok(Some(begun.map_err(delivery_refused)?))
}

/// What the range depends on; unreadable, it fits no file.
fn if_range(request: &HttpRequest) -> Option<&str> {
    let sent = request.headers().contains_key(IF_RANGE);
    sent.then(|| one(request, IF_RANGE).unwrap_or_default())
}
