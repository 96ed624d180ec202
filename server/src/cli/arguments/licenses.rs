//! The grammar of what support does: licenses, customers, seats, the one box that finds.

use std::path::PathBuf;

use super::license_tokens::LicenseTokenCommand;
use clap::{Args, Subcommand};

use crate::licenses::model::{HoldReason, KeySource, LicenseStatus};
use crate::licenses::renew::RenewFrom;
use crate::licenses::set_policy::Dates;

/// Which licenses.
#[derive(Debug, Args)]
pub(in crate::cli) struct Narrow {
    /// In this state.
    #[arg(long)]
    pub(in crate::cli) status: Option<LicenseStatus>,
    /// Covering this kit: slug or id.
    #[arg(long)]
    pub(in crate::cli) kit: Option<String>,
    /// Of this customer: id.
    #[arg(long)]
    pub(in crate::cli) customer: Option<String>,
    /// Under this policy: id or name.
    #[arg(long)]
    pub(in crate::cli) policy: Option<String>,
    /// Use or updates end within so many days.
    #[arg(long, value_name = "DAYS")]
    pub(in crate::cli) expiring: Option<u32>,
    /// Activated once, and no seat seen for so many days.
    #[arg(long, value_name = "DAYS")]
    pub(in crate::cli) dormant: Option<u32>,
    /// More seats in use than it has.
    #[arg(long)]
    pub(in crate::cli) over_limit: bool,
    /// Has seats and never had one taken.
    #[arg(long)]
    pub(in crate::cli) never_activated: bool,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum LicenseCommand {
    /// Tokens derived from a license's key.
    Token {
        #[command(subcommand)]
        command: LicenseTokenCommand,
    },
    /// Issue a license and print its key once.
    Issue(Issue),
    /// List licenses.
    List(Narrow),
    /// Show a license.
    Show {
        /// Its id.
        license: String,
    },
    /// Take in a key of another system; it is read from standard input.
    ImportKey {
        license: String,
        /// The system that made it.
        #[arg(long)]
        source: KeySource,
    },
    /// List its seats, or set how many it has.
    Seats {
        license: String,
        /// How many from now on: a number, or unlimited.
        #[arg(long, value_parser = seats)]
        set: Option<Seats>,
        /// Days for which seats beyond a lower limit are kept.
        #[arg(long, requires = "set")]
        over_limit_days: Option<u32>,
    },
    /// Write all licenses of a list into a file: .csv or .json.
    Export {
        file: PathBuf,
        #[command(flatten)]
        narrow: Narrow,
    },
    /// Change what it has beside its terms: features, and your own words.
    Edit(EditLicense),
    #[command(flatten)]
    Look(LicenseList),
    #[command(flatten)]
    Act(Act),
}

/// What is listed of one license.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum LicenseList {
    /// List its keys, the oldest first: never their texts.
    Keys { license: String },
    /// List its holds and revocations, open and closed.
    Holds { license: String },
    /// List what was written about it, the oldest first.
    Notes { license: String },
    /// List what was changed about it and by whom, the oldest first.
    History { license: String },
    /// List what was downloaded with it, the newest first.
    Downloads { license: String },
}

/// What is one call.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Act {
    /// Open a hold.
    Suspend {
        license: String,
        /// What it is about: the same cause is the same hold.
        #[arg(long)]
        cause: Option<String>,
        #[arg(long)]
        note: Option<String>,
    },
    /// Close one hold or revocation.
    Reinstate {
        license: String,
        /// Which one: its id.
        #[arg(long, required_unless_present = "reason", conflicts_with = "reason")]
        hold: Option<String>,
        /// The one that is open for this reason.
        #[arg(long)]
        reason: Option<HoldReason>,
        /// And this cause.
        #[arg(long, conflicts_with = "hold")]
        cause: Option<String>,
        /// Why; must be given where the reason is not manual.
        #[arg(long)]
        note: Option<String>,
    },
    /// Open a revocation.
    Revoke {
        license: String,
        /// Fraud, abuse, a full refund or a lost dispute, as one word.
        #[arg(long)]
        reason: HoldReason,
        #[arg(long)]
        cause: Option<String>,
        #[arg(long)]
        note: Option<String>,
    },
    /// Add the durations of its terms to its ends; a lapse is over then.
    Renew {
        license: String,
        /// expiry or now.
        #[arg(long, default_value = "expiry")]
        from: RenewFrom,
    },
    /// Fold it into another license of the same customer.
    Merge {
        license: String,
        /// The license that stays.
        into: String,
        /// Give that one the seats of both.
        #[arg(long)]
        add_seats: bool,
    },
    /// Write a note about it.
    Note { license: String, text: String },
    /// Replace its key, and name the tokens that end with it.
    Rotate {
        license: String,
        /// Seconds for which the present key is still honored; 0 cuts it off at once.
        #[arg(long, default_value_t = 0)]
        grace_seconds: u32,
    },
    /// Move its ends.
    Extend(Extend),
    /// Give it to another customer: all its keys and tokens end at once.
    Transfer(Transfer),
    /// Put it under the present terms of a policy.
    SetPolicy(SetPolicy),
}

/// A license to issue.
#[derive(Debug, Args)]
pub(in crate::cli) struct Issue {
    /// Policy by id or name.
    pub(in crate::cli) policy: String,
    /// Customer by id.
    #[arg(long, required_unless_present = "email", conflicts_with = "email")]
    pub(in crate::cli) customer: Option<String>,
    /// Mail address of whoever gets it.
    #[arg(long)]
    pub(in crate::cli) email: Option<String>,
    /// Name of a new customer.
    #[arg(long, conflicts_with = "customer")]
    pub(in crate::cli) name: Option<String>,
    /// Seats instead of the policy's: a number, or unlimited.
    #[arg(long, value_parser = seats)]
    pub(in crate::cli) seats: Option<Seats>,
    /// In force from (RFC 3339).
    #[arg(long)]
    pub(in crate::cli) starts_at: Option<String>,
    /// A feature beside those of the policy; may be given several times.
    #[arg(long = "entitlement")]
    pub(in crate::cli) entitlements: Vec<String>,
    /// Your own words, NAME=TEXT; may be given several times.
    #[arg(long = "metadata", value_name = "NAME=TEXT", value_parser = pair)]
    pub(in crate::cli) metadata: Vec<(String, String)>,
    #[arg(long)]
    pub(in crate::cli) note: Option<String>,
}

/// What it has beside its terms; what is not given stays as it is.
#[derive(Debug, Args)]
pub(in crate::cli) struct EditLicense {
    pub(in crate::cli) license: String,
    /// A feature beside those of its terms, instead of all that it has; may be given several times.
    #[arg(long = "entitlement", value_name = "FEATURE")]
    pub(in crate::cli) entitlements: Vec<String>,
    /// No feature beside those of its terms.
    #[arg(long, conflicts_with = "entitlements")]
    pub(in crate::cli) no_entitlements: bool,
    /// A feature to add to them; may be given several times.
    #[arg(long = "add-entitlement", value_name = "FEATURE")]
    pub(in crate::cli) added: Vec<String>,
    /// A feature to take from them; may be given several times.
    #[arg(long = "remove-entitlement", value_name = "FEATURE")]
    pub(in crate::cli) removed: Vec<String>,
    /// Your own words, NAME=TEXT, instead of all that are there; may be given several times.
    #[arg(long = "metadata", value_name = "NAME=TEXT", value_parser = pair)]
    pub(in crate::cli) metadata: Vec<(String, String)>,
    /// None of your own words.
    #[arg(long, conflicts_with = "metadata")]
    pub(in crate::cli) no_metadata: bool,
}

/// Where its ends go.
#[derive(Debug, Args)]
pub(in crate::cli) struct Extend {
    pub(in crate::cli) license: String,
    /// New end of use (RFC 3339), or never.
    #[arg(long)]
    pub(in crate::cli) valid_until: Option<String>,
    /// New end of updates (RFC 3339), or never.
    #[arg(long)]
    pub(in crate::cli) updates_until: Option<String>,
    /// Both ends so many months later.
    #[arg(long)]
    pub(in crate::cli) months: Option<u32>,
    /// Both ends so many days later.
    #[arg(long)]
    pub(in crate::cli) days: Option<u32>,
}

/// Who gets it.
#[derive(Debug, Args)]
pub(in crate::cli) struct Transfer {
    pub(in crate::cli) license: String,
    /// Customer by id.
    #[arg(long, required_unless_present = "email", conflicts_with = "email")]
    pub(in crate::cli) customer: Option<String>,
    /// Mail address of the new owner.
    #[arg(long)]
    pub(in crate::cli) email: Option<String>,
    /// Name of a new customer.
    #[arg(long, conflicts_with = "customer")]
    pub(in crate::cli) name: Option<String>,
}

/// The terms it gets.
#[derive(Debug, Args)]
pub(in crate::cli) struct SetPolicy {
    pub(in crate::cli) license: String,
    /// Policy by id or name.
    pub(in crate::cli) policy: String,
    /// Seats instead of the policy's: a number, or unlimited.
    #[arg(long, value_parser = seats)]
    pub(in crate::cli) seats: Option<Seats>,
    /// keep or restart the ends.
    #[arg(long, default_value = "keep")]
    pub(in crate::cli) dates: Dates,
    /// Days for which seats beyond a lower limit are kept.
    #[arg(long)]
    pub(in crate::cli) over_limit_days: Option<u32>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CustomerCommand {
    /// List customers.
    List {
        /// Those of whoever holds this mail address.
        #[arg(long)]
        email: Option<String>,
    },
    /// Write all customers of a list into a file: .csv or .json.
    Export {
        file: PathBuf,
        /// Those of whoever holds this mail address.
        #[arg(long)]
        email: Option<String>,
    },
    /// Show a customer.
    Show {
        /// Its id.
        customer: String,
    },
    /// Give a customer another name.
    Rename { customer: String, name: String },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SeatCommand {
    /// Free a seat.
    Free {
        /// Id of the license.
        license: String,
        /// Id of the seat.
        seat: String,
    },
}

/// How many seats; `None` = unlimited.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Seats(pub(in crate::cli) Option<u32>);

fn seats(text: &str) -> Result<Seats, String> {
    if text == "unlimited" {
        return Ok(Seats(None));
    }
    let number = text.parse().map(Some).map(Seats);
    number.map_err(|_not_a_number| "expected a number, or unlimited".to_owned())
}

fn pair(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=');
    let parts = parts.map(|(name, text)| (name.to_owned(), text.to_owned()));
    parts.ok_or_else(|| "expected NAME=TEXT".to_owned())
}
