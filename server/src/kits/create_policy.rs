//! Adding a policy.

use super::model::{KitId, PolicyId, Scope, TermsId};
use super::store::{self, Policy, PolicyTerms, Terms, TermsVersion};
use super::texts::{self, Fault};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::db::{AnyConn, DbError, Shard, WriteTx};
use crate::idempotency::{Claim, Once};

/// Most kits one policy may list.
const KITS_MAX: usize = 500;

/// What a new policy shall be.
#[derive(Debug, Clone)]
pub struct CreatePolicy {
    /// Name among the vendor's policies.
    pub name: String,
    /// What it grants.
    pub terms: Terms,
    /// Slugs or ids of the kits it covers; none where its scope is `all`.
    pub kits: Vec<String>,
    /// Who adds it.
    pub actor: Actor,
}

/// Why it was not added.
#[derive(Debug, thiserror::Error)]
pub enum CreatePolicyError {
    /// The database failed.
    #[error("the database failed while a policy was added")]
    Db(#[from] DbError),
    /// A field is not accepted.
    #[error(transparent)]
    Field(#[from] Fault),
    /// No kit has this slug or id.
    #[error("there is no kit {0}")]
    UnknownKit(String),
    /// Another policy has this name.
    #[error("the name is taken")]
    NameTaken,
}

/// Adds a policy, once for each claim.
pub async fn create_policy(
    app: &App,
    input: CreatePolicy,
    claim: Claim,
) -> Result<Once<PolicyId>, CreatePolicyError> {
    let now = app.clock.now();
    let terms = checked_terms(input.terms)?;
    check_scope(terms.scope, input.kits.len())?;
    let policy = Policy {
        id: PolicyId::new(now, app.entropy.as_ref()),
        name: texts::name(&input.name)?,
        terms_number: 1,
        renew_url: None,
        template: None,
        version: 1,
        created_at: now,
    };
    let version = TermsVersion {
        id: TermsId::new(now, app.entropy.as_ref()),
        policy_id: policy.id.clone(),
        number: 1,
        terms,
        created_at: now,
    };
    let added = PolicyTerms {
        policy,
        version,
        kits: Vec::new(),
    };
    let (kits, actor) = (input.kits, input.actor);
    app.db
        .write(Shard::of(added.policy.id.as_str()), move |tx| {
            claim.once(tx, &added.policy.id, |tx| {
                create_policy_in(tx, added.clone(), &kits, actor.clone())?;
                Ok(added.policy.id.clone())
            })
        })
        .await
}

fn checked_terms(mut terms: Terms) -> Result<Terms, Fault> {
    terms.edition = terms.edition.trim().to_owned();
    let checked = terms.check();
    checked.map_err(|(field, reason)| Fault { field, reason })?;
    Ok(terms)
}

fn check_scope(scope: Scope, kits: usize) -> Result<(), Fault> {
    let reason = match (scope, kits) {
        (Scope::All, 0) | (Scope::Kits, 1..=KITS_MAX) => return Ok(()),
        (Scope::All, _) => "must be empty where the scope is all",
        (Scope::Kits, 0) => "must name at least one kit where the scope is kits",
        (Scope::Kits, _) => "must name at most 500 kits",
    };
    Err(Fault {
        field: "kits",
        reason,
    })
}

/// The same inside another unit of work. `kits` are slugs or ids.
pub fn create_policy_in(
    tx: &mut WriteTx<'_>,
    mut added: PolicyTerms,
    kits: &[String],
    actor: Actor,
) -> Result<(), CreatePolicyError> {
    added.kits = resolve(tx.conn(), kits)?;
    let inserted = tx.unless_taken(|tx| store::insert_policy(tx, &added))?;
    if inserted.is_none() {
        return Err(CreatePolicyError::NameTaken);
    }
    tx.audit(Entry::new(
        added.policy.created_at,
        actor,
        "policy.created",
        &added.policy.id,
        &["name", "terms", "kits"],
    ));
    Ok(())
}

fn resolve(conn: &mut AnyConn, named: &[String]) -> Result<Vec<KitId>, CreatePolicyError> {
    let mut kits = Vec::with_capacity(named.len());
    for name in named {
        let kit = store::find_kit_by_name(conn, name)?;
        let kit = kit.ok_or_else(|| CreatePolicyError::UnknownKit(name.clone()))?;
        kits.push(kit.id);
    }
    kits.sort();
    kits.dedup();
    Ok(kits)
}
