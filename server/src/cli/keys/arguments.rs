//! The grammar of `kitward keys`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Subcommand;
use kitward_keys::KeyPurpose;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum KeysCommand {
    /// List the keys, their states, and how the signed ring stands.
    List,
    /// Publish the next key of a purpose; it begins to sign when its notice is over.
    Rotate {
        /// `license_key`, `document`, `artifact` or `root`.
        purpose: KeyPurpose,
        /// Notice, as 90m, 24h or 90d; 24h where left out, 90d for root.
        #[arg(long, value_name = "DURATION", conflicts_with = "now")]
        after: Option<Seconds>,
        /// Let it sign at once; readers that keep lists must fetch a new one.
        #[arg(long)]
        now: bool,
        #[command(flatten)]
        root: RootFile,
    },
    /// End a key that no longer signs, or one that never did.
    Retire {
        /// Its name.
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// Even where what it signed may still be valid.
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        root: RootFile,
    },
    /// Take back everything a key signed; where it is active, a fresh one takes its place.
    Compromise {
        /// Its name.
        #[arg(allow_hyphen_values = true)]
        kid: String,
        #[command(flatten)]
        root: RootFile,
    },
    /// The root key, which signs the ring.
    Root {
        #[command(subcommand)]
        command: RootCommand,
    },
    /// Sign the ring anew, so that its document lives on.
    SignRing {
        #[command(flatten)]
        root: RootFile,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RootCommand {
    /// Write the private root key into a new file (PKCS#8 PEM, mode 0600).
    Export {
        file: PathBuf,
        /// Then delete it from this server.
        #[arg(long)]
        remove: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RootFile {
    /// File with the private root key, where it is not on this server.
    #[arg(long = "root", value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
}

/// A duration in seconds, written as a number and one of s, m, h, d.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) struct Seconds(pub(super) i64);

impl FromStr for Seconds {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "a duration is a number and s, m, h or d, as in 24h";
        let unit = match text.chars().last() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3_600,
            Some('d') => 86_400,
            _ => return Err(FORM),
        };
        let number = text.trim_end_matches(['s', 'm', 'h', 'd']);
        if number.len() + 1 != text.len() {
            return Err(FORM);
        }
        let number: Option<u32> = number.parse().ok();
        // Ten years: beyond it a mistake is likelier than a wish.
        let seconds = number.map(|number| i64::from(number) * unit);
        seconds
            .filter(|seconds| *seconds <= 3_660 * 86_400)
            .map(Self)
            .ok_or(FORM)
    }
}

#[cfg(test)]
mod tests {
    use super::Seconds;

    #[test]
    fn durations_have_one_unit() {
        assert_eq!("24h".parse(), Ok(Seconds(86_400)));
        assert_eq!("90d".parse(), Ok(Seconds(90 * 86_400)));
        assert_eq!("0s".parse(), Ok(Seconds(0)));
        for wrong in [
            "",
            "24",
            "h",
            "1hh",
            "1h30m",
            "-1h",
            "1.5h",
            "4000d",
            "99999999999d",
            "1é",
        ] {
            assert!(wrong.parse::<Seconds>().is_err(), "{wrong}");
        }
    }
}
