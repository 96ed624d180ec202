//! Using a link or a code up: from a pending sign-in to a session.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::model::{PersonId, is_secret, new_secret, read_code, session_end};
use super::secrets::{browser_digest, code_digest, link_digest, session_digest};
use super::store::{self, SignIn};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::customers::claim::claim_in;
use crate::db::{AnyConn, DbError, Shard, WriteTx};

/// What proves that somebody reads the mails of an address.
#[derive(Debug, Clone)]
pub enum Proof {
    /// The secret of the link.
    Link(SecretString),
    /// The code, as typed.
    Code(SecretString),
}

/// A link or code, and the browser it comes from.
#[derive(Debug, Clone)]
pub struct CompleteSignIn {
    /// Link or code.
    pub proof: Proof,
    /// Secret of the browser's cookie, if it has one.
    pub browser: Option<SecretString>,
    /// Session the browser had until now; it ends.
    pub replaces: Option<SecretString>,
}

/// Somebody is signed in.
#[derive(Debug)]
pub struct Completed {
    /// Secret of the new session.
    pub session: SecretString,
    /// Who.
    pub person: PersonId,
    /// Path to go to.
    pub return_to: Option<String>,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum CompleteSignInError {
    /// Used before, over, dead after too many tries, or never made.
    #[error("the sign-in is not pending")]
    NotPending,
    /// The link was asked for in another browser.
    #[error("the link belongs to another browser")]
    OtherBrowser,
    /// Not the code of any pending sign-in of this browser.
    #[error("the code is wrong")]
    WrongCode {
        /// The address typed last in this browser.
        address: String,
    },
    /// The database.
    #[error("the sign-in could not be completed")]
    Db(#[from] DbError),
}

/// What was decided inside the unit of work. A wrong code is no error there: its count must stay.
enum Outcome {
    Done {
        person: PersonId,
        return_to: Option<String>,
    },
    Refused(CompleteSignInError),
}

/// All that the unit of work needs, made before it.
struct Prepared {
    proof: Digests,
    browser: Option<Vec<u8>>,
    replaces: Option<Vec<u8>>,
    session: Vec<u8>,
    person: PersonId,
    now: Timestamp,
}

enum Digests {
    Link(Vec<u8>),
    Code(Option<SecretString>),
}

/// Signs in, once per link or code however often it is tried at the same time.
pub async fn complete_sign_in(
    app: &Arc<App>,
    input: CompleteSignIn,
) -> Result<Completed, CompleteSignInError> {
    let now = app.clock.now();
    let session = new_secret(app.entropy.as_ref());
    let proof = match &input.proof {
        Proof::Link(link) if is_secret(link.expose_secret()) => {
            Digests::Link(link_digest(app, link))
        }
        Proof::Link(_) => return Err(CompleteSignInError::NotPending),
        Proof::Code(typed) => Digests::Code(read_code(typed.expose_secret())),
    };
    let prepared = Prepared {
        proof,
        browser: input
            .browser
            .as_ref()
            .map(|secret| browser_digest(app, secret)),
        replaces: input
            .replaces
            .as_ref()
            .map(|secret| session_digest(app, secret)),
        session: session_digest(app, &session),
        person: PersonId::new(now, app.entropy.as_ref()),
        now,
    };
    let parts = Arc::clone(app);
    let outcome = app
        .db
        .write(Shard::Wide, move |tx| complete_in(tx, &parts, &prepared))
        .await?;
    match outcome {
        Outcome::Done { person, return_to } => Ok(Completed {
            session,
            person,
            return_to,
        }),
        Outcome::Refused(reason) => Err(reason),
    }
}

fn complete_in(tx: &mut WriteTx<'_>, app: &App, made: &Prepared) -> Result<Outcome, DbError> {
    let found = match &made.proof {
        Digests::Link(digest) => by_link(tx.conn(), digest, made)?,
        Digests::Code(code) => by_code(tx, app, code.as_ref(), made)?,
    };
    let row = match found {
        Ok(row) => row,
        Err(refusal) => return Ok(Outcome::Refused(refusal)),
    };
    if !store::consume(tx, &row.id, made.now)? {
        return Ok(Outcome::Refused(CompleteSignInError::NotPending));
    }
    let person = person_in(tx, &row, made)?;
    claim_in(tx, &row.address, &person, made.now)?;
    if let Some(old) = &made.replaces {
        store::end_session(tx, old, made.now)?;
    }
    store::insert_session(tx, &made.session, &person, made.now, session_end(made.now))?;
    let actor = Actor::Person(person.to_string());
    tx.audit(Entry::new(
        made.now,
        actor,
        "person.signed_in",
        &person,
        &[],
    ));
    Ok(Outcome::Done {
        person,
        return_to: row.return_to,
    })
}

type Found = Result<SignIn, CompleteSignInError>;

fn by_link(conn: &mut AnyConn, digest: &[u8], made: &Prepared) -> Result<Found, DbError> {
    let row = store::find_by_link(conn, digest)?;
    Ok(usable(row, made.browser.as_deref(), made.now))
}

/// A link's sign-in, if this browser may use it now.
fn usable(row: Option<SignIn>, browser: Option<&[u8]>, now: Timestamp) -> Found {
    let row = row.filter(|row| row.is_pending(now));
    let row = row.ok_or(CompleteSignInError::NotPending)?;
    if row.browser_digest.is_some() && row.browser_digest.as_deref() != browser {
        return Err(CompleteSignInError::OtherBrowser);
    }
    Ok(row)
}

/// Tries a code on every pending sign-in of the browser: whoever asked twice may type either.
fn by_code(
    tx: &mut WriteTx<'_>,
    app: &App,
    code: Option<&SecretString>,
    made: &Prepared,
) -> Result<Found, DbError> {
    let Some(browser) = &made.browser else {
        return Ok(Err(CompleteSignInError::NotPending));
    };
    let rows = store::count_try(tx, browser, made.now)?;
    let Some(newest) = rows.first() else {
        return Ok(Err(CompleteSignInError::NotPending));
    };
    let address = newest.as_typed.clone();
    let fits = |row: &SignIn| match (code, &row.code_digest) {
        (Some(code), Some(right)) => code_digest(app, &row.id, code).ct_eq(right).into(),
        _ => false,
    };
    let right = rows.into_iter().find(fits);
    Ok(right.ok_or(CompleteSignInError::WrongCode { address }))
}

/// The person of the address, made now if nobody has it. Two sign-ins at once make one person.
fn person_in(tx: &mut WriteTx<'_>, row: &SignIn, made: &Prepared) -> Result<PersonId, DbError> {
    if let Some(known) = store::person_of_address(tx.conn(), &row.address)? {
        return Ok(known);
    }
    let created = tx.unless_taken(|tx| {
        store::insert_person(tx, &made.person, &row.address, &row.as_typed, made.now)?;
        let actor = Actor::Person(made.person.to_string());
        tx.audit(Entry::new(
            made.now,
            actor,
            "person.created",
            &made.person,
            &["address"],
        ));
        Ok(made.person.clone())
    })?;
    match created {
        Some(person) => Ok(person),
        // Somebody else was a moment faster; their row is visible now.
        None => store::person_of_address(tx.conn(), &row.address)?.ok_or(DbError::Aborted(None)),
    }
}

/// Looks at a link without using it: the address it signs in with. Changes nothing, so that mail
/// scanners may open it.
pub async fn look_at_link(
    app: &App,
    link: &SecretString,
    browser: Option<&SecretString>,
) -> Result<String, CompleteSignInError> {
    if !is_secret(link.expose_secret()) {
        return Err(CompleteSignInError::NotPending);
    }
    let digest = link_digest(app, link);
    let row = app
        .db
        .read(move |conn| store::find_by_link(conn, &digest))
        .await?;
    let browser = browser.map(|secret| browser_digest(app, secret));
    let row = usable(row, browser.as_deref(), app.clock.now())?;
    Ok(row.address)
}
