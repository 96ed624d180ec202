//! What the caller may choose.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// How fast is this kitward? Prints one table; exit status 1 where a line misses its figure.
#[derive(Debug, Parser)]
#[command(name = "kitward-load", version)]
pub(crate) struct Arguments {
    /// Short rounds and few of them: shows that the harness works, and rough figures.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Only these cases.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) only: Vec<Case>,
    /// Print the table for docs/performance.md.
    #[arg(long)]
    pub(crate) markdown: bool,
    /// Rounds; each takes every phase once.
    #[arg(long)]
    rounds: Option<usize>,
    /// Seconds measured in each phase of a round.
    #[arg(long)]
    seconds: Option<f64>,
    /// Keep the installations in this folder, and take those that are there already.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) keep: Option<PathBuf>,
    /// A server to measure instead of the one built from this workspace.
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) server: Option<PathBuf>,
    /// A further variable for every server, as NAME=VALUE.
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = variable)]
    pub(crate) variables: Vec<(String, String)>,
    /// Serves a file as a download is compared with, and measures nothing.
    #[arg(long, value_name = "FILE", hide = true)]
    pub(crate) serve_file: Option<PathBuf>,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Case {
    /// Looking at a license on SQLite, against the signing route without database.
    Validate,
    /// The same at 1 000 000 licenses.
    Million,
    /// Taking seats, durably.
    Activate,
    /// Looking while others take seats.
    Mixed,
    /// Update checks with a key, against looking at a license.
    Updates,
    /// Looking on PostgreSQL, against pgbench.
    Postgres,
    /// Memory of the process.
    Memory,
    /// Downloads of a large file, against actix-files.
    Download,
    /// A large file, published with a cut.
    Publish,
    /// Downloads of a zip that is stamped for each license.
    Stamped,
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

impl Arguments {
    /// Whether a case is wanted.
    pub(crate) fn wants(&self, case: Case) -> bool {
        self.only.is_empty() || self.only.contains(&case)
    }

    /// Rounds to run.
    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 2 } else { 7 }).max(1)
    }

    /// Time measured in a phase.
    pub(crate) fn measured(&self) -> Duration {
        let usual = if self.quick { 1.0 } else { 3.0 };
        Duration::from_secs_f64(self.seconds.unwrap_or(usual).clamp(0.1, 600.0))
    }

    /// Time before that.
    pub(crate) fn warm_up(&self) -> Duration {
        Duration::from_millis(if self.quick { 300 } else { 700 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_has_a_name_and_may_hold_equal_signs() {
        assert_eq!(variable("A=b=c"), Ok(("A".to_owned(), "b=c".to_owned())));
        assert!(variable("=b").is_err());
        assert!(variable("b").is_err());
    }

    #[test]
    fn without_only_every_case_is_wanted() {
        let all = Arguments::parse_from(["kitward-load"]);
        let one = Arguments::parse_from(["kitward-load", "--only", "memory,mixed", "--quick"]);
        assert!(all.wants(Case::Million) && all.wants(Case::Memory));
        assert!(one.wants(Case::Memory) && one.wants(Case::Mixed) && !one.wants(Case::Million));
        assert!(one.rounds() < all.rounds() && one.measured() < all.measured());
    }
}
