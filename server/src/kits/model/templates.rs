//! Sets of terms to start from.

use super::{Basis, OnLapse, Scope, SeatKind};
use crate::db::types::text_enum;
use crate::kits::store::Terms;

text_enum! {
    /// A set of terms that hides those most vendors never touch.
    pub enum Template {
        /// Bought once: use for good, a year of updates.
        Perpetual = "perpetual",
        /// Subscription to every kit, those published later included.
        AllAccess = "all_access",
        /// Subscription to the kits listed.
        SingleKit = "single_kit",
        /// Two weeks from the first activation.
        Trial = "trial",
        /// Floating seats of a team, a year of updates.
        FloatingTeam = "floating_team",
    }
}

/// Paid months after which a subscriber keeps what was covered.
const KEPT_AFTER: i32 = 12;

impl Template {
    /// One sentence for who chooses.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Perpetual => "Bought once: use for good, a year of updates.",
            Self::AllAccess => {
                "Subscription to every kit, those published later included; what was covered is \
                 kept after twelve paid months."
            }
            Self::SingleKit => {
                "Subscription to the kits listed; what was covered is kept after twelve paid months."
            }
            Self::Trial => "Two weeks on one device from the first activation, then nothing.",
            Self::FloatingTeam => {
                "Five devices at a time, each for an hour after its last heartbeat; a year of updates."
            }
        }
    }

    /// Its terms.
    pub fn terms(self) -> Terms {
        match self {
            Self::Perpetual => Terms {
                edition: "Personal".to_owned(),
                updates_months: Some(12),
                ..Terms::default()
            },
            Self::AllAccess => Terms {
                scope: Scope::All,
                ..subscription("All access")
            },
            Self::SingleKit => subscription("Subscription"),
            Self::Trial => Terms {
                edition: "Trial".to_owned(),
                seat_kind: SeatKind::Device,
                seat_limit: Some(1),
                valid_days: Some(14),
                basis: Basis::FirstActivation,
                on_lapse: OnLapse::Stop,
                license_file_days: 3,
                ci_use: false,
                ..Terms::default()
            },
            Self::FloatingTeam => Terms {
                edition: "Team".to_owned(),
                seat_kind: SeatKind::Device,
                seat_limit: Some(5),
                lease_seconds: Some(3_600),
                updates_months: Some(12),
                ..Terms::default()
            },
        }
    }
}

/// Paid month by month; each payment moves the end of the updates.
fn subscription(edition: &str) -> Terms {
    Terms {
        edition: edition.to_owned(),
        updates_months: Some(1),
        keep_after_paid_months: KEPT_AFTER,
        grace_days: 14,
        ..Terms::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_terms_of_every_template_fit_together() {
        for template in Template::ALL {
            assert_eq!(template.terms().check(), Ok(()), "{template}");
        }
    }
}
