//! Putting the licenses of a policy under its present terms: looked at first, then done in slices.
//!
//! Each license is a unit of work of its own. A slice that is sent again, or the rest after a crash,
//! finds what is still under other terms and nothing else.

pub mod admin;
pub mod effect;

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::try_join_all;

use self::effect::{Choice, Outcome, Standstill, outcome};
use super::change::Change;
use super::model::{BaseState, LicenseId};
use super::store::{self, Holding, License};
use crate::activations::clear::{end_leases_in, lease_in};
use crate::activations::store::ended_but_counted;
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::db::{AnyConn, DbError, Shard, WriteTx};
use crate::kits::model::{PolicyId, SeatKind, TermsId};
use crate::kits::store::{Terms, TermsVersion};

/// Licenses looked at in one query.
const BATCH: i64 = 500;
/// Units of work that wait for one commit.
const TOGETHER: usize = 64;

/// Which terms, and how.
#[derive(Debug, Clone)]
pub struct ApplyTerms {
    /// The terms to apply.
    pub version: TermsVersion,
    /// What may change beside what the terms alone say.
    pub choice: Choice,
    /// The license after which to go on; empty for the first.
    pub after: String,
    /// How many licenses to list or change, at most.
    pub limit: usize,
}

/// What applying would do.
#[derive(Debug, Default)]
pub struct Preview {
    /// Licenses under other terms.
    pub licenses: usize,
    /// Those of them that would have more seats in use than they may.
    pub over_limit: usize,
    /// Those of them that would stay as they are.
    pub standing_still: usize,
    /// Some of them, in the order of their ids, as they are and as they would be.
    pub items: Vec<(License, Outcome)>,
}

/// What one slice did.
#[derive(Debug, Default)]
pub struct Applied {
    /// Licenses that were changed.
    pub changed: usize,
    /// Those of them with more seats in use than they may have.
    pub over_limit: usize,
    /// Those that stayed as they are, and why.
    pub standing_still: Vec<(LicenseId, Standstill)>,
    /// The last license looked at, where others follow.
    pub next: Option<LicenseId>,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum ApplyTermsError {
    /// The database failed.
    #[error("the database failed while terms were applied")]
    Db(#[from] DbError),
    /// Seats would be over the limit, and nobody said for how long they may be.
    #[error("{licenses} licenses would have seats beyond their limit")]
    StrandsSeats {
        /// How many licenses.
        licenses: usize,
    },
}

/// Looks at what applying would do.
pub async fn preview(app: &App, input: ApplyTerms) -> Result<Preview, DbError> {
    let now = app.clock.now();
    app.db
        .read_slow(move |conn| preview_on(conn, &input, now))
        .await
}

fn preview_on(conn: &mut AnyConn, input: &ApplyTerms, now: Timestamp) -> Result<Preview, DbError> {
    let mut found = Preview::default();
    let mut after = String::new();
    loop {
        let batch = candidates(conn, &input.version, &after, BATCH)?;
        let Some((last, _)) = batch.last() else {
            return Ok(found);
        };
        after = last.id.to_string();
        let ended = ended(conn, &batch, now)?;
        for (mut license, terms) in batch {
            license.seats_used -= ended.get(&license.id).copied().unwrap_or(0);
            let outcome = outcome(&license, &terms, &input.version, input.choice, now);
            found.licenses += 1;
            match &outcome {
                Ok(changed) => found.over_limit += usize::from(changed.strands()),
                Err(_) => found.standing_still += 1,
            }
            let wanted = license.id.as_str() > input.after.as_str();
            if wanted && found.items.len() <= input.limit {
                found.items.push((license, outcome));
            }
        }
    }
}

/// How many seats still count though their lease has ended: applying frees them first.
fn ended(
    conn: &mut AnyConn,
    batch: &[(License, Terms)],
    now: Timestamp,
) -> Result<HashMap<LicenseId, i32>, DbError> {
    let floating = batch
        .iter()
        .filter(|(_, terms)| terms.lease_seconds.is_some());
    let ids: Vec<LicenseId> = floating.map(|(license, _)| license.id.clone()).collect();
    let mut counts = HashMap::new();
    for license in ended_but_counted(conn, &ids, now)? {
        *counts.entry(license).or_default() += 1;
    }
    Ok(counts)
}

fn candidates(
    conn: &mut AnyConn,
    version: &TermsVersion,
    after: &str,
    limit: i64,
) -> Result<Vec<(License, Terms)>, DbError> {
    let (policy, terms): (&PolicyId, &TermsId) = (&version.policy_id, &version.id);
    store::under_other_terms(conn, policy, terms, after, limit)
}

/// Changes the next licenses.
pub async fn apply(app: &App, input: ApplyTerms, actor: Actor) -> Result<Applied, ApplyTermsError> {
    let now = app.clock.now();
    // Later slices meet what strands one by one.
    if input.choice.over_limit_days.is_none() && input.after.is_empty() {
        let licenses = preview(app, input.clone()).await?.over_limit;
        if licenses > 0 {
            return Err(ApplyTermsError::StrandsSeats { licenses });
        }
    }
    let ids = slice(app, &input).await?;
    let mut applied = Applied::default();
    if ids.len() > input.limit {
        applied.next = ids.iter().take(input.limit).next_back().cloned();
    }
    let ids: Vec<LicenseId> = ids.into_iter().take(input.limit).collect();
    for some in ids.chunks(TOGETHER) {
        let units = some.iter().map(|id| one(app, id, &input, &actor, now));
        for (id, outcome) in some.iter().zip(try_join_all(units).await?) {
            match outcome {
                None => {}
                Some(Ok(changed)) => {
                    applied.changed += 1;
                    applied.over_limit += usize::from(changed.strands());
                }
                Some(Err(why)) => applied.standing_still.push((id.clone(), why)),
            }
        }
    }
    if applied.changed > 0 {
        record(app, input.version.policy_id, actor, now).await?;
    }
    Ok(applied)
}

/// One more than is changed, to know whether others follow.
async fn slice(app: &App, input: &ApplyTerms) -> Result<Vec<LicenseId>, DbError> {
    let (version, after) = (input.version.clone(), input.after.clone());
    let rows = i64::try_from(input.limit).unwrap_or(i64::MAX - 1) + 1;
    let found = app
        .db
        .read_slow(move |conn| candidates(conn, &version, &after, rows))
        .await?;
    Ok(found.into_iter().map(|(license, _)| license.id).collect())
}

async fn one(
    app: &App,
    id: &LicenseId,
    input: &ApplyTerms,
    actor: &Actor,
    now: Timestamp,
) -> Result<Option<Outcome>, DbError> {
    let of = Change {
        license: id.clone(),
        expected_revision: None,
        actor: actor.clone(),
        now,
        entropy: Arc::clone(&app.entropy),
    };
    let input = input.clone();
    app.db
        .write(Shard::of(id.as_str()), move |tx| apply_in(tx, &of, &input))
        .await
}

/// The same for one license, inside another unit of work; `None` where there is nothing to do, also
/// because it left the policy or was folded into another license since it was listed.
pub fn apply_in(
    tx: &mut WriteTx<'_>,
    of: &Change,
    input: &ApplyTerms,
) -> Result<Option<Outcome>, DbError> {
    store::lock(tx, &of.license)?;
    let version = &input.version;
    let found = store::find(tx.conn(), &of.license)?.filter(|it| is_under_other(it, version));
    let Some(mut before) = found else {
        return Ok(None);
    };
    before.license.seats_used -= end_leases_in(tx, &of.license, &of.hand())?;
    let (license, old) = (&before.license, &before.terms);
    let outcome = outcome(license, old, version, input.choice, of.now);
    if let Ok(after) = &outcome {
        if after.strands() && input.choice.over_limit_days.is_none() {
            // A seat was taken since it was looked at.
            return Ok(Some(Err(Standstill::SeatsStranded)));
        }
        store::put_terms(tx, &after.license)?;
        float(tx, of, &version.terms)?;
        let fields = &[
            "terms_id",
            "seat_limit",
            "over_limit_until",
            "first_activated_at",
            "valid_until",
            "updates_until",
        ];
        tx.audit(of.entry("license.terms_changed", fields));
    }
    Ok(Some(outcome))
}

fn is_under_other(holding: &Holding, version: &TermsVersion) -> bool {
    let license = &holding.license;
    license.policy_id == version.policy_id
        && license.terms_id != version.id
        && license.base_state != BaseState::Merged
}

/// Seats in use get a lease where the terms have one, and lose it where they have none.
fn float(tx: &mut WriteTx<'_>, of: &Change, terms: &Terms) -> Result<(), DbError> {
    if terms.seat_kind == SeatKind::None {
        return Ok(());
    }
    let lease = terms.lease_seconds.map(i64::from);
    let until = lease.map(|seconds| of.now.plus_seconds(seconds));
    lease_in(tx, &of.license, until, &of.hand())?;
    Ok(())
}

async fn record(app: &App, policy: PolicyId, actor: Actor, now: Timestamp) -> Result<(), DbError> {
    app.db
        .write(Shard::of(policy.as_str()), move |tx| {
            let fields = &["terms"];
            tx.audit(Entry::new(
                now,
                actor.clone(),
                "policy.applied",
                &policy,
                fields,
            ));
            Ok::<_, DbError>(())
        })
        .await
}
