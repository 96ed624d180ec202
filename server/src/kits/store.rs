//! Queries on `kits` and `kit_aliases`; those on policies and their terms stand below.

mod license_texts;
mod policies;
mod policy_changes;

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::model::{KitId, KitStatus, is_slug};
use crate::clock::Timestamp;
use crate::db::schema::{kit_aliases, kits};
use crate::db::types::WordList;
use crate::db::{AnyConn, DbError, WriteTx, in_slices};

pub use license_texts::{
    LicenseText, TextVersion, find_text, find_text_version, insert_text, list_texts,
    newest_text_number,
};
pub use policies::{
    Policy, PolicyTerms, Terms, TermsVersion, find_policy, find_policy_by_name, find_policy_named,
    find_terms, insert_policy, insert_terms, kits_of_terms, list_policies, renew_url_of,
    terms_list,
};
pub use policy_changes::{list_versions, lock_policy, update_policy};

/// A kit as stored.
#[derive(Debug, Clone, Queryable, Insertable, Serialize, ToSchema, PartialEq, Eq)]
#[diesel(table_name = kits)]
pub struct Kit {
    /// Its id.
    pub id: KitId,
    /// Its present slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// One or two sentences.
    pub description: String,
    /// Where to read more.
    pub homepage: Option<String>,
    /// Package ecosystems it is made for.
    pub ecosystems: WordList,
    /// How far it is.
    pub status: KitStatus,
    /// Whether everybody may have it, without a key.
    pub is_open: bool,
    /// Grows with every change.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// Whether archives that customers download carry a stamp that names their license.
    pub stamps: bool,
}

/// Adds a kit.
pub fn insert_kit(tx: &mut WriteTx<'_>, kit: &Kit) -> Result<(), DbError> {
    diesel::insert_into(kits::table)
        .values(kit)
        .execute(tx.conn())?;
    Ok(())
}

/// Whether an old slug of some kit is in the way.
pub fn is_alias(conn: &mut AnyConn, slug: &str) -> Result<bool, DbError> {
    let alias = kit_aliases::table.find(slug).select(kit_aliases::slug);
    Ok(alias.get_result::<String>(conn).optional()?.is_some())
}

/// The kit with this slug, present or former.
pub fn find_kit_by_slug(conn: &mut AnyConn, slug: &str) -> Result<Option<Kit>, DbError> {
    // Nothing else can be there, and PostgreSQL takes no NUL in a text.
    if !is_slug(slug) {
        return Ok(None);
    }
    if let Some(kit) = kits::table
        .filter(kits::slug.eq(slug))
        .get_result(conn)
        .optional()?
    {
        return Ok(Some(kit));
    }
    let id: Option<KitId> = kit_aliases::table
        .find(slug)
        .select(kit_aliases::kit_id)
        .get_result(conn)
        .optional()?;
    match id {
        Some(id) => find_kit(conn, &id),
        None => Ok(None),
    }
}

/// The kit with this id.
pub fn find_kit(conn: &mut AnyConn, id: &KitId) -> Result<Option<Kit>, DbError> {
    Ok(kits::table.find(id).get_result(conn).optional()?)
}

/// Kits with these ids, by name.
pub fn kits_by_ids(conn: &mut AnyConn, ids: &[KitId]) -> Result<Vec<Kit>, DbError> {
    let mut found: Vec<Kit> = in_slices(ids, |ids| {
        Ok(kits::table
            .filter(kits::id.eq_any(ids.to_vec()))
            .load(conn)?)
    })?;
    found.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    Ok(found)
}

/// Kits in the order of their creation, after a cursor.
pub fn list_kits(conn: &mut AnyConn, after: &str, limit: i64) -> Result<Vec<Kit>, DbError> {
    let rest = kits::table
        .filter(kits::id.gt(after.to_owned()))
        .order(kits::id);
    Ok(rest.limit(limit).load(conn)?)
}

/// The kit with this id, or with this slug, present or former.
pub fn find_kit_by_name(conn: &mut AnyConn, name: &str) -> Result<Option<Kit>, DbError> {
    match KitId::parse(name) {
        Some(id) => find_kit(conn, &id),
        None => find_kit_by_slug(conn, name),
    }
}

/// Locks a kit for the rest of the unit of work by counting its version up.
pub fn lock_kit(tx: &mut WriteTx<'_>, id: &KitId) -> Result<bool, DbError> {
    let locked = diesel::update(kits::table.find(id))
        .set(kits::version.eq(kits::version + 1))
        .execute(tx.conn())?;
    Ok(locked == 1)
}

/// Writes what may change about a kit, its slug apart.
pub fn update_kit(tx: &mut WriteTx<'_>, kit: &Kit) -> Result<(), DbError> {
    diesel::update(kits::table.find(&kit.id))
        .set((
            kits::name.eq(&kit.name),
            kits::description.eq(&kit.description),
            kits::homepage.eq(&kit.homepage),
            kits::status.eq(kit.status),
            kits::is_open.eq(kit.is_open),
            kits::stamps.eq(kit.stamps),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Gives a kit another slug.
pub fn set_slug(tx: &mut WriteTx<'_>, id: &KitId, slug: &str) -> Result<(), DbError> {
    diesel::update(kits::table.find(id))
        .set(kits::slug.eq(slug))
        .execute(tx.conn())?;
    Ok(())
}

/// Keeps a slug answering for a kit.
pub fn insert_alias(tx: &mut WriteTx<'_>, slug: &str, kit: &KitId) -> Result<(), DbError> {
    diesel::insert_into(kit_aliases::table)
        .values((kit_aliases::slug.eq(slug), kit_aliases::kit_id.eq(kit)))
        .execute(tx.conn())?;
    Ok(())
}

/// Takes an alias away from the kit that has it.
pub fn remove_alias(tx: &mut WriteTx<'_>, slug: &str, kit: &KitId) -> Result<(), DbError> {
    diesel::delete(kit_aliases::table.find(slug))
        .filter(kit_aliases::kit_id.eq(kit))
        .execute(tx.conn())?;
    Ok(())
}

/// Former slugs of a kit.
pub fn aliases_of(conn: &mut AnyConn, kit: &KitId) -> Result<Vec<String>, DbError> {
    Ok(kit_aliases::table
        .filter(kit_aliases::kit_id.eq(kit))
        .order(kit_aliases::slug)
        .select(kit_aliases::slug)
        .load(conn)?)
}
