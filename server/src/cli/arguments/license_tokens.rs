//! The grammar of tokens derived from license keys.

use clap::Subcommand;

use crate::licenses::tokens::model::DerivedKind;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum LicenseTokenCommand {
    /// Make a token and print it once.
    Create {
        /// Id of the license.
        license: String,
        /// ci, download or publishable.
        #[arg(long)]
        kind: DerivedKind,
        /// Where it is used.
        #[arg(long)]
        name: String,
        /// A web page's origin from which a publishable id may be used; may be given several times.
        #[arg(long = "origin")]
        origins: Vec<String>,
        /// When it ends (RFC 3339).
        #[arg(long)]
        expires: Option<String>,
    },
    /// List the tokens of a license.
    List {
        /// Id of the license.
        license: String,
    },
    /// Revoke a token, at once and everywhere.
    Revoke {
        /// Id of the license.
        license: String,
        /// Id of the token.
        token: String,
    },
}
