//! Everything a verdict rests on, read in one snapshot.

use crate::activations::model::Identity;
use crate::activations::store::{Activation, find_by_identity};
use crate::clock::Timestamp;
use crate::db::{AnyConn, DbError};
use crate::kits::model::{Scope, SeatKind};
use crate::kits::store::{find_kit_by_slug, kits_by_ids};
use crate::licenses::keys::{self, Lookup};
use crate::licenses::model::{Look, SeatState, VerdictCode};
use crate::licenses::store::{self, Holding, License};
use crate::licenses::tokens::model::DerivedKind;

/// What is asked about a license.
#[derive(Debug, Clone)]
pub struct Question {
    /// How the key or token is looked up.
    pub lookup: Lookup,
    /// Slug as sent.
    pub kit: String,
    /// Who asks.
    pub identity: Option<Identity>,
}

/// The answer's material.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The license with its standing.
    pub holding: Holding,
    /// Present slug of the kit that was named, where there is one.
    pub kit_slug: Option<String>,
    /// Whether the license covers it.
    pub covers_kit: bool,
    /// Slugs the license lists; empty where its scope is `all`.
    pub scope: Vec<String>,
    /// The row of the identity, freed or not.
    pub activation: Option<Activation>,
    /// Where its seat stands.
    pub seat: SeatState,
}

impl Facts {
    /// The license.
    pub fn license(&self) -> &License {
        &self.holding.license
    }

    /// The first refusal of the license itself, seats apart.
    pub fn refusal(&self, now: Timestamp) -> Option<VerdictCode> {
        self.holding.standing(self.covers_kit).refusal(now)
    }

    /// The verdict of a look that takes no seat.
    pub fn verdict(&self, now: Timestamp) -> VerdictCode {
        let look = Look {
            over_limit: self.over_limit(),
            ..Look::at(self.seat)
        };
        self.holding.standing(self.covers_kit).verdict(now, look)
    }

    /// Whether more seats are in use than the license has.
    pub fn over_limit(&self) -> bool {
        let license = self.license();
        license
            .seat_limit
            .is_some_and(|limit| license.seats_used > limit)
    }

    /// The activation, if its seat is held.
    pub fn held(&self) -> Option<&Activation> {
        self.activation
            .as_ref()
            .filter(|row| row.freed_at.is_none())
    }
}

/// Reads the facts; `None` when no license has the key.
pub fn gather(conn: &mut AnyConn, question: &Question) -> Result<Option<Facts>, DbError> {
    let Some(holding) = keys::find(conn, &question.lookup)? else {
        return Ok(None);
    };
    let kit = find_kit_by_slug(conn, &question.kit)?;
    let covers_kit = match &kit {
        Some(kit) => store::covers(conn, &holding, &kit.id)?,
        None => false,
    };
    let listed = store::kits_of(conn, &holding.license)?;
    let scope = match holding.terms.scope {
        Scope::All => Vec::new(),
        Scope::Kits => kits_by_ids(conn, &listed)?
            .into_iter()
            .map(|kit| kit.slug)
            .collect(),
    };
    let (activation, seat) = seat(conn, &holding, question.identity.as_ref())?;
    let kit_slug = kit.map(|kit| kit.slug);
    Ok(Some(Facts {
        holding,
        kit_slug,
        covers_kit,
        scope,
        activation,
        seat,
    }))
}

/// An identity of another kind than the license's seats is none.
fn seat(
    conn: &mut AnyConn,
    holding: &Holding,
    identity: Option<&Identity>,
) -> Result<(Option<Activation>, SeatState), DbError> {
    if let Some(via) = &holding.via
        && via.kind == DerivedKind::Ci
    {
        return Ok((None, SeatState::Unneeded));
    }
    let fitting = identity.filter(|identity| {
        holding.terms.seat_kind != SeatKind::None && identity.kind == holding.terms.seat_kind
    });
    let Some(identity) = fitting else {
        return Ok((None, SeatState::NoIdentity));
    };
    let row = find_by_identity(conn, &holding.license.id, identity)?;
    let state = match &row {
        None => SeatState::Never,
        Some(row) if row.freed_at.is_some() => SeatState::Freed,
        Some(_) => SeatState::Held,
    };
    Ok((row, state))
}
