//! Updates: what came out, and what is mailed about it.

use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};

use crate::flash::Flash;
use crate::frame::{Frame, NavItem};
use crate::links;
use crate::notes::Notes;

/// `GET /updates`: the newest releases, and switches for mails.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/updates.html")]
pub struct UpdatesPage {
    /// What stands around the page.
    pub frame: Frame,
    /// What was just done.
    pub flash: Option<Flash>,
    /// Releases, the newest first.
    pub news: Vec<NewsRow>,
    /// One entry per kit.
    pub mails: Vec<MailChoice>,
    /// Whether mails about new versions are wanted at all.
    pub new_versions: bool,
}

/// A release.
#[derive(Debug, Clone)]
pub struct NewsRow {
    /// Name of the kit.
    pub kit_name: String,
    /// Slug of the kit.
    pub kit_slug: String,
    /// Version, such as `4.2.1`.
    pub version: String,
    /// How urgent it is, where it is more than usual.
    pub urgency: Option<String>,
    /// When it came out.
    pub published_at: DateTime<Utc>,
    /// The beginning of the release notes.
    pub notes: Option<Notes>,
    /// Why it cannot be downloaded.
    pub locked: Option<String>,
}

/// What somebody wants to hear of a kit.
#[derive(Debug, Clone)]
pub struct MailChoice {
    /// Name of the kit.
    pub kit_name: String,
    /// Slug of the kit.
    pub kit_slug: String,
    /// Mails about new versions.
    pub new_versions: bool,
    /// Mails about security releases.
    pub advisories: bool,
}

impl NewsRow {
    pub(crate) fn path(&self) -> String {
        format!("/downloads#kit-{}", links::encode(&self.kit_slug))
    }
}

impl MailChoice {
    pub(crate) fn new_versions_path(&self) -> String {
        self.path("new_version", self.new_versions)
    }

    pub(crate) fn advisories_path(&self) -> String {
        self.path("advisory", self.advisories)
    }

    fn path(&self, kind: &str, is_wanted: bool) -> String {
        let choice = if is_wanted { "off" } else { "on" };
        format!("/notices/{}/{kind}/{choice}", links::encode(&self.kit_slug))
    }
}

impl UpdatesPage {
    /// As many characters of notes as are shown of one release.
    pub const NOTES: usize = 600;

    /// The HTML document.
    pub fn render(&self) -> String {
        super::document(Template::render(self))
    }

    /// Two kits, one with a security release; mails about one of them switched off.
    pub fn sample() -> Self {
        let frame = Frame {
            current: NavItem::Updates,
            path: "/updates".to_owned(),
            ..Frame::sample()
        };
        let now = frame.now;
        let row = |version: &str, days| NewsRow {
            kit_name: "Feedback Widget Kit".to_owned(),
            kit_slug: "feedback-widget".to_owned(),
            version: version.to_owned(),
            urgency: None,
            published_at: now - TimeDelta::days(days),
            notes: Some(Notes::new(
                "Screenshots can be **attached** to a message.",
                Self::NOTES,
            )),
            locked: None,
        };
        let choice = |slug: &str, name: &str, new_versions| MailChoice {
            kit_name: name.to_owned(),
            kit_slug: slug.to_owned(),
            new_versions,
            advisories: true,
        };
        Self {
            frame,
            flash: None,
            news: vec![
                NewsRow {
                    urgency: Some("Security".to_owned()),
                    ..row("4.2.2", 2)
                },
                row("4.2.1", 9),
                NewsRow {
                    kit_name: "Feature Flags Kit".to_owned(),
                    kit_slug: "feature-flags".to_owned(),
                    notes: None,
                    locked: Some("It came out after your updates ended.".to_owned()),
                    ..row("2.5.0", 20)
                },
            ],
            mails: vec![
                choice("feature-flags", "Feature Flags Kit", false),
                choice("feedback-widget", "Feedback Widget Kit", true),
            ],
            new_versions: true,
        }
    }

    /// No mails about new versions at all.
    pub fn sample_silent() -> Self {
        Self {
            new_versions: false,
            ..Self::sample()
        }
    }

    /// No license covers anything yet.
    pub fn sample_empty() -> Self {
        Self {
            news: Vec::new(),
            mails: Vec::new(),
            ..Self::sample()
        }
    }
}
