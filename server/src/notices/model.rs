//! Words of notices.

mod pace;
mod token;

use crate::customers::model::CustomerId;
use crate::db::types::{text_enum, typed_id};
use crate::kits::model::KitId;
use crate::outbox::Lane;
use crate::people::model::PersonId;
use crate::releases::model::{Channel, Severity};

pub use pace::{BURST_SECONDS, grant};
pub use token::Subject;

typed_id!(
    /// One mail to one person.
    NoticeMailId, "ntm"
);

/// Who hears of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hearer {
    /// Somebody who signed in: of new versions and of security releases.
    Person(PersonId),
    /// Who bought and never signed in: of security releases alone, for nobody has proved to read the
    /// address.
    Buyer(CustomerId),
}

text_enum! {
    /// What a notice tells.
    pub enum NoticeKind {
        /// There is a new version.
        NewVersion = "new_version",
        /// There is a version that closes a hole.
        Advisory = "advisory",
    }
}

impl NoticeKind {
    /// By how urgent the release is.
    pub fn of(severity: Severity) -> Self {
        match severity {
            Severity::Normal => Self::NewVersion,
            Severity::Security | Severity::Critical => Self::Advisory,
        }
    }

    /// Where its mails wait.
    pub fn lane(self) -> Lane {
        match self {
            Self::NewVersion => Lane::Notices,
            Self::Advisory => Lane::Advisories,
        }
    }

    /// What shares a mail: new versions of all kits, advisories of one.
    pub fn topic(self, kit: &KitId) -> String {
        match self {
            Self::NewVersion => "new_versions".to_owned(),
            Self::Advisory => kit.to_string(),
        }
    }
}

text_enum! {
    /// How far the walk through the people is.
    pub enum WalkState {
        /// Under way.
        Walking = "walking",
        /// At its end.
        Walked = "walked",
        /// Called off: nobody else is told.
        Skipped = "skipped",
    }
}

text_enum! {
    /// How far what one person hears of one release is.
    pub enum NoticeState {
        /// In a mail that has not left.
        Waiting = "waiting",
        /// The mail left.
        Sent = "sent",
        /// The mail left without it.
        Skipped = "skipped",
        /// The mail was given up.
        Failed = "failed",
    }
}

text_enum! {
    /// Why somebody does not hear of a release.
    pub enum Reason {
        /// The person switched such mails off.
        SwitchedOff = "switched_off",
        /// The release was yanked, withdrawn or halted.
        TakenBack = "taken_back",
        /// The vendor called it off.
        CalledOff = "called_off",
        /// No license of the person may have it.
        NotCovered = "not_covered",
        /// Its rollout has not come to the person.
        NotYet = "not_yet",
        /// The person has no verified address; the buyer has signed in since.
        NoAddress = "no_address",
        /// The person heard of it before signing in for the first time.
        ToldBefore = "told_before",
    }
}

text_enum! {
    /// Whether mails of a kind are wanted.
    pub enum Choice {
        /// They are.
        On = "on",
        /// They are not.
        Off = "off",
    }
}

/// Whether people are told of a release when nobody says: of stable ones. Who follows another channel
/// learns of its releases by update checks.
pub fn tells_by_itself(channel: Channel) -> bool {
    match channel {
        Channel::Stable => true,
        Channel::Rc | Channel::Beta | Channel::Alpha | Channel::Dev => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_closes_a_hole_is_an_advisory_in_a_lane_of_its_own() {
        assert_eq!(NoticeKind::of(Severity::Normal).lane(), Lane::Notices);
        for severity in [Severity::Security, Severity::Critical] {
            assert_eq!(NoticeKind::of(severity).lane(), Lane::Advisories);
        }
    }

    #[test]
    fn nobody_is_told_of_previews_by_itself() {
        let told: Vec<&Channel> = Channel::ALL
            .iter()
            .filter(|it| tells_by_itself(**it))
            .collect();
        assert_eq!(told, [&Channel::Stable]);
    }
}
