//! Changes of rows in `releases`.

use diesel::prelude::*;

use super::{Release, artifacts_of, blobs};
use crate::clock::Timestamp;
use crate::db::schema::{artifacts, release_grants, releases};
use crate::db::{DbError, WriteTx};
use crate::releases::model::ReleaseId;

/// Writes what may change about a release, and counts its revision up.
pub fn update(tx: &mut WriteTx<'_>, release: &Release) -> Result<(), DbError> {
    let figures = &release.figures;
    diesel::update(releases::table.find(&release.id))
        .set((
            releases::notes.eq(&release.notes),
            releases::severity.eq(release.severity),
            releases::entitled_at.eq(release.entitled_at),
            releases::minimum_version.eq(&release.minimum_version),
            releases::required_entitlements.eq(&release.required_entitlements),
            releases::yanked_at.eq(release.yanked_at),
            releases::yank_reason.eq(&release.yank_reason),
            releases::withdrawn_at.eq(release.withdrawn_at),
            releases::withdraw_reason.eq(&release.withdraw_reason),
            releases::rollout.eq(&release.rollout),
            releases::rollout_salt.eq(&release.rollout_salt),
            releases::halted_at.eq(release.halted_at),
            releases::quality_score.eq(figures.quality_score),
            releases::build_seconds.eq(figures.build_seconds),
            releases::tests_passed.eq(figures.tests_passed),
            releases::tests_failed.eq(figures.tests_failed),
            releases::bugs_found.eq(figures.bugs_found),
            releases::bugs_fixed.eq(figures.bugs_fixed),
            releases::revision.eq(releases::revision + 1),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Deletes a draft, its files' rows and its grants; the bytes have one reference less each.
pub fn delete_draft(tx: &mut WriteTx<'_>, id: &ReleaseId, now: Timestamp) -> Result<(), DbError> {
    for artifact in artifacts_of(tx.conn(), std::slice::from_ref(id))? {
        diesel::delete(artifacts::table.find(&artifact.id)).execute(tx.conn())?;
        blobs::let_go(tx, &artifact.sha256, now)?;
    }
    let grants = release_grants::table.filter(release_grants::release_id.eq(id));
    diesel::delete(grants).execute(tx.conn())?;
    diesel::delete(releases::table.find(id)).execute(tx.conn())?;
    Ok(())
}
