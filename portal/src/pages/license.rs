//! One license: its key, its terms, its seats.

use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};

use crate::flash::{Flash, FlashKind, UndoAction};
use crate::frame::{Frame, NavItem};
use crate::links;
use crate::seats::{SeatKind, Seats};
use crate::status::Status;
use crate::wording::join_names;

/// `GET /licenses/{id}`, and the answer to `POST /licenses/{id}/reveal`.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/license.html")]
pub struct LicensePage {
    /// What stands around the page.
    pub frame: Frame,
    /// Public id of the license.
    pub id: String,
    /// Names of the kits it covers.
    pub kit_names: Vec<String>,
    /// Edition bought, such as "Team".
    pub edition: String,
    /// What it is worth now.
    pub status: Status,
    /// The last characters of its key.
    pub key_hint: String,
    /// The whole key, on the answer to a reveal only.
    pub revealed_key: Option<String>,
    /// The order it came from.
    pub order_ref: String,
    /// When it was bought.
    pub purchased_at: DateTime<Utc>,
    /// The license text that holds, such as "Standard terms, version 3".
    pub license_text: Option<String>,
    /// Its terms, one sentence each.
    pub terms_in_words: Vec<String>,
    /// Until when the kits may be used; `None` is for good.
    pub valid_until: Option<DateTime<Utc>>,
    /// Until when new releases are covered; `None` is for good.
    pub updates_until: Option<DateTime<Utc>>,
    /// Seats taken.
    pub seats: Seats,
    /// The taken seats.
    pub activations: Vec<SeatRow>,
    /// The answer to what was just done.
    pub flash: Option<Flash>,
}

/// One taken seat.
#[derive(Debug, Clone)]
pub struct SeatRow {
    /// Public id of the activation, such as `act_…`.
    pub id: String,
    /// Name given to it, such as "Build server".
    pub name: String,
    /// What one seat is.
    pub kind: SeatKind,
    /// What the kit identified itself by.
    pub identity: String,
    /// Version of the kit, if it said.
    pub version: Option<String>,
    /// Platform, if it said.
    pub platform: Option<String>,
    /// When the seat was taken.
    pub created_at: DateTime<Utc>,
    /// When it was last heard of.
    pub last_seen_at: Option<DateTime<Utc>>,
}

impl SeatRow {
    /// The name; the identity where it has none.
    pub(crate) fn called(&self) -> &str {
        if self.name.trim().is_empty() {
            &self.identity
        } else {
            &self.name
        }
    }

    /// Version and platform in one line.
    pub(crate) fn running(&self) -> Option<String> {
        match (&self.version, &self.platform) {
            (Some(version), Some(platform)) => Some(format!("{version} on {platform}")),
            (Some(one), None) | (None, Some(one)) => Some(one.clone()),
            (None, None) => None,
        }
    }

    pub(crate) fn free_path(&self, license: &str) -> String {
        format!(
            "/licenses/{}/seats/{}/free",
            links::encode(license),
            links::encode(&self.id)
        )
    }
}

impl LicensePage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::document(Template::render(self))
    }

    pub(crate) fn kits(&self) -> String {
        join_names(&self.kit_names)
    }

    pub(crate) fn path(&self) -> String {
        format!("/licenses/{}", links::encode(&self.id))
    }

    pub(crate) fn over(&self, end: &DateTime<Utc>) -> bool {
        *end <= self.frame.now
    }

    /// A team's license with seats in use, right after one was freed.
    pub fn sample() -> Self {
        let frame = Frame {
            current: NavItem::Licenses,
            path: "/licenses/lic_01jd2m0000e8brmz3v6h5t9k2a".to_owned(),
            ..Frame::sample()
        };
        let now = frame.now;
        Self {
            id: "lic_01jd2m0000e8brmz3v6h5t9k2a".to_owned(),
            kit_names: vec!["Feedback Widget Kit".to_owned()],
            edition: "Team".to_owned(),
            status: Status::Active,
            key_hint: "9QKX2M".to_owned(),
            revealed_key: None,
            order_ref: "A-1042".to_owned(),
            purchased_at: now - TimeDelta::days(203),
            license_text: Some("Standard terms, version 3".to_owned()),
            terms_in_words: sample_terms(),
            valid_until: None,
            updates_until: Some(now + TimeDelta::days(162)),
            seats: Seats {
                kind: SeatKind::Device,
                used: 3,
                limit: Some(5),
            },
            activations: sample_activations(now),
            flash: Some(sample_flash()),
            frame,
        }
    }

    /// A license that was never activated.
    pub fn sample_empty() -> Self {
        let full = Self::sample();
        Self {
            seats: Seats {
                used: 0,
                ..full.seats
            },
            activations: Vec::new(),
            flash: None,
            ..full
        }
    }

    /// The answer to a reveal, of a license that has ended.
    pub fn sample_revealed() -> Self {
        let full = Self::sample();
        let now = full.frame.now;
        Self {
            status: Status::Expired,
            revealed_key: Some(
                "kwl_AZM3n2cAcQ2a7vT1kYw0JmZ4c2Vhc29uYWJseS1sb25nLXNhbXBsZS1rZXk0ZXhhbXBsZXMtb25seS1ub3RoaW5nLXNpZ25lZDlRS1gyTQ"
                    .to_owned(),
            ),
            valid_until: Some(now - TimeDelta::days(3)),
            updates_until: Some(now - TimeDelta::days(3)),
            seats: Seats {
                kind: SeatKind::Device,
                used: 3,
                limit: Some(2),
            },
            flash: None,
            ..full
        }
    }
}

fn sample_activations(now: DateTime<Utc>) -> Vec<SeatRow> {
    let seat = |id: &str, name: &str, identity: &str, seen: Option<TimeDelta>| SeatRow {
        id: id.to_owned(),
        name: name.to_owned(),
        kind: SeatKind::Device,
        identity: identity.to_owned(),
        version: seen.map(|_| "4.2.1".to_owned()),
        platform: seen.map(|_| "linux-x86_64".to_owned()),
        created_at: now - TimeDelta::days(90),
        last_seen_at: seen.map(|ago| now - ago),
    };
    vec![
        seat(
            "act_1",
            "MacBook Pro",
            "9f2c61d07ab84e15",
            Some(TimeDelta::minutes(4)),
        ),
        seat(
            "act_2",
            "Build server",
            "1b03e9c5aa7d4420",
            Some(TimeDelta::hours(26)),
        ),
        seat("act_3", "", "staging-eu-west-2.internal.example.com", None),
    ]
}

fn sample_terms() -> Vec<String> {
    vec![
        "Up to 5 devices of your team may run it at the same time.".to_owned(),
        "Updates until 1 May 2027; what came out by then is yours for good.".to_owned(),
        "A seat moves freely: free it here and use it elsewhere.".to_owned(),
    ]
}

fn sample_flash() -> Flash {
    Flash {
        kind: FlashKind::Done,
        text: "The seat of Old laptop is free.".to_owned(),
        undo: Some(UndoAction {
            action: "/licenses/lic_01jd2m0000e8brmz3v6h5t9k2a/seats/act_4/restore".to_owned(),
            label: "Undo".to_owned(),
        }),
    }
}
