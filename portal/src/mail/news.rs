//! One version, as mails tell of it: its number and the beginning of its notes.

use crate::wording::{one_line, shorten};

/// Versions that a mail shows of one kit.
const VERSIONS: usize = 5;
/// Lines of notes that a mail shows of one version, and characters of a line.
const LINES: usize = 12;
const LINE: usize = 200;

/// A version that came out.
#[derive(Debug, Clone)]
pub struct VersionNews {
    /// Version, such as `4.3.0`.
    pub version: String,
    /// Release notes as they were written.
    pub notes: String,
}

impl VersionNews {
    /// Sample values.
    pub fn sample(version: &str) -> Self {
        let notes = "- Screenshots can be attached to a message.\n- The widget loads 40 % faster on slow phones.\n";
        Self {
            version: version.to_owned(),
            notes: notes.to_owned(),
        }
    }
}

/// The same, as both parts of a mail show it.
pub(super) struct Shown {
    pub(super) version: String,
    pub(super) lines: Vec<String>,
    pub(super) is_cut: bool,
}

impl Shown {
    /// The first few, and how many there are besides.
    pub(super) fn all(news: &[VersionNews]) -> (Vec<Self>, usize) {
        let shown = news.iter().take(VERSIONS).map(Self::new).collect();
        (shown, news.len().saturating_sub(VERSIONS))
    }

    fn new(news: &VersionNews) -> Self {
        let all = || {
            let lines = news.notes.lines().map(one_line);
            lines.filter(|line| !line.is_empty())
        };
        let cut_line = |line: &String| line.chars().count() > LINE;
        Self {
            version: one_line(&news.version),
            lines: all().take(LINES).map(|line| shorten(&line, LINE)).collect(),
            is_cut: all().count() > LINES || all().any(|line| cut_line(&line)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Shown, VersionNews};

    #[test]
    fn long_notes_are_cut_and_that_is_said() {
        let long = VersionNews {
            version: "1.0.0".to_owned(),
            notes: "word\n\n".repeat(100),
        };
        let shown = Shown::new(&long);
        assert_eq!((shown.lines.len(), shown.is_cut), (12, true));
        let short = Shown::new(&VersionNews::sample("1.0.0"));
        assert_eq!((short.lines.len(), short.is_cut), (2, false));
        let (shown, more) = Shown::all(&vec![long; 7]);
        assert_eq!((shown.len(), more), (5, 2));
    }
}
