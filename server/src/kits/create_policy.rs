//! Adding a policy.

use super::model::{KitId, LicenseTextId, PolicyId, Scope, Template, TermsId};
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
    /// The template its terms were made from.
    pub template: Option<Template>,
    /// What it grants; checked.
    pub terms: Terms,
    /// Where its licenses are renewed; empty = on their own pages.
    pub renew_url: String,
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
    /// No license text has this id.
    #[error("there is no license text {0}")]
    UnknownText(LicenseTextId),
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
    check_scope(input.terms.scope, input.kits.len())?;
    let policy = Policy {
        id: PolicyId::new(now, app.entropy.as_ref()),
        name: texts::name(&input.name)?,
        terms_number: 1,
        renew_url: texts::renew_url(&input.renew_url)?,
        template: input.template.map(|template| template.to_string()),
        version: 1,
        created_at: now,
    };
    let version = TermsVersion {
        id: TermsId::new(now, app.entropy.as_ref()),
        policy_id: policy.id.clone(),
        number: 1,
        terms: input.terms,
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

/// A scope of kits lists some, one of all lists none.
pub(super) fn check_scope(scope: Scope, kits: usize) -> Result<(), Fault> {
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
    check_text(tx.conn(), added.terms())?;
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

/// The license text that terms name exists.
pub(super) fn check_text(conn: &mut AnyConn, terms: &Terms) -> Result<(), CreatePolicyError> {
    let Some(id) = &terms.license_text_id else {
        return Ok(());
    };
    let found = store::find_text(conn, id)?;
    found
        .map(|_text| ())
        .ok_or_else(|| CreatePolicyError::UnknownText(id.clone()))
}

/// The ids of kits named by slug or id, each once.
pub(super) fn resolve(
    conn: &mut AnyConn,
    named: &[String],
) -> Result<Vec<KitId>, CreatePolicyError> {
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
