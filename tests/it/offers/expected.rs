//! The rules once more, as plainly as can be, and random cases for them.

use proptest::prelude::*;

/// Versions of the releases of a case, the lowest first; the order of their publication.
pub(super) const VERSIONS: [&str; 6] = [
    "0.9.0",
    "1.0.0",
    "1.1.0",
    "1.2.0-beta.1",
    "2.0.0-dev.1",
    "2.0.0",
];
pub(super) const MAJORS: [u64; 6] = [0, 1, 1, 1, 2, 2];
const CHANNELS: [&str; 6] = ["stable", "stable", "stable", "beta", "dev", "stable"];

/// Channels that can be followed.
pub(super) const FOLLOWED: [&str; 5] = ["stable", "rc", "beta", "alpha", "dev"];

/// Whether who follows a channel gets a release.
pub(super) fn follows(channel: &str, at: usize) -> bool {
    match (channel, CHANNELS[at]) {
        ("dev", own) => own == "dev",
        (_, "dev") => false,
        (_, "stable") => true,
        (channel, _) => matches!(channel, "beta" | "alpha"),
    }
}

pub(super) fn day(days: i64) -> i64 {
    days * 86_400
}

#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts of a release, named"
)]
pub(super) struct Draft {
    pub(super) is_published: bool,
    pub(super) severity: &'static str,
    pub(super) dated_back: Option<i64>,
    pub(super) is_yanked: bool,
    pub(super) is_withdrawn: bool,
    pub(super) is_for_pro: bool,
    pub(super) is_granted: bool,
    pub(super) percent: Option<u32>,
    pub(super) is_halted: bool,
    needs_the_one_before: bool,
}

impl Draft {
    /// What must be installed before it.
    pub(super) fn minimum(&self, at: usize) -> Option<&'static str> {
        let before = at.checked_sub(1)?;
        self.needs_the_one_before.then(|| VERSIONS[before])
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    None,
    Hold,
    Revocation,
    LapseAndKeep,
    LapseAndStop,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Sold {
    /// Days from the first release on; none for ever.
    pub(super) updates_days: Option<i64>,
    pub(super) grace_days: i64,
    pub(super) is_pro: bool,
    pub(super) ending: Ending,
    /// How many days before the end of the case it lapsed.
    pub(super) lapsed_days: i64,
}

#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) is_open: bool,
    pub(super) sold: Sold,
    pub(super) releases: Vec<Draft>,
}

fn draft() -> impl Strategy<Value = Draft> {
    let percent = prop_oneof![Just(None), Just(Some(0)), Just(Some(40)), Just(Some(100))];
    let severity = prop_oneof![
        2 => Just("normal"),
        2 => Just("security"),
        1 => Just("critical")
    ];
    let dated = proptest::option::weighted(0.2, 0_i64..5);
    let flags = (
        prop::bool::weighted(0.85),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.15),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.15),
        prop::bool::weighted(0.2),
    );
    (severity, dated, percent, flags).prop_map(|(severity, dated_back, percent, flags)| Draft {
        is_published: flags.0,
        severity,
        dated_back,
        is_yanked: flags.1,
        is_withdrawn: flags.2,
        is_for_pro: flags.3,
        is_granted: flags.4,
        percent,
        is_halted: flags.5,
        needs_the_one_before: flags.6,
    })
}

fn sold() -> impl Strategy<Value = Sold> {
    let ending = prop_oneof![
        4 => Just(Ending::None),
        1 => Just(Ending::Hold),
        1 => Just(Ending::Revocation),
        2 => Just(Ending::LapseAndKeep),
        1 => Just(Ending::LapseAndStop)
    ];
    let updates = proptest::option::weighted(0.7, 0_i64..6);
    (updates, 0_i64..4, any::<bool>(), ending, 0_i64..5).prop_map(
        |(updates_days, grace_days, is_pro, ending, lapsed_days)| Sold {
            updates_days,
            grace_days,
            is_pro,
            ending,
            lapsed_days,
        },
    )
}

pub(super) fn case() -> impl Strategy<Value = Case> {
    let releases = proptest::collection::vec(draft(), 2..=VERSIONS.len());
    (prop::bool::weighted(0.2), sold(), releases).prop_map(|(is_open, sold, releases)| Case {
        is_open,
        sold,
        releases,
    })
}

impl Case {
    /// Whether the license itself is refused.
    pub(super) fn is_refused(&self) -> bool {
        matches!(
            self.sold.ending,
            Ending::Hold | Ending::Revocation | Ending::LapseAndStop
        )
    }

    /// The last day of the updates; release `n` comes out on day `n`.
    fn end(&self) -> Option<i64> {
        if self.is_open {
            return None;
        }
        let days = i64::try_from(self.releases.len()).expect("few");
        let lapse = days - self.sold.lapsed_days;
        match (self.sold.ending, self.sold.updates_days) {
            (Ending::LapseAndKeep, Some(end)) => Some(end.min(lapse)),
            (Ending::LapseAndKeep, None) => Some(lapse),
            (_, end) => end,
        }
    }

    fn is_dated_within(&self, at: usize, end: i64) -> bool {
        let release = &self.releases[at];
        let published = i64::try_from(at).expect("few");
        release.is_published && published - release.dated_back.unwrap_or(0) <= end
    }

    fn is_covered(&self, at: usize) -> bool {
        let Some(end) = self.end() else { return true };
        let release = &self.releases[at];
        let published = i64::try_from(at).expect("few");
        let mut all = 0..self.releases.len();
        let has_major =
            all.any(|other| MAJORS[other] == MAJORS[at] && self.is_dated_within(other, end));
        let is_mended = release.severity == "security" && has_major;
        self.is_dated_within(at, end)
            || (is_mended && published <= end + self.sold.grace_days)
            || release.is_granted
    }

    /// What the file answers to who shows the key.
    pub(super) fn status(&self, at: usize) -> u16 {
        let release = &self.releases[at];
        if self.is_refused() {
            403
        } else if !release.is_published {
            404
        } else if release.is_withdrawn {
            410
        } else if !self.is_covered(at) || (release.is_for_pro && !self.sold.is_pro) {
            403
        } else {
            200
        }
    }

    /// The same to who shows none.
    pub(super) fn open_status(&self, at: usize) -> u16 {
        let release = &self.releases[at];
        if !self.is_open {
            401
        } else if !release.is_published {
            404
        } else if release.is_withdrawn {
            410
        } else if release.is_for_pro {
            403
        } else {
            200
        }
    }

    pub(super) fn is_listed(&self, at: usize) -> bool {
        self.status(at) == 200 && !self.releases[at].is_yanked
    }

    pub(super) fn is_open_listed(&self, at: usize) -> bool {
        self.open_status(at) == 200 && !self.releases[at].is_yanked
    }

    /// What `latest`, `1` or `1.2` comes to for who shows the key: a release, or why there is none.
    pub(super) fn selected(&self, selector: &str) -> Result<usize, u16> {
        if self.is_refused() {
            return Err(403);
        }
        let start = format!("{selector}.");
        let is_named = |at: &usize| {
            let is_stable = CHANNELS[*at] == "stable";
            is_stable && (selector == "latest" || VERSIONS[*at].starts_with(&start))
        };
        let named: Vec<usize> = (0..self.releases.len()).rev().filter(is_named).collect();
        if let Some(at) = named.iter().find(|at| self.is_listed(**at)) {
            return Ok(*at);
        }
        let is_out = named.iter().any(|at| {
            let release = &self.releases[*at];
            release.is_published && !release.is_yanked && !release.is_withdrawn
        });
        Err(if is_out { 403 } else { 404 })
    }

    /// Whether a release is offered to who stands at `percent` of the queue: 100 is last.
    pub(super) fn is_candidate(
        &self,
        at: usize,
        present: &str,
        channel: &str,
        percent: u32,
    ) -> bool {
        self.is_listed(at) && self.has_come(at, present, channel, percent)
    }

    /// The same but for the rights of who asks.
    fn has_come(&self, at: usize, present: &str, channel: &str, percent: u32) -> bool {
        let release = &self.releases[at];
        let parse = |text: &str| kitward::releases::model::parse_version(text).expect("a version");
        let minimum = release.minimum(at).map(parse);
        let share = release.percent.unwrap_or(100);
        let has_come = share > 0 && (release.severity == "critical" || share >= percent);
        follows(channel, at)
            && parse(VERSIONS[at]) > parse(present)
            && minimum.is_none_or(|minimum| minimum <= parse(present))
            && !release.is_halted
            && has_come
    }

    /// The highest that is offered to who shows no key: the last of each queue, but by hand.
    pub(super) fn open_best(&self, present: &str, channel: &str, manual: bool) -> Option<usize> {
        let percent = if manual { 1 } else { 100 };
        let mut all = (0..self.releases.len()).rev();
        all.find(|at| self.is_open_listed(*at) && self.has_come(*at, present, channel, percent))
    }

    /// The highest that is offered to who stands there.
    pub(super) fn best(&self, present: &str, channel: &str, percent: u32) -> Option<usize> {
        let mut all = (0..self.releases.len()).rev();
        all.find(|at| self.is_candidate(*at, present, channel, percent))
    }
}
