//! Saying that a seat is still in use.

use super::hand::Hand;
use super::model::ByWhom;
use super::store;
use crate::app::App;
use crate::db::{DbError, Shard, WriteTx};
use crate::licenses::answer::{self, Answer};
use crate::licenses::facts::{self, Facts, Question, gather};
use crate::licenses::keys;
use crate::licenses::store as licenses;
use crate::licenses::validate::{Ask, AskError};

/// Extends the lease of a floating seat, marks any other as seen, and answers as `validate` does.
/// A lease that has ended is not brought back: the seat may be somebody else's by now.
pub async fn heartbeat(app: &App, ask: Ask) -> Result<Answer, AskError> {
    let Some(lookup) = keys::lookup(app, &ask.key) else {
        return Ok(answer::unknown(app, ask.asked())?);
    };
    let question = ask.question(app, lookup);
    let Some(mut facts) = facts::read(app, &question).await? else {
        return Ok(answer::unknown(app, ask.asked())?);
    };
    if moves_lease(&facts) {
        let hand = Hand::new(app, ByWhom::Kit);
        let shard = Shard::of(facts.license().id.as_str());
        let extended = app
            .db
            .write(shard, move |tx| {
                extend_in(tx, &facts.license().id, &question, &hand)
            })
            .await?;
        facts = extended.ok_or(DbError::Aborted(None))?;
    } else {
        app.seen.mark(&mut facts);
    }
    let code = facts.verdict();
    Ok(answer::about(app, ask.asked(), &facts, code, None)?)
}

fn moves_lease(facts: &Facts) -> bool {
    let moves = facts
        .held()
        .is_some_and(|row| row.lease_ends_at != facts.next_lease_end());
    moves && facts.verdict().is_valid()
}

fn extend_in(
    tx: &mut WriteTx<'_>,
    license: &crate::licenses::model::LicenseId,
    question: &Question,
    hand: &Hand,
) -> Result<Option<Facts>, DbError> {
    licenses::lock(tx, license)?;
    let Some(mut facts) = gather(tx.conn(), question)? else {
        return Ok(None);
    };
    if facts.license().id == *license && moves_lease(&facts) {
        let end = facts.next_lease_end();
        if let Some(row) = &mut facts.activation {
            row.lease_ends_at = end;
            row.last_seen_at = row.last_seen_at.max(hand.now);
            store::update(tx, row)?;
        }
    }
    Ok(Some(facts))
}
