//! What is offered as an update.

use semver::Version;

use super::predicate::{LicenseFacts, ReleaseFacts, listed};
use super::rollout::{WHOLE, bucket};
use super::versions::{is_newer, parse_version};
use super::{Channel, Severity};
use crate::clock::Timestamp;

/// Who asks for an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller<'a> {
    /// The version in use.
    pub version: &'a Version,
    /// The channel followed.
    pub channel: Channel,
    /// Who stands in the queue of a rollout: a license, or an installation; `None` is last.
    pub subject: Option<&'a str>,
    /// Whether a person asks, now.
    pub is_manual: bool,
    /// When.
    pub now: Timestamp,
}

/// What somebody runs on, as files name it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Machine {
    /// The system, such as `linux`; `None` where nothing was said.
    pub platform: Option<String>,
    /// The processor, such as `x86_64`; `None` where nothing was said.
    pub arch: Option<String>,
}

impl Machine {
    /// Whether nothing was said.
    pub fn is_any(&self) -> bool {
        self.platform.is_none() && self.arch.is_none()
    }

    /// Whether a file is for it; one that names no machine is for all.
    pub fn takes(&self, platform: Option<&str>, arch: Option<&str>) -> bool {
        let fits = |own: Option<&String>, of_file: Option<&str>| match (own, of_file) {
            (Some(own), Some(of_file)) => own == of_file,
            (None, _) | (_, None) => true,
        };
        fits(self.platform.as_ref(), platform) && fits(self.arch.as_ref(), arch)
    }
}

/// Whether a release is offered as an update: listed, on the channel, newer, within reach of what is
/// in use, and its rollout has come to the caller. Of these the highest is taken; where a higher one
/// is out of reach it is the step in between.
pub fn offered(
    (version, release): (&Version, &ReleaseFacts<'_>),
    license: &LicenseFacts,
    caller: &Caller<'_>,
) -> bool {
    let reaches = |minimum: Version| !is_newer(&minimum, caller.version);
    let minimum = release.minimum_version.map(parse_version);
    let is_within_reach = minimum.is_none_or(|minimum| minimum.is_ok_and(reaches));
    caller.channel.admits(release.channel)
        && is_newer(version, caller.version)
        && is_within_reach
        && has_come_to(release, caller)
        && listed(release, license)
}

/// Whether its rollout has come to who asks. Halted, or at 0 %, it comes to nobody; otherwise who
/// asks by hand gets it, and critical ones go to everybody.
pub fn has_come_to(release: &ReleaseFacts<'_>, caller: &Caller<'_>) -> bool {
    if release.halted_at.is_some() {
        return false;
    }
    let share = release.rollout.map_or(WHOLE, |it| it.share(caller.now));
    if share == 0 {
        return false;
    }
    let skips = caller.is_manual || release.severity == Severity::Critical;
    let position = || caller.subject.map(|it| bucket(release.salt, it));
    share == WHOLE || skips || position().is_some_and(|position| position < share)
}

#[cfg(test)]
mod tests;
