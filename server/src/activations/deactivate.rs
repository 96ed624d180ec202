//! Giving a seat back from inside the kit.

use super::free::free_in;
use crate::app::App;
use crate::db::{DbError, Shard};
use crate::licenses::facts;
use crate::licenses::keys;
use crate::licenses::validate::Ask;

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deactivated {
    /// The seat is free now.
    Freed,
    /// There was no seat to free.
    NotHeld,
    /// No license has the key.
    Unknown,
    /// The license does not cover the kit.
    OtherKit,
}

/// Frees the seat of an identity; repeating it changes nothing.
pub async fn deactivate(app: &App, ask: &Ask) -> Result<Deactivated, DbError> {
    let Some(lookup) = keys::lookup(app, &ask.key) else {
        return Ok(Deactivated::Unknown);
    };
    let Some(facts) = facts::read(app, &ask.question(app, lookup)).await? else {
        return Ok(Deactivated::Unknown);
    };
    if !facts.covers_kit {
        return Ok(Deactivated::OtherKit);
    }
    let Some(held) = facts.held().cloned() else {
        return Ok(Deactivated::NotHeld);
    };
    let now = app.clock.now();
    let license = facts.license().id.clone();
    let freed = app
        .db
        .write(Shard::of(license.as_str()), move |tx| {
            free_in(tx, &license, &held.id, None, now)
        })
        .await?;
    Ok(if freed {
        Deactivated::Freed
    } else {
        Deactivated::NotHeld
    })
}
