//! Giving a license to another customer.

use serde_json::json;

use super::change::{self, Change, ChangeError, fault};
use super::issue::{PrepareError, PreparedKey, prepare_key};
use super::model::{LicenseId, LicenseKeyId};
use super::rotate::rotate_in;
use super::store;
use crate::activations::clear::clear_in;
use crate::activations::store::newest_event;
use crate::app::App;
use crate::customers::named::Named;
use crate::db::{DbError, WriteTx};
use crate::downloads::store::delete_tickets_of;
use crate::entropy::bytes;
use crate::idempotency::{Claim, Once};

/// Most seconds by which clocks of two machines may differ. What is of later is no difference but a wrong
/// date, and would take the new owner's rights until then.
const CLOCKS_APART: i64 = 3_600;

/// Why a license stayed where it is.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The license does not allow it.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// No key could be made.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
}

impl From<DbError> for TransferError {
    fn from(error: DbError) -> Self {
        Self::Change(error.into())
    }
}

/// Gives a license to another customer. Whoever had it keeps nothing: all its keys, tokens and
/// download tickets end at once, its seats are free, and the new owner finds a new key.
pub async fn transfer(
    app: &App,
    of: Change,
    to: Named,
    claim: Claim,
) -> Result<Once<LicenseId>, TransferError> {
    let (key, _text) = prepare_key(app)?;
    change::run(app, claim, of, move |tx, of| {
        transfer_in(tx, of, &to, &key)?;
        Ok(())
    })
    .await
}

/// The same inside another unit of work.
pub fn transfer_in(
    tx: &mut WriteTx<'_>,
    of: &Change,
    to: &Named,
    key: &PreparedKey,
) -> Result<(), ChangeError> {
    let mut license = change::open_in(tx, of)?.license;
    let unknown = || fault("customer", "must be the id of a customer");
    let customer = to.resolve_in(tx)?.ok_or_else(unknown)?;
    if customer == license.customer_id {
        return Err(fault("customer", "has this license already"));
    }
    let owners = json!({ "from": license.customer_id.to_string(), "to": customer.to_string() });
    license.customer_id = customer;
    license.seats_used = 0;
    license.over_limit_until = None;
    clear_in(tx, &of.license, &of.hand())?;
    // What is there behind the lock is the former owner's, also what another machine's clock says is of
    // later.
    let ahead = of.now.plus_seconds(CLOCKS_APART);
    let newest = newest_event(tx.conn(), &of.license)?.filter(|at| *at <= ahead);
    license.owned_since = Some(newest.map_or(of.now, |at| at.max(of.now)));
    store::update(tx, &license)?;
    let keys = store::keys_of(tx.conn(), &of.license)?;
    let keys: Vec<LicenseKeyId> = keys.into_iter().map(|key| key.id).collect();
    store::end_keys(tx, &keys, of.now, of.now)?;
    store::end_tokens(tx, &of.license, None, of.now, of.now)?;
    delete_tickets_of(tx, &of.license)?;
    rotate_in(tx, of, key, of.now)?;
    let fields = &["customer_id", "keys", "tokens", "seats_used"];
    let entry = of.entry("license.transferred", fields);
    // The row forgets who had it, and no order tells of a license that was issued by hand.
    tx.audit(entry.with_personal(owners.to_string(), bytes(of.entropy.as_ref())));
    Ok(())
}
