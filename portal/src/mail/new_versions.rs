//! The mail about new versions: of one kit or of several.

use askama::Template;

use super::news::{Shown, VersionNews};
use super::{Rendered, name, part, subject};
use crate::wording::{one_line, shorten};

/// Kits and versions that one mail shows; the rest is counted.
const KITS: usize = 10;

/// Sent when versions came out that the person's licenses cover.
#[derive(Debug, Clone)]
pub struct NewVersionsMail {
    /// The vendor's name.
    pub vendor_name: String,
    /// One entry per kit.
    pub kits: Vec<KitNews>,
    /// Address of the page with what changed, and with what is mailed.
    pub updates_url: String,
    /// Where such mails are switched off.
    pub unsubscribe_url: String,
    /// Where customers get help.
    pub support_email: Option<String>,
}

/// What came out of one kit.
#[derive(Debug, Clone)]
pub struct KitNews {
    /// Name of the kit.
    pub kit_name: String,
    /// Its versions, the highest first.
    pub versions: Vec<VersionNews>,
    /// Where mails about this kit are switched off.
    pub unsubscribe_url: String,
}

struct View {
    title: String,
    kits: Vec<KitView>,
    more: usize,
    updates: String,
    unsubscribe: String,
    support: Option<String>,
}

struct KitView {
    name: String,
    versions: Vec<Shown>,
    more: usize,
    unsubscribe: String,
}

#[derive(Template)]
#[template(path = "mail/new_versions.txt", whitespace = "preserve")]
struct Text<'a> {
    mail: &'a View,
}

#[derive(Template)]
#[template(path = "mail/new_versions.html")]
struct Html<'a> {
    mail: &'a View,
}

impl NewVersionsMail {
    /// Subject, text and HTML.
    pub fn render(&self) -> Rendered {
        let mail = &self.view();
        Rendered {
            subject: subject(&mail.title),
            text: part(Text { mail }.render()),
            html: part(Html { mail }.render()),
        }
    }

    fn title(&self) -> String {
        let count: usize = self.kits.iter().map(|kit| kit.versions.len()).sum();
        match self.kits.as_slice() {
            [kit] => match kit.versions.as_slice() {
                [one] => {
                    let room = 60_usize.saturating_sub(one.version.chars().count() + 8);
                    let kit = shorten(&name(&kit.kit_name), room);
                    format!("{kit} {} is out", one_line(&one.version))
                }
                _ => format!("{count} new versions of {}", name(&kit.kit_name)),
            },
            _ => format!("{count} new versions from {}", name(&self.vendor_name)),
        }
    }

    fn view(&self) -> View {
        View {
            title: self.title(),
            kits: self.kits.iter().take(KITS).map(KitNews::view).collect(),
            more: self.kits.len().saturating_sub(KITS),
            updates: one_line(&self.updates_url),
            unsubscribe: one_line(&self.unsubscribe_url),
            support: self.support_email.as_deref().map(one_line),
        }
    }

    /// Sample values: one version of one kit.
    pub fn sample() -> Self {
        let off = "https://licenses.example.com/unsubscribe/sample-one";
        Self {
            vendor_name: "Example Kits".to_owned(),
            kits: vec![KitNews {
                kit_name: "Feedback Widget Kit".to_owned(),
                versions: vec![VersionNews::sample("4.3.0")],
                unsubscribe_url: off.to_owned(),
            }],
            updates_url: "https://licenses.example.com/updates".to_owned(),
            unsubscribe_url: off.to_owned(),
            support_email: Some("support@example.com".to_owned()),
        }
    }

    /// Sample values: two kits, one of them with two versions.
    pub fn sample_several() -> Self {
        let one = Self::sample();
        let mut kits = one.kits.clone();
        kits.push(KitNews {
            kit_name: "Changelog Kit".to_owned(),
            versions: vec![
                VersionNews::sample("1.1.1"),
                VersionNews {
                    version: "1.1.0".to_owned(),
                    notes: String::new(),
                },
            ],
            unsubscribe_url: "https://licenses.example.com/unsubscribe/sample-two".to_owned(),
        });
        Self {
            kits,
            unsubscribe_url: "https://licenses.example.com/unsubscribe/sample-all".to_owned(),
            support_email: None,
            ..one
        }
    }
}

impl KitNews {
    fn view(&self) -> KitView {
        let (versions, more) = Shown::all(&self.versions);
        KitView {
            name: name(&self.kit_name),
            versions,
            more,
            unsubscribe: one_line(&self.unsubscribe_url),
        }
    }
}
