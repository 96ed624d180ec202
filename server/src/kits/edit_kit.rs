//! Changing a kit; a slug it loses stays its alias.

use super::model::{KitId, KitStatus};
use super::store::{self, Kit};
use super::texts::{self, Fault};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::db::{DbError, Shard, WriteTx};

/// What shall change; `None` leaves a field as it is.
#[derive(Debug, Clone)]
pub struct EditKit {
    /// Which kit.
    pub id: KitId,
    /// Only if it still has this version.
    pub expected_version: Option<i64>,
    /// New slug; the present one stays an alias.
    pub slug: Option<String>,
    /// New name.
    pub name: Option<String>,
    /// New description.
    pub description: Option<String>,
    /// New homepage; an empty text takes it away.
    pub homepage: Option<String>,
    /// New status.
    pub status: Option<KitStatus>,
    /// Whether everybody may have it, without a key.
    pub is_open: Option<bool>,
    /// Whether archives are stamped.
    pub stamps: Option<bool>,
    /// Who changes it.
    pub actor: Actor,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum EditKitError {
    /// The database failed.
    #[error("the database failed while a kit was changed")]
    Db(#[from] DbError),
    /// A field is not accepted.
    #[error(transparent)]
    Field(#[from] Fault),
    /// No kit has this id.
    #[error("no such kit")]
    NotFound,
    /// Another kit has this slug, or had it before.
    #[error("the slug is taken")]
    SlugTaken,
    /// Somebody else changed it first.
    #[error("the kit was changed meanwhile")]
    Changed {
        /// Its version now.
        version: i64,
    },
}

/// Changes a kit. Returns it as it then is.
pub async fn edit_kit(app: &App, input: EditKit) -> Result<Kit, EditKitError> {
    let now = app.clock.now();
    app.db
        .write(Shard::of(input.id.as_str()), move |tx| {
            edit_kit_in(tx, &input, now)
        })
        .await
}

fn edit_kit_in(tx: &mut WriteTx<'_>, input: &EditKit, now: Timestamp) -> Result<Kit, EditKitError> {
    if !store::lock_kit(tx, &input.id)? {
        return Err(EditKitError::NotFound);
    }
    let before = store::find_kit(tx.conn(), &input.id)?.ok_or(EditKitError::NotFound)?;
    // The lock already counted one up.
    let version = before.version - 1;
    if input
        .expected_version
        .is_some_and(|expected| expected != version)
    {
        return Err(EditKitError::Changed { version });
    }
    let after = changed(&before, input)?;
    if after.slug != before.slug {
        take_slug(tx, &before, &after.slug)?;
    }
    store::update_kit(tx, &after)?;
    tx.audit(Entry::new(
        now,
        input.actor.clone(),
        "kit.changed",
        &after.id,
        fields(&before, &after),
    ));
    Ok(after)
}

fn changed(before: &Kit, input: &EditKit) -> Result<Kit, Fault> {
    let mut kit = before.clone();
    if let Some(slug) = &input.slug {
        kit.slug = texts::slug(slug)?;
    }
    if let Some(name) = &input.name {
        kit.name = texts::name(name)?;
    }
    if let Some(description) = &input.description {
        kit.description = texts::description(description)?;
    }
    if let Some(homepage) = &input.homepage {
        kit.homepage = texts::homepage(homepage)?;
    }
    if let Some(status) = input.status {
        kit.status = status;
    }
    if let Some(is_open) = input.is_open {
        kit.is_open = is_open;
    }
    if let Some(stamps) = input.stamps {
        kit.stamps = stamps;
    }
    Ok(kit)
}

/// A former slug of this same kit may come back; one of another kit may not be taken.
fn take_slug(tx: &mut WriteTx<'_>, kit: &Kit, slug: &str) -> Result<(), EditKitError> {
    let taken = tx.unless_taken(|tx| store::set_slug(tx, &kit.id, slug))?;
    if taken.is_none() {
        return Err(EditKitError::SlugTaken);
    }
    store::remove_alias(tx, slug, &kit.id)?;
    if store::is_alias(tx.conn(), slug)? {
        return Err(EditKitError::SlugTaken);
    }
    Ok(store::insert_alias(tx, &kit.slug, &kit.id)?)
}

fn fields(before: &Kit, after: &Kit) -> &'static [&'static str] {
    const ALL: &[&str] = &[
        "slug",
        "name",
        "description",
        "homepage",
        "status",
        "is_open",
        "stamps",
    ];
    match ALL {
        [_slug, others @ ..] if before.slug == after.slug => others,
        all => all,
    }
}
