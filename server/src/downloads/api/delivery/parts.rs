//! What stands on answers with a file, and between its parts.

use std::ops::Range;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    HeaderName, HeaderValue, VARY,
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError};
use base64::Engine as _;
use data_encoding::{BASE32_NOPAD, HEXLOWER_PERMISSIVE};

use crate::app::App;
use crate::downloads::content::{Content, Segment};
use crate::downloads::model::{content_disposition, content_type};
use crate::entropy::bytes;
use crate::http::conditional::REVALIDATE;
use crate::http::{ApiError, Code};

/// The address of a stored file names the version and the entity tag the bytes: they never change.
const IMMUTABLE: &str = "private, max-age=31536000, immutable";

/// What stands on every answer about the file.
pub(super) fn head(status: StatusCode, content: &Content) -> HttpResponseBuilder {
    // Signatures are made anew after a compromise, stamps after a change of the license.
    let cache = match content.as_stored() {
        Some(_sha256) => IMMUTABLE,
        None => REVALIDATE,
    };
    let mut response = HttpResponse::build(status);
    response
        .insert_header((ETAG, content.etag.as_str()))
        .insert_header((CACHE_CONTROL, cache))
        .insert_header((VARY, "Authorization"))
        .insert_header((ACCEPT_RANGES, "bytes"));
    if let Some(digest) = content.sha256.as_deref().and_then(repr_digest) {
        response.insert_header(("Repr-Digest", digest));
    }
    response
}

/// The hash of the whole file, also on an answer with a part of it (RFC 9530 §3).
fn repr_digest(sha256: &str) -> Option<String> {
    let hash = HEXLOWER_PERMISSIVE.decode(sha256.as_bytes()).ok()?;
    let hash = base64::engine::general_purpose::STANDARD.encode(hash);
    Some(format!("sha-256=:{hash}:"))
}

fn described(status: StatusCode, content: &Content) -> HttpResponseBuilder {
    let mut response = head(status, content);
    response.insert_header((CONTENT_DISPOSITION, content_disposition(&content.name)));
    response
}

/// An answer with all of it.
pub(super) fn whole(content: &Content) -> HttpResponseBuilder {
    let mut response = described(StatusCode::OK, content);
    response.insert_header((CONTENT_TYPE, content_type(&content.name)));
    response
}

/// An answer with one part of it.
pub(super) fn one_part(content: &Content, part: &Range<u64>) -> HttpResponseBuilder {
    let mut response = described(StatusCode::PARTIAL_CONTENT, content);
    response
        .insert_header((CONTENT_TYPE, content_type(&content.name)))
        .insert_header((CONTENT_RANGE, covered(part, content.size)));
    response
}

/// An answer with several, `multipart/byteranges` (RFC 9110 §14.6): what stands between the parts
/// comes from memory.
pub(super) fn several(
    app: &App,
    content: &Content,
    parts: &[Range<u64>],
) -> (HttpResponseBuilder, Vec<Segment>) {
    // So random that it stands in no file.
    let random: [u8; 20] = bytes(app.entropy.as_ref());
    let boundary = BASE32_NOPAD.encode(&random);
    let kind = content_type(&content.name);
    let mut segments = Vec::new();
    for part in parts {
        let covered = covered(part, content.size);
        let between =
            format!("\r\n--{boundary}\r\nContent-Type: {kind}\r\nContent-Range: {covered}\r\n\r\n");
        segments.push(Segment::Memory(between.into()));
        segments.extend(content.cut(part));
    }
    segments.push(Segment::Memory(format!("\r\n--{boundary}--\r\n").into()));
    let mut response = described(StatusCode::PARTIAL_CONTENT, content);
    let kind = format!("multipart/byteranges; boundary={boundary}");
    response.insert_header((CONTENT_TYPE, kind));
    (response, segments)
}

fn covered(part: &Range<u64>, size: u64) -> String {
    let (first, last) = (part.start, part.end.saturating_sub(1));
    format!("bytes {first}-{last}/{size}")
}

/// The refusal of ranges beyond the end.
pub(super) fn unsatisfiable(size: u64) -> HttpResponse {
    let detail = format!("The file has {size} bytes.");
    let mut response = ApiError::new(Code::RangeNotSatisfiable, detail).error_response();
    if let Ok(covered) = HeaderValue::from_str(&format!("bytes */{size}")) {
        response.headers_mut().insert(CONTENT_RANGE, covered);
    }
    response
}

/// A header that was sent once; sent twice it says nothing.
pub(super) fn one(request: &HttpRequest, name: HeaderName) -> Option<&str> {
    let mut values = request.headers().get_all(name);
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}
