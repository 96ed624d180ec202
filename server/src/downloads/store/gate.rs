//! Everything that what a key opens of a kit usually rests on, in one statement: what update checks and
//! downloads ask. The kit's catalog is known by the number of its last change.

use std::sync::{Arc, LazyLock};

use diesel::backend::Backend;
use diesel::dsl::AsSelect;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Binary, Bool, Nullable, Text};
use diesel::sqlite::Sqlite;

use crate::db::{AnyConn, DbError, in_order};
use crate::kits::known_terms::{KnownTerms, TermsSeen};
use crate::kits::model::KitId;
use crate::licenses::store::{
    Holding, KeyColumns, KeyTypes, License, LicenseColumns, held, held_columns,
};

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Sought<'a> {
    /// Digest of the key.
    pub lookup: &'a [u8],
    /// Slug of the kit.
    pub slug: &'a str,
}

/// A license before a kit.
#[derive(Debug, Clone)]
pub struct Gate {
    /// The license.
    pub holding: Holding,
    /// Its terms with the kits they list.
    pub terms: Arc<KnownTerms>,
    /// Whether releases were granted to it.
    pub has_grants: bool,
    /// Where its policy says it is renewed.
    pub renew_url: Option<String>,
    /// Id of the kit that has the slug now, and the version of its catalog; a former slug finds none
    /// here.
    pub kit: Option<(KitId, i64)>,
}

type Row = (
    License,
    KeyColumns,
    bool,
    bool,
    bool,
    Option<String>,
    Option<KitId>,
    Option<i64>,
);

/// Types of the columns of a [`Row`].
type Columns<DB> = (
    LicenseColumns<DB>,
    KeyTypes,
    Bool,
    Bool,
    Bool,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<BigInt>,
);

fn columns<DB>() -> QueryResult<String>
where
    DB: Backend + Default,
    DB::QueryBuilder: Default,
    License: Selectable<DB>,
    AsSelect<License, DB>: QueryFragment<DB>,
{
    let held = held_columns::<DB>()?;
    Ok(format!(
        "{held}, EXISTS (SELECT 1 FROM release_grants WHERE release_grants.license_id = licenses.id), \
         policies.renew_url, kits.id, catalogs.version"
    ))
}

// Writing them cannot fail; if it did, so would every statement.
static COLUMNS_OF_SQLITE: LazyLock<String> =
    LazyLock::new(|| columns::<Sqlite>().unwrap_or_default());
static COLUMNS_OF_POSTGRES: LazyLock<String> =
    LazyLock::new(|| columns::<Pg>().unwrap_or_default());

/// For each of those sought, what stands before the kit; `None` where no license has the key.
pub fn gates(
    conn: &mut AnyConn,
    seen: &TermsSeen,
    sought: &[Sought<'_>],
) -> Result<Vec<Option<Gate>>, DbError> {
    let rows: QueryResult<Vec<Option<Row>>> = match conn {
        AnyConn::Sqlite(conn) => sought
            .iter()
            .map(|one| Alone(*one).get_result(conn).optional())
            .collect(),
        AnyConn::Pg(conn) => together(conn, sought),
    };
    rows?
        .into_iter()
        .map(|row| row.map(|row| gate(conn, seen, row)).transpose())
        .collect()
}

fn gate(conn: &mut AnyConn, seen: &TermsSeen, row: Row) -> Result<Gate, DbError> {
    let (license, key, suspended, revoked, has_grants, renew_url, kit, version) = row;
    let (holding, terms) = held(conn, seen, (license, key, suspended, revoked))?;
    Ok(Gate {
        holding,
        terms,
        has_grants,
        renew_url,
        kit: kit.zip(version),
    })
}

/// One, on SQLite.
#[derive(Debug)]
struct Alone<'a>(Sought<'a>);

impl QueryFragment<Sqlite> for Alone<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        out.push_sql(&COLUMNS_OF_SQLITE);
        out.push_sql(
            " FROM license_keys JOIN licenses ON licenses.id = license_keys.license_id \
             JOIN policies ON policies.id = licenses.policy_id LEFT JOIN kits ON kits.slug = ",
        );
        out.push_bind_param::<Text, _>(self.0.slug)?;
        out.push_sql(
            " LEFT JOIN catalogs ON catalogs.kit_id = kits.id WHERE license_keys.lookup = ",
        );
        out.push_bind_param::<Binary, _>(self.0.lookup)
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

/// Many on PostgreSQL. The arrays have the same length.
#[derive(Debug)]
struct Together<'a> {
    lookups: Vec<&'a [u8]>,
    slugs: Vec<&'a str>,
}

impl QueryFragment<Pg> for Together<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT sought.number, ");
        out.push_sql(&COLUMNS_OF_POSTGRES);
        out.push_sql(" FROM unnest(");
        out.push_bind_param::<Array<Binary>, _>(&self.lookups)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.slugs)?;
        out.push_sql(
            ") WITH ORDINALITY AS sought (lookup, slug, number) \
             JOIN license_keys ON license_keys.lookup = sought.lookup \
             JOIN licenses ON licenses.id = license_keys.license_id \
             JOIN policies ON policies.id = licenses.policy_id \
             LEFT JOIN kits ON kits.slug = sought.slug \
             LEFT JOIN catalogs ON catalogs.kit_id = kits.id",
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

fn together(conn: &mut PgConnection, sought: &[Sought<'_>]) -> QueryResult<Vec<Option<Row>>> {
    let statement = Together {
        lookups: sought.iter().map(|one| one.lookup).collect(),
        slugs: sought.iter().map(|one| one.slug).collect(),
    };
    Ok(in_order(statement.load(conn)?, sought.len()))
}
