//! Freeing a seat.

use super::model::ActivationId;
use super::store;
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::db::{DbError, Shard, WriteTx};
use crate::licenses::model::LicenseId;
use crate::licenses::store as licenses;

/// Which seat, and who frees it.
#[derive(Debug, Clone)]
pub struct FreeSeat {
    /// The license.
    pub license: LicenseId,
    /// Its seat.
    pub activation: ActivationId,
    /// Who.
    pub actor: Actor,
}

/// Frees a seat; `false` when it was free already or is not of this license.
pub async fn free_seat(app: &App, input: FreeSeat) -> Result<bool, DbError> {
    let now = app.clock.now();
    let FreeSeat {
        license,
        activation,
        actor,
    } = input;
    app.db
        .write(Shard::of(license.as_str()), move |tx| {
            free_in(tx, &license, &activation, Some(&actor), now)
        })
        .await
}

/// The same inside another unit of work. Without an actor it is a kit that gives its seat back:
/// such calls come as often as they like and stay out of the chained log.
pub fn free_in(
    tx: &mut WriteTx<'_>,
    license: &LicenseId,
    activation: &ActivationId,
    actor: Option<&Actor>,
    now: Timestamp,
) -> Result<bool, DbError> {
    licenses::lock(tx, license)?;
    if store::find(tx.conn(), license, activation)?.is_none() {
        return Ok(false);
    }
    if !store::free(tx, activation, now)? {
        return Ok(false);
    }
    licenses::release_seat(tx, license)?;
    if let Some(actor) = actor {
        let actor = actor.clone();
        tx.audit(Entry::new(
            now,
            actor,
            "activation.freed",
            activation,
            &["freed_at"],
        ));
    }
    Ok(true)
}
