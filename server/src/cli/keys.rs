//! `kitward keys`: the key ring, in the data folder.

mod arguments;

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use kitward_keys::{KeyPurpose, MinisignKey, SigningKey};
use serde_json::{Value, json};
use zeroize::Zeroizing;

pub(super) use arguments::KeysCommand;
use arguments::{RootCommand, RootFile};

use super::output::{Failed, Output, table};
use crate::app::{Foundation, Parts};
use crate::audit::Actor;
use crate::config;
use crate::key_ring::model::{RingKey, Start};
use crate::key_ring::{self, Custody, Order};

pub(super) async fn run(
    path: Option<&Path>,
    command: KeysCommand,
    output: Output,
) -> Result<(), Failed> {
    let foundation = Foundation::open(config::from_process(path)?, Parts::default()).await?;
    let done = perform(&foundation.custody(), command).await;
    let shown = match done {
        Ok(()) => show(&foundation.custody(), output).await,
        Err(failed) => Err(failed),
    };
    foundation.db.close();
    shown
}

async fn perform(custody: &Custody<'_>, command: KeysCommand) -> Result<(), Failed> {
    match command {
        KeysCommand::List => {}
        KeysCommand::Rotate {
            purpose,
            after,
            now,
            root,
        } => {
            let start = if now {
                Start::Now
            } else {
                Start::After(after.map(|seconds| seconds.0))
            };
            key_ring::rotate(custody, &order(&root)?, purpose, start).await?;
        }
        KeysCommand::Retire { kid, force, root } => {
            key_ring::retire(custody, &order(&root)?, &kid, force).await?;
        }
        KeysCommand::Compromise { kid, root } => {
            key_ring::compromise(custody, &order(&root)?, &kid).await?;
        }
        KeysCommand::SignRing { root } => key_ring::sign_ring(custody, &order(&root)?).await?,
        KeysCommand::Root {
            command: RootCommand::Export { file, remove },
        } => export(custody, &file, remove).await?,
    }
    Ok(())
}

fn order(root: &RootFile) -> Result<Order, Failed> {
    let root = match &root.file {
        Some(file) => Some(read_root(file)?),
        None => None,
    };
    Ok(Order {
        actor: Actor::Operator,
        root,
    })
}

fn read_root(file: &Path) -> Result<SigningKey, Failed> {
    let text = std::fs::read_to_string(file).map(Zeroizing::new);
    let text = text.map_err(|error| Failed::new(format!("{}: {error}", file.display())))?;
    SigningKey::from_pem(KeyPurpose::Root, &text)
        .map_err(|error| Failed::new(format!("{}: {error}", file.display())))
}

/// The key leaves the server only when it is safely in its file.
async fn export(custody: &Custody<'_>, file: &Path, remove: bool) -> Result<(), Failed> {
    // Refused before anything is recorded; `create_new` below is what holds.
    if file.exists() {
        return Err(Failed::new(format!("{} exists already", file.display())));
    }
    let root = key_ring::export_root(custody, Actor::Operator).await?;
    write_root(file, &root).map_err(|error| Failed::new(format!("{}: {error}", file.display())))?;
    if read_root(file)?.kid() != root.kid() {
        return Err(Failed::new(format!(
            "{} cannot be read back",
            file.display()
        )));
    }
    if remove {
        key_ring::remove_root(custody, &Actor::Operator, root.kid().as_str()).await?;
    }
    Ok(())
}

fn write_root(path: &Path, root: &SigningKey) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(root.to_pem().as_bytes())?;
    file.sync_all()?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    std::fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

async fn show(custody: &Custody<'_>, output: Output) -> Result<(), Failed> {
    let found = key_ring::examine(custody).await?;
    let rows: Vec<Value> = found.keys.iter().map(row).collect();
    let (ends_at, here) = (found.standing.ends_at, found.standing.root_is_here);
    let columns = [
        "kid",
        "purpose",
        "state",
        "since",
        "activates_at",
        "private_half",
        "minisign",
    ];
    let ends = ends_at.map_or_else(|| "never signed".to_owned(), |end| format!("until {end}"));
    let place = if here { "on" } else { "off" };
    let text = format!(
        "{}\n\nring version {}, signed {ends}, root key {place} this server",
        table(&rows, &columns),
        found.version
    );
    let value = json!({
        "version": found.version,
        "ring_ends_at": ends_at,
        "root_on_server": here,
        "keys": rows,
    });
    output.show(&text, &value);
    Ok(())
}

fn row(key: &RingKey) -> Value {
    json!({
        "kid": key.kid(),
        "purpose": key.public.purpose().as_str(),
        "state": key.public.state().as_str(),
        "since": key.since,
        "activates_at": key.activates_at,
        "minisign": MinisignKey::of(&key.public).map(|key| key.to_string()),
        "private_half": if key.is_here() { "here" } else { "not here" },
    })
}
