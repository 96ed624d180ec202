//! Queries on `license_tokens` and `token_origins`.

use diesel::prelude::*;

use super::model::{DerivedKind, LicenseTokenId};
use crate::clock::Timestamp;
use crate::db::schema::{license_tokens, token_origins};
use crate::db::types::WordList;
use crate::db::{AnyConn, DbError, WriteTx};
use crate::licenses::model::{LicenseId, LicenseKeyId};
use crate::people::model::PersonId;

/// A derived token as stored.
#[derive(Debug, Clone, Queryable, Insertable, PartialEq, Eq)]
#[diesel(table_name = license_tokens)]
pub struct TokenRow {
    /// Its id.
    pub id: LicenseTokenId,
    /// The license.
    pub license_id: LicenseId,
    /// The key it hangs on.
    pub license_key_id: Option<LicenseKeyId>,
    /// Whose it is, where a person made it for themselves.
    pub person_id: Option<PersonId>,
    /// What it is for.
    pub kind: DerivedKind,
    /// Where it is used, in the words of who made it.
    pub name: String,
    /// Last six characters.
    pub hint: String,
    /// Keyed digest it is found by.
    pub digest: Vec<u8>,
    /// From where a publishable id may be used.
    pub origins: WordList,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it works.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was first seen to run like a workstation.
    pub flagged_at: Option<Timestamp>,
}

/// Adds a token and its origins.
pub fn insert(tx: &mut WriteTx<'_>, row: &TokenRow) -> Result<(), DbError> {
    diesel::insert_into(license_tokens::table)
        .values(row)
        .execute(tx.conn())?;
    for origin in row.origins.words() {
        diesel::insert_into(token_origins::table)
            .values((
                token_origins::origin.eq(origin),
                token_origins::token_id.eq(&row.id),
            ))
            .execute(tx.conn())?;
    }
    Ok(())
}

/// The token with this digest.
pub fn find_by_digest(conn: &mut AnyConn, digest: &[u8]) -> Result<Option<TokenRow>, DbError> {
    Ok(license_tokens::table
        .filter(license_tokens::digest.eq(digest))
        .get_result(conn)
        .optional()?)
}

/// A token of a license.
pub fn find(
    conn: &mut AnyConn,
    license: &LicenseId,
    id: &LicenseTokenId,
) -> Result<Option<TokenRow>, DbError> {
    Ok(license_tokens::table
        .find(id)
        .filter(license_tokens::license_id.eq(license))
        .get_result(conn)
        .optional()?)
}

/// Tokens of a license in the order of their creation, after a cursor.
pub fn of_license(
    conn: &mut AnyConn,
    license: &LicenseId,
    after: &str,
    limit: i64,
) -> Result<Vec<TokenRow>, DbError> {
    Ok(license_tokens::table
        .filter(license_tokens::license_id.eq(license))
        .filter(license_tokens::id.gt(after.to_owned()))
        .order(license_tokens::id)
        .limit(limit)
        .load(conn)?)
}

/// Tokens of a license that have not ended.
macro_rules! live_tokens {
    ($license:expr, $now:expr) => {
        license_tokens::table
            .filter(license_tokens::license_id.eq($license))
            .filter(license_tokens::revoked_at.is_null())
            .filter(
                license_tokens::expires_at
                    .is_null()
                    .or(license_tokens::expires_at.gt($now)),
            )
    };
}

/// Tokens of a license that have not ended, in the order of their creation.
pub fn live_of_license(
    conn: &mut AnyConn,
    license: &LicenseId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<TokenRow>, DbError> {
    Ok(live_tokens!(license, now)
        .order(license_tokens::id)
        .limit(limit)
        .load(conn)?)
}

/// How many tokens of a license have not ended.
pub fn count_live(conn: &mut AnyConn, license: &LicenseId, now: Timestamp) -> Result<i64, DbError> {
    Ok(live_tokens!(license, now).count().get_result(conn)?)
}

/// Revokes a token; `false` when it was revoked already.
pub fn revoke(tx: &mut WriteTx<'_>, id: &LicenseTokenId, now: Timestamp) -> Result<bool, DbError> {
    let revoked = diesel::update(license_tokens::table.find(id))
        .filter(license_tokens::revoked_at.is_null())
        .set(license_tokens::revoked_at.eq(Some(now)))
        .execute(tx.conn())?;
    Ok(revoked == 1)
}

/// Notes when a token was first seen to run like a workstation.
pub fn flag(tx: &mut WriteTx<'_>, id: &LicenseTokenId, now: Timestamp) -> Result<(), DbError> {
    diesel::update(license_tokens::table.find(id))
        .filter(license_tokens::flagged_at.is_null())
        .set(license_tokens::flagged_at.eq(Some(now)))
        .execute(tx.conn())?;
    Ok(())
}

/// Whether some publishable id may be used from an origin.
pub fn is_registered(conn: &mut AnyConn, origin: &str, now: Timestamp) -> Result<bool, DbError> {
    let live = license_tokens::expires_at
        .is_null()
        .or(license_tokens::expires_at.gt(now));
    let some: Vec<LicenseTokenId> = token_origins::table
        .inner_join(license_tokens::table)
        .filter(token_origins::origin.eq(origin))
        .filter(license_tokens::revoked_at.is_null())
        .filter(live)
        .select(license_tokens::id)
        .limit(1)
        .load(conn)?;
    Ok(!some.is_empty())
}
