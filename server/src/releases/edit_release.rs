//! Changing what is said about a release. What it is, its version, channel and files, never changes.

use super::change::{self, Change, ChangeError};
use super::fields;
use super::model::{ReleaseId, Severity};
use super::store::{Figures, Release};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::WriteTx;
use crate::idempotency::{Claim, Once};
use crate::licenses::model::Given;

/// What shall change; what is not given stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    /// What changed in it, as Markdown.
    pub notes: Option<String>,
    /// How urgent it is.
    pub severity: Option<Severity>,
    /// The date that counts for licenses.
    pub entitled_at: Given<Timestamp>,
    /// What must be installed before it.
    pub minimum_version: Given<String>,
    /// Features a license must include.
    pub required_entitlements: Option<Vec<String>>,
    /// How it was made.
    pub figures: GivenFigures,
}

/// Figures of an edit.
#[derive(Debug, Clone, Copy, Default)]
pub struct GivenFigures {
    /// Of a hundred.
    pub quality_score: Given<i32>,
    /// How long its build took.
    pub build_seconds: Given<i32>,
    /// Tests that passed.
    pub tests_passed: Given<i32>,
    /// Tests that failed.
    pub tests_failed: Given<i32>,
    /// Bugs that were found in it.
    pub bugs_found: Given<i32>,
    /// Bugs that were fixed.
    pub bugs_fixed: Given<i32>,
}

impl GivenFigures {
    fn over(self, present: Figures) -> Figures {
        Figures {
            quality_score: self.quality_score.or(present.quality_score),
            build_seconds: self.build_seconds.or(present.build_seconds),
            tests_passed: self.tests_passed.or(present.tests_passed),
            tests_failed: self.tests_failed.or(present.tests_failed),
            bugs_found: self.bugs_found.or(present.bugs_found),
            bugs_fixed: self.bugs_fixed.or(present.bugs_fixed),
        }
    }
}

/// Changes a release.
pub async fn edit_release(
    app: &App,
    of: Change,
    edit: Edit,
) -> Result<Once<ReleaseId>, ChangeError> {
    change::run(app, Claim::default(), of, move |tx, of| {
        edit_release_in(tx, of, &edit)
    })
    .await
}

/// The same inside another unit of work.
pub fn edit_release_in(tx: &mut WriteTx<'_>, of: &Change, edit: &Edit) -> Result<(), ChangeError> {
    let before = change::open_in(tx, of)?;
    let after = changed(&before, edit.clone(), of.now)?;
    let fields: &[&str] = &[
        "notes",
        "severity",
        "entitled_at",
        "minimum_version",
        "required_entitlements",
        "figures",
    ];
    let entry = ("release.changed", fields);
    Ok(change::write_in(tx, of, (&before, &after), entry)?)
}

fn changed(before: &Release, edit: Edit, now: Timestamp) -> Result<Release, ChangeError> {
    let mut release = before.clone();
    if let Some(notes) = edit.notes {
        release.notes = fields::notes(notes)?;
    }
    if let Some(severity) = edit.severity {
        release.severity = severity;
    }
    if let Given::As(at) = edit.entitled_at {
        let latest = release.published_at.unwrap_or(now);
        release.entitled_at = fields::entitled_at(at, latest)?;
    }
    if let Given::As(minimum) = edit.minimum_version {
        release.minimum_version = fields::minimum_version(minimum, &release.semver()?)?;
    }
    if let Some(words) = edit.required_entitlements {
        release.required_entitlements = fields::required_entitlements(words)?;
    }
    release.figures = fields::figures(edit.figures.over(release.figures))?;
    Ok(release)
}
