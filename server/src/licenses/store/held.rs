//! What a holding is made of, for statements written out by hand: their texts never change, so each is
//! written once, while diesel would walk through all columns at each call to see that.

use std::sync::Arc;

use diesel::backend::Backend;
use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::prelude::*;
use diesel::query_builder::{QueryBuilder, QueryFragment};
use diesel::sql_types::{Nullable, Text, Timestamp};

use super::{Holding, KeyColumns, License};
use crate::db::{AnyConn, DbError};
use crate::kits::known_terms::{KnownTerms, TermsSeen};

/// A license, the key it was found by, whether a hold and a revocation are open.
pub type HeldRow = (License, KeyColumns, bool, bool);

/// Types of the columns of a [`License`].
pub type LicenseColumns<DB> = SqlTypeOf<AsSelect<License, DB>>;
/// Types of the columns of a key.
pub type KeyTypes = (Text, Text, Nullable<Timestamp>);

/// The columns of a [`HeldRow`] for a statement on `license_keys` and `licenses`; those of the license
/// as diesel writes them.
pub fn held_columns<DB>() -> QueryResult<String>
where
    DB: Backend + Default,
    DB::QueryBuilder: Default,
    License: Selectable<DB>,
    AsSelect<License, DB>: QueryFragment<DB>,
{
    let mut license = DB::QueryBuilder::default();
    License::as_select().to_sql(&mut license, &DB::default())?;
    let open = |kind: &str| {
        format!(
            "EXISTS (SELECT 1 FROM license_holds WHERE license_holds.license_id = licenses.id \
             AND license_holds.kind = '{kind}' AND license_holds.closed_at IS NULL)"
        )
    };
    Ok(format!(
        "{}, license_keys.id, license_keys.key_hint, license_keys.honored_until, {}, {}",
        license.finish(),
        open("hold"),
        open("revocation"),
    ))
}

/// The holding of a row, with its terms and the kits they list.
pub fn held(
    conn: &mut AnyConn,
    seen: &TermsSeen,
    row: HeldRow,
) -> Result<(Holding, Arc<KnownTerms>), DbError> {
    let (license, (key_id, key_hint, key_ends_at), suspended, revoked) = row;
    let terms = seen.get(conn, &license.terms_id)?;
    let terms = terms.ok_or_else(|| DbError::Inconsistent {
        table: "terms",
        row: license.terms_id.to_string(),
        what: "a license stands under terms that are not there",
    })?;
    let holding = Holding {
        license,
        terms: Arc::clone(&terms.terms),
        key_id,
        key_hint,
        key_ends_at,
        via: None,
        suspended,
        revoked,
    };
    Ok((holding, terms))
}
