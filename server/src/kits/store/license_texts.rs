//! Queries on `license_texts`.

use diesel::dsl::max;
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::db::schema::license_texts;
use crate::db::{AnyConn, DbError, WriteTx};
use crate::kits::model::LicenseTextId;

/// One version of a license text, without the text. Its row never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, Queryable, Selectable, Insertable)]
#[diesel(table_name = license_texts)]
#[schema(as = LicenseTextVersion)]
pub struct TextVersion {
    /// Its id.
    pub id: LicenseTextId,
    /// Which text.
    pub name: String,
    /// 1 for the first version of that text.
    pub number: i32,
    /// When it was added.
    pub created_at: Timestamp,
}

/// A license text in one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, Queryable, Selectable, Insertable)]
#[diesel(table_name = license_texts)]
pub struct LicenseText {
    /// Which one.
    #[diesel(embed)]
    #[serde(flatten)]
    pub version: TextVersion,
    /// What it says.
    pub body: String,
}

/// Adds a version.
pub fn insert_text(tx: &mut WriteTx<'_>, text: &LicenseText) -> Result<(), DbError> {
    diesel::insert_into(license_texts::table)
        .values(text)
        .execute(tx.conn())?;
    Ok(())
}

/// The number of the newest version of a text.
pub fn newest_text_number(conn: &mut AnyConn, name: &str) -> Result<Option<i32>, DbError> {
    Ok(license_texts::table
        .filter(license_texts::name.eq(name))
        .select(max(license_texts::number))
        .get_result(conn)?)
}

/// A version by its id.
pub fn find_text(conn: &mut AnyConn, id: &LicenseTextId) -> Result<Option<LicenseText>, DbError> {
    Ok(license_texts::table
        .find(id)
        .select(LicenseText::as_select())
        .get_result(conn)
        .optional()?)
}

/// The same without the text.
pub fn find_text_version(
    conn: &mut AnyConn,
    id: &LicenseTextId,
) -> Result<Option<TextVersion>, DbError> {
    Ok(license_texts::table
        .find(id)
        .select(TextVersion::as_select())
        .get_result(conn)
        .optional()?)
}

/// Versions in the order of their creation, after a cursor.
pub fn list_texts(
    conn: &mut AnyConn,
    after: &str,
    limit: i64,
) -> Result<Vec<TextVersion>, DbError> {
    Ok(license_texts::table
        .filter(license_texts::id.gt(after.to_owned()))
        .order(license_texts::id)
        .limit(limit)
        .select(TextVersion::as_select())
        .load(conn)?)
}
