//! Issuing a license by hand.

use std::sync::Arc;

use secrecy::SecretString;

use super::change::{Change, ChangeError, fault};
use super::edit::check_limit;
use super::issue::{Extras, IssueLicense, PrepareError, Prepared, issue_with_in, prepare_shown};
use super::model::{Given, LicenseId, fits_calendar};
use super::note::{self, NewNote};
use crate::app::App;
use crate::audit::Actor;
use crate::clock::Timestamp;
use crate::customers::named::Named;
use crate::db::{DbError, Shard, WriteTx};
use crate::idempotency::{Claim, Once};
use crate::kits::model::check_entitlements;
use crate::kits::store::find_policy_named;
use crate::secrets::SealError;

/// Furthest start, in days from now: a century.
const START_DAYS: i64 = 36_500;

/// What to issue.
#[derive(Debug, Clone)]
pub struct IssueByStaff {
    /// Id or name of the policy.
    pub policy: String,
    /// Who gets it.
    pub customer: Named,
    /// In force from, and where its durations count from; `None` = now.
    pub starts_at: Option<Timestamp>,
    /// What it has beside the terms.
    pub extras: Extras,
    /// A first note.
    pub note: Option<NewNote>,
    /// Who issues it.
    pub actor: Actor,
}

/// Why nothing was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueByStaffError {
    /// A field is not accepted, or the database failed.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// No key could be made.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// Its key could not be kept for who loses the answer.
    #[error("a new license key could not be kept")]
    Seal(#[from] SealError),
}

impl From<DbError> for IssueByStaffError {
    fn from(error: DbError) -> Self {
        Self::Change(error.into())
    }
}

/// A license and its key, which is shown to whoever issues it and to nobody else but its owner.
#[derive(Debug)]
pub struct Issued {
    /// The license, made now or by the same request before.
    pub once: Once<LicenseId>,
    /// Its key; that of an earlier request is kept with its claim.
    pub key: SecretString,
}

/// Issues a license under the present terms of a policy.
pub async fn issue_by_staff(
    app: &App,
    input: IssueByStaff,
    claim: Claim,
) -> Result<Issued, IssueByStaffError> {
    let now = app.clock.now();
    check(&input, now)?;
    let (prepared, key) = prepare_shown(app)?;
    let claim = claim.keep(app, &key)?;
    let shard = Shard::of(prepared.license.as_str());
    let of = Change {
        license: prepared.license.clone(),
        expected_revision: None,
        actor: input.actor.clone(),
        now,
        entropy: Arc::clone(&app.entropy),
    };
    let once = app
        .db
        .write(shard, move |tx| {
            claim.once(tx, &prepared.license, |tx| {
                issue_by_staff_in(tx, &of, &input, &prepared)
            })
        })
        .await?;
    Ok(Issued { once, key })
}

fn check(input: &IssueByStaff, now: Timestamp) -> Result<(), ChangeError> {
    let last = now.plus_seconds(START_DAYS * 86_400);
    let fits = |start: Timestamp| fits_calendar(start) && start <= last;
    if !input.starts_at.is_none_or(fits) {
        let reason = "must lie between 1970 and a century from now";
        return Err(fault("starts_at", reason));
    }
    let words = input.extras.entitlements.words();
    check_entitlements(words).map_err(|reason| fault("extra_entitlements", reason))?;
    input.extras.metadata.check()?;
    Ok(())
}

fn issue_by_staff_in(
    tx: &mut WriteTx<'_>,
    of: &Change,
    input: &IssueByStaff,
    prepared: &Prepared,
) -> Result<LicenseId, IssueByStaffError> {
    let policy = find_policy_named(tx.conn(), &input.policy)?;
    let unknown = || fault("policy", "must be the id or name of a policy");
    let terms = policy.ok_or_else(unknown)?.version;
    if let Given::As(limit) = input.extras.seats {
        check_limit(&terms.terms, limit)?;
    }
    let customer = input.customer.resolve_in(tx)?;
    let unknown = || fault("customer", "must be the id of a customer");
    let license = IssueLicense {
        customer: customer.ok_or_else(unknown)?,
        order_item: None,
        ordinal: 0,
        terms,
        seats_times: 1,
        purchased_at: input.starts_at.unwrap_or(of.now),
        actor: input.actor.clone(),
    };
    let id = issue_with_in(tx, prepared, license, &input.extras)?;
    if let Some(text) = &input.note {
        note::write_in(tx, of, text)?;
    }
    Ok(id)
}
