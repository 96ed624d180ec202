//! Taking a seat.

use super::claim::{Visit, claim_in};
use super::hand::Hand;
use super::model::{ActivationId, ByWhom};
use crate::app::App;
use crate::db::{DbError, Shard};
use crate::licenses::answer::{self, Answer};
use crate::licenses::facts::{self, Facts};
use crate::licenses::keys;
use crate::licenses::model::VerdictCode;
use crate::licenses::validate::{Ask, AskError};

/// Takes a seat, or finds the one the identity has. Kits call this at every start. `replace` lets
/// the longest unseen seat go where none is left.
pub async fn activate(app: &App, ask: Ask, replace: bool) -> Result<Answer, AskError> {
    let Some(lookup) = keys::lookup(app, &ask.key) else {
        return Ok(answer::unknown(app, ask.asked())?);
    };
    let question = ask.question(app, lookup);
    let Some(mut facts) = facts::read(app, &question).await? else {
        return Ok(answer::unknown(app, ask.asked())?);
    };
    let mut code = facts.verdict();
    if needs_write(&facts, &ask, code) {
        let hand = Hand::new(app, ByWhom::Kit);
        let visit = Visit {
            license: facts.license().id.clone(),
            id: ActivationId::new(hand.now, app.entropy.as_ref()),
            question,
            name: ask.name.clone(),
            version: ask.version.clone(),
            platform: ask.platform.clone(),
            replace,
            hand,
        };
        let shard = Shard::of(visit.license.as_str());
        let claimed = app.db.write(shard, move |tx| claim_in(tx, &visit)).await?;
        (facts, code) = claimed.ok_or(DbError::Aborted(None))?;
    } else {
        app.seen.mark(&mut facts);
    }
    let file_until = facts.file_end();
    Ok(answer::about(
        app,
        ask.asked(),
        &facts,
        code,
        Some(file_until),
    )?)
}

/// Whether the call changes a row: a seat to take or its lease to extend, news of the kit, the
/// license's clock to start. That a seat was seen is kept in memory.
fn needs_write(facts: &Facts, ask: &Ask, code: VerdictCode) -> bool {
    if code == VerdictCode::NotActivated {
        return true;
    }
    if !code.is_valid() {
        return false;
    }
    let is_news = facts.held().is_some_and(|row| {
        row.lease_ends_at != facts.next_lease_end()
            || (ask.version.is_some() && row.version != ask.version)
            || (ask.platform.is_some() && row.platform != ask.platform)
    });
    is_news || facts.waits_for_clock()
}
