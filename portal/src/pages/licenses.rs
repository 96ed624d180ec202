//! Home: a card per license.

use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};

use crate::flash::Flash;
use crate::frame::{Frame, NavItem};
use crate::links;
use crate::seats::{SeatKind, Seats};
use crate::status::Status;
use crate::wording::join_names;

/// `GET /`: the licenses of the person who is signed in.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/licenses.html")]
pub struct LicensesPage {
    /// What stands around the page.
    pub frame: Frame,
    /// One card per license.
    pub cards: Vec<LicenseCard>,
    /// The answer to what was just done.
    pub flash: Option<Flash>,
}

/// One license at a glance.
#[derive(Debug, Clone)]
pub struct LicenseCard {
    /// Public id of the license, such as `lic_…`.
    pub id: String,
    /// Names of the kits it covers.
    pub kit_names: Vec<String>,
    /// Edition bought, such as "Team".
    pub edition: String,
    /// What it is worth now.
    pub status: Status,
    /// The last characters of its key.
    pub key_hint: String,
    /// Newest version that this license may have.
    pub newest_version: Option<String>,
    /// End of its updates; `None` is for good.
    pub updates_until: Option<DateTime<Utc>>,
    /// Seats taken.
    pub seats: Seats,
    /// The one thing to do from here.
    pub primary: PrimaryAction,
}

/// A link that looks like a button.
#[derive(Debug, Clone)]
pub struct PrimaryAction {
    /// Words on it, with a verb.
    pub label: String,
    /// Where it leads; left out unless a path of this site, a web page or a mail address.
    pub href: String,
}

impl PrimaryAction {
    pub(crate) fn address(&self) -> Option<&str> {
        links::followable(&self.href)
    }
}

impl LicenseCard {
    pub(crate) fn kits(&self) -> String {
        join_names(&self.kit_names)
    }

    pub(crate) fn path(&self) -> String {
        format!("/licenses/{}", links::encode(&self.id))
    }
}

impl LicensesPage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::document(Template::render(self))
    }

    /// Three licenses in different states.
    pub fn sample() -> Self {
        let frame = sample_frame();
        let now = frame.now;
        Self {
            cards: vec![active_card(now), lapsed_card(now), late_card()],
            flash: None,
            frame,
        }
    }

    /// Nobody has bought anything yet.
    pub fn sample_empty() -> Self {
        Self {
            frame: sample_frame(),
            cards: Vec::new(),
            flash: None,
        }
    }
}

fn sample_frame() -> Frame {
    Frame {
        current: NavItem::Licenses,
        ..Frame::sample()
    }
}

fn active_card(now: DateTime<Utc>) -> LicenseCard {
    LicenseCard {
        id: "lic_01jd2m0000e8brmz3v6h5t9k2a".to_owned(),
        kit_names: vec!["Feedback Widget Kit".to_owned()],
        edition: "Team".to_owned(),
        status: Status::Active,
        key_hint: "9QKX2M".to_owned(),
        newest_version: Some("4.2.1".to_owned()),
        updates_until: Some(now + TimeDelta::days(162)),
        seats: Seats {
            kind: SeatKind::Device,
            used: 3,
            limit: Some(5),
        },
        primary: PrimaryAction {
            label: "Download 4.2.1".to_owned(),
            href: "/downloads#kit-feedback-widget".to_owned(),
        },
    }
}

fn lapsed_card(now: DateTime<Utc>) -> LicenseCard {
    LicenseCard {
        id: "lic_01jd2m0000e8brmz3v6h5t9k2b".to_owned(),
        kit_names: vec!["Changelog Kit".to_owned(), "Feature Flags Kit".to_owned()],
        edition: "Personal".to_owned(),
        status: Status::Lapsed,
        key_hint: "4T7W2C".to_owned(),
        newest_version: Some("2.4.0".to_owned()),
        updates_until: Some(now - TimeDelta::days(64)),
        seats: Seats {
            kind: SeatKind::None,
            used: 0,
            limit: None,
        },
        primary: PrimaryAction {
            label: "Renew updates".to_owned(),
            href: "https://example.com/renew".to_owned(),
        },
    }
}

fn late_card() -> LicenseCard {
    LicenseCard {
        id: "lic_01jd2m0000e8brmz3v6h5t9k2c".to_owned(),
        kit_names: vec!["Error Tracking Kit".to_owned()],
        edition: "Company".to_owned(),
        status: Status::Grace,
        key_hint: "X90LQF".to_owned(),
        newest_version: Some("1.0.3".to_owned()),
        updates_until: None,
        seats: Seats {
            kind: SeatKind::Site,
            used: 41,
            limit: Some(50),
        },
        primary: PrimaryAction {
            label: "Update payment".to_owned(),
            href: "https://example.com/billing".to_owned(),
        },
    }
}
