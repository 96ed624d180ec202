//! `kitward artifact verify`: whether a file is what was published, and for whom its copy was made;
//! `whose`: whom that copy was given to.

mod keys;

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use data_encoding::HEXLOWER;
use kitward_keys::{FileSignature, Prehash, StampClaims, comment_field};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::catalog::list;
use super::output::{Failed, Output, lines};
use crate::downloads::stamp::{Piece, read_document, strip};
use keys::Known;

#[derive(Debug, Subcommand)]
pub(super) enum ArtifactCommand {
    /// Check a downloaded file: its stamp, what it was before it was stamped, its signature.
    Verify(Verify),
    /// Tell whom a stamped copy was given to, over HTTP.
    Whose {
        /// Nonce of the stamp in the copy, as `artifact verify` prints it.
        // Some start with a hyphen.
        #[arg(allow_hyphen_values = true)]
        nonce: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The file.
    file: PathBuf,
    /// Its signature; FILE.minisig where there is one.
    #[arg(long, value_name = "FILE.minisig")]
    signature: Option<PathBuf>,
    /// A public key that is trusted: as minisign prints it, or a file with it, or a saved jwks.json.
    /// May be given several times.
    #[arg(long = "key", value_name = "PUBLIC")]
    keys: Vec<String>,
    /// A server whose keys are trusted, now.
    #[arg(long, value_name = "SERVER", conflicts_with = "keys")]
    url: Option<String>,
    /// Write the file as it was before it was stamped.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) async fn run(command: ArtifactCommand, output: Output) -> Result<(), Failed> {
    match command {
        ArtifactCommand::Verify(verify) => verified(&verify, output).await,
        ArtifactCommand::Whose { nonce } => {
            let columns = [
                "license_id",
                "started_at",
                "kit",
                "version",
                "name",
                "network",
            ];
            list(output, &["downloads"], &[("nonce", &nonce)], &columns).await
        }
    }
}

async fn verified(verify: &Verify, output: Output) -> Result<(), Failed> {
    let known = match &verify.url {
        Some(url) => keys::fetch(url).await?,
        None => keys::given(&verify.keys)?,
    };
    let found = examine(verify, &known)?;
    let shown = found.shown();
    output.show(&lines(&shown), &shown);
    Ok(())
}

/// What holds.
struct Found {
    file: String,
    sha256: String,
    stamp: Option<StampClaims>,
    signed: Option<String>,
}

impl Found {
    fn shown(&self) -> Value {
        let stamp = self.stamp.as_ref();
        json!({
            "file": self.file,
            "stamped": stamp.is_some(),
            "license": stamp.map(|stamp| &stamp.sub),
            "customer": stamp.map(|stamp| &stamp.customer),
            "order": stamp.and_then(|stamp| stamp.order.as_ref()),
            "kit": stamp.map(|stamp| &stamp.aud),
            "version": stamp.map(|stamp| &stamp.artifact.version),
            "license_text": stamp.and_then(|stamp| stamp.license_text.as_ref())
                .map(|text| format!("{} {}", text.name, text.version)),
            "nonce": stamp.map(|stamp| &stamp.nonce),
            "original_sha256": self.sha256,
            "signature": self.signed,
        })
    }
}

fn examine(verify: &Verify, known: &Known) -> Result<Found, Failed> {
    let at = |error: std::io::Error| Failed::new(format!("{}: {error}", verify.file.display()));
    let mut file = File::open(&verify.file).map_err(at)?;
    let size = file.metadata().map_err(at)?.len();
    let stripped = strip(&mut file).map_err(at)?;
    let (stamp, original) = match stripped {
        Some(stripped) => (Some(read_stamp(&stripped.stamp, known)?), stripped.original),
        None => (None, vec![Piece::Original(0..size)]),
    };
    let digest = hash(&mut file, &original, None).map_err(at)?;
    if let Some(stamp) = &stamp
        && stamp.artifact.sha256 != digest.sha256
    {
        return Err(
            Failed::new("the file is not the one that was stamped").with_detail(format!(
                "without its stamp it has the SHA-256 {}, and the stamp is for {}",
                digest.sha256, stamp.artifact.sha256
            )),
        );
    }
    let signed = check_signature(verify, known, &digest, stamp.as_ref())?;
    if stamp.is_none() && signed.is_none() {
        return Err(
            Failed::new("there is nothing to verify: no stamp, no signature")
                .with_detail("give the signature with --signature FILE.minisig"),
        );
    }
    // Only what was verified is written.
    if let Some(path) = &verify.output {
        write(&mut file, &original, path)?;
    }
    Ok(Found {
        file: verify.file.display().to_string(),
        sha256: digest.sha256,
        stamp,
        signed,
    })
}

fn read_stamp(stamp: &[u8], known: &Known) -> Result<StampClaims, Failed> {
    read_document(stamp, Some(&known.public)).map_err(|fault| {
        let said = read_document(stamp, None).map_or_else(
            |_malformed| String::new(),
            |claims| format!(" (it names the license {})", claims.sub),
        );
        let detail = known.hint();
        Failed::new(format!("the stamp does not hold: {fault}{said}")).with_detail(detail)
    })
}

struct Digests {
    sha256: String,
    prehash: [u8; 64],
}

/// The hashes of the pieces, which are also written where a file is given.
fn hash(
    file: &mut File,
    pieces: &[Piece],
    mut copy: Option<&mut File>,
) -> std::io::Result<Digests> {
    let (mut sha256, mut prehash) = (Sha256::new(), Prehash::default());
    let mut take = |bytes: &[u8]| {
        sha256.update(bytes);
        prehash.update(bytes);
        match &mut copy {
            Some(copy) => std::io::Write::write_all(copy, bytes),
            None => Ok(()),
        }
    };
    let mut buffer = vec![0; 256 << 10];
    for piece in pieces {
        let range = match piece {
            Piece::Made(bytes) => {
                take(bytes)?;
                continue;
            }
            Piece::Original(range) => range,
        };
        file.seek(SeekFrom::Start(range.start))?;
        let mut rest = file.take(range.end.saturating_sub(range.start));
        loop {
            let count = rest.read(&mut buffer)?;
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            take(bytes)?;
        }
    }
    Ok(Digests {
        sha256: HEXLOWER.encode(&sha256.finalize()),
        prehash: prehash.finish(),
    })
}

fn write(file: &mut File, pieces: &[Piece], path: &Path) -> Result<(), Failed> {
    let at = |error: std::io::Error| Failed::new(format!("{}: {error}", path.display()));
    let mut copy = File::create_new(path).map_err(at)?;
    hash(file, pieces, Some(&mut copy)).map_err(at)?;
    copy.sync_all().map_err(at)
}

/// The trusted comment of the signature, where there is a signature.
fn check_signature(
    verify: &Verify,
    known: &Known,
    digest: &Digests,
    stamp: Option<&StampClaims>,
) -> Result<Option<String>, Failed> {
    let beside = PathBuf::from(format!("{}.minisig", verify.file.display()));
    let path = match &verify.signature {
        Some(path) => path,
        None if beside.exists() => &beside,
        None => return Ok(None),
    };
    let refused = |reason: &dyn std::fmt::Display| {
        Failed::new(format!("{}: {reason}", path.display())).with_detail(known.hint())
    };
    let text = std::fs::read_to_string(path).map_err(|error| refused(&error))?;
    let signature = FileSignature::parse(&text).map_err(|error| refused(&error))?;
    let comment = signature.verify(&known.minisign, &digest.prehash);
    let comment = comment.map_err(|error| refused(&error))?;
    // One signed statement must not speak of another file than the other.
    for (field, told) in stamp.into_iter().flat_map(|stamp| {
        [
            ("file", &stamp.artifact.name),
            ("version", &stamp.artifact.version),
        ]
    }) {
        if comment_field(comment, field) != Some(told) {
            return Err(refused(&format!("its {field} is not that of the stamp")));
        }
    }
    Ok(Some(comment.to_owned()))
}
