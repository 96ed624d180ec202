//! Asking for a sign-in mail, and links that operators make.

use secrecy::{ExposeSecret, SecretString};

use super::model::{
    ADDRESS_SECONDS, BROWSER_SECONDS, SignInId, display_address, may_mail, new_code, new_secret,
    sign_in_end,
};
use super::secrets::{browser_digest, code_digest, link_digest};
use super::store::{self, SignIn};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::customers::model::normalize_address;
use crate::db::{DbError, Shard, WriteTx};
use crate::outbox::{self, Job, Lane, Prepared};
use crate::secrets::SealError;

/// Seconds after which a sign-in is forgotten.
const SIGN_INS_KEPT: i64 = 24 * 60 * 60;
/// Seconds a session that is over is kept, for questions about who was signed in.
const SESSIONS_KEPT: i64 = 30 * 24 * 60 * 60;

/// Who wants to sign in, and from where.
#[derive(Debug, Clone)]
pub struct StartSignIn {
    /// The address as typed.
    pub address: String,
    /// Secret of the asking browser's cookie.
    pub browser: SecretString,
    /// Path to go to afterwards, checked.
    pub return_to: Option<String>,
}

/// Why a sign-in could not be started. An unknown address is no reason.
#[derive(Debug, thiserror::Error)]
pub enum StartSignInError {
    /// Not a mail address.
    #[error("not a mail address")]
    Address,
    /// The link and the code could not be sealed.
    #[error("the sign-in mail could not be sealed")]
    Seal(#[from] SealError),
    /// The database.
    #[error("the sign-in could not be stored")]
    Db(#[from] DbError),
}

/// Starts a sign-in. Answer and work are the same whether anybody has the address or not, and
/// whether a limit was reached or not: only a mail leaves or does not.
pub async fn start_sign_in(app: &App, input: StartSignIn) -> Result<(), StartSignInError> {
    let address = normalize_address(&input.address).ok_or(StartSignInError::Address)?;
    let now = app.clock.now();
    let id = SignInId::new(now, app.entropy.as_ref());
    let (link, code) = (
        new_secret(app.entropy.as_ref()),
        new_code(app.entropy.as_ref()),
    );
    let row = SignIn {
        as_typed: display_address(&input.address, &address),
        address,
        browser_digest: Some(browser_digest(app, &input.browser)),
        link_digest: link_digest(app, &link),
        code_digest: Some(code_digest(app, &id, &code)),
        tries: 0,
        return_to: input.return_to,
        created_at: now,
        expires_at: sign_in_end(now),
        consumed_at: None,
        id: id.clone(),
    };
    let job = Job::SignInMail {
        sign_in: id,
        link: link.expose_secret().to_owned(),
        code: code.expose_secret().to_owned(),
    };
    let mail = outbox::prepare(app, &job)?;
    let shard = Shard::of(row.address.as_str());
    app.db
        .write(shard, move |tx| start_in(tx, &row, &mail))
        .await?;
    app.lanes.wake(Lane::Mail);
    Ok(())
}

/// Locks first and counts then, so that parallel requests do not all see the last free mail.
fn start_in(tx: &mut WriteTx<'_>, row: &SignIn, mail: &Prepared) -> Result<(), DbError> {
    let browser = row.browser_digest.as_deref().unwrap_or_default();
    let now = row.created_at;
    // Anybody may ask, so whoever asks also takes away what others left.
    store::delete_sign_ins(tx, now.plus_seconds(-SIGN_INS_KEPT))?;
    store::delete_sessions(tx, now.plus_seconds(-SESSIONS_KEPT))?;
    store::lock_browser(tx, browser)?;
    let known = store::lock_address(tx, &row.address)?;
    let hour = now.plus_seconds(-ADDRESS_SECONDS);
    let to_address = store::mails_to(tx.conn(), &row.address, hour)?;
    let recently = now.plus_seconds(-BROWSER_SECONDS);
    let from_browser = store::mails_from(tx.conn(), browser, recently)?;
    if known && may_mail(to_address, from_browser) {
        store::insert_sign_in(tx, row)?;
        outbox::insert(tx, mail)
    } else {
        let silent = SignIn {
            code_digest: None,
            ..row.clone()
        };
        store::insert_sign_in(tx, &silent)
    }
}

/// Why an operator's link could not be made.
#[derive(Debug, thiserror::Error)]
pub enum OperatorLinkError {
    /// Not a mail address.
    #[error("not a mail address")]
    Address,
    /// The database.
    #[error("the sign-in could not be stored")]
    Db(#[from] DbError),
}

/// A link that signs in with an address from any browser, once, for ten minutes. Whoever runs the
/// server hands it on; no mail is sent. Returns its whole URL.
pub async fn operator_link(app: &App, address: &str) -> Result<String, OperatorLinkError> {
    let normalized = normalize_address(address).ok_or(OperatorLinkError::Address)?;
    let now = app.clock.now();
    let link = new_secret(app.entropy.as_ref());
    let row = SignIn {
        id: SignInId::new(now, app.entropy.as_ref()),
        as_typed: display_address(address, &normalized),
        address: normalized,
        browser_digest: None,
        link_digest: link_digest(app, &link),
        code_digest: None,
        tries: 0,
        return_to: None,
        created_at: now,
        expires_at: sign_in_end(now),
        consumed_at: None,
    };
    app.db
        .write(
            Shard::of(row.address.as_str()),
            move |tx| -> Result<(), DbError> {
                store::insert_sign_in(tx, &row)?;
                tx.audit(made(now, &row));
                Ok(())
            },
        )
        .await?;
    Ok(link_url(app, link.expose_secret()))
}

fn made(now: Timestamp, row: &SignIn) -> Entry {
    Entry::new(now, Actor::Operator, "sign_in.link_made", &row.id, &[])
}

/// The whole URL of a link.
pub(super) fn link_url(app: &App, link: &str) -> String {
    app.link(&format!("/sign-in/link/{link}"))
}
