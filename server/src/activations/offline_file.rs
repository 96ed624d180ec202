//! A license file for a machine that is never online, fetched by one that is.

use super::claim::start_clock;
use super::store;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{DbError, Shard, WriteTx};
use crate::kits::model::SeatKind;
use crate::licenses::answer::{self, Answer};
use crate::licenses::facts::{self, Facts, Question, gather};
use crate::licenses::keys;
use crate::licenses::model::LicenseId;
use crate::licenses::store as licenses;
use crate::licenses::tokens::model::Door;
use crate::licenses::tokens::usage::TooOften;
use crate::licenses::validate::{Ask, AskError};

const DAY: i64 = 86_400;

/// Why there is no answer; outcomes of the license are answers.
#[derive(Debug, thiserror::Error)]
pub enum OfflineFileError {
    /// As for any other call.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// The license is fine, its terms know no such files.
    #[error("this license has no files for machines that are never online")]
    NotIncluded(LicenseId),
}

impl From<TooOften> for OfflineFileError {
    fn from(error: TooOften) -> Self {
        Self::Ask(error.into())
    }
}

impl From<DbError> for OfflineFileError {
    fn from(error: DbError) -> Self {
        Self::Ask(error.into())
    }
}

/// Signs a file that lives up to `ttl_seconds`, at most as long as the terms say. It speaks for a
/// seat that was taken before; where the license has seats, that is what it costs.
pub async fn offline_file(
    app: &App,
    ask: Ask,
    ttl_seconds: Option<i64>,
) -> Result<Answer, OfflineFileError> {
    let Some(lookup) = keys::lookup(app, &ask.key, Door::Seats)? else {
        return Ok(answer::unknown(app, ask.asked()).map_err(AskError::from)?);
    };
    let question = ask.question(app, lookup);
    let Some(mut facts) = facts::read(app, &question).await? else {
        return Ok(answer::unknown(app, ask.asked()).map_err(AskError::from)?);
    };
    let mut file_until = None;
    if facts.verdict().is_valid() {
        let end = file_end(&facts, ttl_seconds)
            .ok_or_else(|| OfflineFileError::NotIncluded(facts.license().id.clone()))?;
        file_until = Some(end);
        if speaks_longer(&facts, end) || facts.waits_for_clock() {
            let shard = Shard::of(facts.license().id.as_str());
            let kept = app
                .db
                .write(shard, move |tx| {
                    keep_in(tx, &facts.license().id, &question, end)
                })
                .await?;
            facts = kept.ok_or(DbError::Aborted(None))?;
        }
    }
    let code = facts.verdict();
    let file_until = file_until.map(|end| facts.never_beyond(end));
    let answer = answer::about(app, ask.asked(), &facts, code, file_until);
    Ok(answer.map_err(AskError::from)?)
}

/// The end of the file. A site that needs no seat has no identity in its file, so that file lives
/// no longer than any other; nor does one that a build takes along, seats or none.
fn file_end(facts: &Facts, ttl_seconds: Option<i64>) -> Option<Timestamp> {
    let most = i64::from(facts.holding.terms.offline_file_days?) * DAY;
    let end = facts
        .now
        .plus_seconds(ttl_seconds.map_or(most, |ttl| ttl.min(most)));
    let end = facts.never_beyond(end);
    let has_identity = facts.held().is_some() || facts.holding.terms.seat_kind == SeatKind::None;
    Some(if has_identity && facts.holding.via.is_none() {
        end
    } else {
        end.min(facts.file_end())
    })
}

/// Whether the seat must be kept for the file: a floating one is not, its file ends with the lease.
fn speaks_longer(facts: &Facts, end: Timestamp) -> bool {
    facts
        .held()
        .is_some_and(|row| row.lease_ends_at.is_none() && row.counted_on_until() < end)
}

fn keep_in(
    tx: &mut WriteTx<'_>,
    license: &LicenseId,
    question: &Question,
    end: Timestamp,
) -> Result<Option<Facts>, DbError> {
    licenses::lock(tx, license)?;
    let Some(mut facts) = gather(tx.conn(), question)? else {
        return Ok(None);
    };
    let stands = facts.license().id == *license && facts.verdict().is_valid();
    if stands {
        // A kit that works by this file has been activated by it.
        let now = facts.now;
        start_clock(tx, &mut facts, now)?;
    }
    let end = facts.never_beyond(end);
    if stands
        && speaks_longer(&facts, end)
        && let Some(row) = &mut facts.activation
    {
        row.offline_until = Some(end);
        row.last_seen_at = row.last_seen_at.max(facts.now);
        store::update(tx, row)?;
    }
    Ok(Some(facts))
}
