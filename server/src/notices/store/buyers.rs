//! Buyers who never signed in, and what they hear.

use diesel::dsl::{count_star, exists};
use diesel::prelude::*;

use super::mails::Counts;
use crate::clock::Timestamp;
use crate::customers::model::CustomerId;
use crate::db::schema::{
    buyer_choices, buyer_notices, customers, kits, licenses, terms, terms_kits,
};
use crate::db::{AnyConn, DbError, WriteTx};
use crate::kits::model::{KitId, Scope};
use crate::notices::model::{NoticeState, Reason};
use crate::outbox::OutboxId;
use crate::releases::model::ReleaseId;

/// The next buyers with a license for a kit, by id, whatever the license's state.
pub fn buyers_after(
    conn: &mut AnyConn,
    kit: &KitId,
    after: &str,
    limit: i64,
) -> Result<Vec<CustomerId>, DbError> {
    let names_it = terms_kits::table
        .filter(terms_kits::terms_id.eq(terms::id))
        .filter(terms_kits::kit_id.eq(kit));
    let covering = licenses::table
        .inner_join(terms::table)
        .filter(licenses::customer_id.eq(customers::id))
        .filter(terms::scope.eq(Scope::All).or(exists(names_it)));
    Ok(customers::table
        .filter(customers::claim_address.is_not_null())
        .filter(customers::id.gt(after.to_owned()))
        .filter(exists(covering))
        .order(customers::id)
        .select(customers::id)
        .limit(limit)
        .load(conn)?)
}

/// Where a buyer who never signed in is reached; nothing once somebody signed in.
pub fn buyers_address(conn: &mut AnyConn, buyer: &CustomerId) -> Result<Option<String>, DbError> {
    let found: Option<Option<String>> = customers::table
        .find(buyer)
        .select(customers::claim_address)
        .get_result(conn)
        .optional()?;
    Ok(found.flatten())
}

/// Those of some buyers who want no advisories about a kit.
pub fn buyers_off(
    conn: &mut AnyConn,
    kit: &KitId,
    buyers: &[CustomerId],
) -> Result<Vec<CustomerId>, DbError> {
    Ok(buyer_choices::table
        .filter(buyer_choices::kit_id.eq(kit))
        .filter(buyer_choices::customer_id.eq_any(buyers.to_vec()))
        .select(buyer_choices::customer_id)
        .load(conn)?)
}

/// Those of some customers that heard of a release before anybody signed in for them.
pub fn buyers_told(
    conn: &mut AnyConn,
    release: &ReleaseId,
    buyers: &[CustomerId],
) -> Result<Vec<CustomerId>, DbError> {
    Ok(buyer_notices::table
        .filter(buyer_notices::release_id.eq(release))
        .filter(buyer_notices::state.eq(NoticeState::Sent))
        .filter(buyer_notices::customer_id.eq_any(buyers.to_vec()))
        .select(buyer_notices::customer_id)
        .load(conn)?)
}

/// Whether nobody signed in for a buyer yet, locked: what is switched off then is there when somebody
/// does, who takes it over.
pub fn lock_unclaimed(tx: &mut WriteTx<'_>, buyer: &CustomerId) -> Result<bool, DbError> {
    let address: Option<Option<String>> = diesel::update(customers::table.find(buyer))
        .set(customers::claim_address.eq(customers::claim_address))
        .returning(customers::claim_address)
        .get_result(tx.conn())
        .optional()?;
    Ok(address.flatten().is_some())
}

/// Switches advisories about a kit off; for a buyer or a kit that is not there, nothing.
pub fn set_buyer_off(
    tx: &mut WriteTx<'_>,
    (buyer, kit): (&CustomerId, &KitId),
    now: Timestamp,
) -> Result<(), DbError> {
    let known: Option<CustomerId> = customers::table
        .find(buyer)
        .select(customers::id)
        .get_result(tx.conn())
        .optional()?;
    let sold: Option<KitId> = kits::table
        .find(kit)
        .select(kits::id)
        .get_result(tx.conn())
        .optional()?;
    if known.is_none() || sold.is_none() {
        return Ok(());
    }
    tx.unless_taken(|tx| {
        diesel::insert_into(buyer_choices::table)
            .values((
                buyer_choices::customer_id.eq(buyer),
                buyer_choices::kit_id.eq(kit),
                buyer_choices::since.eq(now),
            ))
            .execute(tx.conn())?;
        Ok(())
    })?;
    Ok(())
}

/// Writes that a buyer hears of a release, by which job, or why not; `false` where that was settled
/// before. What was only skipped comes back.
pub fn enter_buyer(
    tx: &mut WriteTx<'_>,
    (release, buyer): (&ReleaseId, &CustomerId),
    (job, skipped): (Option<&OutboxId>, Option<Reason>),
    now: Timestamp,
) -> Result<bool, DbError> {
    let state = match skipped {
        None => NoticeState::Waiting,
        Some(_) => NoticeState::Skipped,
    };
    let settled = skipped.map(|_reason| now);
    let added = tx.unless_taken(|tx| {
        diesel::insert_into(buyer_notices::table)
            .values((
                buyer_notices::release_id.eq(release),
                buyer_notices::customer_id.eq(buyer),
                buyer_notices::state.eq(state),
                buyer_notices::reason.eq(skipped),
                buyer_notices::created_at.eq(now),
                buyer_notices::settled_at.eq(settled),
                buyer_notices::job_id.eq(job),
            ))
            .execute(tx.conn())?;
        Ok(())
    })?;
    if added.is_some() {
        return Ok(true);
    }
    let changed = diesel::update(buyer_notices::table.find((release, buyer)))
        .filter(buyer_notices::state.eq(NoticeState::Skipped))
        .set((
            buyer_notices::state.eq(state),
            buyer_notices::reason.eq(skipped),
            buyer_notices::settled_at.eq(settled),
            buyer_notices::job_id.eq(job),
        ))
        .execute(tx.conn())?;
    Ok(changed == 1)
}

/// Whether a buyer waits to hear of a release by this job: one that was called off, and comes late when
/// it was begun again, has nothing to say.
pub fn buyer_waits(
    conn: &mut AnyConn,
    (release, buyer): (&ReleaseId, &CustomerId),
    job: &OutboxId,
) -> Result<bool, DbError> {
    let state: Option<NoticeState> = buyer_notices::table
        .find((release, buyer))
        .filter(buyer_notices::job_id.eq(job))
        .select(buyer_notices::state)
        .get_result(conn)
        .optional()?;
    Ok(state == Some(NoticeState::Waiting))
}

/// Writes that a buyer heard, by whichever job: a mail that left has said it, also where another one is
/// to say it by now, or where it was called off while it was on its way.
pub fn buyer_heard(
    tx: &mut WriteTx<'_>,
    (release, buyer): (&ReleaseId, &CustomerId),
    now: Timestamp,
) -> Result<(), DbError> {
    let called_off = buyer_notices::state
        .eq(NoticeState::Skipped)
        .and(buyer_notices::reason.eq(Reason::CalledOff));
    let waits = buyer_notices::state.eq(NoticeState::Waiting);
    diesel::update(buyer_notices::table.find((release, buyer)))
        .filter(waits.or(called_off))
        .set((
            buyer_notices::state.eq(NoticeState::Sent),
            buyer_notices::reason.eq(None::<Reason>),
            buyer_notices::settled_at.eq(Some(now)),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Writes that a job said nothing, unless another job is to say it by now: why it had nothing to say,
/// or, without a reason, that it failed.
pub fn buyer_not_told(
    tx: &mut WriteTx<'_>,
    (release, buyer): (&ReleaseId, &CustomerId),
    (job, reason): (&OutboxId, Option<Reason>),
    now: Timestamp,
) -> Result<(), DbError> {
    let state = match reason {
        Some(_) => NoticeState::Skipped,
        None => NoticeState::Failed,
    };
    diesel::update(buyer_notices::table.find((release, buyer)))
        .filter(buyer_notices::state.eq(NoticeState::Waiting))
        .filter(buyer_notices::job_id.eq(job))
        .set((
            buyer_notices::state.eq(state),
            buyer_notices::reason.eq(reason),
            buyer_notices::settled_at.eq(Some(now)),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Skips every buyer who waits to hear of a release.
pub(super) fn skip_buyers(
    tx: &mut WriteTx<'_>,
    release: &ReleaseId,
    reason: Reason,
    now: Timestamp,
) -> Result<(), DbError> {
    let waiting = buyer_notices::table
        .filter(buyer_notices::release_id.eq(release))
        .filter(buyer_notices::state.eq(NoticeState::Waiting));
    diesel::update(waiting)
        .set((
            buyer_notices::state.eq(NoticeState::Skipped),
            buyer_notices::reason.eq(Some(reason)),
            buyer_notices::settled_at.eq(Some(now)),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Forgets buyers who were not reached.
pub(super) fn forget_failed_buyers(
    tx: &mut WriteTx<'_>,
    release: &ReleaseId,
) -> Result<(), DbError> {
    let failed = buyer_notices::table
        .filter(buyer_notices::release_id.eq(release))
        .filter(buyer_notices::state.eq(NoticeState::Failed));
    diesel::delete(failed).execute(tx.conn())?;
    Ok(())
}

/// How far telling buyers of a release is.
pub(super) fn count_buyers(conn: &mut AnyConn, release: &ReleaseId) -> Result<Counts, DbError> {
    Ok(buyer_notices::table
        .filter(buyer_notices::release_id.eq(release))
        .group_by(buyer_notices::state)
        .select((buyer_notices::state, count_star()))
        .load(conn)?)
}
