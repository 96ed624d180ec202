//! What changed between two versions, in the portal.

use actix_web::{HttpRequest, HttpResponse, web};
use kitward_portal::pages::{ChangeKind, ChangedFile, ComparePage};
use kitward_portal::{Frame, NavItem};

use super::api::{Caller, Ends, deliver_patch, ends, not_compared};
use super::compare::{Compared, compare, patch};
use super::model::{ChangeStatus, FileChange};
use crate::downloads::listing::{KitListing, ReleaseListing};
use crate::downloads::model::CredentialForm;
use crate::downloads::pages::open_to;
use crate::downloads::record::Recipient;
use crate::http::error::PageError;
use crate::http::extract::AppData;
use crate::http::pages::{frame, html, not_found};
use crate::http::routes::resource;
use crate::http::session::SignedIn;
use crate::http::{ApiError, Code};
use crate::releases::store::Release;

/// Bytes of each file's part of the patch that are looked at for the page.
const DIFF_MAX: usize = 16 << 10;
/// Files of which the page is told; it shows fewer.
const FILES_MAX: usize = 200;
/// Other versions to compare with.
const OTHERS_MAX: usize = 12;

/// Routes of this file. The longer address comes first: a version may end in anything.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/downloads/{kit}/compare/{from}...{to}.patch").get(get_patch))
        .service(resource("/downloads/{kit}/compare/{from}...{to}").get(get_comparison));
}

async fn get_comparison(
    app: AppData,
    request: HttpRequest,
    person: SignedIn,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, PageError> {
    let (listing, ends) = find(&app, &request, &person, &path).await?;
    let compared = compare(&app, &ends.pair, &ends.by.name).await;
    let compared = compared.map_err(|error| not_compared(&app, &ends, error))?;
    let whole = patch(&app, &ends.pair, &compared, &ends.by.name).await;
    let whole = whole.map_err(|error| not_compared(&app, &ends, error))?;
    let frame = frame(&app, &request, NavItem::Downloads);
    let page = page(frame, (&listing, &ends), &compared, &whole);
    Ok(html(page.render()))
}

async fn get_patch(
    app: AppData,
    request: HttpRequest,
    person: SignedIn,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, PageError> {
    let (_, ends) = find(&app, &request, &person, &path).await?;
    Ok(deliver_patch(&app, &request, &ends).await?)
}

/// Two releases that this person may download, both by one license: what is given counts as its own.
async fn find(
    app: &AppData,
    request: &HttpRequest,
    person: &SignedIn,
    (kit, from, to): &(String, String, String),
) -> Result<(KitListing, Ends), PageError> {
    let listings = open_to(app, &person.0).await?;
    let listing = listings
        .into_iter()
        .find(|listing| listing.kit.slug == *kit);
    let listing = listing.ok_or_else(not_found)?;
    let (from, to) = (release(&listing, from)?, release(&listing, to)?);
    let Some(holding) = listing.opener_of_both(from, to) else {
        let detail = "None of your licenses covers both of these versions.";
        return Err(ApiError::new(Code::VersionNotCovered, detail).into());
    };
    let recipient = Recipient::of(Some(holding), CredentialForm::Ticket);
    let by = Caller::new(app, request, recipient);
    let both = (from.clone(), to.clone());
    let ends = ends(app, &listing.kit.slug, both, by).await?;
    Ok((listing, ends))
}

fn release<'a>(listing: &'a KitListing, version: &str) -> Result<&'a Release, PageError> {
    let mut releases = listing.releases.iter().map(|it| &it.release);
    let found = releases.find(|release| release.version == version);
    found.ok_or_else(not_found)
}

fn page(
    frame: Frame,
    (listing, ends): (&KitListing, &Ends),
    compared: &Compared,
    patch: &[u8],
) -> ComparePage {
    let summary = &compared.summary;
    let counts = &summary.counts;
    let is_other = |it: &&ReleaseListing| {
        let version = &it.release.version;
        let is_another = *version != ends.from.version && *version != ends.to.version;
        is_another && listing.opener_of_both(&it.release, &ends.to).is_some()
    };
    let others = listing.releases.iter().filter(is_other).take(OTHERS_MAX);
    let files = summary.files.iter().take(FILES_MAX);
    ComparePage {
        frame,
        kit_name: listing.kit.name.clone(),
        kit: ends.kit.clone(),
        from: ends.from.version.clone(),
        to: ends.to.version.clone(),
        total: counts.added + counts.removed + counts.modified + counts.renamed,
        lines_added: counts.lines_added,
        lines_removed: counts.lines_removed,
        complete: summary.complete,
        patch_bytes: compared.patch_size,
        folder: summary.from_folder.clone(),
        others: others.map(|it| it.release.version.clone()).collect(),
        files: files.map(|file| changed_file(file, patch)).collect(),
    }
}

fn changed_file(file: &FileChange, patch: &[u8]) -> ChangedFile {
    let kind = match file.status {
        ChangeStatus::Added => ChangeKind::Added,
        ChangeStatus::Removed => ChangeKind::Removed,
        ChangeStatus::Modified => ChangeKind::Modified,
        ChangeStatus::Renamed => ChangeKind::Renamed,
    };
    ChangedFile {
        kind,
        path: file.path.clone(),
        old_path: file.old_path.clone(),
        note: note(file),
        lines_added: file.lines_added,
        lines_removed: file.lines_removed,
        diff: hunks(file, patch),
    }
}

/// What stands behind the names of the file, from its first hunk on.
fn hunks(file: &FileChange, patch: &[u8]) -> String {
    if file.hunks == 0 {
        return String::new();
    }
    let start = usize::try_from(file.patch_offset).unwrap_or(usize::MAX);
    let length = usize::try_from(file.patch_length)
        .unwrap_or_default()
        .min(DIFF_MAX);
    let part = patch
        .get(start..start.saturating_add(length))
        .unwrap_or_default();
    let text = String::from_utf8_lossy(part);
    let at = text.find("\n@@ ").map(|at| at + 1);
    at.and_then(|at| text.get(at..))
        .unwrap_or_default()
        .to_owned()
}

fn note(file: &FileChange) -> Option<String> {
    let modes = file.old.as_ref().zip(file.new.as_ref());
    let (is_run, was_run) = modes.map_or((false, false), |(old, new)| {
        (new.mode == "100755", old.mode == "100755")
    });
    let sizes = modes.map(|(old, new)| (old.size, new.size));
    let mut notes = Vec::new();
    if file.binary {
        let sizes = sizes.map_or_else(String::new, |(old, new)| {
            format!(": {old} bytes before, {new} now")
        });
        notes.push(format!("Not shown by line{sizes}."));
    }
    if !file.in_patch {
        notes.push("It is not in the patch.".to_owned());
    }
    if is_run != was_run {
        let now = if is_run { "now" } else { "no longer" };
        notes.push(format!("It is {now} a program."));
    }
    if file.similarity == Some(100) {
        notes.push("Its content is the same.".to_owned());
    }
    (!notes.is_empty()).then(|| notes.join(" "))
}
