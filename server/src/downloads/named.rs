//! Which file of a release a name in an address means.

use crate::releases::store::Artifact;

/// Ending of the file with a checksum.
const CHECKSUM: &str = ".sha256";
/// Ending of the file with a signature.
const SIGNATURE: &str = ".minisig";

/// What a name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// A file.
    File(Artifact),
    /// The file beside it that `sha256sum --check` reads.
    Checksum(Artifact),
    /// The file beside it that `minisign -V` reads, and what it holds.
    Signature(Artifact, String),
    /// Another address in the same release, by the kind of a file.
    Elsewhere(String),
}

/// Why a name means nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NamedError {
    /// No file has this name or kind.
    #[error("no such file")]
    Unknown,
    /// Several files are of this kind.
    #[error("several files are of this kind")]
    Several(Vec<String>),
}

impl Named {
    /// The last segment of the address at which it is.
    pub fn address(&self) -> String {
        match self {
            Self::File(artifact) => artifact.name.clone(),
            Self::Checksum(artifact) => format!("{}{CHECKSUM}", artifact.name),
            Self::Signature(artifact, _) => format!("{}{SIGNATURE}", artifact.name),
            Self::Elsewhere(name) => name.clone(),
        }
    }
}

/// A file's own name counts first, then the names beside it, then the kind of a single file.
pub fn named(artifacts: &[Artifact], name: &str) -> Result<Named, NamedError> {
    let by_name = |name: &str| artifacts.iter().find(|file| file.name == name).cloned();
    if let Some(file) = by_name(name) {
        return Ok(Named::File(file));
    }
    let ending = [CHECKSUM, SIGNATURE]
        .into_iter()
        .find(|ending| name.ends_with(ending));
    let before = ending.and_then(|ending| name.strip_suffix(ending));
    if let Some(file) = before.and_then(by_name) {
        return match (ending, file.signature.clone()) {
            (Some(SIGNATURE), Some(signature)) => Ok(Named::Signature(file, signature)),
            (Some(SIGNATURE), None) => Err(NamedError::Unknown),
            _ => Ok(Named::Checksum(file)),
        };
    }
    let kind = before.unwrap_or(name);
    let files: Vec<&Artifact> = artifacts.iter().filter(|file| file.kind == kind).collect();
    match files.as_slice() {
        [] => Err(NamedError::Unknown),
        [file] => {
            let ending = ending.unwrap_or_default();
            Ok(Named::Elsewhere(format!("{}{ending}", file.name)))
        }
        several => {
            let names = several.iter().map(|file| file.name.clone());
            Err(NamedError::Several(names.collect()))
        }
    }
}

/// A line as `sha256sum` writes it.
pub fn checksum_line(artifact: &Artifact) -> String {
    format!("{}  {}\n", artifact.sha256, artifact.name)
}
