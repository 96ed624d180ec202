//! Takes the root key off the server.

use kitward_keys::{KeyPurpose, SigningKey};

use super::change::{ChangeError, Custody, change};
use super::model::{self, Refused};
use super::open::unseal;
use super::sign::Root;
use super::store::{self, Snapshot};
use crate::audit::{Actor, Entry};
use crate::db::{DbError, Shard};

/// Hands the active root key out, on record.
pub async fn export_root(custody: &Custody<'_>, actor: Actor) -> Result<SigningKey, ChangeError> {
    let snapshot = custody.db.read_snapshot(store::ring).await?;
    let root = snapshot.keys.iter().find(|key| key.signs(KeyPurpose::Root));
    let root = root
        .filter(|key| key.is_here())
        .ok_or(Refused::RootElsewhere)?;
    let key = unseal(root, custody.vault)?;
    let entry = Entry::new(custody.now, actor, "root_key.exported", root.kid(), &[]);
    custody
        .db
        .write(Shard::of(root.kid()), move |tx| -> Result<(), DbError> {
            tx.audit(entry.clone());
            Ok(())
        })
        .await?;
    Ok(key)
}

/// Removes the private half of the active root key; it signs the ring once more, for longer.
pub async fn remove_root(
    custody: &Custody<'_>,
    actor: &Actor,
    kid: &str,
) -> Result<(), ChangeError> {
    let plan = |snapshot: &Snapshot| model::take_away_root(&snapshot.keys, kid).map(Some);
    change(custody, actor, Root::Here, plan).await?;
    Ok(())
}
