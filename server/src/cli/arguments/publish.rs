//! Words of `kitward publish`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use crate::releases::model::{Channel, Severity};

#[derive(Debug, Default, Args)]
pub(in super::super) struct Publish {
    /// Slug or id of the kit.
    pub(in super::super) kit: String,
    /// Version (semver).
    pub(in super::super) version: String,
    /// Files to upload.
    #[arg(required = true)]
    pub(in super::super) files: Vec<PathBuf>,
    /// stable, rc, beta, alpha or dev; by the version's pre-release word where left out.
    #[arg(long)]
    pub(in super::super) channel: Option<Channel>,
    /// normal, security or critical; normal where left out.
    #[arg(long)]
    pub(in super::super) severity: Option<Severity>,
    /// File with release notes (Markdown).
    #[arg(long, value_name = "FILE")]
    pub(in super::super) notes: Option<PathBuf>,
    /// Leave it a draft: further runs may add files, and the last one publishes.
    #[arg(long)]
    pub(in super::super) draft: bool,
    /// Mail nobody about it.
    #[arg(long)]
    pub(in super::super) no_notify: bool,
    /// Offer it as an update to this many of a hundred at first; a release that is out keeps what it has.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(in super::super) rollout: Option<u8>,
    /// A `.minisig` that the vendor's own key made of one of the files; may be given several times.
    #[arg(long, value_name = "FILE")]
    pub(in super::super) signature: Vec<PathBuf>,
    /// What the files are, such as source; NAME=KIND for one of them.
    #[arg(long, value_name = "[NAME=]KIND")]
    pub(in super::super) kind: Vec<PerFile>,
    /// For which system the files are, such as linux; NAME=PLATFORM for one of them.
    #[arg(long, value_name = "[NAME=]PLATFORM")]
    pub(in super::super) platform: Vec<PerFile>,
    /// For which processor the files are, such as `x86_64`; NAME=ARCH for one of them.
    #[arg(long, value_name = "[NAME=]ARCH")]
    pub(in super::super) arch: Vec<PerFile>,
    /// Counts as released then, for licenses whose updates ended (RFC 3339); not in the future.
    #[arg(long, value_name = "TIME")]
    pub(in super::super) entitled_at: Option<String>,
    /// What must be installed before it.
    #[arg(long, value_name = "VERSION")]
    pub(in super::super) minimum_version: Option<String>,
    /// A feature that a license must include; may be given several times.
    #[arg(long, value_name = "ENTITLEMENT")]
    pub(in super::super) require: Vec<String>,
    #[command(flatten)]
    pub(in super::super) figures: ProductionFigures,
}

/// How the release was made.
#[derive(Debug, Default, Args)]
pub(in super::super) struct ProductionFigures {
    /// Of a hundred.
    #[arg(long)]
    pub(in super::super) quality_score: Option<u32>,
    /// How long its build took.
    #[arg(long)]
    pub(in super::super) build_seconds: Option<u32>,
    #[arg(long)]
    pub(in super::super) tests_passed: Option<u32>,
    #[arg(long)]
    pub(in super::super) tests_failed: Option<u32>,
    #[arg(long)]
    pub(in super::super) bugs_found: Option<u32>,
    #[arg(long)]
    pub(in super::super) bugs_fixed: Option<u32>,
}

/// A word for all files, or for the one that is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct PerFile {
    pub(in super::super) name: Option<String>,
    pub(in super::super) word: String,
}

impl FromStr for PerFile {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Names may hold the sign, words never do.
        let (name, word) = match text.rsplit_once('=') {
            Some(("", _)) => return Err("expected NAME=WORD or WORD"),
            Some((name, word)) => (Some(name.to_owned()), word),
            None => (None, text),
        };
        if word.is_empty() {
            return Err("expected NAME=WORD or WORD");
        }
        Ok(Self {
            name,
            word: word.to_owned(),
        })
    }
}

/// The word for a file: the last one that names it, else the last one for all.
pub(in super::super) fn word_for<'a>(words: &'a [PerFile], file: &str) -> Option<&'a str> {
    let last = |name: Option<&str>| {
        let mut fitting = words.iter().rev();
        fitting.find(|word| word.name.as_deref() == name)
    };
    let found = last(Some(file)).or_else(|| last(None));
    found.map(|found| found.word.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_for_all_files_or_for_the_one_named() {
        let words: Vec<PerFile> = ["source", "a=b.zip=docs"]
            .map(|text| text.parse().unwrap())
            .to_vec();
        assert_eq!(word_for(&words, "a=b.zip"), Some("docs"));
        assert_eq!(word_for(&words, "c.zip"), Some("source"));
        assert_eq!(word_for(&[], "c.zip"), None);
        for bad in ["", "=docs", "a.zip="] {
            assert!(bad.parse::<PerFile>().is_err(), "{bad}");
        }
    }
}
