//! Downloads: the releases of each kit, by major version.

mod samples;

use askama::Template;
use chrono::{DateTime, Utc};

use crate::frame::Frame;
use crate::links;
use crate::notes::Notes;
use crate::wording::{count, shell_quote, size};

/// `GET /downloads`: what may be downloaded, and what may not and why.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/downloads.html")]
pub struct DownloadsPage {
    /// What stands around the page.
    pub frame: Frame,
    /// One entry per kit.
    pub kits: Vec<KitDownloads>,
}

/// One kit and its releases.
#[derive(Debug, Clone)]
pub struct KitDownloads {
    /// Name of the kit.
    pub name: String,
    /// Its slug: `/downloads#kit-SLUG` leads to it.
    pub slug: String,
    /// Its major versions, where it has several.
    pub majors: Vec<PageLink>,
    /// Whose releases are shown: those of everybody, or also early ones. Empty where there are none.
    pub channels: Vec<PageLink>,
    /// Its releases, newest first.
    pub releases: Vec<ReleaseRow>,
    /// Those that come after.
    pub more: Option<PageLink>,
}

/// A way to another page of ours.
#[derive(Debug, Clone)]
pub struct PageLink {
    /// Its words.
    pub label: String,
    /// Where it leads; nowhere, if it is no path of this site.
    pub href: String,
    /// Whether it is what is shown now.
    pub is_current: bool,
}

impl PageLink {
    pub(crate) fn address(&self) -> &str {
        links::local_path(&self.href).unwrap_or("#main")
    }
}

/// One release.
#[derive(Debug, Clone)]
pub struct ReleaseRow {
    /// Version, such as `4.2.1`.
    pub version: String,
    /// Channel, such as `stable`.
    pub channel: String,
    /// When it came out.
    pub published_at: DateTime<Utc>,
    /// Release notes.
    pub notes: Option<Notes>,
    /// Why it cannot be downloaded; then no download is offered, whatever `artifacts` holds.
    pub locked: Option<Locked>,
    /// Its files.
    pub artifacts: Vec<ArtifactRow>,
    /// A command that downloads it, to copy.
    pub curl: Option<String>,
    /// Commands that check its signatures, to copy.
    pub signature: Option<String>,
    /// Whole notes, where those here are cut.
    pub whole_notes: Option<PageLink>,
    /// What changed since the version before.
    pub changes: Option<PageLink>,
}

/// Why a release cannot be downloaded, and the way out.
#[derive(Debug, Clone)]
pub struct Locked {
    /// One sentence.
    pub reason: String,
    /// What would help.
    pub way_out_label: String,
    /// Where that leads.
    pub way_out_href: Option<String>,
}

/// One file of a release.
#[derive(Debug, Clone)]
pub struct ArtifactRow {
    /// Public id, such as `art_…`.
    pub id: String,
    /// Name of the file.
    pub name: String,
    /// Its size.
    pub size_bytes: u64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
    /// Whether the customer's copy carries a stamp, and so has another hash.
    pub stamped: bool,
}

/// The releases of one major version.
pub(crate) struct Series<'a> {
    pub(crate) title: String,
    pub(crate) extent: String,
    pub(crate) entries: Vec<Entry<'a>>,
}

/// A release in its place.
pub(crate) struct Entry<'a> {
    pub(crate) release: &'a ReleaseRow,
    /// Counts the kit's releases, for the names of elements.
    pub(crate) number: usize,
    /// Whether this is the one that most people come for.
    pub(crate) newest: bool,
}

impl KitDownloads {
    /// By major version, in the order in which each first appears.
    pub(crate) fn series(&self) -> Vec<Series<'_>> {
        let newest = self.newest();
        let mut all: Vec<Series<'_>> = Vec::new();
        for (number, release) in self.releases.iter().enumerate() {
            let title = format!("Version {}", release.major());
            let entry = Entry {
                release,
                number,
                newest: newest == Some(number),
            };
            match all.iter_mut().find(|series| series.title == title) {
                Some(series) => series.entries.push(entry),
                None => all.push(Series {
                    title,
                    extent: String::new(),
                    entries: vec![entry],
                }),
            }
        }
        for series in &mut all {
            series.extent = count(series.entries.len(), "release", "releases");
        }
        all
    }

    fn newest(&self) -> Option<usize> {
        self.releases
            .iter()
            .position(|release| release.locked.is_none() && !release.prerelease())
    }

    pub(crate) fn anchor(&self) -> String {
        format!("kit-{}", links::encode(&self.slug))
    }
}

impl ReleaseRow {
    fn major(&self) -> &str {
        let bare = self.version.strip_prefix('v').unwrap_or(&self.version);
        bare.split_once('.').map_or(bare, |(major, _)| major)
    }

    pub(crate) fn prerelease(&self) -> bool {
        self.channel != "stable"
    }

    /// The line that checks each downloaded file which has the published hash.
    pub(crate) fn verify(&self) -> Option<String> {
        let files = self.artifacts.iter().filter(|file| !file.stamped);
        let lines: Vec<String> = files.map(ArtifactRow::verify).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    pub(crate) fn is_stamped(&self) -> bool {
        self.artifacts.iter().any(|file| file.stamped)
    }
}

impl Locked {
    pub(crate) fn address(&self) -> Option<&str> {
        links::followable(self.way_out_href.as_deref()?)
    }
}

impl ArtifactRow {
    pub(crate) fn path(&self) -> String {
        format!("/downloads/{}", links::encode(&self.id))
    }

    pub(crate) fn size(&self) -> String {
        size(self.size_bytes)
    }

    fn verify(&self) -> String {
        let expected = shell_quote(&format!("{}  {}", self.sha256, self.name));
        format!("echo {expected} | sha256sum --check")
    }
}

impl DownloadsPage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::document(Template::render(self))
    }
}
