//! Words of licenses; what they mean for who presents a key stands in [`Standing`].

mod details;
mod given;
mod renewal;
mod standing;

use crate::db::types::{text_enum, typed_id};

pub use details::{Metadata, fits_calendar, note_text};
pub use given::Given;
pub use renewal::renewed;
pub use standing::{Effect, Lapse, Look, SeatState, Standing};

typed_id!(
    /// A license.
    LicenseId, "lic"
);
typed_id!(
    /// One key of a license.
    LicenseKeyId, "lky"
);

typed_id!(
    /// An open or closed reason.
    HoldId, "hld"
);
typed_id!(
    /// What somebody of the vendor wrote about a license.
    NoteId, "lno"
);

text_enum! {
    /// Where a key comes from.
    pub enum KeySource {
        /// Made here.
        Own = "kitward",
        /// Imported from Gumroad.
        Gumroad = "gumroad",
        /// Imported from Lemon Squeezy.
        LemonSqueezy = "lemon_squeezy",
        /// Imported from Keygen.
        Keygen = "keygen",
        /// Imported from Polar.
        Polar = "polar",
        /// Imported from another system.
        Other = "other",
    }
}

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
        /// Past due, or past its end, within grace.
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
    /// The two kinds of open reasons.
    pub enum HoldKind {
        /// Suspends: may well be closed again.
        Hold = "hold",
        /// Revokes.
        Revocation = "revocation",
    }
}

text_enum! {
    /// Why a license is suspended or revoked.
    pub enum HoldReason {
        /// The buyer disputes the payment.
        Dispute = "dispute",
        /// The provider warns of fraud.
        FraudWarning = "fraud_warning",
        /// Staff decided so.
        Manual = "manual",
        /// The whole payment was given back.
        RefundFull = "refund_full",
        /// The dispute was lost.
        DisputeLost = "dispute_lost",
        /// Bought by fraud.
        Fraud = "fraud",
        /// Used against its terms.
        Abuse = "abuse",
        /// Its customer was erased.
        Erased = "erased",
    }
}

impl HoldReason {
    /// Whether it suspends or revokes.
    pub fn kind(self) -> HoldKind {
        match self {
            Self::Dispute | Self::FraudWarning | Self::Manual => HoldKind::Hold,
            Self::RefundFull | Self::DisputeLost | Self::Fraud | Self::Abuse | Self::Erased => {
                HoldKind::Revocation
            }
        }
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
        /// Past due, or past its end, still in use.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Client libraries test themselves against the vectors: each code must be among them.
    #[test]
    fn the_public_vectors_hold_a_verdict_for_every_code() {
        let vectors = include_str!("../../../keys/tests/vectors/documents.json");
        let file: serde_json::Value = serde_json::from_str(vectors).unwrap();
        let cases = file["cases"].as_array().unwrap();
        for code in VerdictCode::ALL {
            let told = cases.iter().find(|case| {
                case["typ"] == "verdict+jwt" && case["claims"]["code"] == code.as_str()
            });
            let told = told.unwrap_or_else(|| panic!("no vector for {code}"));
            assert_eq!(told["claims"]["valid"], code.is_valid(), "{code}");
        }
    }
}
