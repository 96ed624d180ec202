//! What a seat is identified by, and what becomes of it.

mod churn;
mod seat;
mod site;

use crate::db::types::{text_enum, typed_id};
use crate::kits::model::{SeatKind, has_control};

pub use churn::{Churn, next_free};
pub use site::{is_local, is_staging};

typed_id!(
    /// One occupied seat.
    ActivationId, "act"
);
typed_id!(
    /// Something that happened to a seat.
    ActivationEventId, "aev"
);

text_enum! {
    /// Why a seat was freed.
    pub enum FreedReason {
        /// Somebody freed it.
        Freed = "freed",
        /// Its lease ended.
        LeaseEnded = "lease_ended",
        /// It was not seen for as long as the policy says.
        Unseen = "unseen",
        /// It was beyond a lowered limit when the time for choosing was over.
        OverLimit = "over_limit",
    }
}

text_enum! {
    /// What happened to a seat.
    pub enum EventKind {
        /// It was taken.
        Activated = "activated",
        /// Somebody freed it.
        Freed = "freed",
        /// Its lease ended.
        LeaseEnded = "lease_ended",
        /// It was not seen for as long as the policy says.
        Unseen = "unseen",
        /// It was beyond a lowered limit when the time for choosing was over.
        OverLimit = "over_limit",
    }
}

impl From<FreedReason> for EventKind {
    fn from(reason: FreedReason) -> Self {
        match reason {
            FreedReason::Freed => Self::Freed,
            FreedReason::LeaseEnded => Self::LeaseEnded,
            FreedReason::Unseen => Self::Unseen,
            FreedReason::OverLimit => Self::OverLimit,
        }
    }
}

text_enum! {
    /// Whose hand it was.
    pub enum ByWhom {
        /// A kit, with the license key.
        Kit = "kit",
        /// A person in the portal.
        Customer = "customer",
        /// The vendor's people and programs.
        Staff = "staff",
        /// Time.
        System = "system",
    }
}

impl ByWhom {
    /// Whether seats this hand frees count as the customer's.
    pub fn is_customer(self) -> bool {
        match self {
            Self::Kit | Self::Customer => true,
            Self::Staff | Self::System => false,
        }
    }
}

/// Longest identity, in bytes.
pub const IDENTITY_MAX: usize = 256;
/// Longest name of a seat, in characters.
pub const NAME_MAX: usize = 100;

/// What occupies a seat, normalized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Kind.
    pub kind: SeatKind,
    /// Its text.
    pub text: String,
}

/// Why an identity is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityFault {
    /// Nothing left after trimming.
    #[error("must not be empty")]
    Empty,
    /// Over [`IDENTITY_MAX`].
    #[error("must have at most 256 bytes")]
    TooLong,
    /// Control characters.
    #[error("must not hold control characters")]
    Control,
    /// A site that is no host name.
    #[error("must be a host name")]
    NotAHost,
}

impl Identity {
    /// Normalizes an identity: trimmed; a site loses scheme, `www.`, port and path, and is IDNA.
    pub fn new(kind: SeatKind, text: &str) -> Result<Self, IdentityFault> {
        let text = text.trim();
        if text.is_empty() {
            return Err(IdentityFault::Empty);
        }
        if text.len() > IDENTITY_MAX {
            return Err(IdentityFault::TooLong);
        }
        if has_control(text) {
            return Err(IdentityFault::Control);
        }
        let text = match kind {
            SeatKind::Site => site::host(text).ok_or(IdentityFault::NotAHost)?,
            SeatKind::User => text.to_lowercase(),
            SeatKind::None | SeatKind::Device | SeatKind::Project => text.to_owned(),
        };
        Ok(Self { kind, text })
    }

    /// Whether it is a site where the kit is built or tried out, which uses no seat.
    pub fn needs_no_seat(&self, staging_hosts: &[String]) -> bool {
        self.kind == SeatKind::Site
            && (is_local(&self.text) || is_staging(&self.text, staging_hosts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_bounded() {
        let fault = |text: &str| Identity::new(SeatKind::Device, text).unwrap_err();
        assert_eq!(fault("  "), IdentityFault::Empty);
        assert_eq!(fault(&"x".repeat(257)), IdentityFault::TooLong);
        assert_eq!(fault("a\u{0}b"), IdentityFault::Control);
    }

    #[test]
    fn only_sites_are_ever_without_a_seat() {
        let local = |kind| Identity::new(kind, "localhost").unwrap().needs_no_seat(&[]);
        assert!(local(SeatKind::Site));
        assert!(!local(SeatKind::Device) && !local(SeatKind::Project));
    }
}
