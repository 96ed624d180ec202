//! Giving a seat back from inside the kit.

use super::free::{Freed, free_in};
use super::hand::Hand;
use super::model::ByWhom;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{DbError, Shard};
use crate::licenses::facts;
use crate::licenses::keys;
use crate::licenses::model::{LicenseId, VerdictCode};
use crate::licenses::validate::Ask;

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deactivated {
    /// The seat is free now.
    Freed,
    /// There was no seat to free.
    NotHeld,
    /// No license has the key.
    Unknown,
    /// The license does not cover the kit.
    OtherKit,
    /// Another key took the place of this one: who has it may have sold the license.
    KeyReplaced,
    /// The customer has freed as many seats as the terms allow.
    ChurnLimit {
        /// The license.
        license: LicenseId,
        /// From when the next may be freed.
        next: Timestamp,
    },
}

/// Frees the seat of an identity; repeating it changes nothing.
pub async fn deactivate(app: &App, ask: &Ask) -> Result<Deactivated, DbError> {
    let Some(lookup) = keys::lookup(app, &ask.key) else {
        return Ok(Deactivated::Unknown);
    };
    let facts = facts::read(app, &ask.question(app, lookup)).await?;
    let Some(facts) = facts else {
        return Ok(Deactivated::Unknown);
    };
    if !facts.covers_kit {
        return Ok(Deactivated::OtherKit);
    }
    let standing = facts.holding.standing(facts.covers_kit);
    if standing.refusal(facts.now) == Some(VerdictCode::KeyReplaced) {
        return Ok(Deactivated::KeyReplaced);
    }
    let Some(held) = facts.held().cloned() else {
        return Ok(Deactivated::NotHeld);
    };
    let hand = Hand::new(app, ByWhom::Kit);
    let license = facts.license().id.clone();
    let own = license.clone();
    let freed = app
        .db
        .write(Shard::of(license.as_str()), move |tx| {
            free_in(tx, &own, &held.id, &hand)
        })
        .await?;
    Ok(match freed {
        Freed::Yes => Deactivated::Freed,
        Freed::NotHeld => Deactivated::NotHeld,
        Freed::ChurnLimit(next) => Deactivated::ChurnLimit { license, next },
    })
}
