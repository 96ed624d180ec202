//! Mapping a provider's price to what it sells.

use super::model::{Mode, PriceId, Provider, QuantityRule, is_stripe_price};
use super::store::{self, Price};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::db::{AnyConn, DbError, Shard, WriteTx};
use crate::idempotency::{Claim, Once};
use crate::kits;
use crate::kits::model::PolicyId;

/// Most policies one price may sell.
const POLICIES_MAX: usize = 20;

/// What to map.
#[derive(Debug, Clone)]
pub struct CreatePrice {
    /// The provider's id.
    pub external_id: String,
    /// Ids or names of policies.
    pub policies: Vec<String>,
    /// What a quantity of more than one means.
    pub quantity_rule: QuantityRule,
    /// Who maps it.
    pub actor: Actor,
}

/// Why it was not mapped.
#[derive(Debug, thiserror::Error)]
pub enum CreatePriceError {
    /// Not of the form of a price.
    #[error("not a price of Stripe's")]
    ExternalId,
    /// None, or too many.
    #[error("a price sells 1 to {POLICIES_MAX} policies")]
    PolicyCount,
    /// No such policy.
    #[error("there is no policy {0:?}")]
    UnknownPolicy(String),
    /// The same policy twice.
    #[error("the policy {0:?} is named twice")]
    RepeatedPolicy(String),
    /// The provider's price is mapped.
    #[error("the price is mapped already")]
    Taken,
    /// The database failed.
    #[error("the database failed while a price was mapped")]
    Db(#[from] DbError),
}

/// Maps a price of the configured mode, once for each claim.
pub async fn create_price(
    app: &App,
    input: CreatePrice,
    claim: Claim,
) -> Result<Once<PriceId>, CreatePriceError> {
    if !is_stripe_price(&input.external_id) {
        return Err(CreatePriceError::ExternalId);
    }
    if !(1..=POLICIES_MAX).contains(&input.policies.len()) {
        return Err(CreatePriceError::PolicyCount);
    }
    let now = app.clock.now();
    let mode: Mode = app.config.stripe.mode;
    let price = Price {
        id: PriceId::new(now, app.entropy.as_ref()),
        provider: Provider::Stripe,
        mode,
        external_id: input.external_id,
        quantity_rule: input.quantity_rule,
        version: 1,
        created_at: now,
    };
    let (named, actor) = (input.policies, input.actor);
    let shard = Shard::of(price.external_id.as_str());
    app.db
        .write(shard, move |tx| {
            claim.once(tx, &price.id, |tx| {
                create_price_in(tx, &price, &named, actor.clone())?;
                Ok(price.id.clone())
            })
        })
        .await
}

/// The same inside another unit of work.
pub fn create_price_in(
    tx: &mut WriteTx<'_>,
    price: &Price,
    policies: &[String],
    actor: Actor,
) -> Result<(), CreatePriceError> {
    let policies = resolve(tx.conn(), policies)?;
    tx.unless_taken(|tx| store::insert_price(tx, price, &policies))?
        .ok_or(CreatePriceError::Taken)?;
    let fields = &["external_id", "policies", "quantity_rule"];
    let entry = Entry::new(price.created_at, actor, "price.created", &price.id, fields);
    tx.audit(entry);
    Ok(())
}

fn resolve(conn: &mut AnyConn, named: &[String]) -> Result<Vec<PolicyId>, CreatePriceError> {
    let mut policies = Vec::new();
    for name in named {
        let policy = match PolicyId::parse(name) {
            Some(id) => kits::store::find_policy(conn, &id)?,
            None => kits::store::find_policy_by_name(conn, name)?,
        };
        let policy = policy.ok_or_else(|| CreatePriceError::UnknownPolicy(name.clone()))?;
        let id = policy.policy.id;
        if policies.contains(&id) {
            return Err(CreatePriceError::RepeatedPolicy(name.clone()));
        }
        policies.push(id);
    }
    Ok(policies)
}
