//! Replacing the signed key of a license.

use super::change::{self, Change, ChangeError, fault};
use super::issue::{PrepareError, PreparedKey, prepare_key};
use super::model::{KeySource, LicenseId, LicenseKeyId};
use super::store::{self, Derived, LicenseKeyRow};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{DbError, Shard, WriteTx};
use crate::idempotency::{Claim, Once};

/// Longest time for which a replaced key may be honored, in seconds: a year.
pub const GRACE_MAX: i64 = 366 * 86_400;

/// Why no key was replaced.
#[derive(Debug, thiserror::Error)]
pub enum RotateKeyError {
    /// The license does not allow it.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// No key could be made.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
}

impl From<DbError> for RotateKeyError {
    fn from(error: DbError) -> Self {
        Self::Change(error.into())
    }
}

/// Makes a new key. The present one, and earlier ones that are still honored, are honored for so
/// many seconds more, or no longer with 0; the tokens derived from them end with them. Imported keys
/// stay. Returns the id of the new key.
pub async fn rotate_key(
    app: &App,
    of: Change,
    grace_seconds: i64,
    claim: Claim,
) -> Result<Once<LicenseKeyId>, RotateKeyError> {
    if !(0..=GRACE_MAX).contains(&grace_seconds) {
        return Err(fault("grace_seconds", "must be 0 to 31622400").into());
    }
    let (key, _text) = prepare_key(app)?;
    let end = of.now.plus_seconds(grace_seconds);
    app.db
        .write(Shard::of(of.license.as_str()), move |tx| {
            claim.once(tx, &key.id, |tx| {
                change::open_in(tx, &of)?;
                rotate_in(tx, &of, &key, end)?;
                tx.audit(of.entry("license.key_rotated", &["keys", "tokens"]));
                Ok(key.id.clone())
            })
        })
        .await
}

/// The same inside another unit of work, which holds the license's lock.
pub fn rotate_in(
    tx: &mut WriteTx<'_>,
    of: &Change,
    key: &PreparedKey,
    end: Timestamp,
) -> Result<(), DbError> {
    let own = store::own_keys(tx.conn(), &of.license)?;
    let honored = |key: &LicenseKeyRow| key.honored_until.is_none_or(|end| end > of.now);
    let ending: Vec<LicenseKeyId> = own.into_iter().filter(honored).map(|key| key.id).collect();
    store::end_keys(tx, &ending, of.now, end)?;
    store::end_tokens(tx, &of.license, Some(&ending), of.now, end)?;
    // Of the moment at which the others end: by it is told later what ended with them.
    let row = LicenseKeyRow {
        created_at: of.now,
        ..key.row(&of.license)
    };
    store::add_key(tx, &row)
}

/// What a rotation did.
#[derive(Debug, Clone)]
pub struct Rotated {
    /// The new key.
    pub key: LicenseKeyRow,
    /// The keys it ends, or ended.
    pub replaced: Vec<LicenseKeyRow>,
    /// The tokens that end with them, or ended.
    pub tokens: Vec<Derived>,
}

/// What the rotation that made this key did.
pub async fn rotated(
    app: &App,
    license: LicenseId,
    key: LicenseKeyId,
) -> Result<Option<Rotated>, DbError> {
    app.db
        .read_snapshot(move |conn| {
            let keys = store::keys_of(conn, &license)?;
            let Some(new) = keys.iter().find(|row| row.id == key).cloned() else {
                return Ok(None);
            };
            let since = new.created_at;
            let before = |row: &LicenseKeyRow| {
                let ended_by_it = row.honored_until.is_some_and(|end| end >= since);
                row.id != new.id && row.created_at <= since && ended_by_it
            };
            let replaced: Vec<LicenseKeyRow> = keys
                .into_iter()
                .filter(|row| row.source == KeySource::Own && before(row))
                .collect();
            let ids: Vec<LicenseKeyId> = replaced.iter().map(|row| row.id.clone()).collect();
            let tokens = store::derived_from(conn, &ids, since)?;
            Ok(Some(Rotated {
                key: new,
                replaced,
                tokens,
            }))
        })
        .await
}
