//! The answer to a kit: the verdict in plain JSON, and the same signed.
//!
//! Made after the unit of work, never inside it. It holds no personal data and no other seats.

use std::borrow::Cow;

use kitward_keys::jws::{self};
use kitward_keys::{
    ActivationClaims, Audience, DocumentClaims, DocumentType, LicenseClaims, SeatsClaims, SignError,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::facts::Facts;
use super::model::{LicenseId, LicenseStatus, VerdictCode};
use super::words::day;
use crate::activations::model::ActivationId;
use crate::activations::store::Activation;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::types::new_type_id;
use crate::http::openapi::words::SignedDocument;
use crate::kits::model::{Scope, SeatKind};

/// Seconds a verdict lives, at most.
const VERDICT_SECONDS: i64 = 600;
const DAY: i64 = 86_400;

/// What the call was about.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Kit slug as sent.
    pub kit: &'a str,
    /// The client's nonce.
    pub nonce: Option<&'a str>,
}

/// What a kit gets.
#[derive(Debug, Serialize, ToSchema)]
pub struct Answer {
    /// The only thing to branch on.
    pub valid: bool,
    /// Why.
    pub code: VerdictCode,
    /// Why, for the person in front of the kit.
    pub detail: Cow<'static, str>,
    /// Beside `NOT_ACTIVATED`: `never`, `freed` or `lease_ended`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<&'static str>,
    /// What the kit may show.
    pub notices: Vec<Notice>,
    /// The license; null for an unknown key, and for one of whoever owned the license before.
    pub license: Option<LicenseAnswer>,
    /// The seat of the identity, if it holds one.
    pub activation: Option<ActivationAnswer>,
    /// The verdict, signed (`verdict+jwt`).
    #[schema(value_type = SignedDocument)]
    pub verdict: String,
    /// Proof for offline use (`license+jwt`); only from `activate` and `file`, only when valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^[\\w-]+\\.[\\w-]+\\.[\\w-]+$")]
    pub license_file: Option<String>,
    /// Where the customer mends it.
    pub manage_url: String,
}

/// Something worth telling.
#[derive(Debug, Serialize, ToSchema)]
pub struct Notice {
    /// Stable word.
    pub code: &'static str,
    /// Sentence.
    pub detail: String,
}

/// A license as its key's holder sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct LicenseAnswer {
    id: LicenseId,
    key_hint: String,
    edition: String,
    status: LicenseStatus,
    seats: SeatsAnswer,
    valid_until: Option<Timestamp>,
    updates_until: Option<Timestamp>,
    entitlements: Vec<String>,
}

/// Its seats.
#[derive(Debug, Serialize, ToSchema)]
struct SeatsAnswer {
    kind: SeatKind,
    used: i32,
    limit: Option<i32>,
}

/// A seat as its own holder sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActivationAnswer {
    id: ActivationId,
    kind: SeatKind,
    identity: String,
    name: String,
    created_at: Timestamp,
    last_seen_at: Timestamp,
    /// Only floating seats have one.
    lease_ends_at: Option<Timestamp>,
}

impl From<&Activation> for ActivationAnswer {
    fn from(row: &Activation) -> Self {
        Self {
            id: row.id.clone(),
            kind: row.kind,
            identity: row.identity.clone(),
            name: row.name.clone(),
            created_at: row.created_at,
            last_seen_at: row.last_seen_at,
            lease_ends_at: row.lease_ends_at,
        }
    }
}

/// The answer for keys no license has, the same whatever their shape.
pub fn unknown(app: &App, asked: Asked<'_>) -> Result<Answer, SignError> {
    let code = VerdictCode::NotFound;
    let now = app.clock.now();
    let mut claims = blank_claims(app, asked, None, now);
    code.as_str().clone_into(&mut claims.code);
    Ok(Answer {
        valid: false,
        code,
        detail: code.detail().into(),
        reason: None,
        notices: Vec::new(),
        license: None,
        activation: None,
        verdict: sign(app, DocumentType::Verdict, &claims)?,
        license_file: None,
        manage_url: app.link("/"),
    })
}

/// The answer about a license, with a license file that ends at `file_until` where it is valid.
pub fn about(
    app: &App,
    asked: Asked<'_>,
    facts: &Facts,
    code: VerdictCode,
    file_until: Option<Timestamp>,
) -> Result<Answer, SignError> {
    let now = facts.now;
    // A former owner could watch the license for ever.
    let told = Some(facts).filter(|facts| !facts.holding.is_shown_by_former_owner());
    let mut claims = blank_claims(app, asked, told, now);
    code.as_str().clone_into(&mut claims.code);
    claims.valid = code.is_valid();
    if claims.valid {
        claims.exp = valid_verdict_end(facts);
    }
    let verdict = sign(app, DocumentType::Verdict, &claims)?;
    let license_file = match file_until.filter(|_| code.is_valid()) {
        Some(end) => {
            claims.exp = end.unix();
            claims.jti = new_type_id("doc", now, app.entropy.as_ref());
            Some(sign(app, DocumentType::License, &claims)?)
        }
        None => None,
    };
    let is_inactive = code == VerdictCode::NotActivated;
    Ok(Answer {
        valid: code.is_valid(),
        code,
        detail: facts.detail(code),
        reason: facts.seat.reason().filter(|_| is_inactive),
        notices: told.map(notices).unwrap_or_default(),
        license: told.map(|facts| license_answer(facts, now)),
        activation: facts.held().map(ActivationAnswer::from),
        verdict,
        license_file,
        manage_url: told.map_or_else(
            || app.link("/"),
            |facts| manage_url(app, &facts.license().id),
        ),
    })
}

/// A verdict that lets a kit run outlives neither the license with its grace nor the lease of its
/// seat; nor does it end before it begins, where less than a second is left. A refusal may outlive both.
fn valid_verdict_end(facts: &Facts) -> i64 {
    let end = facts.never_beyond(facts.now.plus_seconds(VERDICT_SECONDS));
    end.unix().max(facts.now.unix() + 1)
}

/// Where the customer of a license mends what can be mended.
pub fn manage_url(app: &App, license: &LicenseId) -> String {
    app.link(&format!("/licenses/{license}"))
}

/// Days before an end during which it is told.
const NOTICE_DAYS: i64 = 30;

fn notices(facts: &Facts) -> Vec<Notice> {
    let (license, now) = (facts.license(), facts.now);
    let soon = |end: &Timestamp| *end > now && *end <= now.plus_seconds(NOTICE_DAYS * DAY);
    let ends = license.valid_until.filter(soon).map(|end| Notice {
        code: "expiring_soon",
        detail: format!("This license ends on {}.", day(end)),
    });
    let updates = license.updates_until.filter(soon).map(|end| Notice {
        code: "updates_ending_soon",
        detail: format!("Updates are included until {}.", day(end)),
    });
    let lowered = license.over_limit_until.filter(|end| *end > now);
    let over_limit = lowered.filter(|_| facts.over_limit()).map(|end| Notice {
        code: "over_limit_until",
        detail: format!(
            "More seats are in use than this license has. On {} those unseen the longest are freed; choose before.",
            day(end)
        ),
    });
    [ends, updates, over_limit].into_iter().flatten().collect()
}

fn license_answer(facts: &Facts, now: Timestamp) -> LicenseAnswer {
    let (license, terms) = (facts.license(), &facts.holding.terms);
    LicenseAnswer {
        id: license.id.clone(),
        key_hint: facts.holding.key_hint.clone(),
        edition: terms.edition.clone(),
        status: facts.holding.standing(facts.covers_kit).status(now),
        seats: SeatsAnswer {
            kind: terms.seat_kind,
            used: license.seats_used,
            limit: license.seat_limit,
        },
        valid_until: license.valid_until,
        updates_until: license.updates_until,
        entitlements: facts.holding.entitlements(),
    }
}

fn blank_claims(
    app: &App,
    asked: Asked<'_>,
    facts: Option<&Facts>,
    now: Timestamp,
) -> DocumentClaims {
    let slug = facts
        .and_then(|facts| facts.kit_slug.as_deref())
        .unwrap_or(asked.kit);
    DocumentClaims {
        iss: app.installation_id.clone(),
        aud: Audience::of(slug, asked.kit),
        sub: facts.map_or_else(|| "-".to_owned(), |facts| facts.license().id.to_string()),
        iat: now.unix(),
        exp: now.plus_seconds(VERDICT_SECONDS).unix(),
        nonce: asked.nonce.map(str::to_owned),
        jti: new_type_id("doc", now, app.entropy.as_ref()),
        code: String::new(),
        valid: false,
        license: facts.map(|facts| license_claims(facts, now)),
        activation: facts.and_then(Facts::held).map(|row| ActivationClaims {
            id: row.id.to_string(),
            kind: row.kind.to_string(),
            identity: row.identity.clone(),
        }),
    }
}

fn license_claims(facts: &Facts, now: Timestamp) -> LicenseClaims {
    let (license, terms) = (facts.license(), &facts.holding.terms);
    LicenseClaims {
        id: license.id.to_string(),
        key_hint: facts.holding.key_hint.clone(),
        edition: terms.edition.clone(),
        status: facts
            .holding
            .standing(facts.covers_kit)
            .status(now)
            .to_string(),
        scope: match terms.scope {
            Scope::All => kitward_keys::Scope::All,
            Scope::Kits => kitward_keys::Scope::Kits(facts.scope.clone()),
        },
        valid_until: license.valid_until.map(|end| end.to_string()),
        updates_until: license.updates_until.map(|end| end.to_string()),
        entitlements: facts.holding.entitlements(),
        seats: SeatsClaims {
            kind: terms.seat_kind.to_string(),
            used: i64::from(license.seats_used),
            limit: license.seat_limit.map(i64::from),
        },
    }
}

fn sign(app: &App, typ: DocumentType, claims: &DocumentClaims) -> Result<String, SignError> {
    jws::sign(typ, &app.keys.load().document, claims)
}
