//! Starting a release, as a draft.

use super::fields;
use super::model::{Channel, ReleaseId, ReleaseStatus, Severity, VersionFault, parse_version};
use super::store::{self, Figures, Release};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::db::{DbError, Shard, WriteTx};
use crate::entropy::bytes;
use crate::idempotency::{Claim, Once};
use crate::kits;
use crate::kits::model::KitId;
use crate::kits::texts::Fault;

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
    /// The date that counts for licenses instead of that of the publication.
    pub entitled_at: Option<Timestamp>,
    /// What must be installed before it.
    pub minimum_version: Option<String>,
    /// Features a license must include.
    pub required_entitlements: Vec<String>,
    /// How it was made.
    pub figures: Figures,
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
    /// A field is not accepted.
    #[error(transparent)]
    Field(#[from] Fault),
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
    let (name, actor) = (input.kit.clone(), input.actor.clone());
    let draft = checked(app, input, now)?;
    let kit = app
        .db
        .read_snapshot(move |conn| kits::store::find_kit_by_name(conn, &name))
        .await?
        .ok_or(CreateReleaseError::UnknownKit)?;
    let release = draft(kit.id);
    app.db
        .write(Shard::of(release.id.as_str()), move |tx| {
            claim.once(tx, &release.id, |tx| {
                create_release_in(tx, &release, actor.clone())?;
                Ok(release.id.clone())
            })
        })
        .await
}

/// The draft of a kit that is still to be found.
fn checked(
    app: &App,
    input: CreateRelease,
    now: Timestamp,
) -> Result<impl FnOnce(KitId) -> Release, CreateReleaseError> {
    let version = parse_version(&input.version)?;
    let notes = fields::notes(input.notes)?;
    let entitled_at = fields::entitled_at(input.entitled_at, now)?;
    let minimum_version = fields::minimum_version(input.minimum_version, &version)?;
    let required_entitlements = fields::required_entitlements(input.required_entitlements)?;
    let figures = fields::figures(input.figures)?;
    let id = ReleaseId::new(now, app.entropy.as_ref());
    let salt: [u8; 16] = bytes(app.entropy.as_ref());
    Ok(move |kit_id| Release {
        id,
        kit_id,
        version: version.to_string(),
        channel: input.channel.unwrap_or_else(|| Channel::of(&version)),
        severity: input.severity,
        status: ReleaseStatus::Draft,
        notes,
        entitled_at,
        published_at: None,
        yanked_at: None,
        withdrawn_at: None,
        required_entitlements,
        minimum_version,
        rollout: None,
        rollout_salt: Some(salt.to_vec()),
        halted_at: None,
        yank_reason: None,
        withdraw_reason: None,
        figures,
        revision: 1,
        created_at: now,
    })
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
    // A draft that was in the way may have been deleted just now.
    found
        .map(|release| release.id)
        .ok_or(DbError::Aborted(None))
}
