//! Everything a verdict rests on, read at one moment.

use std::sync::Arc;

use crate::activations::model::Identity;
use crate::activations::store::{Activation, find_by_identity};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{AnyConn, DbError};
use crate::kits::known_terms::TermsSeen;
use crate::kits::model::{Scope, SeatKind};
use crate::kits::store::{find_kit_by_slug, kits_by_ids};
use crate::licenses::model::{Look, SeatState, VerdictCode};
use crate::licenses::store::{self, Glance, Holding, License};

/// What is asked about a license.
#[derive(Debug, Clone)]
pub struct Question {
    /// Digest of the key.
    pub lookup: Vec<u8>,
    /// Slug as sent.
    pub kit: String,
    /// Who asks.
    pub identity: Option<Identity>,
    /// Terms that need not be read.
    pub terms: Arc<TermsSeen>,
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
pub async fn read(app: &App, question: &Question) -> Result<Option<Facts>, DbError> {
    let own = question.clone();
    // One statement sees one moment by itself, and is all that most calls need.
    let seen = app.db.read(move |conn| look(conn, &own)).await?;
    match seen {
        Seen::Nothing => Ok(None),
        Seen::Whole(facts) => Ok(Some(*facts)),
        Seen::InPart => {
            let own = question.clone();
            app.db.read_snapshot(move |conn| gather(conn, &own)).await
        }
    }
}

/// The same inside a unit of work or a snapshot.
pub fn gather(conn: &mut AnyConn, question: &Question) -> Result<Option<Facts>, DbError> {
    match look(conn, question)? {
        Seen::Nothing => return Ok(None),
        Seen::Whole(facts) => return Ok(Some(*facts)),
        Seen::InPart => {}
    }
    let Some(holding) = store::find_by_lookup(conn, &question.lookup)? else {
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
    let activation = match fitting(question, &holding) {
        Some(identity) => find_by_identity(conn, &holding.license.id, identity)?,
        None => None,
    };
    let seat = seat(question, &holding, activation.as_ref());
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

/// What one statement tells.
enum Seen {
    /// No license has the key.
    Nothing,
    /// All there is to know.
    Whole(Box<Facts>),
    /// The kit was named by a former slug or is none, or the license lists several.
    InPart,
}

fn look(conn: &mut AnyConn, question: &Question) -> Result<Seen, DbError> {
    let identity = question.identity.as_ref();
    let (seen, kit) = (&question.terms, &question.kit);
    let Some(seen) = store::glance(conn, seen, &question.lookup, kit, identity)? else {
        return Ok(Seen::Nothing);
    };
    let Glance {
        holding,
        terms,
        activation,
        kit: Some((kit, slug)),
    } = seen
    else {
        return Ok(Seen::InPart);
    };
    let scope = match (holding.terms.scope, terms.kits.as_slice()) {
        (Scope::All, _) => Vec::new(),
        (Scope::Kits, [only]) if *only == kit => vec![slug.clone()],
        (Scope::Kits, _) => return Ok(Seen::InPart),
    };
    let activation = activation.filter(|_row| fitting(question, &holding).is_some());
    let seat = seat(question, &holding, activation.as_ref());
    Ok(Seen::Whole(Box::new(Facts {
        holding,
        kit_slug: Some(slug),
        covers_kit: true,
        scope,
        activation,
        seat,
    })))
}

/// An identity of another kind than the license's seats is none.
fn fitting<'a>(question: &'a Question, holding: &Holding) -> Option<&'a Identity> {
    let kind = holding.terms.seat_kind;
    let identity = question.identity.as_ref();
    identity.filter(|identity| kind != SeatKind::None && identity.kind == kind)
}

fn seat(question: &Question, holding: &Holding, row: Option<&Activation>) -> SeatState {
    match row {
        None if fitting(question, holding).is_none() => SeatState::NoIdentity,
        None => SeatState::Never,
        Some(row) if row.freed_at.is_some() => SeatState::Freed,
        Some(_) => SeatState::Held,
    }
}
