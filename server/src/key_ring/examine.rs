//! What there is, and what is wrong with it.

use kitward_keys::{KeyPurpose, KeyState};

use super::change::Custody;
use super::model::{RingKey, root_is_here};
use super::open::unseal;
use super::store;
use crate::clock::Timestamp;
use crate::db::DbError;

/// The ring as an operator sees it.
#[derive(Debug)]
pub struct Examination {
    /// Raised by every change.
    pub version: i64,
    /// Every key there ever was, oldest first.
    pub keys: Vec<RingKey>,
    /// What keeps a key from signing.
    pub problems: Vec<String>,
    /// The signed ring.
    pub standing: RingStanding,
}

/// How the signed ring stands.
#[derive(Debug, Clone, Copy)]
pub struct RingStanding {
    /// When it ends; none where it was never signed.
    pub ends_at: Option<Timestamp>,
    /// Whether the server can renew it.
    pub root_is_here: bool,
}

/// Looks at everything, opens every private half, changes nothing.
pub async fn examine(custody: &Custody<'_>) -> Result<Examination, DbError> {
    let snapshot = custody.db.read_snapshot(store::ring).await?;
    let keys = snapshot.keys;
    let mut problems: Vec<String> = KeyPurpose::ALL
        .into_iter()
        .filter_map(|purpose| count_problem(&keys, purpose))
        .collect();
    problems.extend(keys.iter().filter_map(|key| {
        let state = key.public.state();
        let must_open = matches!(state, KeyState::Published | KeyState::Active);
        let kept_elsewhere = !key.is_here() && key.public.purpose() == KeyPurpose::Root;
        if !must_open || kept_elsewhere {
            return None;
        }
        let error = unseal(key, custody.vault).err()?;
        Some(format!("{error} ({}, {state})", key.public.purpose()))
    }));
    Ok(Examination {
        version: snapshot.version,
        standing: RingStanding {
            ends_at: snapshot.document.map(|document| document.ends_at),
            root_is_here: root_is_here(&keys),
        },
        keys,
        problems,
    })
}

fn count_problem(keys: &[RingKey], purpose: KeyPurpose) -> Option<String> {
    match keys.iter().filter(|key| key.signs(purpose)).count() {
        1 => None,
        count => Some(format!("{count} active keys for {purpose}")),
    }
}
