//! Giving a seat back from inside the kit.

use super::free::{Freed, free_in};
use super::hand::Hand;
use super::model::ByWhom;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Shard;
use crate::licenses::facts::{self, Facts, gather};
use crate::licenses::keys;
use crate::licenses::model::{LicenseId, VerdictCode};
use crate::licenses::store as licenses;
use crate::licenses::tokens::model::Door;
use crate::licenses::validate::{Ask, AskError};

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deactivated {
    /// The seat is free now.
    Freed,
    /// There was no seat to free.
    NotHeld {
        /// The license.
        license: LicenseId,
    },
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
    /// A file of a machine that is never online speaks for the seat.
    OfflineFile {
        /// The license.
        license: LicenseId,
        /// The end of the file.
        until: Timestamp,
    },
}

/// Frees the seat of an identity; repeating it changes nothing.
pub async fn deactivate(app: &App, ask: &Ask) -> Result<Deactivated, AskError> {
    let Some(lookup) = keys::lookup(app, &ask.key, Door::Seats)? else {
        return Ok(Deactivated::Unknown);
    };
    let question = ask.question(app, lookup);
    let facts = facts::read(app, &question).await?;
    let Some(facts) = facts else {
        return Ok(Deactivated::Unknown);
    };
    if !facts.covers_kit {
        return Ok(Deactivated::OtherKit);
    }
    if is_replaced(&facts) {
        return Ok(Deactivated::KeyReplaced);
    }
    let license = facts.license().id.clone();
    let Some(held) = facts.held().cloned() else {
        return Ok(Deactivated::NotHeld { license });
    };
    let hand = Hand::new(app, ByWhom::Kit);
    let own = license.clone();
    let freed = app
        .db
        .write(Shard::of(license.as_str()), move |tx| {
            // The key may have been replaced since it was looked up.
            licenses::lock(tx, &own)?;
            let seen = gather(tx.conn(), &question)?;
            let counts = seen.is_some_and(|it| it.license().id == own && !is_replaced(&it));
            counts
                .then(|| free_in(tx, &own, &held.id, &hand))
                .transpose()
        })
        .await?;
    let Some(freed) = freed else {
        return Ok(Deactivated::KeyReplaced);
    };
    Ok(outcome(freed, license))
}

fn outcome(freed: Freed, license: LicenseId) -> Deactivated {
    match freed {
        Freed::Yes => Deactivated::Freed,
        Freed::NotHeld => Deactivated::NotHeld { license },
        Freed::ChurnLimit(next) => Deactivated::ChurnLimit { license, next },
        Freed::OfflineFile(until) => Deactivated::OfflineFile { license, until },
    }
}

fn is_replaced(facts: &Facts) -> bool {
    let standing = facts.holding.standing(facts.covers_kit);
    standing.refusal(facts.now) == Some(VerdictCode::KeyReplaced)
}
