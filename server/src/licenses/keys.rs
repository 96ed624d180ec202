//! From the text somebody presents to the license it stands for.

mod digests;

use secrecy::{ExposeSecret, SecretString};

use super::store::{self, Holding};
use super::tokens::model::{DerivedKind, Door, Via, is_live};
use super::tokens::store as tokens;
use super::tokens::usage::TooOften;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{AnyConn, DbError};
use crate::secrets::{TokenKind, TokenText};

pub use digests::{Digests, begins_like_ours, digests, imported_digests, key_prefix};

/// How a presented text is looked up.
#[derive(Debug, Clone)]
pub enum Lookup {
    /// A license key, by its digest or by those of every system it may come from.
    Key(Digests),
    /// A token derived from one.
    Token(TokenLookup),
}

impl Lookup {
    /// The digest of a license key made here.
    pub fn only(&self) -> Option<&[u8]> {
        match self {
            Self::Key(digests) => digests.only(),
            Self::Token(_) => None,
        }
    }
}

/// How a presented token is looked up.
#[derive(Debug, Clone)]
pub struct TokenLookup {
    digest: Vec<u8>,
    kind: DerivedKind,
    origin: Option<String>,
    now: Timestamp,
}

/// How a presented text is looked up; `None` for what this installation never made, and for tokens
/// that do not open this door. Decided by the text alone, without any database access.
pub fn lookup(
    app: &App,
    presented: &SecretString,
    door: Door<'_>,
) -> Result<Option<Lookup>, TooOften> {
    match TokenKind::of(presented.expose_secret()) {
        Some(kind) => token_lookup(app, presented, kind, door),
        None => Ok(digests(app, presented).map(Lookup::Key)),
    }
}

fn token_lookup(
    app: &App,
    presented: &SecretString,
    kind: TokenKind,
    door: Door<'_>,
) -> Result<Option<Lookup>, TooOften> {
    let derived = DerivedKind::of(kind).filter(|derived| derived.opens(door));
    let text = TokenText::parse(kind, presented.expose_secret());
    let (Some(kind), Some(text)) = (derived, text) else {
        return Ok(None);
    };
    let (digest, now) = (text.digest(&app.vault), app.clock.now());
    // A publishable id is one for all visitors of a page.
    if kind != DerivedKind::Publishable {
        let most = app.config.limits.token_calls_per_minute;
        app.token_use.admit(&digest, now, most)?;
    }
    let origin = match door {
        Door::Validate { origin } => origin.map(str::to_owned),
        Door::Seats | Door::Downloads => None,
    };
    Ok(Some(Lookup::Token(TokenLookup {
        digest,
        kind,
        origin,
        now,
    })))
}

/// The license a text stands for.
pub fn find(conn: &mut AnyConn, lookup: &Lookup) -> Result<Option<Holding>, DbError> {
    match lookup {
        Lookup::Key(digests) => store::find_by_digests(conn, digests),
        Lookup::Token(token) => find_by_token(conn, token),
    }
}

fn find_by_token(conn: &mut AnyConn, token: &TokenLookup) -> Result<Option<Holding>, DbError> {
    let found = tokens::find_by_digest(conn, &token.digest)?;
    let live = found
        .filter(|row| row.kind == token.kind && is_live(token.now, row.expires_at, row.revoked_at));
    let Some(row) = live else {
        return Ok(None);
    };
    let from_here = |origin: &String| row.origins.words().contains(origin);
    if row.kind == DerivedKind::Publishable && !token.origin.as_ref().is_some_and(from_here) {
        return Ok(None);
    }
    let found = match &row.license_key_id {
        Some(key) => store::find_by_key_id(conn, key)?,
        None => store::find(conn, &row.license_id)?,
    };
    // Terms may have come to exclude builds since the token was made.
    let allowed = found.filter(|it| row.kind != DerivedKind::Ci || it.terms.ci_use);
    Ok(allowed.map(|holding| Holding {
        key_hint: row.hint,
        via: Some(Via {
            token: row.id,
            kind: row.kind,
        }),
        ..holding
    }))
}
