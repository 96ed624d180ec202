//! The mail about a version that closes a hole.

use askama::Template;

use super::news::{Shown, VersionNews};
use super::{Rendered, name, part, subject};
use crate::wording::{one_line, shorten};

/// Sent at once when a security release came out, also to those who may not have it.
#[derive(Debug, Clone)]
pub struct AdvisoryMail {
    /// The vendor's name.
    pub vendor_name: String,
    /// Name of the kit.
    pub kit_name: String,
    /// How urgent it is.
    pub urgency: Urgency,
    /// Versions that close a hole, the highest first.
    pub versions: Vec<VersionNews>,
    /// What the person can do.
    pub way_out: WayOut,
    /// Where advisories about this kit are switched off.
    pub unsubscribe_url: String,
    /// Address of the page with what is mailed.
    pub updates_url: String,
    /// Where customers get help.
    pub support_email: Option<String>,
}

/// How urgent it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Soon.
    Security,
    /// Now.
    Critical,
}

/// What a person can do about a hole.
#[derive(Debug, Clone)]
pub enum WayOut {
    /// Take a version that a license covers.
    Update {
        /// Which.
        version: String,
        /// Where it is downloaded.
        url: String,
    },
    /// Change something about the license first.
    Renew {
        /// The version that is wanted.
        version: String,
        /// What stands in the way, after "because".
        reason: String,
        /// Where that is changed.
        url: String,
    },
}

struct View {
    vendor: String,
    title: String,
    kit: String,
    lead: String,
    versions: Vec<Shown>,
    more: usize,
    label: String,
    url: String,
    unsubscribe: String,
    updates: String,
    support: Option<String>,
}

#[derive(Template)]
#[template(path = "mail/advisory.txt", whitespace = "preserve")]
struct Text<'a> {
    mail: &'a View,
}

#[derive(Template)]
#[template(path = "mail/advisory.html")]
struct Html<'a> {
    mail: &'a View,
}

impl AdvisoryMail {
    /// Subject, text and HTML.
    pub fn render(&self) -> Rendered {
        let mail = &self.view();
        Rendered {
            subject: subject(&mail.title),
            text: part(Text { mail }.render()),
            html: part(Html { mail }.render()),
        }
    }

    fn view(&self) -> View {
        let (versions, more) = Shown::all(&self.versions);
        let kit = name(&self.kit_name);
        let (lead, label, url) = self.way_out.words(&kit);
        View {
            vendor: name(&self.vendor_name),
            title: self.title(),
            kit,
            lead,
            versions,
            more,
            label,
            url: one_line(url),
            unsubscribe: one_line(&self.unsubscribe_url),
            updates: one_line(&self.updates_url),
            support: self.support_email.as_deref().map(one_line),
        }
    }

    /// The version stays whole, whatever the kit is called.
    fn title(&self) -> String {
        let word = match self.urgency {
            Urgency::Security => "Security update",
            Urgency::Critical => "Critical update",
        };
        let version = one_line(self.way_out.version());
        let room = 60_usize.saturating_sub(word.len() + version.chars().count() + 3);
        let kit = shorten(&name(&self.kit_name), room);
        format!("{word}: {kit} {version}")
    }

    /// Sample values: covered.
    pub fn sample() -> Self {
        Self {
            vendor_name: "Example Kits".to_owned(),
            kit_name: "Feedback Widget Kit".to_owned(),
            urgency: Urgency::Security,
            versions: vec![VersionNews {
                version: "4.2.2".to_owned(),
                notes: "Fixed: a message could hold markup that ran in the inbox.".to_owned(),
            }],
            way_out: WayOut::Update {
                version: "4.2.2".to_owned(),
                url: "https://licenses.example.com/downloads#kit-feedback-widget".to_owned(),
            },
            unsubscribe_url: "https://licenses.example.com/unsubscribe/sample-one".to_owned(),
            updates_url: "https://licenses.example.com/updates".to_owned(),
            support_email: Some("support@example.com".to_owned()),
        }
    }

    /// Sample values: critical, and not covered.
    pub fn sample_locked() -> Self {
        Self {
            urgency: Urgency::Critical,
            way_out: WayOut::Renew {
                version: "4.2.2".to_owned(),
                reason: "it came out after the updates of your license ended".to_owned(),
                url: "https://licenses.example.com/licenses/lic_sample".to_owned(),
            },
            ..Self::sample()
        }
    }
}

impl WayOut {
    fn version(&self) -> &str {
        match self {
            Self::Update { version, .. } | Self::Renew { version, .. } => version,
        }
    }

    /// What to do, the button, and where it leads.
    fn words(&self, kit: &str) -> (String, String, &str) {
        match self {
            Self::Update { version, url } => {
                let version = one_line(version);
                let lead = format!("Update {kit} to {version}. Your license covers it.");
                (lead, format!("Download {version}"), url)
            }
            Self::Renew {
                version,
                reason,
                url,
            } => {
                let (version, reason) = (one_line(version), one_line(reason));
                let lead = format!(
                    "{kit} {version} closes the hole. You cannot download it yet, because {reason}. Renew to get it, or stop using the affected part until you do."
                );
                (lead, "See how to get it".to_owned(), url)
            }
        }
    }
}
