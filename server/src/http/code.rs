//! The closed list of error codes.

use std::fmt::Write as _;

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $variant:ident = $code:literal, $status:literal, $title:literal;)+) => {
        /// Every code an error body may carry. Codes may be added, never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])* $variant),+ }

        impl Code {
            /// The whole list, for `docs/errors.md`.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable word in `code` and at the end of `type`.
            pub fn as_str(self) -> &'static str { match self { $(Self::$variant => $code),+ } }

            /// HTTP status.
            pub fn status(self) -> u16 { match self { $(Self::$variant => $status),+ } }

            /// `title`: the same for every occurrence.
            pub fn title(self) -> &'static str { match self { $(Self::$variant => $title),+ } }

            /// What it means and what to do.
            pub fn meaning(self) -> &'static str { match self { $(Self::$variant => concat!($($doc),*)),+ } }
        }
    };
}

codes! {
    /// The request is not well-formed HTTP for this route, or its body is empty.
    MalformedRequest = "malformed_request", 400, "Malformed request";
    /// The body is not valid JSON in UTF-8.
    MalformedJson = "malformed_json", 400, "Malformed JSON";
    /// The webhook's signature is missing, stale or wrong. Nothing was stored.
    SignatureInvalid = "signature_invalid", 400, "Invalid signature";
    /// No credential, or one this route does not know.
    Unauthorized = "unauthorized", 401, "Credential required";
    /// No license has this key.
    KeyUnknown = "key_unknown", 401, "Unknown license key";
    /// The credential is an environment variable that was never filled in, such as `${KIT_TOKEN}`.
    VariableNotSet = "variable_not_set", 401, "Environment variable not set";
    /// The credential is fine but may not do this.
    Forbidden = "forbidden", 403, "Not allowed";
    /// The management token lacks the scope this route needs.
    InsufficientScope = "insufficient_scope", 403, "Insufficient scope";
    /// A browser sent this form from another site.
    CrossSiteRequest = "cross_site_request", 403, "Cross-site request refused";
    /// The license does not cover this kit.
    KitNotCovered = "kit_not_covered", 403, "Kit not covered";
    /// The license does not cover this version; `last_entitled_version` names one it does.
    VersionNotCovered = "version_not_covered", 403, "Version not covered";
    /// The version needs a feature that the license does not include; `entitlement` names it.
    EntitlementMissing = "entitlement_missing", 403, "Feature not included";
    /// The license is suspended.
    LicenseSuspended = "license_suspended", 403, "License suspended";
    /// The license was revoked.
    LicenseRevoked = "license_revoked", 403, "License revoked";
    /// The license has ended or has not started.
    LicenseExpired = "license_expired", 403, "License not in force";
    /// There is nothing here, or not for this credential.
    NotFound = "not_found", 404, "Not found";
    /// The path exists, the method does not.
    MethodNotAllowed = "method_not_allowed", 405, "Method not allowed";
    /// The body did not arrive in time.
    RequestTimeout = "request_timeout", 408, "Request timed out";
    /// Something with this name exists.
    Conflict = "conflict", 409, "Conflict";
    /// More seats would be in use than licenses may have; say for how long they may be.
    SeatsStranded = "seats_stranded", 409, "Seats would be stranded";
    /// It was here and has been withdrawn.
    Gone = "gone", 410, "Withdrawn";
    /// It was changed meanwhile: `If-Match` names an older version. Read it again.
    PreconditionFailed = "precondition_failed", 412, "Changed meanwhile";
    /// The body is larger than this route takes.
    PayloadTooLarge = "payload_too_large", 413, "Body too large";
    /// The body's content type is not one this route takes.
    UnsupportedMediaType = "unsupported_media_type", 415, "Unsupported content type";
    /// The range lies outside of the file.
    RangeNotSatisfiable = "range_not_satisfiable", 416, "Range not satisfiable";
    /// The request was sent to another host name than the configured public address.
    WrongHost = "wrong_host", 421, "Wrong host";
    /// The terms of this license know no license files for machines that are never online.
    NoOfflineFiles = "no_offline_files", 422, "No files for offline machines";
    /// A field has a value that is not accepted; `field` names it.
    InvalidField = "invalid_field", 422, "Invalid field";
    /// The archives of these two versions cannot be compared here; `reason` says why, `files` names them.
    NotComparable = "not_comparable", 422, "Not comparable";
    /// The `Idempotency-Key` was used for another request.
    IdempotencyMismatch = "idempotency_mismatch", 422, "Idempotency key used before";
    /// Too often; `Retry-After` tells when to try again.
    TooManyRequests = "too_many_requests", 429, "Too many requests";
    /// The license was used for as many downloads, or from as many networks, as its terms allow a day;
    /// `Retry-After` tells when the next day starts.
    DownloadLimit = "download_limit", 429, "Download limit reached";
    /// The server failed; the request id leads to the cause in its log.
    Internal = "internal", 500, "Internal error";
    /// The server cannot do this right now; trying again is safe.
    Unavailable = "unavailable", 503, "Temporarily unavailable";
    /// The disk is full; nothing was stored.
    InsufficientStorage = "insufficient_storage", 507, "Insufficient storage";
}

/// The page of all codes, `docs/errors.md`.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Error codes\n\nGenerated from the program; `UPDATE_DOCS=1 cargo test` writes it anew.\n\n\
         Every error body is `application/problem+json` (RFC 9457) with `type`, `title`, `status`,\n\
         `detail`, `code` and `request_id`. Branch on `code`; show `detail`. Codes may be added.\n\n\
         | Code | Status | Meaning |\n|---|---|---|\n",
    );
    for code in Code::ALL {
        // Writing to a String cannot fail.
        let _ = writeln!(
            page,
            "| `{}` | {} | {} |",
            code.as_str(),
            code.status(),
            code.meaning().trim()
        );
    }
    page
}
