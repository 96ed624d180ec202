//! Kits and releases as the portal shows them.

mod commands;
mod ways;

use kitward_portal::Notes;
use kitward_portal::pages::{ArtifactRow, KitDownloads, Locked, PageLink, ReleaseRow};
use semver::Version;

use self::ways::{address, channels, majors};
use crate::app::App;
use crate::clock::Timestamp;
use crate::downloads::authorize::Renewal;
use crate::downloads::listing::{Blocked, KitListing, ReleaseListing};
use crate::downloads::model::path_segment;
use crate::downloads::stamp::is_stamped;
use crate::releases::model::{Channel, Refusal};
use crate::releases::store::Artifact;

/// Kits that show releases on the page of all; the others are a link.
const KITS_MAX: usize = 8;
/// Releases on one page.
const RELEASES_MAX: usize = 10;
/// Text of releases on one page, in bytes: names, hashes and notes.
const TEXT_MAX: usize = 7_000;

/// What of a kit is shown.
#[derive(Debug, Default)]
pub(super) struct Choice {
    pub(super) major: Option<u64>,
    pub(super) channel: Option<Channel>,
    /// What comes after this version.
    pub(super) after: Option<String>,
}

/// A release in the list of its kit.
type Row<'a> = (Version, &'a ReleaseListing);

/// Each kit with its newest release, and a newer one that is locked.
pub(super) fn overview(app: &App, listings: &[KitListing]) -> Vec<KitDownloads> {
    let one = |(number, listing): (usize, &KitListing)| {
        let rows = admitted(listing, followed(listing, None));
        let best = rows.iter().position(|(_, it)| it.opened_by.is_some());
        let locked = rows.iter().take(best.unwrap_or(1)).take(1);
        let shown = locked.chain(best.and_then(|best| rows.get(best)));
        let room = if number < KITS_MAX { 2 } else { 0 };
        let shown: Vec<&Row<'_>> = shown.take(room).collect();
        let all = PageLink {
            label: format!("All releases of {}", listing.kit.name),
            href: address(listing, &Choice::default()),
            is_current: false,
        };
        KitDownloads {
            majors: Vec::new(),
            channels: Vec::new(),
            more: (listing.releases.len() > shown.len()).then_some(all),
            ..kit(app, listing, &rows, &shown)
        }
    };
    listings.iter().enumerate().map(one).collect()
}

/// The releases of one major version, as many as fit.
pub(super) fn one_kit(app: &App, listing: &KitListing, choice: &Choice) -> KitDownloads {
    let channel = followed(listing, choice.channel);
    let rows = admitted(listing, channel);
    let covered = rows.iter().find(|(_, it)| it.opened_by.is_some());
    let first = covered.or(rows.first()).map(|(version, _)| version.major);
    let major = choice.major.or(first).unwrap_or_default();
    let after = choice.after.as_deref();
    let rest = rows.iter().filter(|(version, _)| version.major == major);
    let skipped = rest.skip_while(|(_, it)| after.is_some_and(|after| it.release.version != after));
    let rest: Vec<&Row<'_>> = skipped.skip(usize::from(after.is_some())).collect();
    let shown = fitting(&rest);
    let more = (rest.len() > shown.len()).then(|| PageLink {
        label: format!("Earlier releases of version {major}"),
        href: address(
            listing,
            &Choice {
                major: Some(major),
                channel: Some(channel),
                after: shown.last().map(|(_, it)| it.release.version.clone()),
            },
        ),
        is_current: false,
    });
    KitDownloads {
        majors: majors(listing, &rows, channel, major),
        channels: channels(listing, channel),
        more,
        ..kit(app, listing, &rows, &shown)
    }
}

fn kit(app: &App, listing: &KitListing, rows: &[Row<'_>], shown: &[&Row<'_>]) -> KitDownloads {
    let row = |(version, it): &&Row<'_>| {
        let before = rows.iter().find(|(other, before)| {
            other.cmp_precedence(version).is_lt() && are_comparable(listing, before, it)
        });
        release_row(app, listing, it, before.map(|(_, before)| *before))
    };
    KitDownloads {
        name: listing.kit.name.clone(),
        slug: listing.kit.slug.clone(),
        majors: Vec::new(),
        channels: Vec::new(),
        releases: shown.iter().map(row).collect(),
        more: None,
    }
}

/// Whether one license may download both, and there is something to compare.
fn are_comparable(listing: &KitListing, old: &ReleaseListing, new: &ReleaseListing) -> bool {
    // What no license opens is seen at a glance.
    let is_had = |it: &ReleaseListing| {
        it.opened_by.is_some() && it.artifacts.iter().any(Artifact::is_source)
    };
    is_had(old) && is_had(new) && listing.opener_of_both(&old.release, &new.release).is_some()
}

/// The channel that was asked for; else that of everybody, where the kit has such releases.
fn followed(listing: &KitListing, asked: Option<Channel>) -> Channel {
    let channels = listing.releases.iter().map(|it| it.release.channel);
    asked.or(channels.min()).unwrap_or(Channel::Stable)
}

fn admitted(listing: &KitListing, followed: Channel) -> Vec<Row<'_>> {
    let releases = listing.releases.iter();
    let fitting = releases.filter(|it| followed.admits(it.release.channel));
    // A stored version always reads as one.
    fitting
        .filter_map(|it| Some((it.release.semver().ok()?, it)))
        .collect()
}

/// As many releases as one page holds; one in any case.
fn fitting<'a, 'b>(rows: &[&'a Row<'b>]) -> Vec<&'a Row<'b>> {
    let mut left = TEXT_MAX;
    let mut shown = Vec::new();
    for row in rows.iter().take(RELEASES_MAX) {
        let files = row.1.artifacts.iter();
        let files: usize = files.map(|file| 6 * file.name.len() + 240).sum();
        let cost = files + row.1.release.notes.len().min(Notes::BRIEF);
        match left.checked_sub(cost) {
            None if !shown.is_empty() => break,
            rest => left = rest.unwrap_or_default(),
        }
        shown.push(*row);
    }
    shown
}

fn release_row(
    app: &App,
    listing: &KitListing,
    own: &ReleaseListing,
    before: Option<&ReleaseListing>,
) -> ReleaseRow {
    let (kit, release) = (&listing.kit.slug, &own.release);
    let published_at = release.published_at.unwrap_or(release.created_at);
    let files = own.artifacts.iter();
    let notes = Notes::new(&release.notes, Notes::BRIEF);
    let [slug, version] = [kit, &release.version].map(|text| path_segment(text));
    let whole = PageLink {
        label: "Read all of the notes".to_owned(),
        href: format!("/downloads/{slug}/notes/{version}"),
        is_current: false,
    };
    let changes = before.map(|before| PageLink {
        label: format!("What changed since {}", before.release.version),
        href: format!(
            "/downloads/{slug}/compare/{}...{version}",
            path_segment(&before.release.version)
        ),
        is_current: false,
    });
    ReleaseRow {
        version: release.version.clone(),
        channel: release.channel.to_string(),
        published_at: Timestamp::utc(published_at),
        whole_notes: notes.is_cut().then_some(whole),
        notes: Some(notes).filter(|notes| !notes.is_empty()),
        locked: own.refusal.as_ref().map(|blocked| locked(app, blocked)),
        artifacts: files.map(|file| artifact_row(listing, file)).collect(),
        curl: commands::fetch(app, listing, own),
        signature: commands::check(app, listing, own),
        changes,
    }
}

fn artifact_row(listing: &KitListing, file: &Artifact) -> ArtifactRow {
    ArtifactRow {
        id: file.id.to_string(),
        name: file.name.clone(),
        size_bytes: u64::try_from(file.size).unwrap_or_default(),
        sha256: file.sha256.clone(),
        stamped: is_stamped(&listing.kit, file),
    }
}

fn locked(app: &App, blocked: &Blocked) -> Locked {
    let own_page = format!("/licenses/{}", blocked.license);
    let (reason, label) = match &blocked.refusal {
        Refusal::License(code) => (code.detail().to_owned(), "Look at the license"),
        Refusal::VersionNotCovered => (
            "It came out after the updates of your license ended.".to_owned(),
            "Renew the updates",
        ),
        Refusal::EntitlementMissing(feature) => (
            format!("It needs a license that includes \"{feature}\"."),
            "See what your license includes",
        ),
        Refusal::Withdrawn => ("It was withdrawn.".to_owned(), "Look at the license"),
        Refusal::NotPublished => ("It is not out yet.".to_owned(), "Look at the license"),
    };
    let is_renewed = blocked.refusal == Refusal::VersionNotCovered;
    let href = match &blocked.renewal {
        renewal @ Renewal::Elsewhere(_) if is_renewed => renewal.url(app),
        Renewal::Elsewhere(_) | Renewal::OwnPage(_) => own_page,
    };
    Locked {
        reason,
        way_out_label: label.to_owned(),
        way_out_href: Some(href),
    }
}
