//! Everything a verdict usually rests on, in one statement: what kits call most.

use std::sync::Arc;

use diesel::dsl::exists;
use diesel::prelude::*;

use super::{Holding, KeyColumns, License, holding_columns};
use crate::activations::model::Identity;
use crate::activations::store::Activation;
use crate::db::schema::{activations, kits, license_holds, license_keys, licenses};
use crate::db::{AnyConn, DbError, on_backend};
use crate::kits::known_terms::{KnownTerms, TermsSeen};
use crate::kits::model::{KitId, SeatKind};

/// A license with what belongs to the kit and the identity of a call.
#[derive(Debug, Clone)]
pub struct Glance {
    /// The license.
    pub holding: Holding,
    /// Its terms with the kits they list.
    pub terms: Arc<KnownTerms>,
    /// The row of the identity, freed or not.
    pub activation: Option<Activation>,
    /// Id and slug of the kit that has the slug now; a former slug finds none here.
    pub kit: Option<(KitId, String)>,
}

type Row = (
    License,
    KeyColumns,
    bool,
    bool,
    Option<Activation>,
    Option<KitId>,
    Option<String>,
);

/// The statement; written out for each database, because its columns know theirs.
macro_rules! statement {
    ($lookup:expr, $slug:expr, $kind:expr, $identity:expr) => {{
        let its_seat = activations::license_id
            .eq(licenses::id)
            .and(activations::kind.eq($kind))
            .and(activations::identity.eq($identity.to_owned()));
        license_keys::table
            .inner_join(licenses::table)
            .left_join(activations::table.on(its_seat))
            .left_join(kits::table.on(kits::slug.eq($slug.to_owned())))
            .filter(license_keys::lookup.eq($lookup))
            .select(holding_columns!(
                Option::<Activation>::as_select(),
                kits::id.nullable(),
                kits::slug.nullable()
            ))
    }};
}

/// The license a key's digest stands for, the seat of an identity, the kit with a slug. `None`
/// where no license has the key.
pub fn glance(
    conn: &mut AnyConn,
    seen: &TermsSeen,
    lookup: &[u8],
    slug: &str,
    identity: Option<&Identity>,
) -> Result<Option<Glance>, DbError> {
    // No seat is of the kind "none", so this finds none where the call names no identity.
    let (kind, text) = match identity {
        Some(identity) => (identity.kind, identity.text.as_str()),
        None => (SeatKind::None, ""),
    };
    // On the connection itself: the door's own connection writes the statement anew at each call.
    let row: Option<Row> = on_backend!(conn, conn => {
        statement!(lookup, slug, kind, text).get_result(conn).optional()
    })?;
    let Some((license, key, suspended, revoked, activation, kit, slug)) = row else {
        return Ok(None);
    };
    let terms = seen.get(conn, &license.terms_id)?;
    let terms = terms.ok_or_else(|| DbError::Inconsistent {
        table: "terms",
        row: license.terms_id.to_string(),
        what: "a license stands under terms that are not there",
    })?;
    let (key_id, key_hint, key_ends_at) = key;
    Ok(Some(Glance {
        holding: Holding {
            license,
            terms: Arc::clone(&terms.terms),
            key_id,
            key_hint,
            key_ends_at,
            suspended,
            revoked,
        },
        terms,
        activation,
        kit: kit.zip(slug),
    }))
}
