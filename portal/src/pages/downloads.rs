//! Downloads: the releases of each kit, by major version.

use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};

use crate::frame::{Frame, NavItem};
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
    /// Its releases, newest first.
    pub releases: Vec<ReleaseRow>,
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

    /// The line that checks each downloaded file.
    pub(crate) fn verify(&self) -> String {
        let lines: Vec<String> = self.artifacts.iter().map(ArtifactRow::verify).collect();
        lines.join("\n")
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

    /// Two kits with covered, earlier and locked releases.
    pub fn sample() -> Self {
        let frame = sample_frame();
        let kits = vec![sample_widget(frame.now), sample_flags(frame.now)];
        Self { frame, kits }
    }

    /// No license covers anything yet.
    pub fn sample_empty() -> Self {
        Self {
            frame: sample_frame(),
            kits: Vec::new(),
        }
    }
}

const SAMPLE_NOTES: &str = "\
Screenshots can be attached to a message, see the [guide](https://example.com/guide).

- The widget loads **40 % faster** on slow phones.
- Fixed: the badge kept its number after the last message was read (`onRead`).
";

fn sample_frame() -> Frame {
    Frame {
        current: NavItem::Downloads,
        path: "/downloads".to_owned(),
        ..Frame::sample()
    }
}

fn sample_release(slug: &str, version: &str, published_at: DateTime<Utc>) -> ReleaseRow {
    let file = format!("{slug}-{version}.zip");
    ReleaseRow {
        version: version.to_owned(),
        channel: "stable".to_owned(),
        published_at,
        notes: Some(Notes::new(SAMPLE_NOTES, Notes::BRIEF)),
        locked: None,
        curl: Some(format!(
            "curl -fLO -H \"Authorization: Bearer $KIT_TOKEN\" \\\n  https://licenses.example.com/v1/files/{slug}/{version}/{file}"
        )),
        artifacts: vec![ArtifactRow {
            id: format!("art_{slug}_{version}"),
            name: file,
            size_bytes: 1_482_113,
            sha256: "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef".to_owned(),
        }],
    }
}

fn sample_widget(now: DateTime<Utc>) -> KitDownloads {
    KitDownloads {
        name: "Feedback Widget Kit".to_owned(),
        slug: "feedback-widget".to_owned(),
        releases: vec![
            sample_release("feedback-widget", "4.2.1", now - TimeDelta::days(9)),
            sample_release("feedback-widget", "4.2.0", now - TimeDelta::days(31)),
            ReleaseRow {
                channel: "beta".to_owned(),
                notes: None,
                ..sample_release("feedback-widget", "4.2.0-beta.2", now - TimeDelta::days(44))
            },
            sample_release("feedback-widget", "3.9.4", now - TimeDelta::days(230)),
        ],
    }
}

fn sample_flags(now: DateTime<Utc>) -> KitDownloads {
    KitDownloads {
        name: "Feature Flags Kit".to_owned(),
        slug: "feature-flags".to_owned(),
        releases: vec![
            ReleaseRow {
                locked: Some(Locked {
                    reason: "It came out after your updates ended on 17 September 2026.".to_owned(),
                    way_out_label: "Renew updates".to_owned(),
                    way_out_href: Some("https://example.com/renew".to_owned()),
                }),
                curl: None,
                ..sample_release("feature-flags", "2.5.0", now - TimeDelta::days(20))
            },
            sample_release("feature-flags", "2.4.0", now - TimeDelta::days(90)),
        ],
    }
}
