//! The seat itself, inside the unit of work of a call: the limit is exact because the license's root
//! row is written before anything is looked at, and the count and its limit are one statement.

use std::sync::Arc;

use super::free::{churned_until, free_all, free_ended};
use super::hand::Hand;
use super::model::{ActivationId, EventKind, FreedReason, Identity};
use super::store::{self, Activation};
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::db::{DbError, WriteTx};
use crate::kits::model::Basis;
use crate::licenses::facts::{Exhausted, Facts, Question, gather};
use crate::licenses::model::{Effect, Lapse, LicenseId, SeatState, VerdictCode};
use crate::licenses::store as licenses;

/// A call that wants to write a seat.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    /// The license, as found before the unit of work.
    pub license: LicenseId,
    /// What was asked.
    pub question: Arc<Question>,
    /// Id of the seat, if it is a new one.
    pub id: ActivationId,
    /// Name of the seat, for people.
    pub name: Option<String>,
    /// Version of the kit.
    pub version: Option<String>,
    /// Platform it runs on.
    pub platform: Option<String>,
    /// Whether the longest unseen seat may be freed for it.
    pub replace: bool,
    /// Whose call.
    pub hand: Hand,
}

/// Takes or renews the seat, and starts the license's clock. `None`: the license is not there any
/// more under this key.
pub(super) fn claim_in(
    tx: &mut WriteTx<'_>,
    visit: &Visit,
) -> Result<Option<(Facts, VerdictCode)>, DbError> {
    licenses::lock(tx, &visit.license)?;
    free_ended(tx, &visit.license, &visit.hand)?;
    let Some(mut facts) = gather(tx.conn(), &visit.question)? else {
        return Ok(None);
    };
    if facts.license().id != visit.license {
        return Ok(None);
    }
    let code = facts.verdict();
    if code == VerdictCode::NotActivated {
        facts.exhausted = take(tx, &mut facts, visit)?;
        if facts.exhausted.is_some() {
            return Ok(Some((facts, VerdictCode::SeatsExhausted)));
        }
    } else if !code.is_valid() {
        return Ok(Some((facts, code)));
    }
    if let Some(identity) = visit
        .question
        .identity
        .as_ref()
        .filter(|_| facts.has_seat())
    {
        let row = write_seat(tx, &facts, visit, identity)?;
        facts.activation = Some(row);
        facts.seat = SeatState::Held;
    }
    start_clock(tx, &mut facts, visit.hand.now)?;
    let code = facts.verdict();
    Ok(Some((facts, code)))
}

/// Counts one more seat, or says why not.
fn take(
    tx: &mut WriteTx<'_>,
    facts: &mut Facts,
    visit: &Visit,
) -> Result<Option<Exhausted>, DbError> {
    let may_grow = may_take(tx, facts, &visit.hand)?;
    if may_grow && licenses::claim_seat(tx, &visit.license)? {
        facts.holding.license.seats_used += 1;
        return Ok(None);
    }
    let why = if may_grow {
        Exhausted::Limit
    } else {
        Exhausted::Lapse
    };
    if visit.replace {
        take_longest_unseen(tx, facts, visit, why)
    } else {
        Ok(Some(why))
    }
}

/// A lapsed license gets no further seats; one that was freed since the lapse may be taken anew.
fn may_take(tx: &mut WriteTx<'_>, facts: &Facts, hand: &Hand) -> Result<bool, DbError> {
    let standing = facts.holding.standing(facts.covers_kit);
    if standing.allows(Effect::NewSeat, hand.now) {
        return Ok(true);
    }
    match standing.lapse(hand.now) {
        Lapse::Since(since) if standing.allows(Effect::MoveSeat, hand.now) => {
            Ok(store::moves_since(tx.conn(), &facts.license().id, since)? > 0)
        }
        Lapse::Since(_) | Lapse::Grace(_) | Lapse::No => Ok(false),
    }
}

/// Frees the longest unseen seat and takes its place, which counts as the customer's move.
fn take_longest_unseen(
    tx: &mut WriteTx<'_>,
    facts: &mut Facts,
    visit: &Visit,
    why: Exhausted,
) -> Result<Option<Exhausted>, DbError> {
    let (license, hand) = (&visit.license, &visit.hand);
    let used = facts.license().seats_used;
    // Beyond a lowered limit one seat given up leaves no room yet.
    if facts.license().seat_cap.is_some_and(|cap| used > cap) {
        return Ok(Some(why));
    }
    if let Some(next) = churned_until(tx.conn(), &facts.holding, hand.now)? {
        return Ok(Some(Exhausted::Churn(next)));
    }
    let Some(seat) = store::longest_unseen(tx.conn(), license, hand.now)? else {
        return Ok(Some(why));
    };
    free_all(tx, license, &[seat], FreedReason::Freed, hand)?;
    if licenses::claim_seat(tx, license)? {
        return Ok(None);
    }
    Err(DbError::Inconsistent {
        table: "licenses",
        row: license.to_string(),
        what: "a freed seat left no room",
    })
}

fn write_seat(
    tx: &mut WriteTx<'_>,
    facts: &Facts,
    visit: &Visit,
    identity: &Identity,
) -> Result<Activation, DbError> {
    let Some(known) = &facts.activation else {
        let row = new_row(facts, visit, identity);
        store::insert(tx, &row)?;
        store::record(
            tx,
            &visit.hand,
            &visit.license,
            &row.id,
            EventKind::Activated,
        )?;
        return Ok(row);
    };
    let mut row = known.clone();
    if let Some(freed_at) = row.freed_at {
        row = taken_again(facts, visit, identity, known, freed_at);
        store::record(
            tx,
            &visit.hand,
            &visit.license,
            &row.id,
            EventKind::Activated,
        )?;
    }
    // The name of a held seat stays, and so does the end of a file that speaks for it.
    row.last_seen_at = row.last_seen_at.max(visit.hand.now);
    row.lease_ends_at = facts.next_lease_end();
    row.version = visit.version.clone().or(row.version);
    row.platform = visit.platform.clone().or(row.platform);
    store::update(tx, &row)?;
    Ok(row)
}

/// A freed seat as its identity takes it again: under its former name where none is sent. What it
/// was called by a former owner of the license is nothing for the present one to see. Whoever freed
/// it gave up a file that spoke for it.
fn taken_again(
    facts: &Facts,
    visit: &Visit,
    identity: &Identity,
    known: &Activation,
    freed_at: Timestamp,
) -> Activation {
    let anew = Activation {
        id: known.id.clone(),
        ..new_row(facts, visit, identity)
    };
    let owned_since = facts.license().owned_since;
    if owned_since.is_some_and(|since| freed_at <= since) {
        return anew;
    }
    let name = visit.name.as_ref().unwrap_or(&known.name);
    Activation {
        name: name.clone(),
        version: anew.version.or_else(|| known.version.clone()),
        platform: anew.platform.or_else(|| known.platform.clone()),
        ..anew
    }
}

fn new_row(facts: &Facts, visit: &Visit, identity: &Identity) -> Activation {
    let name = visit.name.clone();
    Activation {
        id: visit.id.clone(),
        license_id: visit.license.clone(),
        kind: identity.kind,
        identity: identity.text.clone(),
        name: name.unwrap_or_else(|| identity.text.clone()),
        version: visit.version.clone(),
        platform: visit.platform.clone(),
        created_at: visit.hand.now,
        last_seen_at: visit.hand.now,
        freed_at: None,
        lease_ends_at: facts.next_lease_end(),
        freed_reason: None,
        offline_until: None,
    }
}

/// Where the durations count from the first activation, this is it. What was set by hand stays.
pub(super) fn start_clock(
    tx: &mut WriteTx<'_>,
    facts: &mut Facts,
    now: Timestamp,
) -> Result<(), DbError> {
    if !facts.waits_for_clock() {
        return Ok(());
    }
    let terms = &facts.holding.terms;
    let (valid, updates) = (terms.valid_from(now), terms.updates_from(now));
    let license = &mut facts.holding.license;
    license.first_activated_at = Some(now);
    license.valid_until = license.valid_until.or(valid);
    license.updates_until = license.updates_until.or(updates);
    licenses::start_clock(tx, license)?;
    let fields = &["first_activated_at", "valid_until", "updates_until"];
    tx.audit(Entry::new(
        now,
        Actor::System,
        "license.started",
        &license.id,
        fields,
    ));
    Ok(())
}

/// Whether the clock of this license starts with its first activation and has not.
impl Facts {
    pub(super) fn waits_for_clock(&self) -> bool {
        self.holding.terms.basis == Basis::FirstActivation
            && self.license().first_activated_at.is_none()
    }
}
