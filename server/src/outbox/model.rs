//! What may be in the outbox, and when it is tried again.

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::app::App;
use crate::clock::Timestamp;
use crate::customers::model::{CustomerId, OrderId};
use crate::db::types::{text_enum, typed_id};
use crate::entropy::{Entropy, bytes};
use crate::notices::model::{NoticeKind, NoticeMailId};
use crate::payments::model::PaymentEventId;
use crate::people::model::SignInId;
use crate::releases::model::ReleaseId;
use crate::secrets::{Cell, SealError};

typed_id!(
    /// One row of the outbox; also the local part of a mail's Message-ID.
    OutboxId, "out"
);

text_enum! {
    /// Rows of one lane wait for each other, lanes do not.
    pub enum Lane {
        /// Mails to customers.
        Mail = "mail",
        /// Payment events to reduce.
        Payments = "payments",
        /// Long work on what is stored here.
        Jobs = "jobs",
        /// Mails about security releases.
        Advisories = "advisories",
        /// Mails about new versions.
        Notices = "notices",
    }
}

/// What a worker shall do. Parameters are sealed in the row and rendered at the last moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Job {
    /// The license keys of an order, to who bought them.
    LicenseMail {
        /// The order.
        order: OrderId,
    },
    /// A sign-in link and code.
    SignInMail {
        /// The pending sign-in.
        sign_in: SignInId,
        /// Secret in the link.
        link: String,
        /// Code to type.
        code: String,
    },
    /// A stored payment event to fetch and reduce.
    ReducePayment {
        /// The stored event.
        event: PaymentEventId,
    },
    /// Everybody whom a release concerns is to be told of it.
    ///
    /// Stored by a name that programs of before cannot read, and so leave to others during an upgrade:
    /// they would end the walk without the buyers. Their own rows are read all the same.
    #[serde(rename = "walk_release", alias = "announce_release")]
    AnnounceRelease {
        /// The release.
        release: ReleaseId,
        /// Number of the walk that this is; jobs of before do not say.
        #[serde(default)]
        walk: Option<i64>,
    },
    /// What one person is told of one release or several.
    NoticeMail {
        /// The mail.
        mail: NoticeMailId,
        /// What it tells.
        notice: NoticeKind,
    },
    /// What a buyer who never signed in is told of a security release.
    BuyerAdvisory {
        /// The release.
        release: ReleaseId,
        /// Who bought.
        buyer: CustomerId,
    },
}

impl Job {
    /// The lane it waits in.
    pub fn lane(&self) -> Lane {
        match self {
            Self::LicenseMail { .. } | Self::SignInMail { .. } => Lane::Mail,
            Self::ReducePayment { .. } => Lane::Payments,
            Self::AnnounceRelease { .. } => Lane::Jobs,
            Self::NoticeMail { notice, .. } => notice.lane(),
            Self::BuyerAdvisory { .. } => Lane::Advisories,
        }
    }

    /// Short name, for lists.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::LicenseMail { .. } => "license_mail",
            Self::SignInMail { .. } => "sign_in_mail",
            Self::ReducePayment { .. } => "reduce_payment",
            Self::AnnounceRelease { .. } => "announce_release",
            Self::NoticeMail { .. } => "notice_mail",
            Self::BuyerAdvisory { .. } => "buyer_advisory",
        }
    }
}

/// A row ready to be inserted by [`insert`](super::insert) in the unit of work of its cause.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub(super) id: OutboxId,
    pub(super) lane: Lane,
    pub(super) kind: &'static str,
    pub(super) sealed: Vec<u8>,
    pub(super) now: Timestamp,
    pub(super) due: Timestamp,
}

impl Prepared {
    /// Its id.
    pub fn id(&self) -> &OutboxId {
        &self.id
    }

    /// The same, to be done no sooner than then.
    #[must_use]
    pub fn due_at(self, due: Timestamp) -> Self {
        Self { due, ..self }
    }
}

/// Seals a job. After the COMMIT, call [`Lanes::wake`].
pub fn prepare(app: &App, job: &Job) -> Result<Prepared, SealError> {
    let now = app.clock.now();
    let id = OutboxId::new(now, app.entropy.as_ref());
    let text = serde_json::to_vec(job).map_err(|_unserializable| SealError::Malformed)?;
    let sealed = app.vault.seal(cell(&id), &text)?;
    Ok(Prepared {
        id,
        lane: job.lane(),
        kind: job.kind(),
        sealed,
        now,
        due: now,
    })
}

pub(super) fn cell(id: &OutboxId) -> Cell<'_> {
    Cell {
        table: "outbox",
        column: "sealed_parameters",
        row: id.as_str(),
    }
}

/// Why an attempt failed.
#[derive(Debug)]
pub enum Failure {
    /// May work later.
    Retry(String),
    /// Will never work.
    Never(String),
}

impl Failure {
    /// A failure that may pass, with its chain of causes.
    pub fn retry(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::Retry(crate::http::error::chain(error))
    }
}

/// Seconds before attempts 2, 3, …: about three days in all.
const DELAYS: [u32; 11] = [
    10, 60, 300, 900, 3_600, 10_800, 21_600, 43_200, 43_200, 64_800, 64_800,
];

/// When to try again after `attempts` attempts; `None` when it has been tried often enough.
pub(super) fn retry_after(attempts: i32, entropy: &dyn Entropy) -> Option<i64> {
    let at = usize::try_from(attempts.saturating_sub(1)).ok()?;
    let delay = *DELAYS.get(at)?;
    // Up to a fifth later, so that rows that failed together do not come back together.
    let jitter = u32::from_be_bytes(bytes(entropy)) % (delay / 5 + 1);
    Some(i64::from(delay) + i64::from(jitter))
}

/// Bells of the lanes: rung after a COMMIT that added rows.
#[derive(Debug, Default)]
pub struct Lanes {
    mail: Notify,
    payments: Notify,
    jobs: Notify,
    advisories: Notify,
    notices: Notify,
}

impl Lanes {
    /// Tells the lane's worker that there is something to do.
    pub fn wake(&self, lane: Lane) {
        self.bell(lane).notify_one();
    }

    pub(super) fn bell(&self, lane: Lane) -> &Notify {
        match lane {
            Lane::Mail => &self.mail,
            Lane::Payments => &self.payments,
            Lane::Jobs => &self.jobs,
            Lane::Advisories => &self.advisories,
            Lane::Notices => &self.notices,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn a_walk_of_before_is_read_and_is_written_by_another_name() {
        let now = Timestamp::parse("2027-01-15T12:00:00Z").unwrap();
        let release = ReleaseId::new(now, &SeededEntropy::new(2));
        let before = format!(r#"{{"kind":"announce_release","release":"{release}"}}"#);
        let job: Job = serde_json::from_str(&before).unwrap();
        assert!(matches!(&job, Job::AnnounceRelease { walk: None, .. }));
        let written = serde_json::to_string(&job).unwrap();
        assert!(written.contains(r#""kind":"walk_release""#), "{written}");
        let read: Job = serde_json::from_str(&written).unwrap();
        assert!(matches!(read, Job::AnnounceRelease { release: it, .. } if it == release));
    }

    #[test]
    fn attempts_spread_over_about_three_days_and_end() {
        let entropy = SeededEntropy::new(1);
        let waits: Vec<i64> = (1..).map_while(|n| retry_after(n, &entropy)).collect();
        let total: i64 = waits.iter().sum();
        assert_eq!(waits.len(), DELAYS.len());
        assert!((2 * 86_400..5 * 86_400).contains(&total), "{total}");
        assert!(waits[0] <= 12);
    }
}
