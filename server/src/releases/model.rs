//! Words of releases, and the one predicate of what a license may have.

mod names;
mod offer;
mod predicate;
mod rollout;
mod uploads;
mod versions;
mod words;

use semver::Version;

use crate::db::types::{text_enum, typed_id};

pub use names::{NameFault, are_twins, check_name, is_machine_word};
pub(super) use names::{folded, is_device};
pub use offer::{Caller, Machine, has_come_to, offered};
pub use predicate::{LicenseFacts, Refusal, ReleaseFacts, downloadable, listed};
pub use rollout::{Rollout, RolloutFault, STEPS_MAX, Step, bucket};
pub use uploads::{Cut, OPEN_UPLOADS_MAX, PARTS_MAX, UPLOAD_KEPT_SECONDS, UploadId, is_sha256};
pub use versions::{Selector, VersionFault, is_newer, major, parse_version, same_precedence};
pub use words::{FileWords, SOURCE};

typed_id!(
    /// A release.
    ReleaseId, "rel"
);
typed_id!(
    /// One file of a release.
    ArtifactId, "art"
);

text_enum! {
    /// For whom a release is.
    pub enum Channel {
        /// Everybody.
        Stable = "stable",
        /// Release candidates.
        Rc = "rc",
        /// Betas.
        Beta = "beta",
        /// Alphas.
        Alpha = "alpha",
        /// Builds for developers, apart from the others.
        Dev = "dev",
    }
}

impl Channel {
    /// Whether who follows this channel gets releases of `other`: stable ⊂ rc ⊂ beta ⊂ alpha, dev
    /// apart.
    pub fn admits(self, other: Self) -> bool {
        match (self, other) {
            (Self::Dev, other) => other == Self::Dev,
            (_, Self::Dev) => false,
            (followed, other) => other <= followed,
        }
    }

    /// Where a version belongs if nobody says otherwise: by the first word of its pre-release.
    pub fn of(version: &Version) -> Self {
        let word: String = version
            .pre
            .chars()
            .take_while(char::is_ascii_alphabetic)
            .collect();
        match word.to_ascii_lowercase().as_str() {
            "" if version.pre.is_empty() => Self::Stable,
            "rc" => Self::Rc,
            "beta" | "b" => Self::Beta,
            "alpha" | "a" => Self::Alpha,
            _ => Self::Dev,
        }
    }
}

text_enum! {
    /// How urgent a release is.
    pub enum Severity {
        /// As any.
        Normal = "normal",
        /// Closes a hole.
        Security = "security",
        /// Take it now.
        Critical = "critical",
    }
}

text_enum! {
    /// Kinds of archives that are looked into.
    pub enum ArchiveFormat {
        /// Zip.
        Zip = "zip",
        /// Tar, not compressed.
        Tar = "tar",
        /// Tar in gzip.
        TarGz = "tar.gz",
        /// Tar in Zstandard.
        TarZst = "tar.zst",
    }
}

text_enum! {
    /// Whose key signed a file.
    pub enum SignedBy {
        /// The server's artifact key.
        Server = "server",
        /// A key of the vendor that is not on the server.
        Vendor = "vendor",
    }
}

text_enum! {
    /// How far a release is.
    pub enum ReleaseStatus {
        /// Files are being added; nobody sees it.
        Draft = "draft",
        /// Out.
        Published = "published",
    }
}

#[cfg(test)]
mod tests;
