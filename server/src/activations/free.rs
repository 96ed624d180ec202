//! Freeing seats.

use super::hand::Hand;
use super::model::{ActivationId, Churn, FreedReason, next_free};
use super::store::{self, Activation};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::customers::model::CustomerId;
use crate::db::{AnyConn, DbError, Shard, WriteTx};
use crate::licenses::model::{LicenseId, SeatState};
use crate::licenses::store::{self as licenses, Holding};

/// Which seat, and who frees it.
#[derive(Debug, Clone)]
pub struct FreeSeat {
    /// The license.
    pub license: LicenseId,
    /// Its seat.
    pub activation: ActivationId,
    /// Whom the license must belong to, where a person frees it: it may have been transferred since that
    /// was checked.
    pub owner: Option<CustomerId>,
    /// Who.
    pub actor: Actor,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freed {
    /// The seat is free now.
    Yes,
    /// It was free already, its lease had ended, or it is not of this license, or that is somebody
    /// else's by now.
    NotHeld,
    /// The customer has freed as many seats as the terms allow; the next from then on.
    ChurnLimit(Timestamp),
    /// A file of a machine that is never online speaks for it until then: freed by the customer, the
    /// seat would serve two machines.
    OfflineFile(Timestamp),
}

/// Frees a seat.
pub async fn free_seat(app: &App, input: FreeSeat) -> Result<Freed, DbError> {
    let hand = Hand::of(app, &input.actor);
    let FreeSeat {
        license,
        activation,
        owner,
        actor,
    } = input;
    app.db
        .write(Shard::of(license.as_str()), move |tx| {
            if !licenses::hold_for(tx, &license, owner.as_ref())? {
                return Ok(Freed::NotHeld);
            }
            let freed = free_in(tx, &license, &activation, &hand)?;
            if freed == Freed::Yes {
                let actor = actor.clone();
                let fields = &["freed_at"];
                tx.audit(Entry::new(
                    hand.now,
                    actor,
                    "activation.freed",
                    &activation,
                    fields,
                ));
            }
            Ok(freed)
        })
        .await
}

/// The same inside another unit of work, and without a word in the chained log: kits give seats
/// back as often as they like.
pub fn free_in(
    tx: &mut WriteTx<'_>,
    license: &LicenseId,
    activation: &ActivationId,
    hand: &Hand,
) -> Result<Freed, DbError> {
    licenses::lock(tx, license)?;
    let row = store::find(tx.conn(), license, activation)?;
    let held = row.filter(|row| row.state(hand.now) == SeatState::Held);
    let holding = licenses::find(tx.conn(), license)?;
    let (Some(held), Some(holding)) = (held, holding) else {
        return Ok(Freed::NotHeld);
    };
    if hand.by.is_customer()
        && let Some(refused) = refusal(tx.conn(), &held, &holding, hand.now)?
    {
        return Ok(refused);
    }
    let seat = [activation.clone()];
    let freed = free_all(tx, license, &seat, FreedReason::Freed, hand)?;
    Ok(if freed == 1 {
        Freed::Yes
    } else {
        Freed::NotHeld
    })
}

/// Why the customer may not free a seat now; the vendor may free any.
fn refusal(
    conn: &mut AnyConn,
    held: &Activation,
    holding: &Holding,
    now: Timestamp,
) -> Result<Option<Freed>, DbError> {
    if let Some(until) = held.offline_file(now) {
        return Ok(Some(Freed::OfflineFile(until)));
    }
    let next = churned_until(conn, holding, now)?;
    Ok(next.map(Freed::ChurnLimit))
}

/// From when the customer may free the next seat; `None` = now.
pub(super) fn churned_until(
    conn: &mut AnyConn,
    holding: &Holding,
    now: Timestamp,
) -> Result<Option<Timestamp>, DbError> {
    let Some(churn) = Churn::of(&holding.terms) else {
        return Ok(None);
    };
    let (license, after) = (&holding.license, churn.counts_after(now));
    // What a former owner moved is not held against this one.
    let after = license.owned_since.map_or(after, |since| since.max(after));
    let newest = store::freed_by_customer(conn, &license.id, after, churn.seats)?;
    Ok(next_free(churn, &newest))
}

/// Frees those of these seats that are not free yet, and says how many. The caller holds the
/// license's root row.
pub(super) fn free_all(
    tx: &mut WriteTx<'_>,
    license: &LicenseId,
    seats: &[ActivationId],
    reason: FreedReason,
    hand: &Hand,
) -> Result<i32, DbError> {
    let mut freed = 0;
    for seat in seats {
        if store::free(tx, seat, reason, hand.now)? {
            store::record(tx, hand, license, seat, reason.into())?;
            freed += 1;
        }
    }
    if freed > 0 {
        licenses::release_seats(tx, license, freed)?;
    }
    Ok(freed)
}

/// Frees the seats of a license whose lease has ended. The caller holds the license's root row.
pub(super) fn free_ended(
    tx: &mut WriteTx<'_>,
    license: &LicenseId,
    hand: &Hand,
) -> Result<i32, DbError> {
    let ended = store::ended_leases(tx.conn(), license, hand.now)?;
    free_all(
        tx,
        license,
        &ended,
        FreedReason::LeaseEnded,
        &hand.of_time(),
    )
}
