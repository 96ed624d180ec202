//! The promise that one request has one effect.

use data_encoding::HEXLOWER;
use secrecy::{ExposeSecret, SecretString};

use super::store::{self, KeyRow};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{DbError, WriteTx};
use crate::secrets::{Cell, SealError};
use crate::staff::TokenHolder;

/// Seconds for which a key is remembered.
pub(super) const KEPT_SECONDS: i64 = 24 * 60 * 60;

/// The right to one effect. Without a key it promises nothing and costs nothing.
#[derive(Debug, Clone, Default)]
pub struct Claim(Option<Keyed>);

#[derive(Debug, Clone)]
struct Keyed {
    digest: Vec<u8>,
    request_digest: Vec<u8>,
    secret: Option<Vec<u8>>,
    now: Timestamp,
}

/// What came of an effect that happens once.
#[derive(Debug)]
pub enum Once<T> {
    /// It happened now.
    New(T),
    /// The same request had it before.
    Before(Earlier),
    /// Another request used the same key.
    Mismatch,
}

impl<T> Once<T> {
    /// The same with another value for what happened now.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Once<U> {
        match self {
            Self::New(value) => Once::New(change(value)),
            Self::Before(earlier) => Once::Before(earlier),
            Self::Mismatch => Once::Mismatch,
        }
    }
}

/// What an earlier request made.
#[derive(Debug)]
pub struct Earlier {
    /// Id of the resource.
    pub resource: String,
    digest: Vec<u8>,
    secret: Option<Vec<u8>>,
}

impl Claim {
    /// `request` is all that must be equal when the key comes again: method, path and body.
    pub fn new(app: &App, holder: &TokenHolder, key: &str, request: &[u8]) -> Self {
        // Keys of different holders never meet.
        let scoped = format!("{} {key}", holder.id);
        Self(Some(Keyed {
            digest: app.vault.digest("idempotency key", scoped.as_bytes()),
            request_digest: app.vault.digest("idempotent request", request),
            secret: None,
            now: app.clock.now(),
        }))
    }

    /// Keeps a secret that the answer shows once, for whoever lost that answer.
    pub fn keep(mut self, app: &App, secret: &SecretString) -> Result<Self, SealError> {
        if let Some(keyed) = &mut self.0 {
            let row = HEXLOWER.encode(&keyed.digest);
            let plain = secret.expose_secret().as_bytes();
            keyed.secret = Some(app.vault.seal(cell(&row), plain)?);
        }
        Ok(self)
    }

    /// Runs `effect`, which makes `resource`, unless the same request did before. In the effect's
    /// own unit of work, before its other statements.
    pub fn once<T, E: From<DbError>>(
        &self,
        tx: &mut WriteTx<'_>,
        resource: impl std::fmt::Display,
        effect: impl FnOnce(&mut WriteTx<'_>) -> Result<T, E>,
    ) -> Result<Once<T>, E> {
        let Some(keyed) = &self.0 else {
            return effect(tx).map(Once::New);
        };
        let row = KeyRow {
            digest: keyed.digest.clone(),
            request_digest: keyed.request_digest.clone(),
            resource: resource.to_string(),
            secret: keyed.secret.clone(),
            created_at: keyed.now,
        };
        let before = keyed.now.plus_seconds(-KEPT_SECONDS);
        store::delete_if_over(tx, &row.digest, before)?;
        store::delete_oldest(tx, before)?;
        if tx.unless_taken(|tx| store::insert(tx, &row))?.is_some() {
            return effect(tx).map(Once::New);
        }
        let before = store::find(tx, &row.digest)?;
        // Another process may have deleted it just now, its time being over.
        let before = before.ok_or(DbError::Aborted(None))?;
        if before.request_digest != row.request_digest {
            return Ok(Once::Mismatch);
        }
        Ok(Once::Before(Earlier {
            resource: before.resource,
            digest: before.digest,
            secret: before.secret,
        }))
    }
}

fn cell(row: &str) -> Cell<'_> {
    Cell {
        table: "idempotency_keys",
        column: "secret",
        row,
    }
}

impl Earlier {
    /// The secret that was kept with it.
    pub fn secret(&self, app: &App) -> Result<Option<SecretString>, SealError> {
        let Some(sealed) = &self.secret else {
            return Ok(None);
        };
        let row = HEXLOWER.encode(&self.digest);
        let plain = app.vault.open(cell(&row), sealed)?;
        let text = std::str::from_utf8(&plain).map_err(|_not_text| SealError::Malformed)?;
        Ok(Some(SecretString::from(text)))
    }
}
