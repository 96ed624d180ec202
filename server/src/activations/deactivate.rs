//! Giving a seat back from inside the kit.

use super::free::free_in;
use crate::app::App;
use crate::db::Shard;
use crate::licenses::facts::gather;
use crate::licenses::keys;
use crate::licenses::tokens::model::Door;
use crate::licenses::validate::{Ask, AskError};

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
pub async fn deactivate(app: &App, ask: &Ask) -> Result<Deactivated, AskError> {
    let Some(lookup) = keys::lookup(app, &ask.key, Door::Seats)? else {
        return Ok(Deactivated::Unknown);
    };
    let question = ask.question(lookup);
    let facts = app
        .db
        .read_snapshot(move |conn| gather(conn, &question))
        .await?;
    let Some(facts) = facts else {
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
