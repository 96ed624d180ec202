//! Giving a license one release whatever its dates say, and taking that back.

use super::change::{self, Change, ChangeError};
use super::fields;
use super::model::ReleaseId;
use super::store::{self, Grant};
use crate::app::App;
use crate::audit::Entry;
use crate::db::WriteTx;
use crate::idempotency::{Claim, Once};
use crate::kits::texts::Fault;
use crate::licenses;
use crate::licenses::model::LicenseId;

/// Grants a release to a license.
pub async fn grant(
    app: &App,
    of: Change,
    license: LicenseId,
    reason: &str,
    claim: Claim,
) -> Result<Once<ReleaseId>, ChangeError> {
    let grant = Grant {
        release_id: of.release.clone(),
        license_id: license,
        reason: fields::reason(reason)?,
        created_at: of.now,
    };
    change::run(app, claim, of, move |tx, of| grant_in(tx, of, &grant)).await
}

/// The same inside another unit of work. A grant that is there stays as it is.
pub fn grant_in(tx: &mut WriteTx<'_>, of: &Change, grant: &Grant) -> Result<(), ChangeError> {
    let release = change::open_in(tx, of)?;
    let holding = licenses::store::find(tx.conn(), &grant.license_id)?;
    let holding = holding.ok_or_else(|| refused("must be the id of a license"))?;
    // Whatever is granted, the kit has to be in the license's scope: nobody would get anything.
    if !licenses::store::covers(tx.conn(), &holding, &release.kit_id)? {
        return Err(refused("must be one whose terms cover the kit"));
    }
    if store::find_grant(tx.conn(), &of.release, &grant.license_id)?.is_some() {
        return Ok(());
    }
    store::insert_grant(tx, grant)?;
    note_in(tx, of, "release.granted")
}

fn refused(reason: &'static str) -> ChangeError {
    let field = "license";
    Fault { field, reason }.into()
}

/// Takes a grant back.
pub async fn ungrant(app: &App, of: Change, license: LicenseId) -> Result<(), ChangeError> {
    let done = change::run(app, Claim::default(), of, move |tx, of| {
        ungrant_in(tx, of, &license)
    });
    done.await.map(|_once| ())
}

/// The same inside another unit of work.
pub fn ungrant_in(
    tx: &mut WriteTx<'_>,
    of: &Change,
    license: &LicenseId,
) -> Result<(), ChangeError> {
    change::open_in(tx, of)?;
    if !store::remove_grant(tx, &of.release, license)? {
        return Err(ChangeError::NoGrant);
    }
    note_in(tx, of, "release.grant_removed")
}

fn note_in(tx: &mut WriteTx<'_>, of: &Change, action: &'static str) -> Result<(), ChangeError> {
    store::count_revision(tx, &of.release)?;
    let actor = of.actor.clone();
    tx.audit(Entry::new(of.now, actor, action, &of.release, &["grants"]));
    Ok(())
}
