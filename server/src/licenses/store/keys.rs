//! The keys of a license, and the tokens derived from them.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;
use serde::Serialize;

use crate::clock::Timestamp;
use crate::db::schema::{license_keys, license_tokens};
use crate::db::{AnyConn, DbError, WriteTx};
use crate::licenses::keys::Digests;
use crate::licenses::model::{KeySource, LicenseId, LicenseKeyId};

/// A key as stored.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, PartialEq, Eq)]
#[diesel(table_name = license_keys)]
pub struct LicenseKeyRow {
    /// Its id.
    pub id: LicenseKeyId,
    /// The license.
    pub license_id: LicenseId,
    /// Keyed digest it is found by.
    pub lookup: Vec<u8>,
    /// The key itself, sealed, for reveal.
    pub sealed_key: Vec<u8>,
    /// Last six characters.
    pub key_hint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When another took its place.
    pub replaced_at: Option<Timestamp>,
    /// The system it comes from.
    pub source: KeySource,
    /// Whether it is the one that is shown and mailed.
    pub is_primary: bool,
    /// Until when it is honored, where it was replaced.
    pub honored_until: Option<Timestamp>,
}

/// A token that was derived from a key and ends with it.
#[derive(Debug, Clone, Queryable, Serialize, utoipa::ToSchema, PartialEq, Eq)]
pub struct Derived {
    /// Its id.
    pub id: String,
    /// `ci`, `download` or `publishable`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its last characters.
    pub hint: String,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// All keys of a license, oldest first.
pub fn keys_of(conn: &mut AnyConn, license: &LicenseId) -> Result<Vec<LicenseKeyRow>, DbError> {
    Ok(license_keys::table
        .filter(license_keys::license_id.eq(license))
        .order(license_keys::id)
        .select(LicenseKeyRow::as_select())
        .load(conn)?)
}

/// The keys of a license that were made here, oldest first.
pub fn own_keys(conn: &mut AnyConn, license: &LicenseId) -> Result<Vec<LicenseKeyRow>, DbError> {
    let all = keys_of(conn, license)?;
    let own = |key: &LicenseKeyRow| key.source == KeySource::Own;
    Ok(all.into_iter().filter(own).collect())
}

/// The primary key of a license, sealed.
pub fn present_key(conn: &mut AnyConn, id: &LicenseId) -> Result<Option<LicenseKeyRow>, DbError> {
    Ok(license_keys::table
        .filter(license_keys::license_id.eq(id))
        .filter(license_keys::is_primary.eq(true))
        .get_result(conn)
        .optional()?)
}

/// Whether a key stands under one of these digests.
pub fn any_key_of(conn: &mut AnyConn, lookup: &Digests) -> Result<bool, DbError> {
    let found: Vec<LicenseKeyId> = license_keys::table
        .filter(license_keys::lookup.eq_any(lookup.all().to_vec()))
        .select(license_keys::id)
        .load(conn)?;
    Ok(!found.is_empty())
}

/// Whoever takes in the same text waits until this unit of work has ended, whatever source they name:
/// their digests differ, so that no constraint would hold one of them back. SQLite has one writer.
pub fn lock_text(tx: &mut WriteTx<'_>, lookup: &Digests) -> Result<(), DbError> {
    let number = lookup.all().first().and_then(|digest| digest.first_chunk());
    let number = i64::from_be_bytes(number.copied().unwrap_or_default());
    if let AnyConn::Pg(conn) = tx.conn() {
        sql_query("SELECT pg_advisory_xact_lock($1)")
            .bind::<BigInt, _>(number)
            .execute(conn)?;
    }
    Ok(())
}

/// Adds a key.
pub fn add_key(tx: &mut WriteTx<'_>, key: &LicenseKeyRow) -> Result<(), DbError> {
    diesel::insert_into(license_keys::table)
        .values(key)
        .execute(tx.conn())?;
    Ok(())
}

/// Ends keys: they are honored until `end`, or as long as they were to be anyway. None of them is
/// the primary one any more.
pub fn end_keys(
    tx: &mut WriteTx<'_>,
    keys: &[LicenseKeyId],
    now: Timestamp,
    end: Timestamp,
) -> Result<(), DbError> {
    let these = || license_keys::table.filter(license_keys::id.eq_any(keys.to_vec()));
    diesel::update(these().filter(license_keys::replaced_at.is_null()))
        .set(license_keys::replaced_at.eq(Some(now)))
        .execute(tx.conn())?;
    let longer = license_keys::honored_until
        .is_null()
        .or(license_keys::honored_until.gt(end));
    diesel::update(these().filter(longer))
        .set(license_keys::honored_until.eq(Some(end)))
        .execute(tx.conn())?;
    diesel::update(these())
        .set(license_keys::is_primary.eq(false))
        .execute(tx.conn())?;
    Ok(())
}

type DerivedRow = (
    String,
    String,
    String,
    String,
    Option<Timestamp>,
    Option<Timestamp>,
);

fn derived((id, kind, name, hint, expires_at, revoked_at): DerivedRow) -> Derived {
    Derived {
        id,
        kind,
        name,
        hint,
        expires_at,
        revoked_at,
    }
}

/// The tokens derived from these keys that were still good after `since`.
pub fn derived_from(
    conn: &mut AnyConn,
    keys: &[LicenseKeyId],
    since: Timestamp,
) -> Result<Vec<Derived>, DbError> {
    let expires = license_tokens::expires_at
        .is_null()
        .or(license_tokens::expires_at.ge(since));
    let revoked = license_tokens::revoked_at
        .is_null()
        .or(license_tokens::revoked_at.ge(since));
    let keys: Vec<Option<LicenseKeyId>> = keys.iter().cloned().map(Some).collect();
    let rows: Vec<DerivedRow> = license_tokens::table
        .filter(license_tokens::license_key_id.eq_any(keys))
        .filter(expires)
        .filter(revoked)
        .order(license_tokens::id)
        .select((
            license_tokens::id,
            license_tokens::kind,
            license_tokens::name,
            license_tokens::hint,
            license_tokens::expires_at,
            license_tokens::revoked_at,
        ))
        .load(conn)?;
    Ok(rows.into_iter().map(derived).collect())
}

/// Ends tokens derived from these keys: at once, or with the keys. `None` for the tokens of all
/// keys of the license, and those that belong to none. Those that have ended stay as they are: they
/// may be many more than work at a time.
pub fn end_tokens(
    tx: &mut WriteTx<'_>,
    license: &LicenseId,
    keys: Option<&[LicenseKeyId]>,
    now: Timestamp,
    end: Timestamp,
) -> Result<(), DbError> {
    let longer = license_tokens::expires_at
        .is_null()
        .or(license_tokens::expires_at.gt(end.max(now)));
    let these = license_tokens::table
        .filter(license_tokens::license_id.eq(license))
        .filter(license_tokens::revoked_at.is_null())
        .filter(longer);
    let ending = if end <= now {
        (Some(license_tokens::revoked_at.eq(Some(now))), None)
    } else {
        (None, Some(license_tokens::expires_at.eq(Some(end))))
    };
    match keys {
        None => diesel::update(these).set(ending).execute(tx.conn())?,
        Some(keys) => {
            let keys: Vec<Option<LicenseKeyId>> = keys.iter().cloned().map(Some).collect();
            diesel::update(these.filter(license_tokens::license_key_id.eq_any(keys)))
                .set(ending)
                .execute(tx.conn())?
        }
    };
    Ok(())
}
