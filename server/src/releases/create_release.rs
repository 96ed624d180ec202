//! Starting a release, as a draft.

use super::model::{Channel, ReleaseId, ReleaseStatus, Severity, VersionFault, parse_version};
use super::store::{self, Release};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::db::{DbError, Shard, WriteTx};
use crate::idempotency::{Claim, Once};
use crate::kits;
use crate::kits::model::KitId;

/// Longest notes, in bytes.
pub const NOTES_MAX: usize = 32 * 1024;

/// What a new release shall be.
#[derive(Debug, Clone)]
pub struct CreateRelease {
    /// Slug or id of the kit.
    pub kit: String,
    /// Semantic version.
    pub version: String,
    /// For whom; by the version's pre-release where nothing is said.
    pub channel: Option<Channel>,
    /// How urgent.
    pub severity: Severity,
    /// What changed, as Markdown.
    pub notes: String,
    /// Who creates it.
    pub actor: Actor,
}

/// Why it was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateReleaseError {
    /// The database failed.
    #[error("the database failed while a release was created")]
    Db(#[from] DbError),
    /// No kit has this slug or id.
    #[error("no such kit")]
    UnknownKit,
    /// The version is not accepted.
    #[error("the version {0}")]
    Version(#[from] VersionFault),
    /// The notes are too long or hold control characters.
    #[error("the notes are not accepted")]
    Notes,
    /// The kit has a release with this version.
    #[error("the version is taken")]
    VersionTaken(ReleaseId),
}

/// Creates a draft, once for each claim.
pub async fn create_release(
    app: &App,
    input: CreateRelease,
    claim: Claim,
) -> Result<Once<ReleaseId>, CreateReleaseError> {
    let now = app.clock.now();
    let version = parse_version(&input.version)?;
    if !are_notes(&input.notes) {
        return Err(CreateReleaseError::Notes);
    }
    let kit = input.kit;
    let kit = app
        .db
        .read_snapshot(move |conn| kits::store::find_kit_by_name(conn, &kit))
        .await?
        .ok_or(CreateReleaseError::UnknownKit)?;
    let release = Release {
        id: ReleaseId::new(now, app.entropy.as_ref()),
        kit_id: kit.id,
        version: version.to_string(),
        channel: input.channel.unwrap_or_else(|| Channel::of(&version)),
        severity: input.severity,
        status: ReleaseStatus::Draft,
        notes: input.notes,
        entitled_at: None,
        published_at: None,
        yanked_at: None,
        withdrawn_at: None,
        created_at: now,
    };
    let actor = input.actor;
    app.db
        .write(Shard::of(release.id.as_str()), move |tx| {
            claim.once(tx, &release.id, |tx| {
                create_release_in(tx, &release, actor.clone())?;
                Ok(release.id.clone())
            })
        })
        .await
}

/// The same inside another unit of work.
pub fn create_release_in(
    tx: &mut WriteTx<'_>,
    release: &Release,
    actor: Actor,
) -> Result<(), CreateReleaseError> {
    if tx.unless_taken(|tx| store::insert(tx, release))?.is_none() {
        let taken = taken_by(tx, &release.kit_id, &release.version)?;
        return Err(CreateReleaseError::VersionTaken(taken));
    }
    tx.audit(Entry::new(
        release.created_at,
        actor,
        "release.created",
        &release.id,
        &["kit", "version", "channel", "severity", "notes"],
    ));
    Ok(())
}

fn taken_by(tx: &mut WriteTx<'_>, kit: &KitId, version: &str) -> Result<ReleaseId, DbError> {
    let found = store::find_version(tx.conn(), kit, version)?;
    // Nothing is ever deleted, so who was in the way is still there.
    let missing = || DbError::Inconsistent {
        table: "releases",
        row: version.to_owned(),
        what: "a taken version is not there",
    };
    found.map(|release| release.id).ok_or_else(missing)
}

fn are_notes(text: &str) -> bool {
    let is_refused = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    text.len() <= NOTES_MAX && !text.chars().any(is_refused)
}
