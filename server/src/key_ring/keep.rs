//! What every serving process does about the ring: follow it, and what is due.

use std::sync::Arc;
use std::time::Duration;

use kitward_keys::KeyPurpose;

use super::change::{ChangeError, Custody, change};
use super::model;
use super::open::{KeyRingError, load};
use super::sign::Root;
use super::store::{self, Snapshot};
use crate::app::App;
use crate::audit::Actor;

/// How often the ring's version is looked at: other processes and commands do not ring a bell.
const POLL: Duration = Duration::from_secs(2);
/// Looks without an attempt at what is due, after one failed.
const PAUSE: u32 = 30;

/// Follows the ring until the app stops; with `works` also does what is due.
pub async fn keep(app: Arc<App>, works: bool) {
    let mut pause = 0_u32;
    while !app.is_stopping() {
        if let Err(error) = refresh(&app).await {
            let error = crate::http::error::chain(&error);
            tracing::warn!(error, "the key ring could not be read");
        }
        pause = pause.saturating_sub(1);
        if works
            && pause == 0
            && let Err(error) = upkeep(&app).await
        {
            let error = crate::http::error::chain(&error);
            tracing::error!(error, "the key ring could not be kept, see kitward doctor");
            pause = PAUSE;
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Takes the ring over if it changed; one short look otherwise.
pub async fn refresh(app: &App) -> Result<(), KeyRingError> {
    let version = app.db.read(store::version).await?;
    if version == app.keys.load().version {
        return Ok(());
    }
    let fresh = Arc::new(load(&app.custody()).await?);
    // Of two that look at once, the one that saw less must not have the last word.
    app.keys.rcu(|known| {
        let newer = if fresh.version > known.version {
            &fresh
        } else {
            known
        };
        Arc::clone(newer)
    });
    Ok(())
}

/// Puts keys into use whose time has come and renews the document, on whichever process is first.
/// A key that cannot take over holds up no other; the first failure is told at the end.
pub async fn upkeep(app: &App) -> Result<(), ChangeError> {
    let custody = app.custody();
    if app.keys.load().due.is_none_or(|due| due > custody.now) {
        return Ok(());
    }
    let mut outcome = Ok(());
    for purpose in KeyPurpose::ALL {
        outcome = outcome.and(promote(&custody, purpose).await);
    }
    outcome = outcome.and(renew(&custody).await);
    refresh(app).await?;
    outcome
}

async fn promote(custody: &Custody<'_>, purpose: KeyPurpose) -> Result<(), ChangeError> {
    let plan = |snapshot: &Snapshot| {
        let steps = model::promote(&snapshot.keys, purpose, custody.now);
        Ok((!steps.is_empty()).then_some(steps))
    };
    if let Some(version) = change(custody, &Actor::System, Root::IfHere, plan).await? {
        tracing::info!(version, %purpose, "the next signing key took over");
    }
    Ok(())
}

async fn renew(custody: &Custody<'_>) -> Result<(), ChangeError> {
    let plan = |snapshot: &Snapshot| {
        let is_old = snapshot
            .document
            .as_ref()
            .is_some_and(|document| document.renew_at() <= custody.now);
        let due = is_old && model::root_is_here(&snapshot.keys);
        Ok(due.then(Vec::new))
    };
    if let Some(version) = change(custody, &Actor::System, Root::IfHere, plan).await? {
        tracing::info!(version, "the key ring was signed anew");
    }
    Ok(())
}
