//! The public keys that a file is checked against.

use std::time::Duration;

use kitward_keys::{Jwks, KeyPurpose, MinisignKey, PublicKey, PublicKeys};
use serde_json::Value;

use crate::cli::output::Failed;

/// Keys for artifacts: those with which minisign signs, and the same as keys of stamps.
pub(super) struct Known {
    pub(super) minisign: Vec<MinisignKey>,
    pub(super) public: PublicKeys,
}

impl Known {
    fn new(minisign: Vec<MinisignKey>, mut public: Vec<PublicKey>) -> Self {
        public.extend(minisign.iter().map(|key| key.public().clone()));
        Self {
            minisign,
            public: PublicKeys::new(public),
        }
    }

    /// What to do where something is not verified.
    pub(super) fn hint(&self) -> &'static str {
        if self.minisign.is_empty() {
            "give the vendor's public key with --key, or the server with --url"
        } else {
            "the keys were those given with --key or --url"
        }
    }
}

/// Keys given as texts, or as files with such texts.
pub(super) fn given(texts: &[String]) -> Result<Known, Failed> {
    let (mut minisign, mut public) = (Vec::new(), Vec::new());
    for text in texts {
        let read = std::fs::read_to_string(text);
        let content = read.as_deref().unwrap_or(text);
        if let Ok(jwks) = serde_json::from_str::<Jwks>(content) {
            take_in(&jwks, &mut minisign, &mut public)?;
            continue;
        }
        let key = MinisignKey::parse(content);
        minisign.push(key.map_err(|error| Failed::new(format!("{text}: {error}")))?);
    }
    Ok(Known::new(minisign, public))
}

fn take_in(
    jwks: &Jwks,
    minisign: &mut Vec<MinisignKey>,
    public: &mut Vec<PublicKey>,
) -> Result<(), Failed> {
    for key in &PublicKeys::from_jwks(jwks)? {
        if key.purpose() == KeyPurpose::Artifact {
            minisign.extend(MinisignKey::of(key));
            public.push(key.clone());
        }
    }
    Ok(())
}

/// The keys that a server publishes, compromised ones as such.
pub(super) async fn fetch(url: &str) -> Result<Known, Failed> {
    #[expect(clippy::disallowed_methods, reason = "the commands' own client")]
    let http = reqwest::Client::builder()
        .timeout(Duration::from_secs(30))
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let get = async |path: &str| -> Result<String, Failed> {
        let address = format!("{}{path}", url.trim_end_matches('/'));
        let answer = http.get(address).send().await?.error_for_status()?;
        Ok(answer.text().await?)
    };
    let (mut minisign, mut public) = (Vec::new(), Vec::new());
    let jwks: Jwks = serde_json::from_str(&get("/.well-known/jwks.json").await?)?;
    take_in(&jwks, &mut minisign, &mut public)?;
    let found: Value = serde_json::from_str(&get("/.well-known/kitward.json").await?)?;
    let texts = found.get("minisign_keys").and_then(Value::as_array);
    for text in texts.into_iter().flatten().filter_map(Value::as_str) {
        let key = MinisignKey::parse(text)?;
        let is_known = public.iter().any(|known| known.kid() == key.public().kid());
        if !is_known {
            minisign.push(key);
        }
    }
    Ok(Known::new(minisign, public))
}
