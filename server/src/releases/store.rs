//! Queries on `releases`, `release_grants` and `artifacts`; those on stored bytes and on uploads stand
//! beside.

pub mod blobs;
mod catalogs;
mod changes;
mod grants;
mod layouts;
mod lists;
mod release_row;
mod rollout_column;
mod signatures;
pub mod uploads;

use diesel::prelude::*;
use semver::Version;
use serde::Serialize;
use utoipa::ToSchema;

use super::model::{
    ArchiveFormat, ArtifactId, FileWords, ReleaseId, ReleaseStatus, SOURCE, SignedBy, check_name,
};
use crate::clock::Timestamp;
use crate::db::schema::{artifacts, releases};
use crate::db::{AnyConn, DbError, WriteTx, in_slices};
use crate::kits::model::KitId;

pub use catalogs::catalog_version;
pub use changes::{delete_draft, update};
pub use grants::{
    Grant, find_grant, grants_of_license, grants_of_licenses, insert_grant, list_grants,
    remove_grant,
};
pub use layouts::{Layout, set_layout};
pub use lists::{Filter, list};
pub use release_row::{Figures, Release};
pub use rollout_column::RolloutColumn;
pub use signatures::{Resigned, sign_again, supply_signature};

/// A file of a release as stored.
#[derive(Debug, Clone, Queryable, Insertable, Serialize, ToSchema, PartialEq, Eq)]
#[diesel(table_name = artifacts)]
pub struct Artifact {
    /// Its id.
    pub id: ArtifactId,
    /// The release.
    pub release_id: ReleaseId,
    /// Name of the file; one each in a release.
    pub name: String,
    /// What it is, such as `source`.
    pub kind: String,
    /// For which system it is, such as `linux`; null for all.
    pub platform: Option<String>,
    /// For which processor it is, such as `x86_64`; null for all.
    pub arch: Option<String>,
    /// In bytes.
    pub size: i64,
    /// 64 hexadecimal digits.
    pub sha256: String,
    /// 128 hexadecimal digits.
    pub sha512: String,
    /// When it was uploaded.
    pub created_at: Timestamp,
    /// BLAKE2b-512, 128 hexadecimal digits; what the signature is made over.
    #[serde(skip)]
    #[schema(ignore)]
    pub blake2b: Option<String>,
    /// Its signature file, as minisign writes it.
    pub signature: Option<String>,
    /// Whose key signed it.
    pub signed_by: Option<SignedBy>,
    /// What kind of archive it is, where it is one.
    pub archive: Option<ArchiveFormat>,
    /// How many entries the archive has.
    pub archive_entries: Option<i64>,
    /// How many bytes its entries have, unpacked.
    pub archive_bytes: Option<i64>,
    /// The records at the end of a zip, up to its comment.
    #[serde(skip)]
    #[schema(ignore)]
    pub zip_end: Option<Vec<u8>>,
    /// Why it cannot carry a stamp.
    #[serde(skip)]
    #[schema(ignore)]
    pub unstampable: Option<String>,
    /// Whether somebody looked into it: before, nothing is known of what it is.
    #[serde(skip)]
    #[schema(ignore)]
    pub examined: bool,
}

impl Artifact {
    /// What was said of it.
    pub fn words(&self) -> FileWords<'_> {
        FileWords {
            kind: &self.kind,
            platform: self.platform.as_deref(),
            arch: self.arch.as_deref(),
        }
    }

    /// Whether it is source: versions are compared by such files, and by no others.
    pub fn is_source(&self) -> bool {
        self.kind == SOURCE
    }

    /// Takes in what it was found to be.
    pub fn set_layout(&mut self, layout: Layout) {
        self.archive = layout.archive;
        self.archive_entries = layout.entries;
        self.archive_bytes = layout.bytes;
        self.zip_end = layout.zip_end;
        self.unstampable = layout.unstampable;
        self.examined = true;
    }
}

/// Adds a release.
pub fn insert(tx: &mut WriteTx<'_>, release: &Release) -> Result<(), DbError> {
    diesel::insert_into(releases::table)
        .values(release)
        .execute(tx.conn())?;
    Ok(())
}

/// The release with this id.
pub fn find(conn: &mut AnyConn, id: &ReleaseId) -> Result<Option<Release>, DbError> {
    Ok(releases::table
        .find(id)
        .select(Release::as_select())
        .get_result(conn)
        .optional()?)
}

/// The release of a kit with exactly this version.
pub fn find_version(
    conn: &mut AnyConn,
    kit: &KitId,
    version: &str,
) -> Result<Option<Release>, DbError> {
    Ok(releases::table
        .filter(releases::kit_id.eq(kit))
        .filter(releases::version.eq(version))
        .select(Release::as_select())
        .get_result(conn)
        .optional()?)
}

/// Published releases of these kits with their versions, the highest first.
pub fn published(conn: &mut AnyConn, kits: &[KitId]) -> Result<Vec<(Version, Release)>, DbError> {
    let rows: Vec<Release> = in_slices(kits, |kits| {
        Ok(releases::table
            .filter(releases::kit_id.eq_any(kits.to_vec()))
            .filter(releases::status.eq(ReleaseStatus::Published))
            .select(Release::as_select())
            .load(conn)?)
    })?;
    let parsed = rows.into_iter().map(|row| Ok((row.semver()?, row)));
    let mut parsed = parsed.collect::<Result<Vec<_>, DbError>>()?;
    parsed.sort_by(|(a, _), (b, _)| b.cmp_precedence(a));
    Ok(parsed)
}

/// Kits with at least one published release.
pub fn published_kits(conn: &mut AnyConn) -> Result<Vec<KitId>, DbError> {
    Ok(releases::table
        .filter(releases::status.eq(ReleaseStatus::Published))
        .select(releases::kit_id)
        .distinct()
        .load(conn)?)
}

/// Files of these releases, by name.
pub fn artifacts_of(conn: &mut AnyConn, releases: &[ReleaseId]) -> Result<Vec<Artifact>, DbError> {
    let mut files: Vec<Artifact> = in_slices(releases, |releases| {
        Ok(artifacts::table
            .filter(artifacts::release_id.eq_any(releases.to_vec()))
            .load(conn)?)
    })?;
    files.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    Ok(files)
}

/// The file with this id.
pub fn find_artifact(conn: &mut AnyConn, id: &ArtifactId) -> Result<Option<Artifact>, DbError> {
    Ok(artifacts::table.find(id).get_result(conn).optional()?)
}

/// The file of a release with this name.
pub fn find_artifact_named(
    conn: &mut AnyConn,
    release: &ReleaseId,
    name: &str,
) -> Result<Option<Artifact>, DbError> {
    // Nothing else can be there, and PostgreSQL takes no NUL in a text.
    if check_name(name).is_err() {
        return Ok(None);
    }
    Ok(artifacts::table
        .filter(artifacts::release_id.eq(release))
        .filter(artifacts::name.eq(name))
        .get_result(conn)
        .optional()?)
}

/// Locks a release for the rest of the unit of work: its row is written as it is.
pub fn lock(tx: &mut WriteTx<'_>, id: &ReleaseId) -> Result<Option<Release>, DbError> {
    diesel::update(releases::table.find(id))
        .set(releases::status.eq(releases::status))
        .execute(tx.conn())?;
    find(tx.conn(), id)
}

/// Lets a draft out.
pub fn set_published(tx: &mut WriteTx<'_>, id: &ReleaseId, at: Timestamp) -> Result<(), DbError> {
    diesel::update(releases::table.find(id))
        .set((
            releases::status.eq(ReleaseStatus::Published),
            releases::published_at.eq(at),
            releases::revision.eq(releases::revision + 1),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Adds a file to a release.
pub fn insert_artifact(tx: &mut WriteTx<'_>, artifact: &Artifact) -> Result<(), DbError> {
    diesel::insert_into(artifacts::table)
        .values(artifact)
        .execute(tx.conn())?;
    count_revision(tx, &artifact.release_id)
}

/// Counts the revision of a release up: something of it has changed.
pub fn count_revision(tx: &mut WriteTx<'_>, id: &ReleaseId) -> Result<(), DbError> {
    diesel::update(releases::table.find(id))
        .set(releases::revision.eq(releases::revision + 1))
        .execute(tx.conn())?;
    Ok(())
}

/// Takes a file out of a draft; the caller lets its bytes go.
pub fn delete_artifact(tx: &mut WriteTx<'_>, artifact: &Artifact) -> Result<(), DbError> {
    diesel::delete(artifacts::table.find(&artifact.id)).execute(tx.conn())?;
    count_revision(tx, &artifact.release_id)
}
