//! Changing a policy: other terms are its next version, existing licenses keep theirs.

use super::create_policy::{CreatePolicyError, check_scope, check_text, resolve};
use super::model::{KitId, PolicyId, Scope, TermsId};
use super::overlay::{Given, Misfit};
use super::store::{self, PolicyTerms, Terms};
use super::texts::{self, Fault};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::db::{AnyConn, DbError, Shard, WriteTx};

/// What shall change; `None` leaves a field as it is.
#[derive(Debug, Clone)]
pub struct EditPolicy {
    /// Which policy.
    pub id: PolicyId,
    /// Only if it still has this version.
    pub expected_version: Option<i64>,
    /// New name.
    pub name: Option<String>,
    /// Where its licenses are renewed; an empty text takes it away.
    pub renew_url: Option<String>,
    /// Members of its terms.
    pub terms: Given,
    /// Slugs or ids of the kits it covers.
    pub kits: Option<Vec<String>>,
    /// Who changes it.
    pub actor: Actor,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum EditPolicyError {
    /// What a new policy would be refused for.
    #[error(transparent)]
    Policy(#[from] CreatePolicyError),
    /// A member of the terms is not accepted.
    #[error(transparent)]
    Terms(#[from] Misfit),
    /// No policy has this id.
    #[error("no such policy")]
    NotFound,
    /// Somebody else changed it first.
    #[error("the policy was changed meanwhile")]
    Changed {
        /// Its version now.
        version: i64,
    },
}

impl From<DbError> for EditPolicyError {
    fn from(error: DbError) -> Self {
        Self::Policy(error.into())
    }
}

impl From<Fault> for EditPolicyError {
    fn from(fault: Fault) -> Self {
        Self::Policy(fault.into())
    }
}

/// Changes a policy.
pub async fn edit_policy(app: &App, input: EditPolicy) -> Result<(), EditPolicyError> {
    let now = app.clock.now();
    let next = TermsId::new(now, app.entropy.as_ref());
    app.db
        .write(Shard::of(input.id.as_str()), move |tx| {
            edit_policy_in(tx, &input, &next, now)
        })
        .await
}

/// The same inside another unit of work. `next` is the id of the next terms, should they change.
pub fn edit_policy_in(
    tx: &mut WriteTx<'_>,
    input: &EditPolicy,
    next: &TermsId,
    now: Timestamp,
) -> Result<(), EditPolicyError> {
    if !store::lock_policy(tx, &input.id)? {
        return Err(EditPolicyError::NotFound);
    }
    let found = store::find_policy(tx.conn(), &input.id)?;
    let before = found.ok_or(EditPolicyError::NotFound)?;
    // The lock already counted one up.
    let version = before.policy.version - 1;
    let expected = input.expected_version;
    if expected.is_some_and(|expected| expected != version) {
        return Err(EditPolicyError::Changed { version });
    }
    let mut policy = before.policy.clone();
    if let Some(name) = &input.name {
        policy.name = texts::name(name)?;
    }
    if let Some(url) = &input.renew_url {
        policy.renew_url = texts::renew_url(url)?;
    }
    let (terms, kits) = next_terms(tx.conn(), input, &before)?;
    let is_new = terms != before.version.terms || kits != before.kits;
    if is_new {
        let mut added = before.version.clone();
        added.id = next.clone();
        added.number = before.policy.terms_number.saturating_add(1);
        added.terms = terms;
        added.created_at = now;
        policy.terms_number = added.number;
        store::insert_terms(tx, &added, &kits)?;
    }
    let written = tx.unless_taken(|tx| store::update_policy(tx, &policy))?;
    written.ok_or(CreatePolicyError::NameTaken)?;
    let (actor, fields) = (input.actor.clone(), fields(is_new));
    tx.audit(Entry::new(now, actor, "policy.changed", &policy.id, fields));
    Ok(())
}

fn next_terms(
    conn: &mut AnyConn,
    input: &EditPolicy,
    before: &PolicyTerms,
) -> Result<(Terms, Vec<KitId>), EditPolicyError> {
    let terms = input.terms.over(&before.version.terms)?;
    check_text(conn, &terms)?;
    let kits = match (&input.kits, terms.scope) {
        (Some(named), scope) => {
            check_scope(scope, named.len())?;
            resolve(conn, named)?
        }
        (None, Scope::All) => Vec::new(),
        (None, Scope::Kits) => {
            check_scope(Scope::Kits, before.kits.len())?;
            before.kits.clone()
        }
    };
    Ok((terms, kits))
}

fn fields(has_new_terms: bool) -> &'static [&'static str] {
    if has_new_terms {
        &["name", "renew_url", "terms", "kits"]
    } else {
        &["name", "renew_url"]
    }
}
