//! How often the customer may move seats.

use crate::clock::Timestamp;
use crate::kits::store::Terms;

const DAY: i64 = 86_400;

/// At most so many seats freed in so many days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Churn {
    /// Seats.
    pub seats: i64,
    days: i64,
}

impl Churn {
    /// The limit of these terms; `None` = any number. Floating seats move by nature.
    pub fn of(terms: &Terms) -> Option<Self> {
        match (terms.churn_seats, terms.churn_days, terms.lease_seconds) {
            (Some(seats), Some(days), None) => Some(Self {
                seats: seats.into(),
                days: days.into(),
            }),
            _ => None,
        }
    }

    /// What was freed up to then counts no more.
    pub fn counts_after(self, now: Timestamp) -> Timestamp {
        now.plus_seconds(-self.days * DAY)
    }
}

/// When the next seat may be freed; `None` = now. `newest` are the moments at which the customer
/// freed seats, the newest first, as many as the limit.
pub fn next_free(churn: Churn, newest: &[Timestamp]) -> Option<Timestamp> {
    let full = i64::try_from(newest.len()).is_ok_and(|freed| freed >= churn.seats);
    let oldest = newest.last().filter(|_| full)?;
    Some(oldest.plus_seconds(churn.days * DAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_move_makes_room_for_the_next() {
        let terms = Terms {
            churn_seats: Some(2),
            churn_days: Some(30),
            ..Terms::default()
        };
        let churn = Churn::of(&terms).unwrap();
        let day = |days| {
            Timestamp::parse("2027-01-01T00:00:00Z")
                .unwrap()
                .plus_seconds(days * DAY)
        };
        assert_eq!(next_free(churn, &[]), None);
        assert_eq!(next_free(churn, &[day(3)]), None);
        assert_eq!(next_free(churn, &[day(3), day(1)]), Some(day(31)));
        assert_eq!(churn.counts_after(day(31)), day(1));
        let floating = Terms {
            lease_seconds: Some(60),
            ..terms
        };
        assert_eq!(Churn::of(&floating), None);
    }
}
