//! Taking a seat.

use super::claim::{Visit, claim_in};
use super::hand::Hand;
use super::model::{ActivationId, ByWhom};
use super::store::Activation;
use crate::app::App;
use crate::db::{DbError, Shard};
use crate::licenses::answer::{self, Answer};
use crate::licenses::facts::{self, Facts};
use crate::licenses::keys;
use crate::licenses::model::VerdictCode;
use crate::licenses::tokens::model::Door;
use crate::licenses::tokens::usage;
use crate::licenses::validate::{Ask, AskError};
use crate::updates::newer_version::newer_version;

/// Where unseen seats are freed, which takes a day at least: how long ago a seat may have been seen
/// last by what is stored.
const SEEN_SECONDS: i64 = 12 * 3_600;

/// Takes a seat, or finds the one the identity has. Kits call this at every start. `replace` lets
/// the longest unseen seat go where none is left.
pub async fn activate(app: &App, ask: Ask, replace: bool) -> Result<Answer, AskError> {
    let Some(lookup) = keys::lookup(app, &ask.key, Door::Seats)? else {
        return Ok(answer::unknown(app, ask.asked())?);
    };
    let question = ask.question(app, lookup);
    let Some(mut facts) = facts::read(app, &question).await? else {
        return Ok(answer::unknown(app, ask.asked())?);
    };
    usage::watch(app, &facts.holding, ask.identity.as_ref()).await?;
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
    let file_until = Some(facts.file_end());
    let mut answer = answer::about(app, ask.asked(), &facts, code, file_until)?;
    if answer.valid {
        let newer = newer_version(app, &facts, &ask).await;
        answer.notices.extend(newer);
    }
    Ok(answer)
}

/// Whether the call changes a row: a seat to take or its lease to extend, news of the kit, the
/// license's clock to start. That a seat was seen is kept in memory, unless it may soon be freed as
/// unseen: another process sweeps by what is stored.
fn needs_write(facts: &Facts, ask: &Ask, code: VerdictCode) -> bool {
    if code == VerdictCode::NotActivated {
        return true;
    }
    if !code.is_valid() {
        return false;
    }
    let is_news = facts.held().is_some_and(|row| {
        row.lease_ends_at != facts.next_lease_end()
            || is_long_unseen(facts, row)
            || (ask.version.is_some() && row.version != ask.version)
            || (ask.platform.is_some() && row.platform != ask.platform)
    });
    is_news || facts.waits_for_clock()
}

fn is_long_unseen(facts: &Facts, row: &Activation) -> bool {
    let frees_unseen = facts.holding.terms.free_unseen_days.is_some();
    frees_unseen && row.last_seen_at <= facts.now.plus_seconds(-SEEN_SECONDS)
}
