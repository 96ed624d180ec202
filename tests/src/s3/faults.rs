//! What can be wrong with the storage service.

use futures_util::StreamExt;
use hyper::{Response, StatusCode};
use s3s::Body;

/// What is wrong with the service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// It takes connections and says nothing.
    Silent,
    /// It answers that it cannot.
    Down,
    /// One byte of each file is another.
    OtherBytes,
    /// The same of the first file that is asked for; the next ones are right.
    OtherBytesOnce,
    /// Files end early.
    Cut,
}

/// A file as it comes while something is wrong.
pub(super) fn spoiled(response: Response<Body>, fault: Fault) -> Response<Body> {
    match fault {
        Fault::None | Fault::Silent | Fault::Down => response,
        Fault::OtherBytes | Fault::OtherBytesOnce => response.map(|body| {
            let mut is_first = true;
            let chunks = body.map(move |chunk| {
                chunk.map(|bytes| {
                    let mut bytes = bytes.to_vec();
                    if std::mem::take(&mut is_first)
                        && let Some(byte) = bytes.first_mut()
                    {
                        *byte ^= 1;
                    }
                    bytes::Bytes::from(bytes)
                })
            });
            Body::http_body_unsync(http_body_util::StreamBody::new(
                chunks.map(|chunk| chunk.map(hyper::body::Frame::data)),
            ))
        }),
        Fault::Cut => response.map(|body| {
            let chunks = body.take(1).map(|chunk| {
                chunk.map(|bytes| hyper::body::Frame::data(bytes.slice(..bytes.len() / 2)))
            });
            Body::http_body_unsync(http_body_util::StreamBody::new(chunks))
        }),
    }
}

/// An answer in the service's own form.
pub(super) fn plain(status: StatusCode, code: &str) -> Response<Body> {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>");
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
}
