//! Seats of a license, in words and as a meter.

/// What one seat of a license is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeatKind {
    /// The license has no seats: nothing is counted.
    None,
    /// A computer or server.
    Device,
    /// A web site.
    Site,
    /// A person.
    User,
    /// A code base.
    Project,
}

impl SeatKind {
    pub(crate) fn one(self) -> &'static str {
        match self {
            Self::None => "seat",
            Self::Device => "device",
            Self::Site => "site",
            Self::User => "user",
            Self::Project => "project",
        }
    }

    pub(crate) fn many(self) -> &'static str {
        match self {
            Self::None => "seats",
            Self::Device => "devices",
            Self::Site => "sites",
            Self::User => "users",
            Self::Project => "projects",
        }
    }
}

/// How many seats are taken.
#[derive(Debug, Clone, Copy)]
pub struct Seats {
    /// What one seat is.
    pub kind: SeatKind,
    /// Seats taken now.
    pub used: i64,
    /// Seats bought; `None` is without limit.
    pub limit: Option<i64>,
}

/// Up to this many seats are drawn one by one; more become a bar.
const PIPS: i64 = 12;

impl Seats {
    pub(crate) fn counted(self) -> bool {
        self.kind != SeatKind::None
    }

    /// `2 of 5 devices in use`.
    pub(crate) fn words(self) -> String {
        if !self.counted() {
            return "No seats to manage".to_owned();
        }
        let Some(limit) = self.limit else {
            let noun = if self.used == 1 {
                self.kind.one()
            } else {
                self.kind.many()
            };
            return format!("{} {noun} in use, no limit", self.used);
        };
        let noun = if limit == 1 {
            self.kind.one()
        } else {
            self.kind.many()
        };
        let over = self.used.saturating_sub(limit);
        if over > 0 {
            return format!("{} of {limit} {noun} in use, {over} too many", self.used);
        }
        format!("{} of {limit} {noun} in use", self.used)
    }

    /// One entry per seat, true where it is taken; empty where a bar or nothing is drawn.
    pub(crate) fn pips(self) -> Vec<bool> {
        match self.limit {
            Some(limit) if self.counted() && (1..=PIPS).contains(&limit) => {
                (0..limit).map(|seat| seat < self.used).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Percent of the limit, where a bar is drawn.
    pub(crate) fn bar(self) -> Option<i64> {
        let limit = self.limit.filter(|limit| self.counted() && *limit > PIPS)?;
        Some((self.used.saturating_mul(100) / limit).clamp(0, 100))
    }

    /// Color of the meter.
    pub(crate) fn class(self) -> &'static str {
        match self.limit {
            Some(limit) if self.used > limit => "danger",
            Some(limit) if self.used == limit => "full",
            _ => "free",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{SeatKind, Seats};

    fn seats(used: i64, limit: Option<i64>) -> Seats {
        Seats {
            kind: SeatKind::Device,
            used,
            limit,
        }
    }

    #[test]
    fn the_words_say_how_many_of_how_many() {
        assert_eq!(seats(2, Some(5)).words(), "2 of 5 devices in use");
        assert_eq!(seats(0, Some(1)).words(), "0 of 1 device in use");
        assert_eq!(
            seats(4, Some(3)).words(),
            "4 of 3 devices in use, 1 too many"
        );
        assert_eq!(seats(1, None).words(), "1 device in use, no limit");
        let none = Seats {
            kind: SeatKind::None,
            used: 0,
            limit: None,
        };
        assert_eq!(none.words(), "No seats to manage");
    }

    #[test]
    fn few_seats_are_drawn_one_by_one_and_many_as_a_bar() {
        assert_eq!(seats(1, Some(3)).pips(), [true, false, false]);
        assert_eq!(seats(1, Some(3)).bar(), None);
        assert!(seats(20, Some(80)).pips().is_empty());
        assert_eq!(seats(20, Some(80)).bar(), Some(25));
        assert_eq!(seats(90, Some(80)).bar(), Some(100));
        assert_eq!(seats(i64::MAX, Some(80)).bar(), Some(100));
        assert_eq!(seats(3, None).bar(), None);
        assert!(seats(0, Some(0)).pips().is_empty());
    }
}
