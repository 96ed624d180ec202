//! Which terms fit together.

use super::{OnLapse, SeatKind, has_invisible, is_visible};
use crate::clock::Timestamp;
use crate::key_ring::model::LONGEST_FILE_DAYS;
use crate::kits::store::Terms;

/// Why terms are refused: the field and the reason.
pub type TermsFault = (&'static str, &'static str);

/// Most entitlements one policy may name.
pub(super) const ENTITLEMENTS_MAX: usize = 100;
/// Most staging patterns one policy may name.
pub(super) const STAGING_MAX: usize = 50;
/// Days in a century; longer is for ever.
const DAYS_MAX: i32 = 36_500;

fn plus_months(start: Timestamp, months: Option<i32>) -> Option<Timestamp> {
    let months = months.and_then(|months| u32::try_from(months).ok());
    months.map(|months| start.plus_months(months))
}

fn within(value: Option<i32>, most: i32) -> bool {
    value.is_none_or(|value| (1..=most).contains(&value))
}

fn unless(fits: bool, field: &'static str, reason: &'static str) -> Result<(), TermsFault> {
    if fits { Ok(()) } else { Err((field, reason)) }
}

impl Terms {
    /// Checks ranges and what must fit together.
    pub fn check(&self) -> Result<(), TermsFault> {
        let edition = self.edition.trim();
        let named = edition.chars().count() <= 60 && is_visible(edition);
        unless(named, "edition", "must have 1 to 60 visible characters")?;
        self.check_seats()?;
        self.check_overage()?;
        self.check_durations()?;
        self.check_lapse()?;
        self.check_downloads()?;
        self.check_words()
    }

    fn check_downloads(&self) -> Result<(), TermsFault> {
        let reason = "must be 1 to 1000000, or null for any number";
        let limits = [
            (self.downloads_per_day, "downloads_per_day"),
            (self.download_networks_per_day, "download_networks_per_day"),
        ];
        for (limit, field) in limits {
            unless(within(limit, 1_000_000), field, reason)?;
        }
        Ok(())
    }

    fn check_seats(&self) -> Result<(), TermsFault> {
        let seats = self.seat_kind != SeatKind::None;
        let none = "has no meaning where the seat kind is none";
        unless(seats || self.seat_limit.is_none(), "seat_limit", none)?;
        unless(seats || self.lease_seconds.is_none(), "lease_seconds", none)?;
        let unseen = seats || self.free_unseen_days.is_none();
        unless(unseen, "free_unseen_days", none)?;
        unless(seats || self.churn_seats.is_none(), "churn_seats", none)?;
        let reason = "must be 1 to 1000000, or null for unlimited";
        unless(within(self.seat_limit, 1_000_000), "seat_limit", reason)?;
        let lease = self.lease_seconds;
        let fits = lease.is_none_or(|seconds| (60..=31 * 86_400).contains(&seconds));
        let reason = "must be 60 to 2678400, or null for seats held until freed";
        unless(fits, "lease_seconds", reason)?;
        let fits = within(self.free_unseen_days, DAYS_MAX);
        unless(
            fits,
            "free_unseen_days",
            "must be 1 to 36500, or null for never",
        )?;
        let both = self.churn_seats.is_some() == self.churn_days.is_some();
        unless(
            both,
            "churn_days",
            "must be given together with churn_seats",
        )?;
        let fits = within(self.churn_seats, 1_000_000);
        unless(
            fits,
            "churn_seats",
            "must be 1 to 1000000, or null for any number",
        )?;
        unless(
            within(self.churn_days, DAYS_MAX),
            "churn_days",
            "must be 1 to 36500",
        )
    }

    fn check_overage(&self) -> Result<(), TermsFault> {
        let one = self.overage_seats.is_none() || self.overage_percent.is_none();
        let reason = "cannot be given together with overage_seats";
        unless(one, "overage_percent", reason)?;
        let limited = "has no meaning without a seat_limit";
        let has_limit = self.seat_limit.is_some();
        let fits = has_limit || self.overage_seats.is_none();
        unless(fits, "overage_seats", limited)?;
        let fits = has_limit || self.overage_percent.is_none();
        unless(fits, "overage_percent", limited)?;
        let fits = within(self.overage_seats, 1_000_000);
        unless(
            fits,
            "overage_seats",
            "must be 1 to 1000000, or null for none",
        )?;
        let fits = within(self.overage_percent, 1_000);
        unless(
            fits,
            "overage_percent",
            "must be 1 to 1000, or null for none",
        )
    }

    fn check_durations(&self) -> Result<(), TermsFault> {
        let months = "must be 1 to 1200, or null for ever";
        unless(within(self.updates_months, 1_200), "updates_months", months)?;
        unless(within(self.valid_months, 1_200), "valid_months", months)?;
        let fits = within(self.valid_days, DAYS_MAX);
        unless(fits, "valid_days", "must be 1 to 36500, or null for ever")?;
        let one = self.valid_months.is_none() || self.valid_days.is_none();
        unless(
            one,
            "valid_days",
            "cannot be given together with valid_months",
        )?;
        let fits = (0..=366).contains(&self.grace_days);
        unless(fits, "grace_days", "must be 0 to 366")?;
        let fits = (0..=3_660).contains(&self.security_grace_days);
        unless(fits, "security_grace_days", "must be 0 to 3660")?;
        let fits = (1..=366).contains(&self.license_file_days);
        unless(fits, "license_file_days", "must be 1 to 366")?;
        let fits = within(self.offline_file_days, LONGEST_FILE_DAYS);
        let reason = "must be 1 to 3660, or null for no such files";
        unless(fits, "offline_file_days", reason)
    }

    fn check_lapse(&self) -> Result<(), TermsFault> {
        let fits = (0..=1_200).contains(&self.keep_after_paid_months);
        unless(fits, "keep_after_paid_months", "must be 0 to 1200")?;
        let fits = self.on_lapse == OnLapse::Keep || self.keep_after_paid_months == 0;
        let reason = "has no meaning where on_lapse is stop";
        unless(fits, "keep_after_paid_months", reason)
    }

    fn check_words(&self) -> Result<(), TermsFault> {
        check_entitlements(self.entitlements.words()).map_err(|reason| ("entitlements", reason))?;
        let staging = self.staging_hosts.words();
        let fits = staging.is_empty() || self.seat_kind == SeatKind::Site;
        let reason = "has a meaning for sites only";
        unless(fits, "staging_hosts", reason)?;
        let fits = staging.len() <= STAGING_MAX && staging.iter().all(|it| is_host_pattern(it));
        let reason = "must be at most 50 host names, each of which may start with *.";
        unless(fits, "staging_hosts", reason)
    }

    /// Limit and overage together: what the claim of a seat is checked against. `None` = unlimited.
    pub fn cap(&self, limit: Option<i32>) -> Option<i32> {
        let limit = i64::from(limit?);
        let beyond = match (self.overage_seats, self.overage_percent) {
            (Some(seats), _) => i64::from(seats),
            (None, Some(percent)) => limit.saturating_mul(i64::from(percent)) / 100,
            (None, None) => 0,
        };
        Some(i32::try_from(limit.saturating_add(beyond)).unwrap_or(i32::MAX))
    }

    /// Whether a lapse leaves what was covered, after so many paid months.
    pub fn keeps_after(&self, paid_months: i32) -> bool {
        self.on_lapse == OnLapse::Keep && paid_months >= self.keep_after_paid_months
    }

    /// The end of use, counted from a moment; `None` = for ever.
    pub fn valid_from(&self, start: Timestamp) -> Option<Timestamp> {
        let days = self
            .valid_days
            .map(|days| start.plus_seconds(i64::from(days) * 86_400));
        days.or_else(|| plus_months(start, self.valid_months))
    }

    /// The end of updates, counted from a moment; `None` = for ever.
    pub fn updates_from(&self, start: Timestamp) -> Option<Timestamp> {
        plus_months(start, self.updates_months)
    }
}

/// Checks names of features: at most 100, each of 1 to 64 visible ASCII characters, none twice.
pub fn check_entitlements(words: &[String]) -> Result<(), &'static str> {
    let is_name = |word: &String| {
        (1..=64).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if words.len() > ENTITLEMENTS_MAX || !words.iter().all(is_name) {
        return Err("must be at most 100 names of 1 to 64 printable characters without spaces");
    }
    let mut sorted: Vec<&String> = words.iter().collect();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err("must not name a feature twice");
    }
    Ok(())
}

/// A host name, or `*.` and a host name.
fn is_host_pattern(text: &str) -> bool {
    let host = text.strip_prefix("*.").unwrap_or(text);
    !host.is_empty()
        && text.len() <= 253
        && !has_invisible(text)
        && host.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(change: impl FnOnce(&mut Terms)) -> Option<&'static str> {
        let mut terms = Terms {
            edition: "Personal".to_owned(),
            seat_kind: SeatKind::Device,
            seat_limit: Some(5),
            ..Terms::default()
        };
        change(&mut terms);
        terms.check().err().map(|(field, _)| field)
    }

    #[test]
    fn a_limit_without_seats_is_refused() {
        assert_eq!(fault(|_| ()), None);
        assert_eq!(
            fault(|terms| terms.seat_kind = SeatKind::None),
            Some("seat_limit")
        );
        assert_eq!(
            fault(|terms| terms.seat_limit = Some(0)),
            Some("seat_limit")
        );
    }

    #[test]
    fn what_excludes_each_other_is_refused() {
        let both = |terms: &mut Terms| {
            terms.overage_seats = Some(1);
            terms.overage_percent = Some(10);
        };
        assert_eq!(fault(both), Some("overage_percent"));
        let both = |terms: &mut Terms| {
            terms.valid_days = Some(14);
            terms.valid_months = Some(1);
        };
        assert_eq!(fault(both), Some("valid_days"));
        assert_eq!(
            fault(|terms| terms.churn_seats = Some(1)),
            Some("churn_days")
        );
        let twice = vec!["pro".to_owned(), "pro".to_owned()];
        let twice = |terms: &mut Terms| terms.entitlements = twice.into();
        assert_eq!(fault(twice), Some("entitlements"));
    }

    #[test]
    fn no_file_may_live_longer_than_keys_vouch_for_it() {
        let offline = |days| fault(move |terms| terms.offline_file_days = Some(days));
        assert_eq!(offline(LONGEST_FILE_DAYS), None);
        assert_eq!(offline(LONGEST_FILE_DAYS + 1), Some("offline_file_days"));
        let usual = |days| fault(move |terms| terms.license_file_days = days);
        assert_eq!(usual(LONGEST_FILE_DAYS + 1), Some("license_file_days"));
    }

    #[test]
    fn overage_raises_the_cap_not_the_limit() {
        let mut terms = Terms::default();
        assert_eq!((terms.cap(None), terms.cap(Some(5))), (None, Some(5)));
        terms.overage_percent = Some(25);
        assert_eq!((terms.cap(Some(5)), terms.cap(Some(3))), (Some(6), Some(3)));
        terms.overage_percent = None;
        terms.overage_seats = Some(2);
        assert_eq!(terms.cap(Some(5)), Some(7));
        assert_eq!(terms.cap(Some(i32::MAX)), Some(i32::MAX));
    }

    #[test]
    fn staging_hosts_are_hosts() {
        for good in ["*.staging.example.com", "dev.example.com", "*.vercel.app"] {
            assert!(is_host_pattern(good), "{good}");
        }
        for bad in ["", "*", "*.", "a..b", "https://x.test", "Ä.test", "a b"] {
            assert!(!is_host_pattern(bad), "{bad}");
        }
    }
}
