//! Sending one file, whole or in part.

use std::ops::Range;

use actix_web::body::SizedStream;
use actix_web::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    HeaderName, HeaderValue, IF_RANGE, RANGE, VARY,
};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError};
use bytes::Bytes;
use futures_util::stream;

use crate::app::App;
use crate::downloads::model::{Delivery, content_disposition, content_type, plan};
use crate::downloads::tickets::record_download;
use crate::http::conditional::none_match;
use crate::http::{ApiError, Code};
use crate::licenses::model::LicenseId;
use crate::releases::store::Artifact;

/// The address names the version and the entity tag the bytes: they never change.
const IMMUTABLE: &str = "private, max-age=31536000, immutable";

/// Sends what of the file the request asks for. Whoever calls has checked the license.
pub(super) async fn deliver(
    app: &App,
    request: &HttpRequest,
    license: Option<&LicenseId>,
    artifact: &Artifact,
) -> Result<HttpResponse, ApiError> {
    let etag = format!("\"{}\"", artifact.sha256);
    if none_match(request, &etag) {
        return Ok(head(StatusCode::NOT_MODIFIED, &etag).finish());
    }
    let is_get = request.method() == Method::GET;
    let size = u64::try_from(artifact.size).map_err(ApiError::internal)?;
    // Ranges are defined for GET alone (RFC 9110 §14.2).
    let delivery = if is_get {
        plan(one(request, RANGE), if_range(request), &etag, size)
    } else {
        Delivery::Whole
    };
    let (status, range) = match delivery {
        Delivery::Whole => (StatusCode::OK, 0..size),
        Delivery::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Delivery::Unsatisfiable => return Ok(unsatisfiable(size)),
    };
    let mut response = described(status, &etag, artifact, &range);
    let length = range.end - range.start;
    if !is_get {
        let nothing = stream::empty::<Result<Bytes, std::io::Error>>();
        return Ok(response.body(SizedStream::new(length, nothing)));
    }
    let file = app.storage.open_for_reading(&artifact.sha256).await?;
    if file.size() != size {
        return Err(ApiError::internal("a stored file has another size"));
    }
    if let Some(license) = license.filter(|_| range.start == 0) {
        record_download(app, license, &artifact.id).await?;
    }
    Ok(response.body(SizedStream::new(length, Box::pin(file.stream(range)))))
}

/// What stands on every answer about the file.
fn head(status: StatusCode, etag: &str) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((ETAG, etag))
        .insert_header((CACHE_CONTROL, IMMUTABLE))
        .insert_header((VARY, "Authorization"))
        .insert_header((ACCEPT_RANGES, "bytes"));
    response
}

fn described(
    status: StatusCode,
    etag: &str,
    artifact: &Artifact,
    range: &Range<u64>,
) -> HttpResponseBuilder {
    let mut response = head(status, etag);
    response
        .insert_header((CONTENT_TYPE, content_type(&artifact.name)))
        .insert_header((CONTENT_DISPOSITION, content_disposition(&artifact.name)));
    if status == StatusCode::PARTIAL_CONTENT {
        let (first, last) = (range.start, range.end.saturating_sub(1));
        let covered = format!("bytes {first}-{last}/{}", artifact.size);
        response.insert_header((CONTENT_RANGE, covered));
    }
    response
}

fn unsatisfiable(size: u64) -> HttpResponse {
    let detail = format!("The file has {size} bytes.");
    let mut response = ApiError::new(Code::RangeNotSatisfiable, detail).error_response();
    if let Ok(covered) = HeaderValue::from_str(&format!("bytes */{size}")) {
        response.headers_mut().insert(CONTENT_RANGE, covered);
    }
    response
}

/// What the range depends on; unreadable, it fits no file.
fn if_range(request: &HttpRequest) -> Option<&str> {
    let sent = request.headers().contains_key(IF_RANGE);
    sent.then(|| one(request, IF_RANGE).unwrap_or_default())
}

/// A header that was sent once; sent twice it says nothing.
fn one(request: &HttpRequest, name: HeaderName) -> Option<&str> {
    let mut values = request.headers().get_all(name);
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}
