//! What the state of a license means for who presents its key.

use super::{BaseState, LicenseStatus, VerdictCode};
use crate::clock::Timestamp;
use crate::kits::model::SeatKind;

const DAY: i64 = 86_400;

/// Where the seat of the identity stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeatState {
    /// The call named no identity.
    NoIdentity,
    /// A local or staging site, or a CI token: none is needed.
    Unneeded,
    /// Never activated.
    Never,
    /// Was activated, then freed.
    Freed,
    /// Was activated; its lease ended.
    LeaseEnded,
    /// Activated.
    Held,
}

impl SeatState {
    /// `reason` beside `NOT_ACTIVATED`.
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::Never => Some("never"),
            Self::Freed => Some("freed"),
            Self::LeaseEnded => Some("lease_ended"),
            Self::NoIdentity | Self::Unneeded | Self::Held => None,
        }
    }
}

/// What a call asks for beside the license itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Where the seat of its identity stands.
    pub seat: SeatState,
    /// It needs a feature the license lacks.
    pub entitlement_missing: bool,
    /// It runs a version the license does not cover.
    pub version_not_covered: bool,
    /// More seats are in use than the license has.
    pub over_limit: bool,
}

impl Look {
    /// A look at a seat, at nothing else.
    pub fn at(seat: SeatState) -> Self {
        Self {
            seat,
            entitlement_missing: false,
            version_not_covered: false,
            over_limit: false,
        }
    }
}

/// Whether the subscription of a license is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lapse {
    /// Yes, or there is none.
    No,
    /// Past due, within grace until then.
    Grace(Timestamp),
    /// Ended, paused, or past due beyond grace, since then.
    Since(Timestamp),
}

/// What is open to who holds a license; the columns of the effects table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Running the kit.
    Use,
    /// Taking one more seat.
    NewSeat,
    /// Moving a seat: taking one where another was freed.
    MoveSeat,
    /// Downloading what is covered.
    CoveredDownloads,
    /// Getting releases that come out from now on.
    NewerReleases,
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
    /// From when the key that was shown no longer counts.
    pub key_ends_at: Option<Timestamp>,
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
    /// What was released up to then may be had; `None` = everything.
    pub updates_until: Option<Timestamp>,
    /// Since when a payment is overdue.
    pub past_due_since: Option<Timestamp>,
    /// When its subscription ended or was paused.
    pub lapsed_at: Option<Timestamp>,
    /// Days of use beyond an unpaid end.
    pub grace_days: i32,
    /// Whether a lapse leaves what was covered.
    pub keeps: bool,
    /// What occupies a seat.
    pub seat_kind: SeatKind,
}

impl Standing {
    fn grace(&self) -> i64 {
        i64::from(self.grace_days) * DAY
    }

    /// Whether its subscription is paid.
    pub fn lapse(&self, now: Timestamp) -> Lapse {
        if let Some(since) = self.lapsed_at.filter(|since| *since <= now) {
            return Lapse::Since(since);
        }
        match self.past_due_since.filter(|since| *since <= now) {
            None => Lapse::No,
            Some(since) => {
                let end = since.plus_seconds(self.grace());
                if now < end {
                    Lapse::Grace(end)
                } else {
                    Lapse::Since(end)
                }
            }
        }
    }

    /// The end of use, grace included, and that of a lapse that stops it; `None` = for ever.
    pub fn usable_until(&self) -> Option<Timestamp> {
        let in_grace = |end: Option<Timestamp>| end.map(|end| end.plus_seconds(self.grace()));
        let lapses = [self.lapsed_at, in_grace(self.past_due_since)];
        let stops = lapses.into_iter().flatten().filter(|_| !self.keeps);
        stops.chain(in_grace(self.valid_until)).min()
    }

    fn is_over(&self, now: Timestamp) -> bool {
        let is_past = self.usable_until().is_some_and(|end| end <= now);
        self.base_state == BaseState::Ended || is_past
    }

    fn is_not_yet(&self, now: Timestamp) -> bool {
        self.base_state == BaseState::Pending || now < self.starts_at
    }

    fn in_grace(&self, now: Timestamp) -> bool {
        self.valid_until.is_some_and(|end| end <= now) || matches!(self.lapse(now), Lapse::Grace(_))
    }

    /// The first refusal of the license itself, seats apart.
    pub fn refusal(&self, now: Timestamp) -> Option<VerdictCode> {
        let replaced = self.key_ends_at.is_some_and(|end| end <= now);
        let checks = [
            (!self.covers_kit, VerdictCode::KitMismatch),
            (replaced, VerdictCode::KeyReplaced),
            (self.base_state == BaseState::Merged, VerdictCode::Merged),
            (self.revoked, VerdictCode::Revoked),
            (self.suspended, VerdictCode::Suspended),
            (self.is_not_yet(now), VerdictCode::NotStarted),
            (self.is_over(now), VerdictCode::Expired),
        ];
        let mut checks = checks.into_iter();
        checks.find(|(applies, _)| *applies).map(|(_, code)| code)
    }

    /// The verdict of a look that takes no seat.
    pub fn verdict(&self, now: Timestamp, look: Look) -> VerdictCode {
        if let Some(refusal) = self.refusal(now) {
            return refusal;
        }
        if look.entitlement_missing {
            return VerdictCode::EntitlementMissing;
        }
        if look.version_not_covered {
            return VerdictCode::VersionNotCovered;
        }
        match (self.seat_kind, look.seat) {
            (SeatKind::None, _) | (_, SeatState::Held | SeatState::Unneeded) => {
                self.sound(now, look.over_limit)
            }
            (_, SeatState::NoIdentity) => VerdictCode::IdentityRequired,
            (_, SeatState::Never | SeatState::Freed | SeatState::LeaseEnded) => {
                VerdictCode::NotActivated
            }
        }
    }

    /// Which of the valid codes it is.
    fn sound(&self, now: Timestamp, over_limit: bool) -> VerdictCode {
        if over_limit {
            VerdictCode::OverLimit
        } else if self.in_grace(now) {
            VerdictCode::Grace
        } else {
            VerdictCode::Valid
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
        } else if self.is_not_yet(now) {
            LicenseStatus::Pending
        } else if self.is_over(now) {
            LicenseStatus::Expired
        } else if matches!(self.lapse(now), Lapse::Since(_)) {
            LicenseStatus::Lapsed
        } else if self.in_grace(now) {
            LicenseStatus::Grace
        } else {
            LicenseStatus::Active
        }
    }

    /// The effects table of open reasons.
    pub fn allows(&self, effect: Effect, now: Timestamp) -> bool {
        if self.refusal(now).is_some() {
            return false;
        }
        match (self.lapse(now), effect) {
            (Lapse::Since(_), Effect::NewSeat | Effect::NewerReleases) => false,
            (Lapse::No | Lapse::Grace(_), _)
            | (Lapse::Since(_), Effect::Use | Effect::MoveSeat | Effect::CoveredDownloads) => true,
        }
    }

    /// What was released up to then may be had: a lapse ends what never ended otherwise.
    pub fn covers_until(&self, now: Timestamp) -> Option<Timestamp> {
        match (self.lapse(now), self.updates_until) {
            (Lapse::Since(since), Some(end)) => Some(end.min(since)),
            (Lapse::Since(since), None) => Some(since),
            (Lapse::No | Lapse::Grace(_), end) => end,
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
            key_ends_at: None,
            base_state: BaseState::Active,
            revoked: false,
            suspended: false,
            starts_at: at("2027-01-01T00:00:00Z"),
            valid_until: None,
            updates_until: None,
            past_due_since: None,
            lapsed_at: None,
            grace_days: 0,
            keeps: true,
            seat_kind: SeatKind::Device,
        }
    }

    fn verdict(standing: &Standing, now: Timestamp, seat: SeatState) -> VerdictCode {
        standing.verdict(now, Look::at(seat))
    }

    #[test]
    fn the_first_reason_of_the_list_wins() {
        let now = at("2027-06-01T00:00:00Z");
        let mut standing = Standing {
            covers_kit: false,
            key_ends_at: Some(now),
            revoked: true,
            suspended: true,
            valid_until: Some(at("2027-02-01T00:00:00Z")),
            ..sound()
        };
        assert_eq!(standing.refusal(now), Some(VerdictCode::KitMismatch));
        standing.covers_kit = true;
        assert_eq!(standing.refusal(now), Some(VerdictCode::KeyReplaced));
        standing.key_ends_at = Some(now.plus_seconds(1));
        assert_eq!(standing.refusal(now), Some(VerdictCode::Revoked));
        standing.revoked = false;
        assert_eq!(standing.refusal(now), Some(VerdictCode::Suspended));
        standing.suspended = false;
        assert_eq!(standing.refusal(now), Some(VerdictCode::Expired));
        standing.valid_until = None;
        assert_eq!(standing.refusal(now), None);
        let look = Look {
            seat: SeatState::NoIdentity,
            entitlement_missing: true,
            version_not_covered: true,
            over_limit: true,
        };
        assert_eq!(standing.verdict(now, look), VerdictCode::EntitlementMissing);
        let look = Look {
            entitlement_missing: false,
            ..look
        };
        assert_eq!(standing.verdict(now, look), VerdictCode::VersionNotCovered);
        let look = Look {
            version_not_covered: false,
            ..look
        };
        assert_eq!(standing.verdict(now, look), VerdictCode::IdentityRequired);
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
    fn grace_is_told_and_ends() {
        let end = at("2027-06-01T00:00:00Z");
        let standing = Standing {
            valid_until: Some(end),
            grace_days: 3,
            ..sound()
        };
        let held = |now| verdict(&standing, now, SeatState::Held);
        assert_eq!(held(end.plus_seconds(-1)), VerdictCode::Valid);
        assert_eq!(held(end), VerdictCode::Grace);
        assert_eq!(standing.status(end), LicenseStatus::Grace);
        assert_eq!(held(end.plus_seconds(3 * DAY - 1)), VerdictCode::Grace);
        assert_eq!(held(end.plus_seconds(3 * DAY)), VerdictCode::Expired);
    }

    #[test]
    fn a_lapse_keeps_what_was_covered_or_stops() {
        let since = at("2027-06-01T00:00:00Z");
        let mut standing = Standing {
            past_due_since: Some(since),
            grace_days: 7,
            ..sound()
        };
        let all = [
            Effect::Use,
            Effect::NewSeat,
            Effect::CoveredDownloads,
            Effect::NewerReleases,
        ];
        let allowed = |standing: &Standing, now| all.map(|effect| standing.allows(effect, now));
        let (within, beyond) = (since.plus_seconds(DAY), since.plus_seconds(7 * DAY));
        assert_eq!(allowed(&standing, within), [true; 4]);
        assert_eq!(standing.status(within), LicenseStatus::Grace);
        assert_eq!(allowed(&standing, beyond), [true, false, true, false]);
        assert_eq!(standing.status(beyond), LicenseStatus::Lapsed);
        assert_eq!(standing.covers_until(within), None);
        assert_eq!(standing.covers_until(beyond), Some(beyond));
        assert!(standing.allows(Effect::MoveSeat, beyond));
        standing.keeps = false;
        assert_eq!(allowed(&standing, within), [true; 4]);
        assert_eq!(allowed(&standing, beyond), [false; 4]);
        assert_eq!(standing.status(beyond), LicenseStatus::Expired);
    }

    /// Without an open hold or revocation, no state between paying and cancelled sees less than
    /// cancelled does.
    #[test]
    fn overdue_never_sees_less_than_cancelled() {
        let since = at("2027-06-01T00:00:00Z");
        for (keeps, days) in [(true, 0), (true, 9), (false, 0), (false, 9)] {
            let base = Standing {
                keeps,
                grace_days: 7,
                ..sound()
            };
            let overdue = Standing {
                past_due_since: Some(since),
                ..base.clone()
            };
            let cancelled = Standing {
                lapsed_at: Some(since),
                ..base
            };
            let now = since.plus_seconds(days * DAY);
            for effect in [Effect::Use, Effect::NewSeat, Effect::CoveredDownloads] {
                assert!(overdue.allows(effect, now) >= cancelled.allows(effect, now));
            }
        }
    }

    #[test]
    fn seats_matter_only_where_there_are_seats() {
        let now = at("2027-06-01T00:00:00Z");
        let of = |seat| verdict(&sound(), now, seat);
        assert_eq!(of(SeatState::NoIdentity), VerdictCode::IdentityRequired);
        assert_eq!(of(SeatState::Never), VerdictCode::NotActivated);
        assert_eq!(of(SeatState::LeaseEnded), VerdictCode::NotActivated);
        assert_eq!(of(SeatState::Held), VerdictCode::Valid);
        assert_eq!(of(SeatState::Unneeded), VerdictCode::Valid);
        let seatless = Standing {
            seat_kind: SeatKind::None,
            ..sound()
        };
        let look = verdict(&seatless, now, SeatState::NoIdentity);
        assert_eq!(look, VerdictCode::Valid);
    }
}
