//! The grammar of the command line.

mod audit;
mod license_tokens;
pub(super) mod licenses;
mod policies;
mod publish;
mod releases;
mod reports;
mod sales;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use self::licenses::{CustomerCommand, LicenseCommand, SeatCommand};
use super::artifact::ArtifactCommand;
use super::keys::KeysCommand;
use crate::kits::model::KitStatus;
use crate::staff::Scope;

pub(super) use audit::AuditCommand;
pub(super) use license_tokens::LicenseTokenCommand;
pub(super) use policies::{ApplyPolicy, LicenseTextCommand, PolicyCommand, PolicyTermsArguments};
pub(super) use publish::{PerFile, Publish, word_for};
pub(super) use releases::{DraftCommand, EditRelease, ReleaseCommand, ReleaseFilters};
pub(super) use reports::{NotifyRelease, ReportCommand, ReportDays};
pub(super) use sales::{EventCommand, OrderCommand, PriceCommand};

/// License server and kit distribution backend.
#[derive(Debug, Parser)]
#[command(name = "kitward", version, about, arg_required_else_help = true)]
pub(super) struct Arguments {
    /// Configuration file.
    #[arg(long, global = true, env = "KITWARD_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Print JSON.
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// A complete sample vendor in a temporary folder, with a purchase, a license and a kit to download.
    #[cfg(feature = "demo")]
    Demo {
        /// Port to listen on.
        #[arg(long, default_value_t = 8080)]
        port: u16,
    },
    /// Serve.
    Serve,
    /// Bring the database's schema up to date.
    Migrate,
    /// Show the configuration in effect, secrets masked.
    CheckConfig,
    /// Check database, storage, mail, payment credentials, clock and key material.
    Doctor {
        /// Only ask the running server whether it is ready.
        #[arg(long)]
        ping: bool,
    },
    /// Management tokens.
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// The audit log: who changed what.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Signing keys.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Kits.
    Kit {
        #[command(subcommand)]
        command: KitCommand,
    },
    /// Policies: license terms.
    Policy {
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// License texts, in versions.
    LicenseText {
        #[command(subcommand)]
        command: LicenseTextCommand,
    },
    /// Prices of the payment provider, mapped to policies.
    Price {
        #[command(subcommand)]
        command: PriceCommand,
    },
    /// Orders.
    Order {
        #[command(subcommand)]
        command: OrderCommand,
    },
    /// Events of the payment provider.
    Event {
        #[command(subcommand)]
        command: EventCommand,
    },
    /// Releases.
    Release {
        #[command(subcommand)]
        command: ReleaseCommand,
    },
    /// Licenses: issue, show, and what support does with them.
    License {
        #[command(subcommand)]
        command: Box<LicenseCommand>,
    },
    /// Customers.
    Customer {
        #[command(subcommand)]
        command: CustomerCommand,
    },
    /// Seats.
    Seat {
        #[command(subcommand)]
        command: SeatCommand,
    },
    /// Find by license key, mail address, device or site, id of ours or of a payment provider.
    Find {
        /// What to look for; with - it is read from standard input.
        text: String,
    },
    /// Downloaded files.
    Artifact {
        #[command(subcommand)]
        command: ArtifactCommand,
    },
    /// Upload files as a release of a kit and publish it.
    Publish(Box<Publish>),
    /// How much the kit storage holds.
    Storage,
    /// Figures: downloads, and versions in the field.
    Report {
        #[command(subcommand)]
        command: ReportCommand,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Make a token in the data folder and print it once.
    Create(NewToken),
    /// List tokens, over HTTP.
    List,
    /// End a token at once, over HTTP.
    Revoke {
        /// Its id.
        token: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct NewToken {
    /// What it may do; may be given several times.
    #[arg(long, required = true)]
    pub(super) scope: Vec<Scope>,
    /// What it is for.
    #[arg(long, default_value = "created on the command line")]
    pub(super) name: String,
    /// When it ends (RFC 3339).
    #[arg(long)]
    pub(super) expires: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum KitCommand {
    /// Create a kit.
    Create {
        /// Slug: a-z, 0-9 and hyphens.
        slug: String,
        #[arg(long)]
        name: String,
        #[arg(long, default_value = "")]
        description: String,
        #[arg(long)]
        homepage: Option<String>,
        /// Package ecosystem; may be given several times.
        #[arg(long = "ecosystem")]
        ecosystems: Vec<String>,
        #[arg(long, default_value = "queued")]
        status: KitStatus,
        /// Let everybody have it, without a key.
        #[arg(long)]
        open: bool,
        /// Stamp archives that customers download with their license.
        #[arg(long)]
        stamps: bool,
    },
    /// Show a kit.
    Show {
        /// Slug or id.
        kit: String,
    },
    /// List kits.
    List,
    /// Change a kit.
    Edit {
        /// Slug or id.
        kit: String,
        /// A new slug; the old one goes on answering.
        #[arg(long)]
        slug: Option<String>,
        #[arg(long)]
        name: Option<String>,
        #[arg(long)]
        description: Option<String>,
        #[arg(long)]
        homepage: Option<String>,
        #[arg(long)]
        status: Option<KitStatus>,
        /// Whether everybody may have it, without a key.
        #[arg(long, value_name = "true|false")]
        open: Option<bool>,
        /// Whether archives that customers download are stamped with their license.
        #[arg(long, value_name = "true|false")]
        stamps: Option<bool>,
    },
}
