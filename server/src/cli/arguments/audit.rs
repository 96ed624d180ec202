//! The grammar of what looks at the audit log.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AuditCommand {
    /// Check every entry and name the first that is not as it was written; opens the data folder.
    Verify {
        /// A checkpoint kept elsewhere, such as in a log; may be given several times.
        #[arg(long = "checkpoint", value_name = "JWS")]
        checkpoints: Vec<String>,
    },
    /// List entries, the newest first.
    List {
        /// Id of what was changed.
        #[arg(long)]
        subject: Option<String>,
        /// How many.
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
}
