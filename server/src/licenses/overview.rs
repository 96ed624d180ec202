//! Licenses as their owners see them, each list read in one snapshot.

use std::collections::BTreeMap;

use super::model::LicenseId;
use super::store::{self, Holding, License};
use crate::activations::store::{Activation, ended_but_counted, held};
use crate::app::App;
use crate::customers::model::CustomerId;
use crate::customers::store::{Order, order_of_item};
use crate::db::{AnyConn, DbError};
use crate::kits::model::KitId;
use crate::kits::store::{Kit, LicenseText, find_text, kits_by_ids};

/// A license and the kits it lists.
#[derive(Debug, Clone)]
pub struct Overview {
    /// The license.
    pub holding: Holding,
    /// Kits it lists, by name; none where its scope is `all`.
    pub kits: Vec<Kit>,
}

/// A license with all that its page shows.
#[derive(Debug, Clone)]
pub struct Detail {
    /// The license and its kits.
    pub overview: Overview,
    /// The order it came from, if any.
    pub order: Option<Order>,
    /// Seats in use, last seen first.
    pub seats: Vec<Activation>,
    /// The license text that holds, if any.
    pub text: Option<LicenseText>,
}

/// All licenses of these customers, newest first. Seats whose lease has ended do not count as used.
pub async fn overview(app: &App, customers: Vec<CustomerId>) -> Result<Vec<Overview>, DbError> {
    let now = app.clock.now();
    app.db
        .read_slow(move |conn| {
            let mut holdings = store::of_customers(conn, &customers)?;
            let ids: Vec<LicenseId> = holdings.iter().map(|it| it.license.id.clone()).collect();
            for ended in ended_but_counted(conn, &ids, now)? {
                let own = holdings.iter_mut().find(|it| it.license.id == ended);
                if let Some(holding) = own {
                    holding.license.seats_used -= 1;
                }
            }
            with_kits(conn, holdings)
        })
        .await
}

/// One license of these customers; `None` for those of others as for unknown ones.
pub async fn detail(
    app: &App,
    customers: Vec<CustomerId>,
    id: LicenseId,
) -> Result<Option<Detail>, DbError> {
    let now = app.clock.now();
    app.db
        .read_slow(move |conn| {
            let holding = store::find(conn, &id)?;
            let own = holding.filter(|it| customers.contains(&it.license.customer_id));
            let overview = with_kits(conn, own.into_iter().collect())?;
            let Some(mut overview) = overview.into_iter().next() else {
                return Ok(None);
            };
            let order = own_order(conn, &overview.holding.license)?;
            let seats = held(conn, &id, now)?;
            let used = i32::try_from(seats.len()).unwrap_or(i32::MAX);
            overview.holding.license.seats_used = used;
            let text = match &overview.holding.terms.license_text_id {
                Some(text) => find_text(conn, text)?,
                None => None,
            };
            Ok(Some(Detail {
                overview,
                order,
                seats,
                text,
            }))
        })
        .await
}

/// The order that a license's owner bought it with; one of an earlier owner is nobody else's.
pub fn own_order(conn: &mut AnyConn, license: &License) -> Result<Option<Order>, DbError> {
    let Some(item) = &license.order_item_id else {
        return Ok(None);
    };
    let order = order_of_item(conn, item)?;
    Ok(order.filter(|order| order.customer_id == license.customer_id))
}

/// Two queries, however many licenses there are.
pub(super) fn with_kits(
    conn: &mut AnyConn,
    holdings: Vec<Holding>,
) -> Result<Vec<Overview>, DbError> {
    let mut listed: BTreeMap<LicenseId, Vec<KitId>> = BTreeMap::new();
    for (license, kit) in store::kits_of_all(conn, &holdings)? {
        listed.entry(license).or_default().push(kit);
    }
    let wanted: Vec<KitId> = listed.values().flatten().cloned().collect();
    let kits = kits_by_ids(conn, &wanted)?;
    let overviews = holdings.into_iter().map(|holding| {
        let own = listed.get(&holding.license.id);
        let covered = |kit: &&Kit| own.is_some_and(|ids| ids.contains(&kit.id));
        let kits = kits.iter().filter(covered).cloned().collect();
        Overview { holding, kits }
    });
    Ok(overviews.collect())
}
