//! States of keys and the steps between them.

use kitward_keys::{KeyPurpose, KeyState, PublicKey};

use crate::db::Timestamp;

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

/// Seconds a published key waits unless told otherwise: no copy of `jwks.json` that follows its
/// `Cache-Control` (5 minutes) is as old.
pub const NOTICE: i64 = DAY;
/// The shortest notice that may be asked for.
const SHORTEST_NOTICE: i64 = HOUR;
/// Seconds a ring document lives while the server renews it.
pub const RING_LIFE: i64 = 30 * DAY;
/// Seconds a ring document lives that the operator must renew; no ring document lives longer.
pub const OFFLINE_RING_LIFE: i64 = 90 * DAY;
/// A ring document is renewed when no more than this is left of its life.
pub const RENEWAL: i64 = 15 * DAY;
/// The most days that terms may let a license file live, those for machines that are never online
/// included.
pub const LONGEST_FILE_DAYS: i32 = 3_660;
/// Seconds for which what a document key signed last may be valid: the longest life of a license
/// file, and a day for processes that learned late and for clocks that go wrong.
const LONGEST_DOCUMENT: i64 = (LONGEST_FILE_DAYS as i64 + 1) * DAY;

/// One key, as the ring keeps it.
#[derive(Debug, Clone)]
pub struct RingKey {
    /// The public half, with purpose, state and name.
    pub public: PublicKey,
    /// The sealed private half; empty where it is not on this server.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it took its state.
    pub since: Timestamp,
    /// When it becomes active; published keys only.
    pub activates_at: Option<Timestamp>,
}

impl RingKey {
    /// Its name.
    pub fn kid(&self) -> &str {
        self.public.kid().as_str()
    }

    /// Whether it is the one of its purpose that signs.
    pub fn signs(&self, purpose: KeyPurpose) -> bool {
        self.public.purpose() == purpose && self.public.state() == KeyState::Active
    }

    /// Whether its private half is on this server.
    pub fn is_here(&self) -> bool {
        !self.sealed.is_empty()
    }

    /// Whether readers may still meet its signatures, or must be warned of them.
    pub fn is_listed(&self, now: Timestamp) -> bool {
        let document = self.public.purpose() == KeyPurpose::Document;
        let retired = self.public.state() == KeyState::Retired;
        !(document && retired && now >= self.since.plus_seconds(LONGEST_DOCUMENT))
    }

    /// Until when something may be valid that only a key in use should vouch for; none where
    /// retired keys go on vouching, as for license keys and files, which never end.
    fn vouches_until(&self) -> Option<Timestamp> {
        match self.public.purpose() {
            KeyPurpose::Document => Some(self.since.plus_seconds(LONGEST_DOCUMENT)),
            KeyPurpose::Root => Some(self.since.plus_seconds(OFFLINE_RING_LIFE)),
            KeyPurpose::LicenseKey | KeyPurpose::Artifact => None,
        }
    }
}

/// One change of one key. Steps are done in order: a key stops being active before another begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A new key; with a time it is published until then, without it signs at once.
    Make(KeyPurpose, Option<Timestamp>),
    /// A key takes another state.
    Move(String, KeyState),
    /// The private half of a key leaves this server.
    TakeAway(String),
}

/// When the next key of a purpose begins to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At once.
    Now,
    /// After as many seconds, or the purpose's usual notice.
    After(Option<i64>),
}

/// Why a change is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No key has this name.
    #[error("no key is named {0}")]
    NoSuchKey(String),
    /// The next key waits already.
    #[error("{kid} is published already and becomes active at {at}; --now makes it active at once")]
    AlreadyPublished {
        /// Its name.
        kid: String,
        /// When it begins to sign.
        at: Timestamp,
    },
    /// Readers could not learn of the key in time.
    #[error("the notice must be at least {} h, so that readers learn of the key", .0 / HOUR)]
    ShortNotice(i64),
    /// Readers that know only the old root key would never accept the new one.
    #[error("a root key cannot begin to sign at once: readers must learn of it from the old one")]
    RootNeedsNotice,
    /// The key signs.
    #[error("{0} is active: rotate its purpose first")]
    StillActive(String),
    /// What it signed may still be valid.
    #[error("what {kid} signed may be valid until {until}; --force retires it all the same")]
    StillValid {
        /// Its name.
        kid: String,
        /// Until when.
        until: Timestamp,
    },
    /// Nothing is left to do.
    #[error("{kid} is {state} already")]
    Ended {
        /// Its name.
        kid: String,
        /// Its state.
        state: KeyState,
    },
    /// The private half of the root key is elsewhere.
    #[error("the root key is not on this server")]
    RootElsewhere,
}

fn find<'k>(keys: &'k [RingKey], kid: &str) -> Result<&'k RingKey, Refused> {
    let found = keys.iter().find(|key| key.kid() == kid);
    found.ok_or_else(|| Refused::NoSuchKey(kid.to_owned()))
}

fn active(keys: &[RingKey], purpose: KeyPurpose) -> Option<&RingKey> {
    keys.iter().find(|key| key.signs(purpose))
}

fn published(keys: &[RingKey], purpose: KeyPurpose) -> Option<&RingKey> {
    keys.iter()
        .find(|key| key.public.purpose() == purpose && key.public.state() == KeyState::Published)
}

/// Whether this server can sign the ring.
pub fn root_is_here(keys: &[RingKey]) -> bool {
    active(keys, KeyPurpose::Root).is_some_and(RingKey::is_here)
}

/// A key for every purpose that has none.
pub fn first(keys: &[RingKey]) -> Vec<Step> {
    let missing = KeyPurpose::ALL
        .into_iter()
        .filter(|purpose| active(keys, *purpose).is_none());
    missing.map(|purpose| Step::Make(purpose, None)).collect()
}

/// Brings the next key of a purpose on its way, or into use.
pub fn rotate(
    keys: &[RingKey],
    purpose: KeyPurpose,
    start: Start,
    now: Timestamp,
) -> Result<Vec<Step>, Refused> {
    let is_root = purpose == KeyPurpose::Root;
    let next = published(keys, purpose);
    match (start, next) {
        (Start::Now, _) if is_root => Err(Refused::RootNeedsNotice),
        (Start::Now, next) => {
            let begin = next.map_or(Step::Make(purpose, None), |next| {
                Step::Move(next.kid().to_owned(), KeyState::Active)
            });
            Ok(step_down(keys, purpose).chain([begin]).collect())
        }
        (Start::After(_), Some(next)) => Err(Refused::AlreadyPublished {
            kid: next.kid().to_owned(),
            at: next.activates_at.unwrap_or(now),
        }),
        (Start::After(notice), None) => {
            // A reader whose ring has not ended has seen the next root key within its life.
            let (usual, shortest) = if is_root {
                (OFFLINE_RING_LIFE, OFFLINE_RING_LIFE)
            } else {
                (NOTICE, SHORTEST_NOTICE)
            };
            let notice = notice.unwrap_or(usual);
            if notice < shortest {
                return Err(Refused::ShortNotice(shortest));
            }
            Ok(vec![Step::Make(purpose, Some(now.plus_seconds(notice)))])
        }
    }
}

fn step_down(keys: &[RingKey], purpose: KeyPurpose) -> impl Iterator<Item = Step> {
    let old = active(keys, purpose);
    old.map(|old| Step::Move(old.kid().to_owned(), KeyState::Retiring))
        .into_iter()
}

/// The published key of a purpose takes over when its time has come.
pub fn promote(keys: &[RingKey], purpose: KeyPurpose, now: Timestamp) -> Vec<Step> {
    let due = |next: &&RingKey| next.activates_at.is_some_and(|at| at <= now);
    let Some(next) = published(keys, purpose).filter(due) else {
        return Vec::new();
    };
    let begin = Step::Move(next.kid().to_owned(), KeyState::Active);
    step_down(keys, purpose).chain([begin]).collect()
}

/// Ends a key that no longer signs, or one that never did.
pub fn retire(
    keys: &[RingKey],
    kid: &str,
    force: bool,
    now: Timestamp,
) -> Result<Vec<Step>, Refused> {
    let key = find(keys, kid)?;
    let kid = key.kid().to_owned();
    match key.public.state() {
        KeyState::Active => Err(Refused::StillActive(kid)),
        state @ (KeyState::Retired | KeyState::Compromised) => Err(Refused::Ended { kid, state }),
        KeyState::Published => Ok(vec![Step::Move(kid, KeyState::Retired)]),
        KeyState::Retiring => match key.vouches_until() {
            Some(until) if until > now && !force => Err(Refused::StillValid { kid, until }),
            _ => Ok(vec![Step::Move(kid, KeyState::Retired)]),
        },
    }
}

/// Marks a key as in foreign hands; where it signed, a fresh one signs from now on.
pub fn compromise(keys: &[RingKey], kid: &str) -> Result<Vec<Step>, Refused> {
    let key = find(keys, kid)?;
    let state = key.public.state();
    let kid = key.kid().to_owned();
    if state == KeyState::Compromised {
        return Err(Refused::Ended { kid, state });
    }
    let fresh = (state == KeyState::Active).then(|| Step::Make(key.public.purpose(), None));
    Ok([Step::Move(kid, KeyState::Compromised)]
        .into_iter()
        .chain(fresh)
        .collect())
}

/// The root key's private half leaves this server.
pub fn take_away_root(keys: &[RingKey], kid: &str) -> Result<Vec<Step>, Refused> {
    match active(keys, KeyPurpose::Root) {
        Some(root) if root.kid() == kid && root.is_here() => {
            Ok(vec![Step::TakeAway(kid.to_owned())])
        }
        _ => Err(Refused::RootElsewhere),
    }
}

#[cfg(test)]
mod tests;
