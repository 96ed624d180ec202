//! The grammar of policies and license texts.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::kits::model::{SeatKind, Template};

/// One member of a policy's terms: `name=value`.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Member {
    pub(in crate::cli) name: String,
    pub(in crate::cli) value: Value,
}

impl FromStr for Member {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
        let value = value.trim();
        // Words need no quotes.
        let value = serde_json::from_str(value).unwrap_or_else(|_word| Value::from(value));
        Ok(Self {
            name: name.trim().to_owned(),
            value,
        })
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PolicyTermsArguments {
    /// What buyers read: "Personal", "Team".
    #[arg(long)]
    pub(in crate::cli) edition: Option<String>,
    /// A kit it covers; may be given several times.
    #[arg(long = "kit", conflicts_with = "all")]
    pub(in crate::cli) kits: Vec<String>,
    /// Covers all kits, those published later included.
    #[arg(long)]
    pub(in crate::cli) all: bool,
    #[arg(long)]
    pub(in crate::cli) seat_kind: Option<SeatKind>,
    /// Seats; unlimited where left out.
    #[arg(long)]
    pub(in crate::cli) seat_limit: Option<i32>,
    /// Months of updates; for ever where left out.
    #[arg(long)]
    pub(in crate::cli) updates_months: Option<i32>,
    /// Months of use; for ever where left out.
    #[arg(long)]
    pub(in crate::cli) valid_months: Option<i32>,
    /// Days a license file lives.
    #[arg(long)]
    pub(in crate::cli) license_file_days: Option<i32>,
    /// Where its licenses are renewed.
    #[arg(long)]
    pub(in crate::cli) renew_url: Option<String>,
    /// Any member of the terms, such as `grace_days=14`; the value is JSON, or a word.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(in crate::cli) set: Vec<Member>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ApplyPolicy {
    /// Id or name.
    pub(in crate::cli) policy: String,
    /// Do it; otherwise only what would happen is told.
    #[arg(long)]
    pub(in crate::cli) yes: bool,
    /// Days for which seats beyond a lowered limit are kept.
    #[arg(long)]
    pub(in crate::cli) over_limit_days: Option<i32>,
    /// Licenses with a limit of their own get that of the policy.
    #[arg(long)]
    pub(in crate::cli) seats: bool,
    /// Ends of use and updates may come earlier.
    #[arg(long)]
    pub(in crate::cli) dates: bool,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum PolicyCommand {
    /// Create a policy.
    Create {
        /// Its name among your policies.
        name: String,
        /// Terms to start from; see `policy templates`.
        #[arg(long)]
        template: Option<Template>,
        #[command(flatten)]
        terms: Box<PolicyTermsArguments>,
    },
    /// Change a policy; existing licenses keep their terms.
    Edit {
        /// Id or name.
        policy: String,
        /// A new name.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        terms: Box<PolicyTermsArguments>,
    },
    /// Put existing licenses under a policy's present terms.
    Apply(ApplyPolicy),
    /// Show a policy.
    Show {
        /// Id or name.
        policy: String,
    },
    /// List the versions of a policy's terms, the first one first.
    Versions {
        /// Id or name.
        policy: String,
    },
    /// List policies.
    List,
    /// List the terms to start from.
    Templates,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum LicenseTextCommand {
    /// Add a text, or the next version of one.
    Add {
        /// Which text.
        name: String,
        /// File with the text.
        file: PathBuf,
    },
    /// Show one version with its text.
    Show {
        /// Its id.
        text: String,
    },
    /// List versions.
    List,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_json_or_a_word() {
        let value = |text: &str| text.parse::<Member>().map(|member| member.value);
        assert_eq!(value("grace_days=14"), Ok(Value::from(14)));
        assert_eq!(value("valid_months=null"), Ok(Value::Null));
        assert_eq!(value("on_lapse=stop"), Ok(Value::from("stop")));
        assert_eq!(
            value("entitlements=[\"pro\"]"),
            Ok(serde_json::json!(["pro"]))
        );
        assert!(value("grace_days").is_err());
    }
}
