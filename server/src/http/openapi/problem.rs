//! The body of every refusal, and the credentials, as the document describes them.

use serde_json::{Value, json};

use crate::http::Code;

/// Name of the schema.
pub(super) const PROBLEM: &str = "Problem";

/// RFC 9457 with the closed list of codes.
pub(super) fn schema() -> Value {
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let text = |meaning: &str| json!({ "type": "string", "description": meaning });
    json!({
        "type": "object",
        "description": "A refusal or failure (RFC 9457). More members may stand beside these.",
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "properties": {
            "type": { "type": "string", "format": "uri-reference", "description": "Where the code is explained." },
            "title": text("The same for every occurrence of the code."),
            "status": { "type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status." },
            "detail": text("What happened and what to do, for people."),
            "code": { "type": "string", "enum": codes, "description": "The word to branch on." },
            "request_id": text("Leads to the request in the server's log."),
            "field": text("Beside `invalid_field` and some conflicts: the field."),
            "retry_after": { "type": "integer", "description": "Seconds to wait." },
            "verdict": text("Where a license was refused: its verdict."),
            "last_entitled_version": {
                "type": ["string", "null"],
                "description": "Beside `version_not_covered`: the highest version the license covers.",
            },
            "updates_until": {
                "type": ["string", "null"],
                "format": "date-time",
                "description": "Beside `version_not_covered`: the end of the license's updates.",
            },
            "renew_url": text("Where the license can be renewed."),
            "manage_url": text("Where a license was refused: where its customer mends it."),
        },
        "example": {
            "type": "/docs/errors#invalid_field",
            "title": "Invalid field",
            "status": 422,
            "detail": "kit must be a kit's slug",
            "code": "invalid_field",
            "request_id": "req_01jhmz3e5afkt9ymv5n2e8wqc4",
            "field": "kit",
        },
    })
}

/// Every way to say who calls.
pub(super) fn security_schemes() -> Value {
    json!({
        "management_token": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "kwa_…",
            "description": "A token made by `kitward token create --scope admin|support|read|publish`. `admin` includes all others, `support` includes `read`.",
        },
        "license_key": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`License KEY`, or the bare key.",
        },
        "license_key_bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "license key",
            "description": "The license key, for clients that know bearer tokens only.",
        },
        "license_key_basic": {
            "type": "http",
            "scheme": "basic",
            "description": "The license key as password, or as user with an empty password.",
        },
        "stripe_signature": {
            "type": "apiKey",
            "in": "header",
            "name": "Stripe-Signature",
            "description": "Stripe's signature of the delivery.",
        },
    })
}
