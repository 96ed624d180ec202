//! What is done with a file whose bytes are complete, before it counts: an archive is looked into,
//! every file is signed. Outside of any unit of work.

use std::io::{Seek as _, SeekFrom};
use std::sync::Arc;

use super::archive::{ArchiveError, Bounds, Fault, Listing, find_format, list};
use super::model::ReleaseId;
use super::sign;
use super::store::Layout;
use super::upload_artifact::UploadArtifactError;
use crate::app::App;
use crate::storage::{BlockingFile, StorageError, Stored};

/// Seconds after which an archive takes too long.
const PATIENCE: i64 = 120;

/// Why an archive that is fine otherwise cannot carry a stamp: an entry has the stamp's name.
pub const NAME_TAKEN: &str = "name_taken";

/// What was found and made.
#[derive(Debug, Clone)]
pub(super) struct Examined {
    /// The server's signature file.
    pub(super) signature: String,
    /// What it was made over.
    pub(super) prehash: [u8; 64],
    /// What the file is.
    pub(super) layout: Layout,
}

/// What became of a look into a file.
#[derive(Debug)]
pub(super) enum Look {
    /// What the archive holds; nothing where the file is none.
    Listed(Option<Listing>),
    /// No archive may hold that.
    Refused(Fault),
}

/// What a listing tells of its file.
pub(super) fn layout_of(listing: Option<&Listing>) -> Layout {
    let Some(listing) = listing else {
        return Layout::default();
    };
    let taken = listing.has_stamp.then(|| NAME_TAKEN.to_owned());
    Layout {
        archive: Some(listing.format),
        entries: i64::try_from(listing.entries).ok(),
        bytes: i64::try_from(listing.bytes).ok(),
        zip_end: listing.zip_end.clone(),
        unstampable: taken,
    }
}

/// Looks into a stored file and signs it.
pub(super) async fn examine(
    app: &App,
    release: &ReleaseId,
    name: &str,
    stored: &Stored,
) -> Result<Examined, UploadArtifactError> {
    let id = release.clone();
    let subject = app
        .db
        .read_snapshot(move |conn| sign::subject(conn, &id))
        .await?
        .ok_or(UploadArtifactError::NotFound)?;
    let prehash = if let Some(prehash) = stored.blake2b {
        prehash
    } else {
        let hashing = app.storage.prehash_of(&stored.sha256, stored.size);
        hashing.await?
    };
    let listing = match look_into(app, name, &stored.sha256, stored.size).await? {
        Look::Listed(listing) => listing,
        Look::Refused(fault) => return Err(UploadArtifactError::Archive(fault)),
    };
    Ok(Examined {
        layout: layout_of(listing.as_ref()),
        signature: sign::signature(app, &subject, name, &prehash)?,
        prehash,
    })
}

/// Looks into a stored file, whatever it is.
pub(super) async fn look_into(
    app: &App,
    name: &str,
    sha256: &str,
    size: u64,
) -> Result<Look, StorageError> {
    let turn = app.upload_room.examination().await;
    let file = app.storage.open_blocking(sha256, size);
    let (name, clock) = (name.to_owned(), Arc::clone(&app.clock));
    let ends_at = clock.now().plus_seconds(PATIENCE);
    let listed = tokio::task::spawn_blocking(move || {
        // Here, because it goes on when the caller hangs up.
        let _turn = turn;
        let may_go_on = || clock.now() < ends_at;
        list_file(&name, file, &may_go_on)
    });
    match listed.await? {
        Ok(listing) => Ok(Look::Listed(listing)),
        Err(ArchiveError::Refused(fault)) => Ok(Look::Refused(fault)),
        Err(ArchiveError::Source(error)) => Err(error.into()),
    }
}

fn list_file(
    name: &str,
    mut file: BlockingFile,
    may_go_on: &dyn Fn() -> bool,
) -> Result<Option<Listing>, ArchiveError> {
    let Some(format) = find_format(name, &mut file, may_go_on)? else {
        return Ok(None);
    };
    let start = file.seek(SeekFrom::Start(0));
    start.map_err(ArchiveError::Source)?;
    list(format, file, &Bounds::default(), may_go_on).map(Some)
}
