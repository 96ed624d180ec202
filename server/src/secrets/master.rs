//! The master key: given by the operator, or made once for a new local installation.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::HEXLOWER_PERMISSIVE;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::entropy::{Entropy, bytes};

/// 256 bits that open everything else.
#[derive(zeroize::ZeroizeOnDrop)]
pub struct MasterKey([u8; 32]);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey([redacted])")
    }
}

/// Why there is no usable master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// Not 64 hexadecimal digits.
    #[error("the master key must be 64 hexadecimal digits")]
    Malformed,
    /// The installation exists, its key does not.
    #[error(
        "the master key is missing: this database was set up with one; give it as \
         KITWARD_MASTER_KEY, KITWARD_MASTER_KEY_FILE, or put it back at {0}"
    )]
    Missing(PathBuf),
    /// Only a new local installation makes its key by itself.
    #[error(
        "a master key must be given (KITWARD_MASTER_KEY or KITWARD_MASTER_KEY_FILE, 64 \
         hexadecimal digits): it is made automatically only for a new SQLite database in a new \
         data folder"
    )]
    Required,
    /// The file could not be read or written.
    #[error("cannot use the master key file {path}")]
    File {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl MasterKey {
    /// Reads 64 hexadecimal digits; white space around them is ignored.
    pub fn parse(text: &SecretString) -> Result<Self, MasterKeyError> {
        let decoded = HEXLOWER_PERMISSIVE
            .decode(text.expose_secret().trim().as_bytes())
            .map(Zeroizing::new)
            .ok()
            .and_then(|decoded| <[u8; 32]>::try_from(decoded.as_slice()).ok());
        decoded.map(Self).ok_or(MasterKeyError::Malformed)
    }

    /// Where a key made by the program lies.
    pub fn default_path(data_dir: &Path) -> PathBuf {
        data_dir.join("master.key")
    }

    /// Reads the file that an earlier start made; `None` when there is none.
    pub fn read_default(data_dir: &Path) -> Result<Option<Self>, MasterKeyError> {
        let path = Self::default_path(data_dir);
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&SecretString::from(text)).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(MasterKeyError::File { path, source }),
        }
    }

    /// Makes a key file (mode 0600), unless another process just did, and returns what lies there.
    ///
    /// Whoever loses the race uses the winner's key; so does the winner, which reads its own back:
    /// a key that is only in memory would lock the installation for ever.
    pub fn create_default(data_dir: &Path, entropy: &dyn Entropy) -> Result<Self, MasterKeyError> {
        let path = Self::default_path(data_dir);
        let failed = |source| MasterKeyError::File {
            path: path.clone(),
            source,
        };
        let text = Zeroizing::new(HEXLOWER_PERMISSIVE.encode(&bytes::<32>(entropy)));
        // Written aside and linked into place, so that nobody ever reads half a key. The name is
        // random: in containers every process has the same id.
        let word = HEXLOWER_PERMISSIVE.encode(&bytes::<8>(entropy));
        let draft = path.with_extension(format!("draft-{word}"));
        let linked = write_key(&draft, &text).and_then(|()| std::fs::hard_link(&draft, &path));
        let removed = std::fs::remove_file(&draft);
        match linked {
            Ok(()) => removed.map_err(failed)?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(failed(source)),
        }
        let folder = std::fs::File::open(data_dir).map_err(failed)?;
        folder.sync_all().map_err(failed)?;
        Self::read_default(data_dir)?.ok_or(MasterKeyError::Missing(path))
    }

    /// Encrypts a key for the database; `label` binds it to its row.
    pub(super) fn wrap(
        &self,
        label: &str,
        secret: &[u8],
        entropy: &dyn Entropy,
    ) -> Option<Vec<u8>> {
        let nonce: [u8; 24] = bytes(entropy);
        let cipher = XChaCha20Poly1305::new(&self.0.into());
        let payload = Payload {
            msg: secret,
            aad: label.as_bytes(),
        };
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    /// Decrypts what [`wrap`](Self::wrap) made; `None` with another master key or label.
    pub(super) fn unwrap(&self, label: &str, wrapped: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        let (nonce, sealed) = wrapped.split_first_chunk::<24>()?;
        let cipher = XChaCha20Poly1305::new(&self.0.into());
        let payload = Payload {
            msg: sealed,
            aad: label.as_bytes(),
        };
        let opened = Zeroizing::new(cipher.decrypt(&XNonce::from(*nonce), payload).ok()?);
        <[u8; 32]>::try_from(opened.as_slice())
            .ok()
            .map(Zeroizing::new)
    }
}

fn write_key(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
