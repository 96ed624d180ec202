//! Looking at a license without taking a seat.

use std::sync::Arc;

use kitward_keys::SignError;
use secrecy::SecretString;

use super::answer::{self, Answer, Asked};
use super::facts::{self, Question};
use super::keys::{self, Lookup};
use super::tokens::model::Door;
use super::tokens::usage::{self, TooOften};
use crate::activations::model::Identity;
use crate::app::App;
use crate::db::DbError;

/// What a kit asks.
#[derive(Debug)]
pub struct Ask {
    /// The license key, or a token derived from it.
    pub key: SecretString,
    /// Web page the call comes from.
    pub origin: Option<String>,
    /// Kit slug.
    pub kit: String,
    /// What occupies the seat.
    pub identity: Option<Identity>,
    /// Name of the seat, for people.
    pub name: Option<String>,
    /// Version of the kit.
    pub version: Option<String>,
    /// Platform it runs on.
    pub platform: Option<String>,
    /// Binds the signed answer to this call.
    pub nonce: Option<String>,
    /// Features the kit needs.
    pub entitlements: Vec<String>,
}

impl Ask {
    pub(crate) fn asked(&self) -> Asked<'_> {
        Asked {
            kit: &self.kit,
            nonce: self.nonce.as_deref(),
        }
    }

    pub(crate) fn question(&self, app: &App, lookup: Lookup) -> Arc<Question> {
        Arc::new(Question {
            lookup,
            kit: self.kit.clone(),
            identity: self.identity.clone(),
            entitlements: self.entitlements.clone(),
            version: self.version.clone(),
            now: app.clock.now(),
            terms: Arc::clone(&app.terms_seen),
        })
    }
}

/// Why there is no answer; outcomes of the license are answers.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
    /// The token was used too often.
    #[error(transparent)]
    TooOften(#[from] TooOften),
    /// The answer could not be signed.
    #[error("the answer could not be signed")]
    Sign(#[from] SignError),
}

/// The verdict about a key, a kit and an identity.
pub async fn validate(app: &App, ask: Ask) -> Result<Answer, AskError> {
    let origin = ask.origin.as_deref();
    let Some(lookup) = keys::lookup(app, &ask.key, Door::Validate { origin })? else {
        return Ok(answer::unknown(app, ask.asked())?);
    };
    let facts = facts::read(app, &ask.question(app, lookup)).await?;
    Ok(match facts {
        None => answer::unknown(app, ask.asked())?,
        Some(mut facts) => {
            usage::watch(app, &facts.holding, ask.identity.as_ref()).await?;
            app.seen.mark(&mut facts);
            let code = facts.verdict();
            answer::about(app, ask.asked(), &facts, code, None)?
        }
    })
}
