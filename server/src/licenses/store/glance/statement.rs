//! The statement of a glance, for one on SQLite and for many on PostgreSQL. Its text never changes, so
//! it is written once: diesel would walk through all its columns at each call to see that.

use std::sync::LazyLock;

use diesel::backend::Backend;
use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryBuilder, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Binary, Bool, Nullable, Text};
use diesel::sqlite::Sqlite;

use super::super::License;
use super::super::held::{KeyTypes, LicenseColumns, held_columns};
use super::{Row, Sought};
use crate::activations::store::Activation;
use crate::db::in_order;

/// Types of the columns of a [`Row`].
type Columns<DB> = (
    LicenseColumns<DB>,
    KeyTypes,
    Bool,
    Bool,
    SqlTypeOf<AsSelect<Option<Activation>, DB>>,
    Nullable<Text>,
    Nullable<Text>,
);

/// The columns of a [`Row`], as diesel writes those of a seat.
fn columns<DB>() -> QueryResult<String>
where
    DB: Backend + Default,
    DB::QueryBuilder: Default,
    License: Selectable<DB>,
    Option<Activation>: Selectable<DB>,
    AsSelect<License, DB>: QueryFragment<DB>,
    AsSelect<Option<Activation>, DB>: QueryFragment<DB>,
{
    let (held, mut seat) = (held_columns::<DB>()?, DB::QueryBuilder::default());
    Option::<Activation>::as_select().to_sql(&mut seat, &DB::default())?;
    Ok(format!("{held}, {}, kits.id, kits.slug", seat.finish()))
}

/// One glance, on SQLite.
#[derive(Debug)]
struct Alone<'a> {
    lookup: &'a [u8],
    slug: &'a str,
    kind: &'a str,
    identity: &'a str,
}

// Writing them cannot fail; if it did, so would every glance.
static COLUMNS_OF_SQLITE: LazyLock<String> =
    LazyLock::new(|| columns::<Sqlite>().unwrap_or_default());
static COLUMNS_OF_POSTGRES: LazyLock<String> =
    LazyLock::new(|| columns::<Pg>().unwrap_or_default());

impl QueryFragment<Sqlite> for Alone<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        out.push_sql(&COLUMNS_OF_SQLITE);
        out.push_sql(
            " FROM license_keys JOIN licenses ON licenses.id = license_keys.license_id \
             LEFT JOIN activations ON activations.license_id = licenses.id \
             AND activations.kind = ",
        );
        out.push_bind_param::<Text, _>(self.kind)?;
        out.push_sql(" AND activations.identity = ");
        out.push_bind_param::<Text, _>(self.identity)?;
        out.push_sql(" LEFT JOIN kits ON kits.slug = ");
        out.push_bind_param::<Text, _>(self.slug)?;
        out.push_sql(" WHERE license_keys.lookup = ");
        out.push_bind_param::<Binary, _>(self.lookup)
    }
}

impl Query for Alone<'_> {
    type SqlType = Columns<Sqlite>;
}

impl QueryId for Alone<'_> {
    type QueryId = Alone<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<SqliteConnection> for Alone<'_> {}

/// The row of what is sought; `None` where no license has the key.
pub(super) fn alone(conn: &mut SqliteConnection, sought: &Sought<'_>) -> QueryResult<Option<Row>> {
    let (kind, identity) = sought.seat();
    let statement = Alone {
        lookup: sought.lookup,
        slug: sought.slug,
        kind: kind.as_str(),
        identity,
    };
    statement.get_result(conn).optional()
}

/// Many glances on PostgreSQL: a round trip, a snapshot and a plan for all of them. The arrays have
/// the same length.
#[derive(Debug)]
struct Together<'a> {
    lookups: Vec<&'a [u8]>,
    slugs: Vec<&'a str>,
    kinds: Vec<&'a str>,
    identities: Vec<&'a str>,
}

impl QueryFragment<Pg> for Together<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT sought.number, ");
        out.push_sql(&COLUMNS_OF_POSTGRES);
        out.push_sql(" FROM unnest(");
        out.push_bind_param::<Array<Binary>, _>(&self.lookups)?;
        for texts in [&self.slugs, &self.kinds, &self.identities] {
            out.push_sql(", ");
            out.push_bind_param::<Array<Text>, _>(texts)?;
        }
        out.push_sql(
            ") WITH ORDINALITY AS sought (lookup, slug, kind, identity, number) \
             JOIN license_keys ON license_keys.lookup = sought.lookup \
             JOIN licenses ON licenses.id = license_keys.license_id \
             LEFT JOIN activations ON activations.license_id = licenses.id \
             AND activations.kind = sought.kind AND activations.identity = sought.identity \
             LEFT JOIN kits ON kits.slug = sought.slug",
        );
        Ok(())
    }
}

impl Query for Together<'_> {
    type SqlType = (BigInt, Columns<Pg>);
}

impl QueryId for Together<'_> {
    type QueryId = Together<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<PgConnection> for Together<'_> {}

/// The rows of those sought, in their order; `None` where no license has the key.
pub(super) fn together(
    conn: &mut PgConnection,
    sought: &[Sought<'_>],
) -> QueryResult<Vec<Option<Row>>> {
    let seats = sought.iter().map(Sought::seat);
    let (kinds, identities) = seats.map(|(kind, text)| (kind.as_str(), text)).unzip();
    let statement = Together {
        lookups: sought.iter().map(|one| one.lookup).collect(),
        slugs: sought.iter().map(|one| one.slug).collect(),
        kinds,
        identities,
    };
    Ok(in_order(statement.load(conn)?, sought.len()))
}
