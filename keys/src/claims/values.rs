//! Claims with more than one JSON form.

use serde::{Deserialize, Serialize};

/// For whom a document is: one kit, or one kit under several of its slugs (RFC 7519 section
/// 4.1.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// One slug, written as a string.
    One(String),
    /// Several slugs, written as an array: the kit's own and the alias that was sent.
    Many(Vec<String>),
}

impl Audience {
    /// The audience for a kit that was asked for by `sent`, its slug or an alias of it.
    pub fn of(slug: &str, sent: &str) -> Self {
        if slug == sent {
            Self::One(slug.to_owned())
        } else {
            Self::Many(vec![slug.to_owned(), sent.to_owned()])
        }
    }

    /// Whether `slug` is meant.
    pub fn contains(&self, slug: &str) -> bool {
        match self {
            Self::One(one) => one == slug,
            Self::Many(many) => many.iter().any(|one| one == slug),
        }
    }
}

/// Which kits a license covers, written as `{"all":true}` or `{"kits":["slug"]}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ScopeMembers", into = "ScopeMembers")]
pub enum Scope {
    /// Every kit, those published later too.
    All,
    /// These kits, by slug.
    Kits(Vec<String>),
}

impl Scope {
    /// Whether the kit of this slug is covered.
    pub fn covers(&self, slug: &str) -> bool {
        match self {
            Self::All => true,
            Self::Kits(kits) => kits.iter().any(|kit| kit == slug),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct ScopeMembers {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    all: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kits: Option<Vec<String>>,
}

impl From<Scope> for ScopeMembers {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::All => Self {
                all: true,
                kits: None,
            },
            Scope::Kits(kits) => Self {
                all: false,
                kits: Some(kits),
            },
        }
    }
}

impl TryFrom<ScopeMembers> for Scope {
    type Error = &'static str;

    fn try_from(members: ScopeMembers) -> Result<Self, Self::Error> {
        match members {
            ScopeMembers {
                all: true,
                kits: None,
            } => Ok(Self::All),
            ScopeMembers {
                all: false,
                kits: Some(kits),
            } => Ok(Self::Kits(kits)),
            _ => Err("a scope has either `all` or `kits`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_all_or_a_list_and_nothing_between() -> Result<(), serde_json::Error> {
        let kits = Scope::Kits(vec!["widget".to_owned()]);
        assert_eq!(serde_json::to_string(&Scope::All)?, r#"{"all":true}"#);
        assert_eq!(serde_json::to_string(&kits)?, r#"{"kits":["widget"]}"#);
        assert_eq!(
            serde_json::from_str::<Scope>(r#"{"all":true}"#)?,
            Scope::All
        );
        assert_eq!(
            serde_json::from_str::<Scope>(r#"{"kits":["widget"]}"#)?,
            kits
        );
        for unclear in [
            "{}",
            r#"{"all":false}"#,
            r#"{"all":true,"kits":[]}"#,
            r#""all""#,
        ] {
            assert!(serde_json::from_str::<Scope>(unclear).is_err(), "{unclear}");
        }
        assert!(kits.covers("widget") && !kits.covers("limiter") && Scope::All.covers("limiter"));
        Ok(())
    }

    #[test]
    fn an_alias_stands_beside_the_slug() -> Result<(), serde_json::Error> {
        let plain = Audience::of("widget", "widget");
        let aliased = Audience::of("widget", "old-widget");
        assert_eq!(serde_json::to_string(&plain)?, r#""widget""#);
        assert_eq!(
            serde_json::to_string(&aliased)?,
            r#"["widget","old-widget"]"#
        );
        assert!(aliased.contains("widget") && aliased.contains("old-widget"));
        assert!(!plain.contains("old-widget") && !plain.contains("widge"));
        Ok(())
    }
}
