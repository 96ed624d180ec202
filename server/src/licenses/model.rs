//! Verdicts: what the state of a license means for who presents its key.

use crate::clock::Timestamp;
use crate::db::types::{text_enum, typed_id};
use crate::kits::model::SeatKind;

typed_id!(
    /// A license.
    LicenseId, "lic"
);
typed_id!(
    /// One key of a license.
    LicenseKeyId, "lky"
);

text_enum! {
    /// Base state of a license, from its order or subscription.
    pub enum BaseState {
        /// Not paid yet.
        Pending = "pending",
        /// In force.
        Active = "active",
        /// Over.
        Ended = "ended",
        /// Folded into another license.
        Merged = "merged",
    }
}

text_enum! {
    /// What a license is, in one word, for people and programs.
    pub enum LicenseStatus {
        /// Not paid yet, or not started.
        Pending = "pending",
        /// In force.
        Active = "active",
        /// Past due, within grace.
        Grace = "grace",
        /// Its subscription lapsed; what was covered stays.
        Lapsed = "lapsed",
        /// Over.
        Expired = "expired",
        /// At least one open hold.
        Suspended = "suspended",
        /// At least one open revocation.
        Revoked = "revoked",
        /// Folded into another license.
        Merged = "merged",
    }
}

text_enum! {
    /// The closed list of verdicts, in the order in which they are decided.
    pub enum VerdictCode {
        /// No license has this key.
        NotFound = "NOT_FOUND",
        /// The license does not cover this kit.
        KitMismatch = "KIT_MISMATCH",
        /// The key was replaced by another one.
        KeyReplaced = "KEY_REPLACED",
        /// The license was folded into another one.
        Merged = "MERGED",
        /// The license was revoked.
        Revoked = "REVOKED",
        /// The license is suspended.
        Suspended = "SUSPENDED",
        /// The license is not in force yet.
        NotStarted = "NOT_STARTED",
        /// The license is over.
        Expired = "EXPIRED",
        /// A required entitlement is missing.
        EntitlementMissing = "ENTITLEMENT_MISSING",
        /// This version is newer than the license covers.
        VersionNotCovered = "VERSION_NOT_COVERED",
        /// The call must name what occupies the seat.
        IdentityRequired = "IDENTITY_REQUIRED",
        /// This identity holds no seat.
        NotActivated = "NOT_ACTIVATED",
        /// All seats are taken.
        SeatsExhausted = "SEATS_EXHAUSTED",
        /// In use beyond the limit, allowed for now.
        OverLimit = "OVER_LIMIT",
        /// Past due, still in use.
        Grace = "GRACE",
        /// In order.
        Valid = "VALID",
    }
}

impl VerdictCode {
    /// The only thing clients branch on.
    pub fn is_valid(self) -> bool {
        matches!(self, Self::Valid | Self::Grace | Self::OverLimit)
    }

    /// One sentence for the person in front of the kit.
    pub fn detail(self) -> &'static str {
        match self {
            Self::NotFound => "No license has this key.",
            Self::KitMismatch => "This license does not cover this kit.",
            Self::KeyReplaced => "This key was replaced. Use the current key from the portal.",
            Self::Merged => "This license was merged into another one.",
            Self::Revoked => "This license was revoked.",
            Self::Suspended => "This license is suspended.",
            Self::NotStarted => "This license is not in force yet.",
            Self::Expired => "This license has ended.",
            Self::EntitlementMissing => "This license lacks a required entitlement.",
            Self::VersionNotCovered => "This version is newer than the license covers.",
            Self::IdentityRequired => {
                "Name the device, site, user or project this license is used on."
            }
            Self::NotActivated => "This license is not activated here.",
            Self::SeatsExhausted => "All seats of this license are in use. Free one in the portal.",
            Self::OverLimit => "This license is in use beyond its limit.",
            Self::Grace => "A payment is overdue.",
            Self::Valid => "The license is valid.",
        }
    }
}

/// Where the seat of the identity stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeatState {
    /// The call named no identity.
    NoIdentity,
    /// Never activated.
    Never,
    /// Was activated, then freed.
    Freed,
    /// Activated.
    Held,
}

impl SeatState {
    /// `reason` beside `NOT_ACTIVATED`.
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::Never => Some("never"),
            Self::Freed => Some("freed"),
            Self::NoIdentity | Self::Held => None,
        }
    }
}

/// What a verdict rests on.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent facts, named"
)]
pub struct Standing {
    /// Whether the license covers the kit that was named.
    pub covers_kit: bool,
    /// Whether the key was replaced.
    pub key_replaced: bool,
    /// Base state.
    pub base_state: BaseState,
    /// At least one open revocation.
    pub revoked: bool,
    /// At least one open hold.
    pub suspended: bool,
    /// In force from.
    pub starts_at: Timestamp,
    /// May be used until; `None` = for ever.
    pub valid_until: Option<Timestamp>,
    /// What occupies a seat.
    pub seat_kind: SeatKind,
}

impl Standing {
    /// The first refusal of the license itself, seats apart.
    pub fn refusal(&self, now: Timestamp) -> Option<VerdictCode> {
        let checks = [
            (!self.covers_kit, VerdictCode::KitMismatch),
            (self.key_replaced, VerdictCode::KeyReplaced),
            (self.base_state == BaseState::Merged, VerdictCode::Merged),
            (self.revoked, VerdictCode::Revoked),
            (self.suspended, VerdictCode::Suspended),
            (
                self.base_state == BaseState::Pending || now < self.starts_at,
                VerdictCode::NotStarted,
            ),
            (
                self.base_state == BaseState::Ended
                    || self.valid_until.is_some_and(|end| end <= now),
                VerdictCode::Expired,
            ),
        ];
        checks
            .into_iter()
            .find(|(applies, _)| *applies)
            .map(|(_, code)| code)
    }

    /// The verdict of a look that takes no seat.
    pub fn verdict(&self, now: Timestamp, seat: SeatState) -> VerdictCode {
        if let Some(refusal) = self.refusal(now) {
            return refusal;
        }
        match (self.seat_kind, seat) {
            (SeatKind::None, _) | (_, SeatState::Held) => VerdictCode::Valid,
            (_, SeatState::NoIdentity) => VerdictCode::IdentityRequired,
            (_, SeatState::Never | SeatState::Freed) => VerdictCode::NotActivated,
        }
    }

    /// The one word.
    pub fn status(&self, now: Timestamp) -> LicenseStatus {
        if self.base_state == BaseState::Merged {
            LicenseStatus::Merged
        } else if self.revoked {
            LicenseStatus::Revoked
        } else if self.suspended {
            LicenseStatus::Suspended
        } else if self.base_state == BaseState::Pending || now < self.starts_at {
            LicenseStatus::Pending
        } else if self.base_state == BaseState::Ended
            || self.valid_until.is_some_and(|end| end <= now)
        {
            LicenseStatus::Expired
        } else {
            LicenseStatus::Active
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn sound() -> Standing {
        Standing {
            covers_kit: true,
            key_replaced: false,
            base_state: BaseState::Active,
            revoked: false,
            suspended: false,
            starts_at: at("2027-01-01T00:00:00Z"),
            valid_until: None,
            seat_kind: SeatKind::Device,
        }
    }

    #[test]
    fn the_first_reason_of_the_list_wins() {
        let now = at("2027-06-01T00:00:00Z");
        let mut standing = Standing {
            covers_kit: false,
            revoked: true,
            suspended: true,
            valid_until: Some(at("2027-02-01T00:00:00Z")),
            ..sound()
        };
        assert_eq!(standing.refusal(now), Some(VerdictCode::KitMismatch));
        standing.covers_kit = true;
        assert_eq!(standing.refusal(now), Some(VerdictCode::Revoked));
        standing.revoked = false;
        assert_eq!(standing.refusal(now), Some(VerdictCode::Suspended));
        standing.suspended = false;
        assert_eq!(standing.refusal(now), Some(VerdictCode::Expired));
        standing.valid_until = None;
        assert_eq!(standing.refusal(now), None);
    }

    #[test]
    fn a_license_ends_at_its_last_moment_not_after_it() {
        let end = at("2027-06-01T00:00:00Z");
        let standing = Standing {
            valid_until: Some(end),
            ..sound()
        };
        assert_eq!(standing.refusal(end.plus_seconds(-1)), None);
        assert_eq!(standing.refusal(end), Some(VerdictCode::Expired));
    }

    #[test]
    fn seats_matter_only_where_there_are_seats() {
        let now = at("2027-06-01T00:00:00Z");
        assert_eq!(
            sound().verdict(now, SeatState::NoIdentity),
            VerdictCode::IdentityRequired
        );
        assert_eq!(
            sound().verdict(now, SeatState::Never),
            VerdictCode::NotActivated
        );
        assert_eq!(sound().verdict(now, SeatState::Held), VerdictCode::Valid);
        let seatless = Standing {
            seat_kind: SeatKind::None,
            ..sound()
        };
        assert_eq!(
            seatless.verdict(now, SeatState::NoIdentity),
            VerdictCode::Valid
        );
    }
}
