//! Downloads with neutral values.

use chrono::{DateTime, TimeDelta, Utc};

use super::{ArtifactRow, DownloadsPage, KitDownloads, Locked, PageLink, ReleaseRow};
use crate::frame::{Frame, NavItem};
use crate::notes::Notes;

impl DownloadsPage {
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

fn sample_link(label: &str, href: &str, is_current: bool) -> PageLink {
    PageLink {
        label: label.to_owned(),
        href: href.to_owned(),
        is_current,
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
        signature: Some(format!(
            "curl -fLO -H \"Authorization: Bearer $KIT_TOKEN\" \\\n  https://licenses.example.com/v1/files/{slug}/{version}/{file}.minisig\nminisign -Vm {file} -P RWTMkDhTKbRSXUzSMEDbWMPkkTBcjqJJGhq7fDDlhFEYBDFVQKC8HmmD"
        )),
        whole_notes: None,
        changes: Some(PageLink {
            label: "What changed since the version before".to_owned(),
            href: crate::pages::compare::compare_path(slug, "4.1.0", version),
            is_current: false,
        }),
        curl: Some(format!(
            "curl -fLO -H \"Authorization: Bearer $KIT_TOKEN\" \\\n  https://licenses.example.com/v1/files/{slug}/{version}/{file}"
        )),
        artifacts: vec![ArtifactRow {
            id: format!("art_{slug}_{version}"),
            name: file,
            size_bytes: 1_482_113,
            sha256: "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef".to_owned(),
            stamped: false,
        }],
    }
}

fn sample_stamped(slug: &str, version: &str, published_at: DateTime<Utc>) -> ReleaseRow {
    let mut release = sample_release(slug, version, published_at);
    for file in &mut release.artifacts {
        file.stamped = true;
    }
    release.signature = Some(format!(
        "kitward artifact verify {slug}-{version}.zip --url https://licenses.example.com"
    ));
    release
}

fn sample_widget(now: DateTime<Utc>) -> KitDownloads {
    KitDownloads {
        name: "Feedback Widget Kit".to_owned(),
        slug: "feedback-widget".to_owned(),
        majors: vec![
            sample_link("Version 4", "/downloads?kit=feedback-widget", true),
            sample_link("Version 3", "/downloads?kit=feedback-widget&major=3", false),
        ],
        channels: vec![
            sample_link(
                "Stable",
                "/downloads?kit=feedback-widget&channel=stable",
                false,
            ),
            sample_link(
                "Beta and later",
                "/downloads?kit=feedback-widget&channel=beta",
                true,
            ),
        ],
        more: Some(sample_link(
            "Earlier releases of version 4",
            "/downloads?kit=feedback-widget&major=4&after=4.2.0-beta.2",
            false,
        )),
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
        majors: Vec::new(),
        channels: Vec::new(),
        more: None,
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
            sample_stamped("feature-flags", "2.4.0", now - TimeDelta::days(90)),
        ],
    }
}
