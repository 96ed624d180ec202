//! The grammar of figures, and of mails about releases.

use clap::{Args, Subcommand};

/// Mails about a release.
#[derive(Debug, Args)]
pub(in crate::cli) struct NotifyRelease {
    /// Id, or KIT@VERSION.
    pub(in crate::cli) release: String,
    /// Only show the mail, and how many would get it.
    #[arg(long, conflicts_with = "skip")]
    pub(in crate::cli) preview: bool,
    /// Call off what has not left.
    #[arg(long)]
    pub(in crate::cli) skip: bool,
}

/// Figures of a kit by day.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ReportCommand {
    /// Downloads by release.
    Downloads(ReportDays),
    /// Versions that are in use.
    Versions(ReportDays),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ReportDays {
    /// Slug or id of the kit.
    pub(in crate::cli) kit: String,
    /// First day (UTC), such as 2027-01-31; the 30th last where left out.
    #[arg(long, value_name = "DAY")]
    pub(in crate::cli) from: Option<String>,
    /// Last day (UTC); today where left out.
    #[arg(long, value_name = "DAY")]
    pub(in crate::cli) to: Option<String>,
    /// Print comma-separated values.
    #[arg(long)]
    pub(in crate::cli) csv: bool,
}
