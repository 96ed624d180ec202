//! Giving the lines of a recorded order their licenses, as far as their prices are mapped.
//!
//! A line is mapped and gets all of its licenses in the same unit of work, under the order's lock,
//! so that repeating this issues nothing twice.

use super::mapping::{self, Mapping};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::customers::advance_order::{fulfilled_in, lock_order_in, map_item_in};
use crate::customers::model::{OrderId, OrderStatus, normalize_address};
use crate::customers::store::{Order, OrderItem, find_order, items_of};
use crate::db::{DbError, Shard, WriteTx};
use crate::licenses::issue::{self, IssueLicense, PrepareError, Prepared};
use crate::outbox::{self, Job, Lane};
use crate::secrets::SealError;

/// How often keys are made anew because the mapping changed meanwhile.
pub(super) const ATTEMPTS: usize = 5;

/// Why licenses were not issued.
#[derive(Debug, thiserror::Error)]
pub enum CompleteError {
    /// No such order.
    #[error("there is no such order")]
    NoOrder,
    /// The mapping grew between the making of keys and the write; another attempt sees it.
    #[error("the mapping of prices changed meanwhile")]
    TooFewKeys,
    /// No key could be made.
    #[error("license keys could not be made")]
    Prepare(#[from] PrepareError),
    /// The mail could not be prepared.
    #[error("the mail could not be sealed")]
    Seal(#[from] SealError),
    /// The database failed.
    #[error("the database failed while licenses were issued")]
    Db(#[from] DbError),
}

/// What the unit of work needs made beforehand.
#[derive(Debug)]
pub(super) struct Supplies {
    keys: Vec<Prepared>,
    mail: outbox::Prepared,
    actor: Actor,
    now: Timestamp,
}

impl Supplies {
    /// Makes keys and the mail's outbox row.
    pub(super) fn prepare(
        app: &App,
        order: &OrderId,
        keys: usize,
        actor: Actor,
    ) -> Result<Self, CompleteError> {
        let order = order.clone();
        Ok(Self {
            keys: issue::prepare(app, keys)?,
            mail: outbox::prepare(app, &Job::LicenseMail { order })?,
            actor,
            now: app.clock.now(),
        })
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completion {
    /// Licenses issued now.
    pub issued: usize,
    /// Where the order stands.
    pub status: OrderStatus,
    /// Whether a mail was written to the outbox.
    pub mailed: bool,
}

/// Runs the mapping of an order again, after the vendor has mapped what was missing.
pub async fn complete(
    app: &App,
    order: &OrderId,
    actor: &Actor,
) -> Result<Completion, CompleteError> {
    for _attempt in 0..ATTEMPTS {
        let id = order.clone();
        let keys = app.db.read_slow(move |conn| keys_needed(conn, &id)).await?;
        let supplies = Supplies::prepare(app, order, keys, actor.clone())?;
        let id = order.clone();
        let done = app
            .db
            .write(Shard::of(order.as_str()), move |tx| {
                complete_in(tx, &id, &supplies)
            })
            .await;
        match done {
            Err(CompleteError::TooFewKeys) => {}
            Ok(completion) => {
                if completion.mailed {
                    app.lanes.wake(Lane::Mail);
                }
                return Ok(completion);
            }
            Err(error) => return Err(error),
        }
    }
    Err(CompleteError::TooFewKeys)
}

fn keys_needed(conn: &mut crate::db::AnyConn, id: &OrderId) -> Result<usize, CompleteError> {
    let order = find_order(conn, id)?.ok_or(CompleteError::NoOrder)?;
    let mut keys = 0_usize;
    for item in items_of(conn, id)? {
        if item.price_id.is_none() {
            let mapping = mapping::of_item(conn, &order, &item)?;
            keys = keys.saturating_add(mapping.map_or(0, |mapping| mapping.keys()));
        }
    }
    Ok(keys)
}

/// The same inside a unit of work.
pub(super) fn complete_in(
    tx: &mut WriteTx<'_>,
    id: &OrderId,
    supplies: &Supplies,
) -> Result<Completion, CompleteError> {
    let order = lock_order_in(tx, id)?.ok_or(CompleteError::NoOrder)?;
    let (issued, waiting) = issue_items(tx, &order, supplies)?;
    let moved = !waiting && order.status != OrderStatus::Fulfilled;
    if moved {
        fulfilled_in(tx, id)?;
        let actor = supplies.actor.clone();
        tx.audit(Entry::new(
            supplies.now,
            actor,
            "order.fulfilled",
            id,
            &["status"],
        ));
    }
    let mailed = issued > 0 && has_recipient(&order);
    if mailed {
        outbox::insert(tx, &supplies.mail)?;
    }
    Ok(Completion {
        issued,
        status: if waiting {
            OrderStatus::NeedsMapping
        } else {
            OrderStatus::Fulfilled
        },
        mailed,
    })
}

/// How many licenses, and whether a line still waits for its mapping.
fn issue_items(
    tx: &mut WriteTx<'_>,
    order: &Order,
    supplies: &Supplies,
) -> Result<(usize, bool), CompleteError> {
    let mut keys = supplies.keys.iter();
    let items = items_of(tx.conn(), &order.id)?;
    // A paid order without any line is for a person to look at.
    let (mut issued, mut waiting) = (0, items.is_empty());
    for item in items {
        if item.price_id.is_some() {
            continue;
        }
        match mapping::of_item(tx.conn(), order, &item)? {
            Some(mapping) => {
                issued += issue_item(tx, order, &item, mapping, &mut keys, &supplies.actor)?;
            }
            None => waiting = true,
        }
    }
    Ok((issued, waiting))
}

fn has_recipient(order: &Order) -> bool {
    let known = normalize_address(&order.email).is_some();
    if !known {
        tracing::warn!(
            order.id = order.id.as_str(),
            "an order has no usable mail address"
        );
    }
    known
}

fn issue_item<'k>(
    tx: &mut WriteTx<'_>,
    order: &Order,
    item: &OrderItem,
    mapping: Mapping,
    keys: &mut impl Iterator<Item = &'k Prepared>,
    actor: &Actor,
) -> Result<usize, CompleteError> {
    map_item_in(tx, &item.id, mapping.price.as_str())?;
    let mut issued = 0;
    for terms in mapping.policies {
        for ordinal in (0..).take(mapping.licenses) {
            let key = keys.next().ok_or(CompleteError::TooFewKeys)?;
            let license = IssueLicense {
                customer: order.customer_id.clone(),
                order_item: Some(item.id.clone()),
                ordinal,
                terms: terms.clone(),
                seats_times: mapping.seats_times,
                purchased_at: order.purchased_at,
                actor: actor.clone(),
            };
            issue::issue_in(tx, key, license)?;
            issued += 1;
        }
    }
    Ok(issued)
}
