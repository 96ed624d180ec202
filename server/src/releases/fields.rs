//! What the fields of a release may hold.

use semver::Version;

use super::model::{is_newer, parse_version};
use super::store::Figures;
use crate::clock::Timestamp;
use crate::db::types::WordList;
use crate::kits::model::{check_entitlements, is_visible};
use crate::kits::texts::Fault;

/// Longest notes, in bytes.
pub const NOTES_MAX: usize = 32 * 1024;

/// Longest reason, in characters.
const REASON_MAX: usize = 500;

fn fault(field: &'static str, reason: &'static str) -> Fault {
    Fault { field, reason }
}

/// What changed, as Markdown.
pub fn notes(text: String) -> Result<String, Fault> {
    let is_refused = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if text.len() > NOTES_MAX || text.chars().any(is_refused) {
        let reason = "must have at most 32768 bytes and no control characters";
        return Err(fault("notes", reason));
    }
    Ok(text)
}

/// The date that counts instead of that of the publication, which is not before `latest`: it takes a
/// release into windows that ended, never out of one.
pub fn entitled_at(at: Option<Timestamp>, latest: Timestamp) -> Result<Option<Timestamp>, Fault> {
    if at.is_some_and(|at| at > latest) {
        let reason = "must not be later than now or than the publication";
        return Err(fault("entitled_at", reason));
    }
    Ok(at)
}

/// What must be installed before `version`.
pub fn minimum_version(text: Option<String>, version: &Version) -> Result<Option<String>, Fault> {
    let Some(text) = text else { return Ok(None) };
    match parse_version(&text) {
        Ok(minimum) if is_newer(version, &minimum) => Ok(Some(text)),
        Ok(_) => {
            let reason = "must be lower than the version of the release";
            Err(fault("minimum_version", reason))
        }
        Err(_fault) => {
            let reason = "must be a version such as 1.2.3, without build metadata";
            Err(fault("minimum_version", reason))
        }
    }
}

/// Features a license must include.
pub fn required_entitlements(words: Vec<String>) -> Result<WordList, Fault> {
    let checked = check_entitlements(&words);
    checked.map_err(|reason| fault("required_entitlements", reason))?;
    Ok(WordList::new(words))
}

/// How it was made.
pub fn figures(figures: Figures) -> Result<Figures, Fault> {
    let score = figures.quality_score;
    if score.is_some_and(|score| !(0..=100).contains(&score)) {
        return Err(fault("quality_score", "must be 0 to 100"));
    }
    let counts = [
        ("build_seconds", figures.build_seconds),
        ("tests_passed", figures.tests_passed),
        ("tests_failed", figures.tests_failed),
        ("bugs_found", figures.bugs_found),
        ("bugs_fixed", figures.bugs_fixed),
    ];
    let mut counts = counts.into_iter();
    match counts.find(|(_, count)| count.is_some_and(|count| count < 0)) {
        Some((field, _)) => Err(fault(field, "must not be negative")),
        None => Ok(figures),
    }
}

/// Why something was done, for people.
pub fn reason(text: &str) -> Result<String, Fault> {
    let text = text.trim();
    if text.chars().count() > REASON_MAX || !is_visible(text) {
        let reason = "must have 1 to 500 visible characters, on one line";
        return Err(fault("reason", reason));
    }
    Ok(text.to_owned())
}
