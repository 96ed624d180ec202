//! Versions (Semantic Versioning 2.0.0) and how requests name them.

use std::cmp::Ordering;

use semver::Version;

/// Longest version.
const MAX: usize = 64;

/// Why a version is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VersionFault {
    /// Not `1.2.3` or `1.2.3-beta.1`.
    #[error("must be a version such as 1.2.3 or 1.2.3-beta.1 (Semantic Versioning 2.0.0)")]
    NotSemver,
    /// `1.2.3+something`: it would be the same version twice.
    #[error("must have no build metadata (the part after +)")]
    BuildMetadata,
}

/// Reads the version of a release.
pub fn parse_version(text: &str) -> Result<Version, VersionFault> {
    if text.len() > MAX {
        return Err(VersionFault::NotSemver);
    }
    let Ok(version) = Version::parse(text) else {
        return Err(VersionFault::NotSemver);
    };
    if version.build.is_empty() {
        Ok(version)
    } else {
        Err(VersionFault::BuildMetadata)
    }
}

/// The first number of a version that was checked before.
pub fn major(version: &str) -> u64 {
    let first = version.split('.').next();
    first.and_then(|text| text.parse().ok()).unwrap_or(u64::MAX)
}

/// Whether `version` has precedence over `other`; build metadata does not count.
pub fn is_newer(version: &Version, other: &Version) -> bool {
    version.cmp_precedence(other) == Ordering::Greater
}

/// Whether both name the same version, build metadata apart.
pub fn same_precedence(version: &Version, other: &Version) -> bool {
    version.cmp_precedence(other) == Ordering::Equal
}

/// How a request names a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// `latest`: the highest listed one on the stable channel.
    Latest,
    /// `1`: the highest listed stable one of a major version.
    Major(u64),
    /// `1.2`: the highest listed stable one of a minor version.
    Minor(u64, u64),
    /// Exactly this one.
    Exact(Version),
}

impl Selector {
    /// Reads what stands in the path; `None` where it names no version at all.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "latest" {
            return Some(Self::Latest);
        }
        if let Ok(version) = parse_version(text) {
            return Some(Self::Exact(version));
        }
        match text.split_once('.') {
            None => number(text).map(Self::Major),
            Some((major, minor)) => Some(Self::Minor(number(major)?, number(minor)?)),
        }
    }

    /// Whether a version is among those it names.
    pub fn names(&self, version: &Version) -> bool {
        match self {
            Self::Latest => true,
            Self::Major(major) => version.major == *major,
            Self::Minor(major, minor) => version.major == *major && version.minor == *minor,
            Self::Exact(exact) => version == exact,
        }
    }
}

fn number(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit());
    let has_zeros = text.len() > 1 && text.starts_with('0');
    (is_plain && !has_zeros).then(|| text.parse().ok())?
}
