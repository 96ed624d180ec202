//! What kits send, and what of it is accepted.

use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::activations::model::{Identity, NAME_MAX};
use crate::http::error::ApiError;
use crate::http::extract::OptionalKey;
use crate::http::openapi::words::Slug;
use crate::kits::model::{SeatKind, has_invisible, is_slug};
use crate::licenses::validate::Ask;

/// What a kit sends. Unknown members are ignored: a newer kit may talk to an older server.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct AskBody {
    /// The license key, as pasted; where it is left out, `Authorization` has it.
    #[schema(value_type = Option<String>, format = Password)]
    key: Option<SecretString>,
    /// The kit, or a former slug of it.
    #[schema(value_type = Slug)]
    kit: String,
    /// At most one of `device`, `site`, `user` and `project`, as the license's seats are; in bytes.
    #[schema(min_length = 1, max_length = 256, example = "my-laptop")]
    device: Option<String>,
    /// A host name; scheme, `www.`, port and path are left out.
    #[schema(min_length = 1, max_length = 256)]
    site: Option<String>,
    /// Compared without case.
    #[schema(min_length = 1, max_length = 256)]
    user: Option<String>,
    #[schema(min_length = 1, max_length = 256)]
    project: Option<String>,
    /// Name of the seat, for the customer.
    #[schema(max_length = 100)]
    name: Option<String>,
    /// Version of the kit, for the customer.
    #[schema(max_length = 64)]
    version: Option<String>,
    /// Platform it runs on, for the customer.
    #[schema(max_length = 64)]
    platform: Option<String>,
    /// Bound into the signed answer, exactly as sent: printable ASCII without spaces.
    #[schema(max_length = 128, pattern = "^[!-~]*$")]
    nonce: Option<String>,
    /// Features the kit needs.
    #[schema(max_items = 100)]
    entitlements: Option<Vec<String>>,
    /// For `activate`: which seat may go where none is left.
    pub(super) replace: Option<Replace>,
    /// For `file`: how long it shall live, in seconds.
    #[schema(minimum = 60)]
    ttl_seconds: Option<i64>,
}

/// Which seat may be freed for a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Replace {
    /// The one that was not seen for the longest time.
    LongestUnseen,
}

/// Longest version or platform, in characters.
const WORD_MAX: usize = 64;
/// Longest nonce, in characters.
const NONCE_MAX: usize = 128;
/// Most features a kit may ask for.
const ENTITLEMENTS_MAX: usize = 100;
/// Shortest life of a file for a machine that is never online, in seconds.
const TTL_MIN: i64 = 60;

impl AskBody {
    /// Checks every member. `in_header` is what the request's `Authorization` holds.
    pub(super) fn check(self, in_header: Result<OptionalKey, ApiError>) -> Result<Ask, ApiError> {
        self.ttl_seconds()?;
        if !is_slug(&self.kit) {
            return Err(ApiError::field("kit", "must be a kit's slug"));
        }
        let identity = self.identity()?;
        Ok(Ask {
            key: the_key(self.key, in_header)?,
            origin: None,
            kit: self.kit,
            identity,
            name: bounded("name", self.name, NAME_MAX)?,
            version: bounded("version", self.version, WORD_MAX)?,
            platform: bounded("platform", self.platform, WORD_MAX)?,
            nonce: exact(self.nonce)?,
            entitlements: features(self.entitlements.unwrap_or_default())?,
        })
    }

    pub(super) fn ttl_seconds(&self) -> Result<Option<i64>, ApiError> {
        let too_short = self.ttl_seconds.is_some_and(|ttl| ttl < TTL_MIN);
        if too_short {
            return Err(ApiError::field("ttl_seconds", "must be at least 60"));
        }
        Ok(self.ttl_seconds)
    }

    fn identity(&self) -> Result<Option<Identity>, ApiError> {
        let given = [
            (SeatKind::Device, &self.device),
            (SeatKind::Site, &self.site),
            (SeatKind::User, &self.user),
            (SeatKind::Project, &self.project),
        ];
        let mut found = None;
        for (kind, text) in given {
            let Some(text) = text else { continue };
            if found.is_some() {
                let reason = "send one of device, site, user, project, not several";
                return Err(ApiError::field(kind.as_str(), reason));
            }
            let identity = Identity::new(kind, text)
                .map_err(|fault| ApiError::field(kind.as_str(), fault.to_string()))?;
            found = Some(identity);
        }
        Ok(found)
    }
}

/// The key of a call. Where the body has one the header is somebody else's matter: a proxy's password, for
/// example.
fn the_key(
    in_body: Option<SecretString>,
    in_header: Result<OptionalKey, ApiError>,
) -> Result<SecretString, ApiError> {
    if let Some(key) = in_body {
        return Ok(key);
    }
    let OptionalKey(key) = in_header?;
    key.ok_or_else(|| {
        let reason = "send the license key here or as \"Authorization: License KEY\"";
        ApiError::field("key", reason)
    })
}

/// A nonce is compared by whoever sent it: not a character of it may be changed.
fn exact(nonce: Option<String>) -> Result<Option<String>, ApiError> {
    let fits = |nonce: &String| {
        nonce.len() <= NONCE_MAX && nonce.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if nonce.as_ref().is_none_or(fits) {
        return Ok(nonce);
    }
    let reason = "must be at most 128 characters of printable ASCII without spaces";
    Err(ApiError::field("nonce", reason))
}

/// Names of features: few, short, visible.
fn features(names: Vec<String>) -> Result<Vec<String>, ApiError> {
    let is_name =
        |name: &String| (1..=WORD_MAX).contains(&name.chars().count()) && !has_invisible(name);
    if names.len() > ENTITLEMENTS_MAX || !names.iter().all(is_name) {
        let reason = "must be at most 100 names of 1 to 64 visible characters";
        return Err(ApiError::field("entitlements", reason));
    }
    Ok(names)
}

/// A short text for people: trimmed, bounded, printable; blank counts as absent.
fn bounded(field: &str, text: Option<String>, max: usize) -> Result<Option<String>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let text = text.trim();
    if text.chars().count() > max {
        return Err(ApiError::field(
            field,
            format!("must have at most {max} characters"),
        ));
    }
    if has_invisible(text) {
        let detail = "must not hold control or invisible characters";
        return Err(ApiError::field(field, detail));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}
