//! Making a token of a license.

use secrecy::{ExposeSecret, SecretString};

use super::model::{DerivedKind, LicenseTokenId, origin};
use super::store::{self, TokenRow};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::customers::model::CustomerId;
use crate::db::types::WordList;
use crate::db::{DbError, Shard, WriteTx};
use crate::idempotency::{Claim, Once};
use crate::kits::texts::{self, Fault};
use crate::licenses::model::{LicenseId, VerdictCode};
use crate::licenses::store as licenses;
use crate::people::model::PersonId;
use crate::secrets::{SealError, TokenText};

/// Most tokens of one license that have not ended.
const TOKENS_MAX: i64 = 200;
/// Most origins of one publishable id.
const ORIGINS_MAX: usize = 20;
/// Characters of the text that are shown later.
const HINT_LEN: usize = 6;

/// What a new token shall be.
#[derive(Debug, Clone)]
pub struct CreateLicenseToken {
    /// The license.
    pub license: LicenseId,
    /// What it is for.
    pub kind: DerivedKind,
    /// Where it is used.
    pub name: String,
    /// From where a publishable id may be used; none for the others.
    pub origins: Vec<String>,
    /// Until when; `None` = until revoked, or as long as its key.
    pub expires_at: Option<Timestamp>,
    /// Whom the license must belong to, where a person makes it: it may have been transferred since that
    /// was checked.
    pub owner: Option<CustomerId>,
    /// Whose it is, where a person makes it for themselves.
    pub person: Option<PersonId>,
    /// Who makes it.
    pub actor: Actor,
}

/// A new token; its text is shown once and not kept.
#[derive(Debug)]
pub struct CreatedLicenseToken {
    /// Its id, or that of the one the same request made before.
    pub made: Once<LicenseTokenId>,
    /// `kwc_…`, `kwd_…` or `kwp_…`, of the new one.
    pub secret: SecretString,
}

/// Why it was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateLicenseTokenError {
    /// The database failed.
    #[error("the database failed while a license token was made")]
    Db(#[from] DbError),
    /// It could not be sealed for an equal request.
    #[error("a license token could not be sealed")]
    Seal(#[from] SealError),
    /// A field is not accepted.
    #[error(transparent)]
    Field(#[from] Fault),
    /// There is no such license.
    #[error("no such license")]
    NotFound,
    /// The license itself is refused.
    #[error("{}", .0.detail())]
    Refused(VerdictCode),
    /// The license's terms have no CI tokens.
    #[error("the terms do not include CI use")]
    NoCiUse,
    /// The license has as many as it may.
    #[error("the license has {TOKENS_MAX} tokens")]
    TooMany,
}

/// Makes a token, once for each claim.
pub async fn create_license_token(
    app: &App,
    input: CreateLicenseToken,
    claim: Claim,
) -> Result<CreatedLicenseToken, CreateLicenseTokenError> {
    let now = app.clock.now();
    let text = TokenText::new(input.kind.token_kind(), app.entropy.as_ref());
    let digest = text.digest(&app.vault);
    let secret = text.into_secret();
    let row = TokenRow {
        id: LicenseTokenId::new(now, app.entropy.as_ref()),
        license_id: input.license,
        license_key_id: None,
        person_id: input.person,
        kind: input.kind,
        name: texts::name(&input.name)?,
        hint: hint(&secret),
        digest,
        origins: origins(input.kind, &input.origins)?,
        created_at: now,
        expires_at: input.expires_at,
        revoked_at: None,
        flagged_at: None,
    };
    let claim = claim.keep(app, &secret)?;
    let (owner, actor) = (input.owner, input.actor);
    let made = app
        .db
        .write(Shard::of(row.license_id.as_str()), move |tx| {
            claim.once(tx, &row.id, |tx| {
                if !licenses::hold_for(tx, &row.license_id, owner.as_ref())? {
                    return Err(CreateLicenseTokenError::NotFound);
                }
                create_license_token_in(tx, row.clone(), actor.clone())?;
                Ok::<_, CreateLicenseTokenError>(row.id.clone())
            })
        })
        .await?;
    Ok(CreatedLicenseToken { made, secret })
}

fn hint(secret: &SecretString) -> String {
    let text = secret.expose_secret();
    let start = text.len().saturating_sub(HINT_LEN);
    text.get(start..).unwrap_or_default().to_owned()
}

fn origins(kind: DerivedKind, given: &[String]) -> Result<WordList, Fault> {
    let fault = |reason| Fault {
        field: "origins",
        reason,
    };
    if kind != DerivedKind::Publishable {
        let none = given.is_empty().then(WordList::default);
        return none.ok_or(fault("has a meaning for publishable ids only"));
    }
    let read: Option<Vec<String>> = given.iter().map(|text| origin(text)).collect();
    let reason = "must be 1 to 20 origins such as https://example.com; plain http is for this \
                  machine only";
    let mut origins = read.ok_or(fault(reason))?;
    origins.sort();
    origins.dedup();
    if origins.is_empty() || origins.len() > ORIGINS_MAX {
        return Err(fault(reason));
    }
    Ok(origins.into())
}

/// The same inside another unit of work. The token hangs on the license's primary key.
pub fn create_license_token_in(
    tx: &mut WriteTx<'_>,
    mut row: TokenRow,
    actor: Actor,
) -> Result<(), CreateLicenseTokenError> {
    let now = row.created_at;
    if row.expires_at.is_some_and(|end| end <= now) {
        let (field, reason) = ("expires_at", "must be a time to come");
        return Err(Fault { field, reason }.into());
    }
    if !licenses::lock(tx, &row.license_id)? {
        return Err(CreateLicenseTokenError::NotFound);
    }
    let found = licenses::find(tx.conn(), &row.license_id)?;
    let holding = found.ok_or(CreateLicenseTokenError::NotFound)?;
    if let Some(code) = holding.standing(true).refusal(now) {
        return Err(CreateLicenseTokenError::Refused(code));
    }
    if row.kind == DerivedKind::Ci && !holding.terms.ci_use {
        return Err(CreateLicenseTokenError::NoCiUse);
    }
    if store::count_live(tx.conn(), &row.license_id, now)? >= TOKENS_MAX {
        return Err(CreateLicenseTokenError::TooMany);
    }
    row.license_key_id = Some(holding.key_id);
    store::insert(tx, &row)?;
    let fields = &["license_id", "kind", "origins", "expires_at"];
    tx.audit(Entry::new(
        now,
        actor,
        "license_token.created",
        &row.id,
        fields,
    ));
    Ok(())
}
