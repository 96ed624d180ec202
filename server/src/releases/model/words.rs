//! What is said of a file beside its name and its bytes.

/// What a file is where nothing is said.
pub const SOURCE: &str = "source";

/// What is said of a file: what it is, and for which machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileWords<'a> {
    /// What it is, such as `source`.
    pub kind: &'a str,
    /// For which system it is; `None` = for all.
    pub platform: Option<&'a str>,
    /// For which processor it is; `None` = for all.
    pub arch: Option<&'a str>,
}

impl<'a> FileWords<'a> {
    /// The first member that others say otherwise, and what it is here.
    pub fn difference(self, others: FileWords<'_>) -> Option<(&'static str, Option<&'a str>)> {
        let members = [
            ("kind", Some(self.kind), Some(others.kind)),
            ("platform", self.platform, others.platform),
            ("arch", self.arch, others.arch),
        ];
        let mut members = members.into_iter();
        let (member, here, _) = members.find(|(_, here, there)| here != there)?;
        Some((member, here))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_member_that_differs_is_named() {
        let app = FileWords {
            kind: "app",
            platform: Some("linux"),
            arch: None,
        };
        assert_eq!(app.difference(app), None);
        let kind = FileWords {
            kind: SOURCE,
            ..app
        };
        assert_eq!(app.difference(kind), Some(("kind", Some("app"))));
        let platform = FileWords {
            platform: None,
            ..app
        };
        assert_eq!(app.difference(platform), Some(("platform", Some("linux"))));
        let arch = FileWords {
            arch: Some("arm64"),
            ..app
        };
        assert_eq!(app.difference(arch), Some(("arch", None)));
    }
}
