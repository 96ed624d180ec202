//! What an operator does to the ring.

use kitward_keys::{KeyPurpose, SigningKey};

use super::change::{ChangeError, Custody, change};
use super::model::{self, Refused, Start};
use super::sign::Root;
use super::store::Snapshot;
use crate::audit::Actor;

/// Who changes the ring, and with what.
#[derive(Debug)]
pub struct Order {
    /// Who.
    pub actor: Actor,
    /// The root key, where it is kept elsewhere.
    pub root: Option<SigningKey>,
}

impl Order {
    fn root(&self) -> Root<'_> {
        self.root.as_ref().map_or(Root::Here, Root::Given)
    }
}

type Steps = Result<Vec<model::Step>, Refused>;

async fn order(
    custody: &Custody<'_>,
    order: &Order,
    plan: impl Fn(&[model::RingKey]) -> Steps,
) -> Result<(), ChangeError> {
    let plan = |snapshot: &Snapshot| plan(&snapshot.keys).map(Some);
    change(custody, &order.actor, order.root(), plan).await?;
    Ok(())
}

/// Publishes the next key of a purpose, or puts it into use.
pub async fn rotate(
    custody: &Custody<'_>,
    by: &Order,
    purpose: KeyPurpose,
    start: Start,
) -> Result<(), ChangeError> {
    order(custody, by, |keys| {
        model::rotate(keys, purpose, start, custody.now)
    })
    .await
}

/// Ends a key whose signatures nobody needs to meet any more, or that never signed.
pub async fn retire(
    custody: &Custody<'_>,
    by: &Order,
    kid: &str,
    force: bool,
) -> Result<(), ChangeError> {
    order(custody, by, |keys| {
        model::retire(keys, kid, force, custody.now)
    })
    .await
}

/// Takes back everything a key signed.
pub async fn compromise(custody: &Custody<'_>, by: &Order, kid: &str) -> Result<(), ChangeError> {
    order(custody, by, |keys| model::compromise(keys, kid)).await
}

/// Signs the ring anew, so that its document lives on.
pub async fn sign_ring(custody: &Custody<'_>, by: &Order) -> Result<(), ChangeError> {
    order(custody, by, |_keys| Ok(Vec::new())).await
}
