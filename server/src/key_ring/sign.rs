//! Who signs the ring document, and what it says.

use kitward_keys::{DocumentType, Jwk, KeyPurpose, KeyRingClaims, SigningKey, jws};

use super::change::{ChangeError, Custody};
use super::model::{OFFLINE_RING_LIFE, RING_LIFE, RingKey};
use super::open::{KeyRingError, unseal};
use super::store::Document;

/// Where the private half of the root key comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Root<'a> {
    /// An operator gave it.
    Given(&'a SigningKey),
    /// It must be on this server.
    Here,
    /// Where it is not on this server, the document that exists goes on: it lists every key that a
    /// change without an operator moves, and signatures count in all the states it moves between.
    IfHere,
}

/// Who signs, and how many seconds the document lives.
#[derive(Debug)]
pub(super) struct Signer {
    key: SigningKey,
    life: i64,
}

/// The active root key after a change, from the first place that has its private half.
pub(super) fn signer(
    custody: &Custody<'_>,
    root: Root<'_>,
    before: &[RingKey],
    after: &[RingKey],
    made: &[SigningKey],
) -> Result<Option<Signer>, ChangeError> {
    let Some(active) = after.iter().find(|key| key.signs(KeyPurpose::Root)) else {
        return Err(KeyRingError::NoActiveKey(KeyPurpose::Root.as_str()).into());
    };
    let life = if active.is_here() {
        RING_LIFE
    } else {
        OFFLINE_RING_LIFE
    };
    let with = |key: &SigningKey| {
        let key = SigningKey::from_bytes(KeyPurpose::Root, &key.to_bytes());
        Ok(Some(Signer { key, life }))
    };
    if let Some(fresh) = made.iter().find(|key| key.kid().as_str() == active.kid()) {
        return with(fresh);
    }
    if let Root::Given(given) = root {
        if given.kid().as_str() == active.kid() {
            return with(given);
        }
        return Err(ChangeError::WrongRoot {
            given: given.kid().to_string(),
            active: active.kid().to_owned(),
        });
    }
    // A root key on its way out signs once more.
    let sealed = before
        .iter()
        .find(|key| key.kid() == active.kid() && key.is_here());
    match (sealed, root) {
        (Some(sealed), _) => Ok(Some(Signer {
            key: unseal(sealed, custody.vault)?,
            life,
        })),
        (None, Root::IfHere) => Ok(None),
        (None, Root::Here | Root::Given(_)) => {
            Err(ChangeError::RootElsewhere(active.kid().to_owned()))
        }
    }
}

/// Signs the ring.
pub(super) fn document(
    custody: &Custody<'_>,
    signer: &Signer,
    keys: &[RingKey],
    version: i64,
) -> Result<Document, ChangeError> {
    let ends_at = custody.now.plus_seconds(signer.life);
    let listed = keys.iter().filter(|key| key.is_listed(custody.now));
    let claims = KeyRingClaims {
        iss: custody.issuer.to_owned(),
        iat: custody.now.unix(),
        exp: ends_at.unix(),
        version: u64::try_from(version).unwrap_or_default(),
        keys: listed.map(|key| Jwk::from(&key.public)).collect(),
    };
    let text = jws::sign(DocumentType::KeyRing, &signer.key, &claims)?;
    Ok(Document { text, ends_at })
}
