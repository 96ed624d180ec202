//! Licenses as those who manage them see them, each answer read in one snapshot.

use super::model::LicenseId;
use super::overview::{Overview, with_kits};
use super::store::{self, Filter, Hold, LicenseKeyRow};
use crate::app::App;
use crate::customers::model::OrderId;
use crate::customers::store::order_of_item;
use crate::db::{AnyConn, DbError};

/// One license with what its page at the vendor's shows.
#[derive(Debug, Clone)]
pub struct Dossier {
    /// The license and its kits.
    pub overview: Overview,
    /// The order it came from.
    pub order: Option<OrderId>,
    /// Its keys, oldest first.
    pub keys: Vec<LicenseKeyRow>,
    /// Its open holds and revocations.
    pub holds: Vec<Hold>,
    /// How many notes were written about it.
    pub notes: usize,
}

/// Licenses after a cursor, with their kits.
pub fn page(
    conn: &mut AnyConn,
    filter: &Filter,
    after: &str,
    limit: i64,
) -> Result<Vec<Overview>, DbError> {
    let holdings = store::list(conn, filter, after, limit)?;
    with_kits(conn, holdings)
}

/// One license.
pub async fn dossier(app: &App, id: LicenseId) -> Result<Option<Dossier>, DbError> {
    app.db
        .read_slow(move |conn| {
            let holding = store::find(conn, &id)?;
            let overview = with_kits(conn, holding.into_iter().collect())?.pop();
            let Some(overview) = overview else {
                return Ok(None);
            };
            let order = match &overview.holding.license.order_item_id {
                Some(item) => order_of_item(conn, item)?.map(|order| order.id),
                None => None,
            };
            let mut holds = store::holds_of(conn, &id)?;
            holds.retain(|hold| hold.closed_at.is_none());
            Ok(Some(Dossier {
                overview,
                order,
                keys: store::keys_of(conn, &id)?,
                holds,
                notes: store::notes_of(conn, &id)?.len(),
            }))
        })
        .await
}
