//! Queries on `signing_keys` and `key_ring`.

use diesel::prelude::*;
use kitward_keys::PublicKey;

use super::model::{RENEWAL, RingKey};
use crate::clock::Timestamp;
use crate::db::schema::{key_ring, signing_keys};
use crate::db::{AnyConn, DbError, WriteTx};

/// The ring as the database holds it.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub(super) version: i64,
    pub(super) document: Option<Document>,
    pub(super) keys: Vec<RingKey>,
}

/// The signed ring.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) text: String,
    pub(super) ends_at: Timestamp,
}

impl Document {
    /// When the server shall sign it anew.
    pub(super) fn renew_at(&self) -> Timestamp {
        self.ends_at.plus_seconds(-RENEWAL)
    }
}

#[derive(Debug, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = signing_keys, treat_none_as_null = true)]
#[diesel(primary_key(kid))]
struct SigningKeyRow {
    kid: String,
    purpose: String,
    state: String,
    public_key: Vec<u8>,
    private_key: Vec<u8>,
    created_at: Timestamp,
    state_since: Option<Timestamp>,
    activates_at: Option<Timestamp>,
}

impl From<&RingKey> for SigningKeyRow {
    fn from(key: &RingKey) -> Self {
        Self {
            kid: key.kid().to_owned(),
            purpose: key.public.purpose().as_str().to_owned(),
            state: key.public.state().as_str().to_owned(),
            public_key: key.public.bytes().to_vec(),
            private_key: key.sealed.clone(),
            created_at: key.created_at,
            state_since: Some(key.since),
            activates_at: key.activates_at,
        }
    }
}

impl SigningKeyRow {
    fn typed(self) -> Result<RingKey, DbError> {
        let public = self.public().filter(|key| key.kid().as_str() == self.kid);
        let Some(public) = public else {
            return Err(DbError::Inconsistent {
                table: "signing_keys",
                row: self.kid,
                what: "no public key of this name, purpose and state",
            });
        };
        Ok(RingKey {
            public,
            sealed: self.private_key,
            created_at: self.created_at,
            since: self.state_since.unwrap_or(self.created_at),
            activates_at: self.activates_at,
        })
    }

    fn public(&self) -> Option<PublicKey> {
        let (purpose, state) = (self.purpose.parse().ok()?, self.state.parse().ok()?);
        let bytes = <&[u8; 32]>::try_from(self.public_key.as_slice()).ok()?;
        PublicKey::new(purpose, state, bytes).ok()
    }
}

/// How often the ring was changed.
pub(super) fn version(conn: &mut AnyConn) -> Result<i64, DbError> {
    let version = key_ring::table.find(1).select(key_ring::version);
    Ok(version.get_result(conn)?)
}

/// Everything; to be read in one snapshot.
pub(super) fn ring(conn: &mut AnyConn) -> Result<Snapshot, DbError> {
    let head: (i64, Option<String>, Option<Timestamp>) = key_ring::table
        .find(1)
        .select((
            key_ring::version,
            key_ring::document,
            key_ring::document_ends_at,
        ))
        .get_result(conn)?;
    let rows: Vec<SigningKeyRow> = signing_keys::table
        .order((signing_keys::created_at, signing_keys::kid))
        .load(conn)?;
    let keys: Result<Vec<RingKey>, DbError> = rows.into_iter().map(SigningKeyRow::typed).collect();
    Ok(Snapshot {
        version: head.0,
        document: head
            .1
            .zip(head.2)
            .map(|(text, ends_at)| Document { text, ends_at }),
        keys: keys?,
    })
}

/// Raises the version from the one that was read; false where somebody else did so meanwhile.
pub(super) fn raise(tx: &mut WriteTx<'_>, from: i64) -> Result<bool, DbError> {
    let head = key_ring::table.find(1).filter(key_ring::version.eq(from));
    let raised = diesel::update(head)
        .set(key_ring::version.eq(from + 1))
        .execute(tx.conn())?;
    Ok(raised == 1)
}

pub(super) fn keep_document(tx: &mut WriteTx<'_>, document: &Document) -> Result<(), DbError> {
    diesel::update(key_ring::table.find(1))
        .set((
            key_ring::document.eq(&document.text),
            key_ring::document_ends_at.eq(document.ends_at),
        ))
        .execute(tx.conn())?;
    Ok(())
}

pub(super) fn insert(tx: &mut WriteTx<'_>, key: &RingKey) -> Result<(), DbError> {
    diesel::insert_into(signing_keys::table)
        .values(SigningKeyRow::from(key))
        .execute(tx.conn())?;
    Ok(())
}

pub(super) fn update(tx: &mut WriteTx<'_>, key: &RingKey) -> Result<(), DbError> {
    diesel::update(signing_keys::table.find(key.kid()))
        .set(SigningKeyRow::from(key))
        .execute(tx.conn())?;
    Ok(())
}
