//! What is done with a file whose bytes are complete, before it counts: an archive is looked into,
//! every file is signed. Outside of any unit of work.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::sync::Arc;

use super::archive::{ArchiveError, Bounds, Listing, format_of, list};
use super::model::ReleaseId;
use super::sign;
use super::upload_artifact::UploadArtifactError;
use crate::app::App;
use crate::storage::{BlockingFile, StorageError, Stored};

/// Seconds after which an archive takes too long.
const PATIENCE: i64 = 120;

/// What was found and made.
#[derive(Debug, Clone)]
pub(super) struct Examined {
    /// The server's signature file.
    pub(super) signature: String,
    /// What it was made over.
    pub(super) prehash: [u8; 64],
    /// What the archive holds, where the file is one.
    pub(super) listing: Option<Listing>,
}

impl Examined {
    /// A number of the listing, as it is stored.
    pub(super) fn count(&self, of: impl Fn(&Listing) -> u64) -> Option<i64> {
        let count = self.listing.as_ref().map(of)?;
        i64::try_from(count).ok()
    }

    /// Why the file cannot carry a stamp.
    pub(super) fn unstampable(&self) -> Option<String> {
        let listing = self.listing.as_ref()?;
        listing.has_stamp.then(|| "name_taken".to_owned())
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
    let prehash = match stored.blake2b {
        Some(prehash) => prehash,
        None => sign::prehash_of(app, &stored.sha256).await?,
    };
    Ok(Examined {
        listing: look_into(app, name, stored).await?,
        signature: sign::signature(app, &subject, name, &prehash)?,
        prehash,
    })
}

async fn look_into(
    app: &App,
    name: &str,
    stored: &Stored,
) -> Result<Option<Listing>, UploadArtifactError> {
    let _turn = app.upload_room.examination().await;
    let file = app.storage.open_blocking(&stored.sha256, stored.size);
    let (name, clock) = (name.to_owned(), Arc::clone(&app.clock));
    let ends_at = clock.now().plus_seconds(PATIENCE);
    let listed = tokio::task::spawn_blocking(move || {
        let may_go_on = || clock.now() < ends_at;
        list_file(&name, file, &may_go_on)
    });
    match listed.await.map_err(StorageError::from)? {
        Ok(listing) => Ok(listing),
        Err(ArchiveError::Refused(fault)) => Err(UploadArtifactError::Archive(fault)),
        Err(ArchiveError::Source(error)) => Err(StorageError::from(error).into()),
    }
}

fn list_file(
    name: &str,
    mut file: BlockingFile,
    may_go_on: &dyn Fn() -> bool,
) -> Result<Option<Listing>, ArchiveError> {
    let mut head = Vec::new();
    let read = file.by_ref().take(512).read_to_end(&mut head);
    let read = read.and_then(|_count| file.seek(SeekFrom::Start(0)));
    read.map_err(ArchiveError::Source)?;
    match format_of(name, &head) {
        Some(format) => list(format, file, &Bounds::default(), may_go_on).map(Some),
        None => Ok(None),
    }
}
