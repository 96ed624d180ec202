//! The committed vectors are exactly what the code makes from fixed seeds.
//!
//! `UPDATE_VECTORS=1 cargo test -p kitward-keys --test vector_files` rewrites them.

#![forbid(unsafe_code)]

mod claims;
mod documents;
mod key_rings;
mod license_keys;
mod minisign;
mod seeds;
mod tokens;

use std::path::Path;

use serde_json::Value;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[expect(
    clippy::disallowed_methods,
    reason = "a switch of this test, not a setting"
)]
fn rewriting() -> bool {
    std::env::var_os("UPDATE_VECTORS").is_some()
}

fn compare(name: &str, mut made: Value) -> Outcome<()> {
    // Whether a JSON object keeps its order is a feature that any crate of a build may switch on.
    made.sort_all_objects();
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors")
        .join(name);
    let made = serde_json::to_string_pretty(&made)? + "\n";
    if rewriting() {
        std::fs::write(&path, &made)?;
    }
    let committed = std::fs::read_to_string(&path)?;
    assert!(
        committed == made,
        "{name} differs from what the code makes; UPDATE_VECTORS=1 rewrites it"
    );
    Ok(())
}

#[test]
fn the_committed_key_set_is_what_the_code_makes() -> Outcome<()> {
    compare(
        "jwks.json",
        serde_json::to_value(seeds::published().to_jwks())?,
    )
}

#[test]
fn the_committed_license_keys_are_what_the_code_makes() -> Outcome<()> {
    compare("license_keys.json", license_keys::file()?)
}

#[test]
fn the_committed_documents_are_what_the_code_makes() -> Outcome<()> {
    compare("documents.json", documents::documents_file()?)
}

#[test]
fn the_committed_key_rings_are_what_the_code_makes() -> Outcome<()> {
    compare("key_rings.json", key_rings::file()?)
}

#[test]
fn the_committed_update_manifests_are_what_the_code_makes() -> Outcome<()> {
    compare("updates.json", documents::updates_file()?)
}

#[test]
fn the_committed_checkpoints_are_what_the_code_makes() -> Outcome<()> {
    compare("checkpoints.json", documents::checkpoints_file()?)
}

#[test]
fn the_committed_stamps_are_what_the_code_makes() -> Outcome<()> {
    compare("stamps.json", documents::stamps_file()?)
}

#[test]
fn the_committed_signatures_of_files_are_what_the_code_makes() -> Outcome<()> {
    compare("minisign.json", minisign::file()?)
}
