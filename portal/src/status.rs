//! The status of a license as an icon, a word and a color.

/// What a license is worth right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Paid for, not started yet.
    Pending,
    /// In force.
    Active,
    /// A payment is late; everything still works.
    Grace,
    /// Its subscription ended; what it covers is kept.
    Lapsed,
    /// Its time is over.
    Expired,
    /// On hold until something is settled.
    Suspended,
    /// Taken back.
    Revoked,
    /// Folded into another license.
    Merged,
}

impl Status {
    /// Every status, in the order of a license's life.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Active,
        Self::Grace,
        Self::Lapsed,
        Self::Expired,
        Self::Suspended,
        Self::Revoked,
        Self::Merged,
    ];

    /// The word shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Active => "Active",
            Self::Grace => "Payment due",
            Self::Lapsed => "Updates ended",
            Self::Expired => "Expired",
            Self::Suspended => "On hold",
            Self::Revoked => "Revoked",
            Self::Merged => "Merged",
        }
    }

    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Active => "ok",
            Self::Pending => "info",
            Self::Grace | Self::Suspended => "warn",
            Self::Expired | Self::Revoked => "danger",
            Self::Lapsed | Self::Merged => "quiet",
        }
    }

    pub(crate) fn icon(self) -> &'static str {
        match self {
            Self::Active => "check",
            Self::Pending | Self::Lapsed => "clock",
            Self::Grace => "alert",
            Self::Suspended => "pause",
            Self::Expired | Self::Revoked => "cross",
            Self::Merged => "note",
        }
    }
}
