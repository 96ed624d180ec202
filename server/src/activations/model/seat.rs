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

    /// The end of the file of a machine that is never online, while that file speaks for the seat.
    pub fn offline_file(&self, now: Timestamp) -> Option<Timestamp> {
        self.offline_until.filter(|end| *end > now)
    }

    /// The end of a lease that shall end then: never before a file that speaks for the seat, for the
    /// machine goes on by the file.
    pub fn lease_end(&self, asked: Timestamp) -> Timestamp {
        self.offline_until.map_or(asked, |end| end.max(asked))
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

    fn taken_at(now: Timestamp) -> Activation {
        let entropy = SeededEntropy::new(1);
        Activation {
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
        }
    }

    #[test]
    fn a_lease_ends_at_its_last_moment_without_anybody_freeing_it() {
        let now = Timestamp::parse("2027-06-01T00:00:00Z").unwrap();
        let mut row = taken_at(now);
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
    }

    #[test]
    fn a_file_of_a_machine_that_is_never_online_speaks_until_its_end() {
        let now = Timestamp::parse("2027-06-01T00:00:00Z").unwrap();
        let (end, later) = (now.plus_seconds(60), now.plus_seconds(61));
        let mut row = taken_at(now);
        assert_eq!((row.counted_on_until(), row.lease_end(now)), (now, now));
        assert_eq!(row.offline_file(now), None);
        row.offline_until = Some(end);
        assert_eq!((row.counted_on_until(), row.lease_end(now)), (end, end));
        assert_eq!(row.lease_end(later), later);
        assert_eq!(row.offline_file(now), Some(end));
        assert_eq!(row.offline_file(end), None);
    }
}
