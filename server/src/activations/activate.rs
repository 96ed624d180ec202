//! Taking a seat.

use crate::activations::model::{ActivationId, Identity};
use crate::activations::store::{self, Activation};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{DbError, Shard, WriteTx};
use crate::kits::model::SeatKind;
use crate::licenses::answer::{self, Answer};
use crate::licenses::facts::{Facts, Question, gather};
use crate::licenses::keys;
use crate::licenses::model::{SeatState, VerdictCode};
use crate::licenses::store as licenses;
use crate::licenses::tokens::model::Door;
use crate::licenses::tokens::usage;
use crate::licenses::validate::{Ask, AskError};

/// Seconds after which a seat that calls again is written as seen.
const SEEN_EVERY: i64 = 60;

/// Takes a seat, or finds the one the identity has. Kits call this at every start.
pub async fn activate(app: &App, ask: Ask) -> Result<Answer, AskError> {
    let Some(lookup) = keys::lookup(app, &ask.key, Door::Seats)? else {
        return Ok(answer::unknown(app, ask.asked())?);
    };
    let question = ask.question(lookup);
    let own = question.clone();
    let Some(facts) = app.db.read_snapshot(move |conn| gather(conn, &own)).await? else {
        return Ok(answer::unknown(app, ask.asked())?);
    };
    usage::watch(app, &facts.holding, ask.identity.as_ref()).await?;
    let now = app.clock.now();
    let (facts, code) = match needs_write(&facts, &ask, now) {
        None => {
            let code = facts.verdict(now);
            (facts, code)
        }
        Some(identity) => {
            let visit = Visit::new(app, &ask, identity, now);
            let shard = Shard::of(facts.license().id.as_str());
            let claimed = app
                .db
                .write(shard, move |tx| claim_in(tx, &question, &visit))
                .await?;
            claimed.ok_or(DbError::Aborted(None))?
        }
    };
    Ok(answer::about(app, ask.asked(), &facts, code, true)?)
}

/// The identity to write a seat for; `None` where the license refuses, has no seats, or the seat
/// was written as seen a moment ago.
fn needs_write(facts: &Facts, ask: &Ask, now: Timestamp) -> Option<Identity> {
    if facts.refusal(now).is_some() || facts.holding.terms.seat_kind == SeatKind::None {
        return None;
    }
    if matches!(facts.seat, SeatState::NoIdentity | SeatState::Unneeded) {
        return None;
    }
    let fresh = facts.held().is_some_and(|row| {
        now < row.last_seen_at.plus_seconds(SEEN_EVERY)
            && (ask.version.is_none() || row.version == ask.version)
            && (ask.platform.is_none() || row.platform == ask.platform)
    });
    if fresh { None } else { ask.identity.clone() }
}

/// A call that wants to write a seat.
#[derive(Debug, Clone)]
struct Visit {
    id: ActivationId,
    identity: Identity,
    name: Option<String>,
    version: Option<String>,
    platform: Option<String>,
    now: Timestamp,
}

impl Visit {
    fn new(app: &App, ask: &Ask, identity: Identity, now: Timestamp) -> Self {
        Self {
            id: ActivationId::new(now, app.entropy.as_ref()),
            identity,
            name: ask.name.clone(),
            version: ask.version.clone(),
            platform: ask.platform.clone(),
            now,
        }
    }
}

/// The limit is exact because the license's row is written before anything is looked at, and the
/// count and its limit are one statement.
fn claim_in(
    tx: &mut WriteTx<'_>,
    question: &Question,
    visit: &Visit,
) -> Result<Option<(Facts, VerdictCode)>, DbError> {
    let Some(seen) = gather(tx.conn(), question)? else {
        return Ok(None);
    };
    licenses::lock(tx, &seen.license().id)?;
    let Some(mut facts) = gather(tx.conn(), question)? else {
        return Ok(None);
    };
    if let Some(refusal) = facts.refusal(visit.now) {
        return Ok(Some((facts, refusal)));
    }
    if facts.seat != SeatState::Held {
        if !licenses::claim_seat(tx, &facts.license().id)? {
            return Ok(Some((facts, VerdictCode::SeatsExhausted)));
        }
        facts.holding.license.seats_used += 1;
    }
    let row = write_seat(tx, &facts, visit)?;
    facts.activation = Some(row);
    facts.seat = SeatState::Held;
    let code = facts.verdict(visit.now);
    Ok(Some((facts, code)))
}

fn write_seat(tx: &mut WriteTx<'_>, facts: &Facts, visit: &Visit) -> Result<Activation, DbError> {
    let Some(known) = &facts.activation else {
        let row = Activation {
            id: visit.id.clone(),
            license_id: facts.license().id.clone(),
            kind: visit.identity.kind,
            identity: visit.identity.text.clone(),
            name: visit
                .name
                .clone()
                .unwrap_or_else(|| visit.identity.text.clone()),
            version: visit.version.clone(),
            platform: visit.platform.clone(),
            created_at: visit.now,
            last_seen_at: visit.now,
            freed_at: None,
            lease_ends_at: None,
            freed_reason: None,
        };
        store::insert(tx, &row)?;
        return Ok(row);
    };
    let mut row = known.clone();
    if row.freed_at.take().is_some() {
        row.freed_reason = None;
        row.created_at = visit.now;
        // A customer's own name for a held seat stays; a seat taken anew gets the new one.
        if let Some(name) = &visit.name {
            row.name.clone_from(name);
        }
    }
    row.last_seen_at = visit.now;
    row.version = visit.version.clone().or(row.version);
    row.platform = visit.platform.clone().or(row.platform);
    store::update(tx, &row)?;
    Ok(row)
}
