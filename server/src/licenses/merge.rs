//! Folding a license into another one of the same customer.
//!
//! The folded license keeps its row: its keys answer `MERGED`, its tokens end, its seats are free.
//! The other one keeps its own terms, ends and seats, and takes the folded one's seats over where
//! that is asked for.

use super::change::{self, Change, ChangeError, fault};
use super::edit::resize;
use super::model::{BaseState, LicenseId};
use super::store::{self, Holding, License};
use crate::activations::clear::clear_in;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{Shard, WriteTx};
use crate::idempotency::{Claim, Once};

/// Which license takes the other one in.
#[derive(Debug, Clone)]
pub struct Merge {
    /// The one that stays.
    pub into: LicenseId,
    /// Whether it gets the seats of the folded one beside its own.
    pub add_seats: bool,
}

/// Folds a license into another one.
pub async fn merge(
    app: &App,
    of: Change,
    input: Merge,
    claim: Claim,
) -> Result<Once<LicenseId>, ChangeError> {
    if input.into == of.license {
        return Err(fault("into", "must be another license"));
    }
    app.db
        .write(Shard::Wide, move |tx| {
            claim.once(tx, &of.license, |tx| {
                merge_in(tx, &of, &input)?;
                Ok(of.license.clone())
            })
        })
        .await
}

/// The same inside another unit of work, which must be [`Shard::Wide`].
pub fn merge_in(tx: &mut WriteTx<'_>, of: &Change, input: &Merge) -> Result<(), ChangeError> {
    let (from, into) = open_both(tx, of, &input.into)?;
    if from.license.customer_id != into.license.customer_id {
        return Err(fault(
            "into",
            "must belong to the same customer: transfer it first",
        ));
    }
    if input.add_seats {
        let sum = added_seats(&from, &into, of.now)?;
        store::update(tx, &sum)?;
    }
    clear_in(tx, &of.license, &of.hand())?;
    let folded = License {
        base_state: BaseState::Merged,
        merged_into: Some(input.into.clone()),
        seats_used: 0,
        over_limit_until: None,
        ..from.license
    };
    store::update(tx, &folded)?;
    store::end_tokens(tx, &of.license, None, of.now, of.now)?;
    tx.audit(of.entry("license.merged", &["base_state", "merged_into", "tokens"]));
    let other = Change {
        license: input.into.clone(),
        ..of.clone()
    };
    tx.audit(other.entry("license.took_in", &["seat_limit"]));
    Ok(())
}

/// Both rows are locked in the order of their ids, so that crossing merges wait for each other.
fn open_both(
    tx: &mut WriteTx<'_>,
    of: &Change,
    into: &LicenseId,
) -> Result<(Holding, Holding), ChangeError> {
    let other = Change {
        license: into.clone(),
        expected_revision: None,
        ..of.clone()
    };
    let unknown = |error| match error {
        ChangeError::NotFound => fault("into", "must be the id of a license"),
        other => other,
    };
    if of.license < *into {
        let from = change::open_in(tx, of)?;
        return Ok((from, change::open_in(tx, &other).map_err(unknown)?));
    }
    let into = change::open_in(tx, &other).map_err(unknown)?;
    Ok((change::open_in(tx, of)?, into))
}

fn added_seats(from: &Holding, into: &Holding, now: Timestamp) -> Result<License, ChangeError> {
    if from.terms.seat_kind != into.terms.seat_kind {
        return Err(fault(
            "add_seats",
            "needs two licenses with seats of the same kind",
        ));
    }
    // What a customer may not use here must not become usable there.
    if from.standing(true).refusal(now).is_some() {
        return Err(fault("add_seats", "needs a license that may be used"));
    }
    let both = from.license.seat_limit.zip(into.license.seat_limit);
    let limit = both.map(|(a, b)| a.saturating_add(b).min(1_000_000));
    let mut license = into.license.clone();
    let until = license.over_limit_until.unwrap_or(now);
    resize(&mut license, &into.terms, limit, until);
    Ok(license)
}
