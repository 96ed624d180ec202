//! The grammar of what is done with releases.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::NotifyRelease;
use crate::releases::model::{Channel, ReleaseStatus, Severity};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ReleaseCommand {
    /// List releases.
    List(ReleaseFilters),
    /// Show a release with its files.
    Show {
        /// Id, or KIT@VERSION.
        release: String,
    },
    /// Change what is said about a release; its version, channel and files never change.
    Edit(Box<EditRelease>),
    /// Take a release off the lists: it is had by its exact version only.
    Yank {
        /// Id, or KIT@VERSION.
        release: String,
        /// Why, for people.
        #[arg(long)]
        reason: String,
    },
    /// Put a release on the lists again.
    Unyank {
        /// Id, or KIT@VERSION.
        release: String,
    },
    /// Take a release away from everybody. This cannot be undone.
    Withdraw {
        /// Id, or KIT@VERSION.
        release: String,
        /// Why, for people.
        #[arg(long)]
        reason: String,
    },
    /// Set to how many a release is offered as an update.
    Rollout {
        /// Id, or KIT@VERSION.
        release: String,
        /// Of a hundred, from now on; 100 for everybody, 0 for nobody.
        #[arg(required_unless_present = "steps", conflicts_with = "steps")]
        percent: Option<u8>,
        /// A step of a schedule, such as 2027-03-01T09:00:00Z=10; may be given several times.
        #[arg(long = "step", value_name = "TIME=PERCENT")]
        steps: Vec<String>,
    },
    /// Offer a release to nobody until it is resumed.
    Halt {
        /// Id, or KIT@VERSION.
        release: String,
    },
    /// Go on where a rollout was halted.
    Resume {
        /// Id, or KIT@VERSION.
        release: String,
    },
    /// Mail people about a published release; without a flag, those who were not told yet.
    Notify(NotifyRelease),
    /// Give a license a release whatever its dates say.
    Grant {
        /// Id, or KIT@VERSION.
        release: String,
        /// Id of the license.
        license: String,
        /// Why, for people.
        #[arg(long)]
        reason: String,
    },
    /// Take a grant back.
    Ungrant {
        /// Id, or KIT@VERSION.
        release: String,
        /// Id of the license.
        license: String,
    },
    /// List the licenses that were granted a release.
    Grants {
        /// Id, or KIT@VERSION.
        release: String,
    },
    /// Sign the files of a release anew, where their signature is not by the server's key in use;
    /// or supply signatures made with the vendor's own key.
    Sign {
        /// Id, or KIT@VERSION.
        release: String,
        /// A signature file; the file it is for stands in its trusted comment. May be given several
        /// times.
        #[arg(long = "signature", value_name = "FILE.minisig")]
        signatures: Vec<PathBuf>,
    },
    #[command(flatten)]
    Draft(DraftCommand),
}

/// What is done with a draft and what comes into it.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum DraftCommand {
    /// Take a file out of a draft.
    RemoveFile {
        /// Id, or KIT@VERSION.
        release: String,
        /// Name of the file.
        name: String,
    },
    /// List the uploads of a release that are under way.
    Uploads {
        /// Id, or KIT@VERSION.
        release: String,
    },
    /// Give an upload up; what was sent of it goes.
    AbandonUpload {
        /// Its id.
        upload: String,
    },
    /// Delete a draft and its files.
    Delete {
        /// Id, or KIT@VERSION.
        release: String,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ReleaseFilters {
    /// Of this kit only: slug or id.
    pub(in crate::cli) kit: Option<String>,
    /// draft or published.
    #[arg(long)]
    pub(in crate::cli) status: Option<ReleaseStatus>,
    /// stable, rc, beta, alpha or dev.
    #[arg(long)]
    pub(in crate::cli) channel: Option<Channel>,
    /// normal, security or critical.
    #[arg(long)]
    pub(in crate::cli) severity: Option<Severity>,
    /// Taken off the lists, or not.
    #[arg(long, value_name = "true|false")]
    pub(in crate::cli) yanked: Option<bool>,
    /// Taken away, or not.
    #[arg(long, value_name = "true|false")]
    pub(in crate::cli) withdrawn: Option<bool>,
    /// Offered to nobody at present, or not.
    #[arg(long, value_name = "true|false")]
    pub(in crate::cli) halted: Option<bool>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct EditRelease {
    /// Id, or KIT@VERSION.
    pub(in crate::cli) release: String,
    /// File with release notes (Markdown).
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) notes: Option<PathBuf>,
    /// normal, security or critical.
    #[arg(long)]
    pub(in crate::cli) severity: Option<Severity>,
    /// The date that counts for licenses (RFC 3339); "none" for that of the publication.
    #[arg(long, value_name = "TIME|none")]
    pub(in crate::cli) entitled_at: Option<String>,
    /// What must be installed before it; "none" for nothing.
    #[arg(long, value_name = "VERSION|none")]
    pub(in crate::cli) minimum_version: Option<String>,
    /// A feature a license must include; may be given several times. Those not given are no longer required.
    #[arg(long = "require", value_name = "FEATURE")]
    pub(in crate::cli) required: Vec<String>,
    /// Require no feature.
    #[arg(long, conflicts_with = "required")]
    pub(in crate::cli) require_nothing: bool,
    /// Of a hundred.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) quality_score: Option<u32>,
    /// How long its build took.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) build_seconds: Option<u32>,
    /// Tests that passed.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) tests_passed: Option<u32>,
    /// Tests that failed.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) tests_failed: Option<u32>,
    /// Bugs that were found in it.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) bugs_found: Option<u32>,
    /// Bugs that were fixed.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) bugs_fixed: Option<u32>,
}
