//! Giving a customer another name.

use super::model::CustomerId;
use super::store;
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::db::{DbError, Shard, WriteTx};
use crate::entropy::bytes;
use crate::kits::texts::{self, Fault};

/// Who gets which name.
#[derive(Debug, Clone)]
pub struct Rename {
    /// The customer.
    pub id: CustomerId,
    /// Only if it still has this version.
    pub expected_version: Option<i64>,
    /// The new name.
    pub name: String,
    /// Who changes it.
    pub actor: Actor,
}

/// Why it kept its name.
#[derive(Debug, thiserror::Error)]
pub enum RenameError {
    /// The database failed.
    #[error("the database failed while a customer was renamed")]
    Db(#[from] DbError),
    /// The name is not accepted.
    #[error(transparent)]
    Field(#[from] Fault),
    /// No customer has this id.
    #[error("no such customer")]
    NotFound,
    /// Somebody else changed it first.
    #[error("the customer was changed meanwhile")]
    Changed {
        /// Its version now.
        version: i64,
    },
}

/// Renames a customer.
pub async fn rename(app: &App, mut input: Rename) -> Result<(), RenameError> {
    input.name = texts::name(&input.name)?;
    let (now, salt) = (app.clock.now(), bytes(app.entropy.as_ref()));
    app.db
        .write(Shard::of(input.id.as_str()), move |tx| {
            rename_in(tx, &input, now, salt)
        })
        .await
}

fn rename_in(
    tx: &mut WriteTx<'_>,
    input: &Rename,
    now: Timestamp,
    salt: [u8; 16],
) -> Result<(), RenameError> {
    let Some(version) = store::set_name(tx, &input.id, &input.name)? else {
        return Err(RenameError::NotFound);
    };
    // The change already counted one up.
    let version = version - 1;
    if input.expected_version.is_some_and(|it| it != version) {
        return Err(RenameError::Changed { version });
    }
    let personal = serde_json::json!({ "name": input.name });
    let actor = input.actor.clone();
    let entry = Entry::new(now, actor, "customer.changed", &input.id, &["name"]);
    tx.audit(entry.with_personal(personal.to_string(), salt));
    Ok(())
}
