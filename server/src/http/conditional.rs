//! Answers that need no body because the caller has it, and edits of what the caller has read.

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH, VARY};
use actix_web::{HttpRequest, HttpResponse};
use data_encoding::HEXLOWER;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::error::{ApiError, Code};

/// For what one credential sees: kept by the caller alone, asked for again each time.
pub const REVALIDATE: &str = "private, max-age=0, must-revalidate";

/// Whether `If-None-Match` names this entity tag (weak comparison, RFC 9110 §8.8.3.2).
pub fn none_match(request: &HttpRequest, etag: &str) -> bool {
    request
        .headers()
        .get_all(IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .any(|list| names(list, etag))
}

fn names(list: &str, etag: &str) -> bool {
    list.split(',').map(str::trim).any(|one| {
        let strong = one.strip_prefix("W/").unwrap_or(one);
        one == "*" || strong == etag
    })
}

/// JSON whose entity tag is the hash of its bytes; 304 where the caller has them.
pub fn json(request: &HttpRequest, value: &impl Serialize) -> Result<HttpResponse, ApiError> {
    let body = serde_json::to_vec(value).map_err(ApiError::internal)?;
    let hash = HEXLOWER.encode(&Sha256::digest(&body));
    let etag = format!("\"{hash}\"");
    let known = none_match(request, &etag);
    let mut response = if known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((ETAG, etag))
        .insert_header((CACHE_CONTROL, REVALIDATE))
        .insert_header((VARY, "Authorization"));
    Ok(if known {
        response.finish()
    } else {
        response.content_type("application/json").body(body)
    })
}

/// Entity tag of something whose version counts its changes.
pub fn version_tag(version: i64) -> (HeaderName, String) {
    (ETAG, format!("\"{version}\""))
}

/// The version in `If-Match`; nothing where it is absent or `*`.
pub fn expected_version(request: &HttpRequest) -> Result<Option<i64>, ApiError> {
    let mut all = request.headers().get_all(IF_MATCH);
    let Some(header) = all.next() else {
        return Ok(None);
    };
    let text = header.to_str().unwrap_or_default().trim();
    let version = match text {
        "*" => Some(None),
        _ => tagged(text).map(Some),
    };
    let detail = "If-Match must be the ETag of what was read, or \"*\".";
    version
        .filter(|_| all.next().is_none())
        .ok_or_else(|| ApiError::field("If-Match", detail))
}

/// Strong tags only: a weak one promises too little for an edit (RFC 9110 §13.1.1).
fn tagged(text: &str) -> Option<i64> {
    let inner = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    let digits = inner.unwrap_or(text);
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

/// The refusal of an edit of an older version.
pub fn changed_meanwhile(what: &str, version: i64) -> ApiError {
    let detail = format!("The {what} was changed meanwhile. Read it again.");
    ApiError::new(Code::PreconditionFailed, detail).with("version", version)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn an_edit_names_the_version_it_was_made_for() {
        let expected = |values: &[&str]| {
            let mut request = TestRequest::default();
            for value in values {
                request = request.append_header((IF_MATCH, *value));
            }
            expected_version(&request.to_http_request())
        };
        assert_eq!(expected(&[]).unwrap(), None);
        assert_eq!(expected(&["*"]).unwrap(), None);
        assert_eq!(expected(&["\"7\""]).unwrap(), Some(7));
        assert_eq!(expected(&["7"]).unwrap(), Some(7));
        for bad in [
            "",
            "\"\"",
            "W/\"7\"",
            "\"+7\"",
            "\"7",
            "\"6\", \"7\"",
            "99999999999999999999",
        ] {
            let error = expected(&[bad]).unwrap_err();
            assert_eq!(error.code(), Code::InvalidField, "{bad}");
        }
        assert!(expected(&["\"6\"", "\"7\""]).is_err());
    }

    #[test]
    fn a_tag_is_found_in_a_list_weak_or_strong() {
        for list in ["\"a\"", "W/\"a\"", "\"b\", \"a\"", "*", "\"b\",W/\"a\""] {
            assert!(names(list, "\"a\""), "{list}");
        }
        for list in ["", "a", "\"b\"", "\"ab\""] {
            assert!(!names(list, "\"a\""), "{list}");
        }
    }
}
