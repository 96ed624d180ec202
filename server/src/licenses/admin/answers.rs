//! Licenses and their parts as they leave.

use serde::Serialize;
use utoipa::ToSchema;

use crate::activations::model::{ActivationId, FreedReason};
use crate::activations::store::Activation;
use crate::audit::AuditRow;
use crate::clock::Timestamp;
use crate::customers::model::{CustomerId, OrderId};
use crate::http::export::{Row, or_empty};
use crate::kits::model::{PolicyId, Scope, SeatKind, TermsId};
use crate::licenses::listing::Dossier;
use crate::licenses::model::{
    BaseState, KeySource, LicenseId, LicenseKeyId, LicenseStatus, Metadata,
};
use crate::licenses::overview::Overview;
use crate::licenses::store::{Hold, LicenseKeyRow};

/// A license.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AdminLicense)]
pub(crate) struct LicenseBody {
    id: LicenseId,
    status: LicenseStatus,
    base_state: BaseState,
    customer_id: CustomerId,
    policy_id: PolicyId,
    /// The version of the policy's terms it stands under.
    terms_id: TermsId,
    edition: String,
    scope: Scope,
    /// Slugs; none where the scope is `all`.
    kits: Vec<String>,
    seats: SeatsBody,
    starts_at: Timestamp,
    first_activated_at: Option<Timestamp>,
    valid_until: Option<Timestamp>,
    updates_until: Option<Timestamp>,
    past_due_since: Option<Timestamp>,
    lapsed_at: Option<Timestamp>,
    paid_months: i32,
    merged_into: Option<LicenseId>,
    /// Last characters of its primary key.
    key_hint: String,
    /// All its features.
    entitlements: Vec<String>,
    /// Those beside the ones of its terms.
    extra_entitlements: Vec<String>,
    metadata: Metadata,
    /// Grows with every change but those of its seats; what `If-Match` is compared with.
    version: i64,
    created_at: Timestamp,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AdminSeats)]
struct SeatsBody {
    kind: SeatKind,
    used: i32,
    limit: Option<i32>,
    /// Limit and overage together.
    cap: Option<i32>,
    /// Until when seats beyond a lowered limit are kept.
    over_limit_until: Option<Timestamp>,
}

impl LicenseBody {
    /// As it stands now.
    pub(crate) fn new(overview: &Overview, now: Timestamp) -> Self {
        let holding = &overview.holding;
        let (license, terms) = (holding.license.clone(), &holding.terms);
        Self {
            status: holding.standing(true).status(now),
            base_state: license.base_state,
            customer_id: license.customer_id,
            policy_id: license.policy_id,
            terms_id: license.terms_id,
            edition: terms.edition.clone(),
            scope: terms.scope,
            kits: overview.kits.iter().map(|kit| kit.slug.clone()).collect(),
            seats: SeatsBody {
                kind: terms.seat_kind,
                used: license.seats_used,
                limit: license.seat_limit,
                cap: license.seat_cap,
                over_limit_until: license.over_limit_until,
            },
            starts_at: license.starts_at,
            first_activated_at: license.first_activated_at,
            valid_until: license.valid_until,
            updates_until: license.updates_until,
            past_due_since: license.past_due_since,
            lapsed_at: license.lapsed_at,
            paid_months: license.paid_months,
            merged_into: license.merged_into,
            key_hint: holding.key_hint.clone(),
            entitlements: holding.entitlements(),
            extra_entitlements: license.extra_entitlements.words().to_vec(),
            metadata: Metadata::from_text(&license.metadata),
            version: license.revision,
            created_at: license.created_at,
            id: license.id,
        }
    }
}

impl Row<14> for LicenseBody {
    const COLUMNS: [&'static str; 14] = [
        "id",
        "status",
        "customer_id",
        "policy_id",
        "edition",
        "kits",
        "seat_kind",
        "seats_used",
        "seat_limit",
        "starts_at",
        "valid_until",
        "updates_until",
        "key_hint",
        "created_at",
    ];

    fn cursor(&self) -> String {
        self.id.to_string()
    }

    fn cells(&self) -> [String; 14] {
        [
            self.id.to_string(),
            self.status.to_string(),
            self.customer_id.to_string(),
            self.policy_id.to_string(),
            self.edition.clone(),
            self.kits.join(" "),
            self.seats.kind.to_string(),
            self.seats.used.to_string(),
            or_empty(self.seats.limit),
            self.starts_at.to_string(),
            or_empty(self.valid_until),
            or_empty(self.updates_until),
            self.key_hint.clone(),
            self.created_at.to_string(),
        ]
    }
}

/// A license with its keys and open reasons.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AdminLicenseDetail)]
pub(super) struct DetailBody {
    #[serde(flatten)]
    license: LicenseBody,
    order_id: Option<OrderId>,
    keys: Vec<KeyBody>,
    /// Open holds and revocations.
    holds: Vec<Hold>,
    /// How many notes were written about it.
    notes: usize,
}

impl DetailBody {
    pub(super) fn new(dossier: Dossier, now: Timestamp) -> Self {
        Self {
            license: LicenseBody::new(&dossier.overview, now),
            order_id: dossier.order,
            keys: dossier.keys.into_iter().map(KeyBody::from).collect(),
            holds: dossier.holds,
            notes: dossier.notes,
        }
    }

    pub(super) fn version(&self) -> i64 {
        self.license.version
    }
}

/// A key; its text is the owner's to see.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AdminKey)]
pub(super) struct KeyBody {
    id: LicenseKeyId,
    source: KeySource,
    /// Its last characters.
    key_hint: String,
    /// Whether it is the one that is shown and mailed.
    is_primary: bool,
    created_at: Timestamp,
    /// When another took its place.
    replaced_at: Option<Timestamp>,
    /// Until when it is honored, where it was replaced.
    honored_until: Option<Timestamp>,
}

impl KeyBody {
    pub(super) fn id(&self) -> String {
        self.id.to_string()
    }
}

impl From<LicenseKeyRow> for KeyBody {
    fn from(row: LicenseKeyRow) -> Self {
        Self {
            id: row.id,
            source: row.source,
            key_hint: row.key_hint,
            is_primary: row.is_primary,
            created_at: row.created_at,
            replaced_at: row.replaced_at,
            honored_until: row.honored_until,
        }
    }
}

/// A seat.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AdminSeat)]
pub(super) struct SeatBody {
    pub(super) id: ActivationId,
    license_id: LicenseId,
    kind: SeatKind,
    identity: String,
    name: String,
    version: Option<String>,
    platform: Option<String>,
    created_at: Timestamp,
    last_seen_at: Timestamp,
    lease_ends_at: Option<Timestamp>,
    freed_at: Option<Timestamp>,
    freed_reason: Option<FreedReason>,
}

impl From<Activation> for SeatBody {
    fn from(row: Activation) -> Self {
        Self {
            id: row.id,
            license_id: row.license_id,
            kind: row.kind,
            identity: row.identity,
            name: row.name,
            version: row.version,
            platform: row.platform,
            created_at: row.created_at,
            last_seen_at: row.last_seen_at,
            lease_ends_at: row.lease_ends_at,
            freed_at: row.freed_at,
            freed_reason: row.freed_reason,
        }
    }
}

/// One entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EventBody {
    pub(super) seq: i64,
    at: Timestamp,
    /// Id of who did it.
    actor: String,
    /// What, as `noun.verb`.
    action: String,
    /// Names of the fields that changed.
    fields: Vec<String>,
}

impl From<AuditRow> for EventBody {
    fn from(row: AuditRow) -> Self {
        Self {
            seq: row.seq,
            at: row.at,
            actor: row.actor,
            action: row.action,
            // Our own list of words, as the log holds it.
            fields: serde_json::from_str(&row.fields).unwrap_or_default(),
        }
    }
}
