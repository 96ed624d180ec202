//! Adding a license text, or the next version of one.

use super::model::LicenseTextId;
use super::store::{self, LicenseText, TextVersion};
use super::texts::{self, Fault};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::db::{DbError, Shard, WriteTx};
use crate::idempotency::{Claim, Once};

/// How often another may have taken the number first.
const ATTEMPTS: usize = 8;

/// What to add.
#[derive(Debug, Clone)]
pub struct AddLicenseText {
    /// Which text; a known name gets its next number.
    pub name: String,
    /// What it says.
    pub body: String,
    /// Who adds it.
    pub actor: Actor,
}

/// Why it was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddLicenseTextError {
    /// The database failed.
    #[error("the database failed while a license text was added")]
    Db(#[from] DbError),
    /// A field is not accepted.
    #[error(transparent)]
    Field(#[from] Fault),
}

/// Adds a version, once for each claim.
pub async fn add_license_text(
    app: &App,
    input: AddLicenseText,
    claim: Claim,
) -> Result<Once<LicenseTextId>, AddLicenseTextError> {
    let now = app.clock.now();
    let text = LicenseText {
        version: TextVersion {
            id: LicenseTextId::new(now, app.entropy.as_ref()),
            name: texts::name(&input.name)?,
            number: 1,
            created_at: now,
        },
        body: texts::license_text(&input.body)?,
    };
    let actor = input.actor;
    app.db
        .write(Shard::of(&text.version.name), move |tx| {
            let id = &text.version.id;
            claim.once(tx, id, |tx| {
                add_license_text_in(tx, text.clone(), actor.clone())?;
                Ok(id.clone())
            })
        })
        .await
}

/// Two processes that add at once want the same number: the second looks again.
fn add_license_text_in(
    tx: &mut WriteTx<'_>,
    mut text: LicenseText,
    actor: Actor,
) -> Result<(), DbError> {
    for _attempt in 0..ATTEMPTS {
        let newest = store::newest_text_number(tx.conn(), &text.version.name)?;
        text.version.number = newest.unwrap_or(0).saturating_add(1);
        if tx
            .unless_taken(|tx| store::insert_text(tx, &text))?
            .is_some()
        {
            let version = &text.version;
            let (at, fields) = (version.created_at, &["name", "number", "body"]);
            tx.audit(Entry::new(
                at,
                actor,
                "license_text.added",
                &version.id,
                fields,
            ));
            return Ok(());
        }
    }
    Err(DbError::Aborted(None))
}
