//! Answers that need no body because the caller has it.

use actix_web::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH, VARY};
use actix_web::{HttpRequest, HttpResponse};
use data_encoding::HEXLOWER;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::error::ApiError;

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

#[cfg(test)]
mod tests {
    use super::*;

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
