//! Where a seat stands, by its own row and the time alone.

use super::FreedReason;
use crate::activations::store::Activation;
use crate::clock::Timestamp;
use crate::licenses::model::SeatState;

impl Activation {
    /// Where its seat stands: an ended lease holds nothing, whether or not somebody noticed yet.
    pub fn state(&self, now: Timestamp) -> SeatState {
        match (self.freed_at, self.freed_reason, self.lease_ends_at) {
            (Some(_), Some(FreedReason::LeaseEnded), _) => SeatState::LeaseEnded,
            (Some(_), _, _) => SeatState::Freed,
            (None, _, Some(end)) if end <= now => SeatState::LeaseEnded,
            (None, _, _) => SeatState::Held,
        }
    }

    /// The last moment somebody is known to count on it: a machine that is never online is not seen.
    pub fn counted_on_until(&self) -> Timestamp {
        self.offline_until
            .map_or(self.last_seen_at, |end| end.max(self.last_seen_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activations::model::ActivationId;
    use crate::entropy::SeededEntropy;
    use crate::kits::model::SeatKind;
    use crate::licenses::model::LicenseId;

    #[test]
    fn a_lease_ends_at_its_last_moment_without_anybody_freeing_it() {
        let now = Timestamp::parse("2027-06-01T00:00:00Z").unwrap();
        let entropy = SeededEntropy::new(1);
        let mut row = Activation {
            id: ActivationId::new(now, &entropy),
            license_id: LicenseId::new(now, &entropy),
            kind: SeatKind::Device,
            identity: "machine-1".to_owned(),
            name: "machine-1".to_owned(),
            version: None,
            platform: None,
            created_at: now,
            last_seen_at: now,
            freed_at: None,
            lease_ends_at: None,
            freed_reason: None,
            offline_until: None,
        };
        assert_eq!(row.state(now.plus_seconds(1 << 30)), SeatState::Held);
        let end = now.plus_seconds(60);
        row.lease_ends_at = Some(end);
        assert_eq!(row.state(end.plus_seconds(-1)), SeatState::Held);
        assert_eq!(row.state(end), SeatState::LeaseEnded);
        row.freed_at = Some(end);
        row.freed_reason = Some(FreedReason::LeaseEnded);
        assert_eq!(row.state(end), SeatState::LeaseEnded);
        row.freed_reason = Some(FreedReason::Freed);
        assert_eq!(row.state(now), SeatState::Freed);
        assert_eq!(row.counted_on_until(), now);
        row.offline_until = Some(end);
        assert_eq!(row.counted_on_until(), end);
    }
}
