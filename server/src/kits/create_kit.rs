//! Adding a kit.

use super::model::{KitId, KitStatus};
use super::store::{self, Kit};
use super::texts::{self, Fault};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::db::types::WordList;
use crate::db::{DbError, Shard, WriteTx};
use crate::idempotency::{Claim, Once};

/// What a new kit shall be.
#[derive(Debug, Clone)]
pub struct CreateKit {
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// One or two sentences; may be empty.
    pub description: String,
    /// Where to read more.
    pub homepage: Option<String>,
    /// Package ecosystems it is made for.
    pub ecosystems: Vec<String>,
    /// How far it is.
    pub status: KitStatus,
    /// Whether everybody may have it, without a key.
    pub is_open: bool,
    /// Whether archives are stamped.
    pub stamps: bool,
    /// Who adds it.
    pub actor: Actor,
}

/// Why it was not added.
#[derive(Debug, thiserror::Error)]
pub enum CreateKitError {
    /// The database failed.
    #[error("the database failed while a kit was added")]
    Db(#[from] DbError),
    /// A field is not accepted.
    #[error(transparent)]
    Field(#[from] Fault),
    /// Another kit has this slug, or had it before.
    #[error("the slug is taken")]
    SlugTaken,
}

/// Adds a kit, once for each claim.
pub async fn create_kit(
    app: &App,
    input: CreateKit,
    claim: Claim,
) -> Result<Once<KitId>, CreateKitError> {
    let now = app.clock.now();
    let kit = Kit {
        id: KitId::new(now, app.entropy.as_ref()),
        slug: texts::slug(&input.slug)?,
        name: texts::name(&input.name)?,
        description: texts::description(&input.description)?,
        homepage: texts::homepage(input.homepage.as_deref().unwrap_or_default())?,
        ecosystems: WordList::new(texts::ecosystems(input.ecosystems)?),
        status: input.status,
        is_open: input.is_open,
        version: 1,
        created_at: now,
        stamps: input.stamps,
    };
    let actor = input.actor;
    app.db
        .write(Shard::of(kit.id.as_str()), move |tx| {
            claim.once(tx, &kit.id, |tx| {
                create_kit_in(tx, &kit, actor.clone())?;
                Ok(kit.id.clone())
            })
        })
        .await
}

/// The same inside another unit of work.
pub fn create_kit_in(tx: &mut WriteTx<'_>, kit: &Kit, actor: Actor) -> Result<(), CreateKitError> {
    let added = tx.unless_taken(|tx| store::insert_kit(tx, kit))?;
    // Looked at after the slug was taken: whoever gives this slug up waits, or is seen here.
    if added.is_none() || store::is_alias(tx.conn(), &kit.slug)? {
        return Err(CreateKitError::SlugTaken);
    }
    tx.audit(Entry::new(
        kit.created_at,
        actor,
        "kit.created",
        &kit.id,
        &[
            "slug",
            "name",
            "description",
            "homepage",
            "ecosystems",
            "status",
            "is_open",
            "stamps",
        ],
    ));
    Ok(())
}
