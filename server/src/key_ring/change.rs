//! How the ring is changed: planned, made and signed outside, written in one transaction.

use kitward_keys::{KeyPurpose, KeyState, SigningKey};

use super::model::{Refused, RingKey, Step};
use super::open::{KeyRingError, private_cell, unseal};
use super::sign::{self, Root};
use super::store::{self, Document, Snapshot};
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::db::{Db, DbError, Shard, WriteTx};
use crate::entropy::{Entropy, bytes};
use crate::secrets::Vault;

/// How often a change is planned anew because somebody else changed the ring meanwhile.
const ATTEMPTS: usize = 16;

/// What is needed to keep the ring, also where its keys do not open.
#[derive(Debug, Clone, Copy)]
pub struct Custody<'a> {
    /// The database.
    pub db: &'a Db,
    /// Seals private halves.
    pub vault: &'a Vault,
    /// Makes keys.
    pub entropy: &'a dyn Entropy,
    /// The installation's id.
    pub issuer: &'a str,
    /// The present time.
    pub now: Timestamp,
}

/// Why the ring was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The database failed.
    #[error("the database failed while the key ring was changed")]
    Db(#[from] DbError),
    /// The rules do not allow it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// A private half does not open or was not sealed.
    #[error(transparent)]
    Ring(#[from] KeyRingError),
    /// The private half of the root key is kept elsewhere, and was not given.
    #[error("the root key {0} is not on this server: give its file with --root FILE")]
    RootElsewhere(String),
    /// Another root key was given.
    #[error("the file holds the key {given}, but the ring is signed by {active}")]
    WrongRoot {
        /// What was given.
        given: String,
        /// What is needed.
        active: String,
    },
    /// The ring has grown beyond what readers accept.
    #[error("the key ring cannot be signed")]
    Sign(#[from] kitward_keys::SignError),
    /// Others were always faster.
    #[error("the key ring is being changed by others, try again")]
    Contended,
}

/// One planned change, made and signed, as it will be written.
struct Prepared {
    from: i64,
    writes: Vec<Write>,
    document: Option<Document>,
    entries: Vec<Entry>,
}

enum Write {
    Insert(RingKey),
    Update(RingKey),
}

/// Changes the ring as planned and returns its version; `None` where the plan is to do nothing.
/// A plan without steps signs the ring anew.
pub(super) async fn change(
    custody: &Custody<'_>,
    actor: &Actor,
    root: Root<'_>,
    plan: impl Fn(&Snapshot) -> Result<Option<Vec<Step>>, Refused>,
) -> Result<Option<i64>, ChangeError> {
    for _attempt in 0..ATTEMPTS {
        let snapshot = custody.db.read_snapshot(store::ring).await?;
        let Some(steps) = plan(&snapshot)? else {
            return Ok(None);
        };
        let version = snapshot.version + 1;
        let prepared = prepare(custody, actor, root, &snapshot, &steps)?;
        let written = custody
            .db
            .write(Shard::Wide, move |tx| write(tx, &prepared))
            .await?;
        if written {
            return Ok(Some(version));
        }
    }
    Err(ChangeError::Contended)
}

fn write(tx: &mut WriteTx<'_>, prepared: &Prepared) -> Result<bool, DbError> {
    if !store::raise(tx, prepared.from)? {
        return Ok(false);
    }
    for write in &prepared.writes {
        match write {
            Write::Insert(key) => store::insert(tx, key)?,
            Write::Update(key) => store::update(tx, key)?,
        }
    }
    if let Some(document) = &prepared.document {
        store::keep_document(tx, document)?;
    }
    for entry in &prepared.entries {
        tx.audit(entry.clone());
    }
    Ok(true)
}

/// The ring in the hands of a change.
struct Draft<'a> {
    custody: &'a Custody<'a>,
    actor: &'a Actor,
    keys: Vec<RingKey>,
    made: Vec<SigningKey>,
    writes: Vec<Write>,
    entries: Vec<Entry>,
}

fn prepare(
    custody: &Custody<'_>,
    actor: &Actor,
    root: Root<'_>,
    before: &Snapshot,
    steps: &[Step],
) -> Result<Prepared, ChangeError> {
    let mut draft = Draft {
        custody,
        actor,
        keys: before.keys.clone(),
        made: Vec::new(),
        writes: Vec::new(),
        entries: Vec::new(),
    };
    for step in steps {
        match step {
            Step::Make(purpose, begins) => draft.make(*purpose, *begins)?,
            Step::Move(kid, state) => draft.take_state(kid, *state)?,
            Step::TakeAway(kid) => draft.take_away(kid),
        }
    }
    let signer = sign::signer(custody, root, &before.keys, &draft.keys, &draft.made)?;
    let version = before.version + 1;
    let document = match signer {
        Some(signer) => Some(sign::document(custody, &signer, &draft.keys, version)?),
        None => None,
    };
    if document.is_some() {
        draft.record("key_ring.signed", &version.to_string(), &["document"]);
    }
    Ok(Prepared {
        from: before.version,
        writes: draft.writes,
        document,
        entries: draft.entries,
    })
}

impl Draft<'_> {
    fn record(&mut self, action: &'static str, subject: &str, fields: &'static [&'static str]) {
        let entry = Entry::new(
            self.custody.now,
            self.actor.clone(),
            action,
            subject,
            fields,
        );
        self.entries.push(entry);
    }

    fn make(&mut self, purpose: KeyPurpose, begins: Option<Timestamp>) -> Result<(), ChangeError> {
        let Custody {
            vault,
            entropy,
            now,
            ..
        } = *self.custody;
        let key = SigningKey::from_bytes(purpose, &bytes(entropy));
        let (state, action) = match begins {
            Some(_) => (KeyState::Published, "signing_key.published"),
            None => (KeyState::Active, "signing_key.created"),
        };
        let kid = key.kid().as_str();
        let sealed = vault.seal(private_cell(kid), key.to_bytes().as_slice());
        let ring_key = RingKey {
            public: key.public(state),
            sealed: sealed.map_err(|source| KeyRingError::Sealed {
                kid: kid.to_owned(),
                source,
            })?,
            created_at: now,
            since: now,
            activates_at: begins,
        };
        self.record(action, kid, &["state"]);
        self.keys.push(ring_key.clone());
        self.writes.push(Write::Insert(ring_key));
        self.made.push(key);
        Ok(())
    }

    fn take_state(&mut self, kid: &str, state: KeyState) -> Result<(), ChangeError> {
        let Custody { vault, now, .. } = *self.custody;
        let Some(key) = self.keys.iter_mut().find(|key| key.kid() == kid) else {
            return Err(Refused::NoSuchKey(kid.to_owned()).into());
        };
        let action = match state {
            KeyState::Published => "signing_key.published",
            KeyState::Active => "signing_key.activated",
            KeyState::Retiring => "signing_key.retiring",
            KeyState::Retired => "signing_key.retired",
            KeyState::Compromised => "signing_key.compromised",
        };
        if state == KeyState::Active {
            // A key that cannot sign must never be the one that does.
            unseal(key, vault)?;
        }
        if matches!(state, KeyState::Retired | KeyState::Compromised) {
            key.sealed = Vec::new();
        }
        key.public = key.public.in_state(state);
        key.since = now;
        key.activates_at = None;
        self.writes.push(Write::Update(key.clone()));
        self.record(action, kid, &["state"]);
        Ok(())
    }

    fn take_away(&mut self, kid: &str) {
        if let Some(key) = self.keys.iter_mut().find(|key| key.kid() == kid) {
            key.sealed = Vec::new();
            self.writes.push(Write::Update(key.clone()));
            self.record("root_key.removed", kid, &["private_key"]);
        }
    }
}
