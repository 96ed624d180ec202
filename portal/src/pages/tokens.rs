//! Tokens of one license: those there are, and a new one.

use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};

use crate::flash::Flash;
use crate::frame::{Frame, NavItem};
use crate::links;
use crate::wording::join_names;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenUse {
    /// Builds.
    Ci,
    /// Downloads and updates.
    Download,
    /// Web pages.
    Publishable,
}

impl TokenUse {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Ci => "CI token",
            Self::Download => "Download token",
            Self::Publishable => "Publishable id",
        }
    }

    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Ci => "Works wherever the license key does, in builds. It takes no seat.",
            Self::Download => "Downloads and update checks, nothing else.",
            Self::Publishable => "Validation from registered web pages.",
        }
    }
}

/// One token.
#[derive(Debug, Clone)]
pub struct TokenLine {
    /// Public id, such as `ltk_…`.
    pub id: String,
    /// What it is for.
    pub usage: TokenUse,
    /// Where it is used.
    pub name: String,
    /// Its last characters.
    pub hint: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Until when it works, where it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
}

/// `GET /licenses/{id}/tokens`; its form POSTs `name` and `kind` to the same address.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/tokens.html")]
pub struct TokensPage {
    /// What stands around the page.
    pub frame: Frame,
    /// Public id of the license.
    pub license: String,
    /// Names of the kits it covers.
    pub kit_names: Vec<String>,
    /// Tokens in use.
    pub tokens: Vec<TokenLine>,
    /// Whether the terms include CI tokens.
    pub ci_use: bool,
    /// What was typed before, if the form is shown again.
    pub name: String,
    /// Why no token was made.
    pub error: Option<String>,
    /// The answer to what was just done.
    pub flash: Option<Flash>,
}

impl TokensPage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::document(Template::render(self))
    }

    pub(crate) fn kits(&self) -> String {
        join_names(&self.kit_names)
    }

    pub(crate) fn path(&self) -> String {
        format!("/licenses/{}", links::encode(&self.license))
    }

    pub(crate) fn revoke_path(&self, token: &str) -> String {
        format!("{}/tokens/{}/revoke", self.path(), links::encode(token))
    }

    /// A license with two tokens.
    pub fn sample() -> Self {
        let license = "lic_01jd2m0000e8brmz3v6h5t9k2a";
        let frame = Frame {
            current: NavItem::Licenses,
            path: format!("/licenses/{license}/tokens"),
            ..Frame::sample()
        };
        let line = |id: &str, usage, name: &str, days: i64| TokenLine {
            id: id.to_owned(),
            usage,
            name: name.to_owned(),
            hint: "k3m9qa".to_owned(),
            created_at: frame.now - TimeDelta::days(days),
            expires_at: (usage == TokenUse::Download).then(|| frame.now + TimeDelta::days(30)),
        };
        Self {
            license: license.to_owned(),
            kit_names: vec!["Feedback Widget Kit".to_owned()],
            tokens: vec![
                line("ltk_1", TokenUse::Ci, "Main pipeline", 40),
                line("ltk_2", TokenUse::Download, "Office mirror", 3),
            ],
            ci_use: true,
            name: String::new(),
            error: None,
            flash: None,
            frame,
        }
    }

    /// The same license without any, after a name that was refused.
    pub fn sample_error() -> Self {
        Self {
            tokens: Vec::new(),
            error: Some("A name has 1 to 100 visible characters.".to_owned()),
            ..Self::sample()
        }
    }
}

/// The answer that shows a new token, once.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/token_made.html")]
pub struct TokenMadePage {
    /// What stands around the page.
    pub frame: Frame,
    /// Public id of the license.
    pub license: String,
    /// What it is for.
    pub usage: TokenUse,
    /// Where it is used.
    pub name: String,
    /// The token itself.
    pub secret: String,
}

impl TokenMadePage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::document(Template::render(self))
    }

    pub(crate) fn path(&self) -> String {
        format!("/licenses/{}", links::encode(&self.license))
    }

    /// A new CI token.
    pub fn sample() -> Self {
        let list = TokensPage::sample();
        Self {
            license: list.license,
            usage: TokenUse::Ci,
            name: "Main pipeline".to_owned(),
            secret: "kwc_sample0sample0sample0sample0sample0sample0sample0sample0samp".to_owned(),
            frame: list.frame,
        }
    }
}

/// `GET /licenses/{id}/text`: the license text that holds.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/license_text.html")]
pub struct LicenseTextPage {
    /// What stands around the page.
    pub frame: Frame,
    /// Public id of the license.
    pub license: String,
    /// Name of the text.
    pub name: String,
    /// Number of its version.
    pub number: i32,
    /// What it says.
    pub body: String,
}

impl LicenseTextPage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::document(Template::render(self))
    }

    pub(crate) fn path(&self) -> String {
        format!("/licenses/{}", links::encode(&self.license))
    }

    /// A short text.
    pub fn sample() -> Self {
        let list = TokensPage::sample();
        let frame = Frame {
            path: format!("/licenses/{}/text", list.license),
            ..list.frame
        };
        Self {
            license: list.license,
            name: "Standard terms".to_owned(),
            number: 3,
            body: "1. Use\n\n   You may use the kit in any number of projects of yours.\n\n2. No warranty\n\n   \
                   It is provided as it is."
                .to_owned(),
            frame,
        }
    }
}
