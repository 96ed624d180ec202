//! Everything a verdict usually rests on, in one statement: what kits call most.

mod statement;

use std::sync::Arc;

use diesel::QueryResult;

use super::held::held;
use super::{Holding, KeyColumns, License};
use crate::activations::model::Identity;
use crate::activations::store::Activation;
use crate::db::{AnyConn, DbError};
use crate::kits::known_terms::{KnownTerms, TermsSeen};
use crate::kits::model::{KitId, SeatKind};

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Sought<'a> {
    /// Digest of the key.
    pub lookup: &'a [u8],
    /// Slug of the kit.
    pub slug: &'a str,
    /// Whose seat.
    pub identity: Option<&'a Identity>,
}

impl<'a> Sought<'a> {
    /// No seat is of the kind "none", so this finds none where the call names no identity.
    fn seat(&self) -> (SeatKind, &'a str) {
        match self.identity {
            Some(identity) => (identity.kind, identity.text.as_str()),
            None => (SeatKind::None, ""),
        }
    }
}

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

/// For each of those sought: the license a key's digest stands for, the seat of an identity, the
/// kit with a slug. `None` where no license has the key.
///
/// On the connections themselves: the door's own writes a statement anew at each call.
pub fn glance(
    conn: &mut AnyConn,
    seen: &TermsSeen,
    sought: &[Sought<'_>],
) -> Result<Vec<Option<Glance>>, DbError> {
    let rows: QueryResult<Vec<Option<Row>>> = match conn {
        AnyConn::Sqlite(conn) => sought
            .iter()
            .map(|one| statement::alone(conn, one))
            .collect(),
        AnyConn::Pg(conn) => statement::together(conn, sought),
    };
    rows?
        .into_iter()
        .map(|row| row.map(|row| whole(conn, seen, row)).transpose())
        .collect()
}

fn whole(conn: &mut AnyConn, seen: &TermsSeen, row: Row) -> Result<Glance, DbError> {
    let (license, key, suspended, revoked, activation, kit, slug) = row;
    let (holding, terms) = held(conn, seen, (license, key, suspended, revoked))?;
    Ok(Glance {
        holding,
        terms,
        activation,
        kit: kit.zip(slug),
    })
}
