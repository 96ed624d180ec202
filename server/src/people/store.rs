//! Queries on `people`, `person_emails`, `sign_ins` and `sessions`.

use diesel::prelude::*;

use super::model::{PersonId, SignInId, TRIES_MAX};
use crate::clock::Timestamp;
use crate::db::schema::{customers, people, person_emails, sessions, sign_ins};
use crate::db::{AnyConn, DbError, WriteTx};

/// A pending sign-in as stored.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = sign_ins)]
pub struct SignIn {
    /// Its id.
    pub id: SignInId,
    /// Normalized address.
    pub address: String,
    /// The address for people.
    pub as_typed: String,
    /// Digest of the asking browser's cookie; `None` = made by an operator, for any browser.
    pub browser_digest: Option<Vec<u8>>,
    /// Digest of the secret in the link.
    pub link_digest: Vec<u8>,
    /// Digest of the code; `None` = no mail was sent, so that nobody knows a code.
    pub code_digest: Option<Vec<u8>>,
    /// Codes tried.
    pub tries: i32,
    /// Path to go to afterwards.
    pub return_to: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it is over.
    pub expires_at: Timestamp,
    /// When it was used.
    pub consumed_at: Option<Timestamp>,
}

impl SignIn {
    /// Whether it can still be used.
    pub fn is_pending(&self, now: Timestamp) -> bool {
        self.consumed_at.is_none() && now < self.expires_at && self.tries < TRIES_MAX
    }
}

/// Adds a pending sign-in.
pub(super) fn insert_sign_in(tx: &mut WriteTx<'_>, row: &SignIn) -> Result<(), DbError> {
    diesel::insert_into(sign_ins::table)
        .values(row)
        .execute(tx.conn())?;
    Ok(())
}

/// Locks whoever may sign in with an address, so that its mails are counted one after the other;
/// `false` when nobody may. Both statements run in either case.
pub(super) fn lock_address(tx: &mut WriteTx<'_>, address: &str) -> Result<bool, DbError> {
    let verified = diesel::update(person_emails::table.find(address))
        .set(person_emails::verified_at.eq(person_emails::verified_at))
        .execute(tx.conn())?;
    let waiting = diesel::update(customers::table.filter(customers::claim_address.eq(address)))
        .set(customers::claim_address.eq(customers::claim_address))
        .execute(tx.conn())?;
    Ok(verified + waiting > 0)
}

/// Locks the sign-ins of a browser, for the same reason. Before any address (lock order).
pub(super) fn lock_browser(tx: &mut WriteTx<'_>, browser: &[u8]) -> Result<(), DbError> {
    diesel::update(sign_ins::table.filter(sign_ins::browser_digest.eq(browser)))
        .set(sign_ins::tries.eq(sign_ins::tries))
        .execute(tx.conn())?;
    Ok(())
}

/// Mails sent to an address after a moment.
pub(super) fn mails_to(
    conn: &mut AnyConn,
    address: &str,
    after: Timestamp,
) -> Result<i64, DbError> {
    Ok(sign_ins::table
        .filter(sign_ins::address.eq(address))
        .filter(sign_ins::created_at.gt(after))
        .filter(sign_ins::code_digest.is_not_null())
        .count()
        .get_result(conn)?)
}

/// Mails a browser asked for after a moment.
pub(super) fn mails_from(
    conn: &mut AnyConn,
    browser: &[u8],
    after: Timestamp,
) -> Result<i64, DbError> {
    Ok(sign_ins::table
        .filter(sign_ins::browser_digest.eq(browser))
        .filter(sign_ins::created_at.gt(after))
        .filter(sign_ins::code_digest.is_not_null())
        .count()
        .get_result(conn)?)
}

/// Most rows one request deletes: more than it adds, few enough not to be felt.
const SLICE: i64 = 100;

/// Deletes the oldest sign-ins made before a moment.
pub(super) fn delete_sign_ins(tx: &mut WriteTx<'_>, before: Timestamp) -> Result<(), DbError> {
    let old: Vec<SignInId> = sign_ins::table
        .filter(sign_ins::created_at.lt(before))
        .order((sign_ins::created_at, sign_ins::id))
        .limit(SLICE)
        .select(sign_ins::id)
        .load(tx.conn())?;
    if !old.is_empty() {
        diesel::delete(sign_ins::table.filter(sign_ins::id.eq_any(old))).execute(tx.conn())?;
    }
    Ok(())
}

/// Deletes the oldest sessions that were over before a moment; those ended early go with the rest.
pub(super) fn delete_sessions(tx: &mut WriteTx<'_>, before: Timestamp) -> Result<(), DbError> {
    let old: Vec<Vec<u8>> = sessions::table
        .filter(sessions::expires_at.lt(before))
        .order((sessions::expires_at, sessions::digest))
        .limit(SLICE)
        .select(sessions::digest)
        .load(tx.conn())?;
    if !old.is_empty() {
        diesel::delete(sessions::table.filter(sessions::digest.eq_any(old))).execute(tx.conn())?;
    }
    Ok(())
}

/// The sign-in with this id.
pub fn find_sign_in(conn: &mut AnyConn, id: &SignInId) -> Result<Option<SignIn>, DbError> {
    Ok(sign_ins::table.find(id).get_result(conn).optional()?)
}

/// The sign-in a link stands for.
pub(super) fn find_by_link(conn: &mut AnyConn, link: &[u8]) -> Result<Option<SignIn>, DbError> {
    Ok(sign_ins::table
        .filter(sign_ins::link_digest.eq(link))
        .get_result(conn)
        .optional()?)
}

/// Counts one more code on every pending sign-in of a browser, and returns them, newest first. The
/// count comes first, so that no number of parallel tries gets past the limit.
pub(super) fn count_try(
    tx: &mut WriteTx<'_>,
    browser: &[u8],
    now: Timestamp,
) -> Result<Vec<SignIn>, DbError> {
    let mut rows: Vec<SignIn> = diesel::update(
        sign_ins::table
            .filter(sign_ins::browser_digest.eq(browser))
            .filter(sign_ins::consumed_at.is_null())
            .filter(sign_ins::expires_at.gt(now))
            .filter(sign_ins::tries.lt(TRIES_MAX)),
    )
    .set(sign_ins::tries.eq(sign_ins::tries + 1))
    .returning(sign_ins::all_columns)
    .get_results(tx.conn())?;
    rows.sort_by(|a, b| b.id.cmp(&a.id));
    Ok(rows)
}

/// Uses a sign-in up; `false` when somebody else did, or its time is over.
pub(super) fn consume(
    tx: &mut WriteTx<'_>,
    id: &SignInId,
    now: Timestamp,
) -> Result<bool, DbError> {
    let used = diesel::update(sign_ins::table.find(id))
        .filter(sign_ins::consumed_at.is_null())
        .filter(sign_ins::expires_at.gt(now))
        .set(sign_ins::consumed_at.eq(Some(now)))
        .execute(tx.conn())?;
    Ok(used == 1)
}

/// The person a verified address belongs to.
pub fn person_of_address(conn: &mut AnyConn, address: &str) -> Result<Option<PersonId>, DbError> {
    Ok(person_emails::table
        .find(address)
        .select(person_emails::person_id)
        .get_result(conn)
        .optional()?)
}

/// Adds a person with a first verified address.
pub(super) fn insert_person(
    tx: &mut WriteTx<'_>,
    id: &PersonId,
    address: &str,
    as_typed: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    diesel::insert_into(people::table)
        .values((
            people::id.eq(id),
            people::name.eq(""),
            people::created_at.eq(now),
        ))
        .execute(tx.conn())?;
    diesel::insert_into(person_emails::table)
        .values((
            person_emails::address.eq(address),
            person_emails::person_id.eq(id),
            person_emails::as_typed.eq(as_typed),
            person_emails::verified_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// The address a person is shown under: the one verified first.
pub fn address_of(conn: &mut AnyConn, person: &PersonId) -> Result<Option<String>, DbError> {
    let all: Vec<String> = person_emails::table
        .filter(person_emails::person_id.eq(person))
        .order((person_emails::verified_at, person_emails::address))
        .select(person_emails::as_typed)
        .load(conn)?;
    Ok(all.into_iter().next())
}

/// Where mails to a person go: the address verified first, in the form that every mail server takes.
pub fn primary_address(conn: &mut AnyConn, person: &PersonId) -> Result<Option<String>, DbError> {
    let all: Vec<String> = person_emails::table
        .filter(person_emails::person_id.eq(person))
        .order((person_emails::verified_at, person_emails::address))
        .select(person_emails::address)
        .load(conn)?;
    Ok(all.into_iter().next())
}

/// Starts a session.
pub(super) fn insert_session(
    tx: &mut WriteTx<'_>,
    digest: &[u8],
    person: &PersonId,
    now: Timestamp,
    end: Timestamp,
) -> Result<(), DbError> {
    diesel::insert_into(sessions::table)
        .values((
            sessions::digest.eq(digest),
            sessions::person_id.eq(person),
            sessions::created_at.eq(now),
            sessions::expires_at.eq(end),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Who is signed in with a session that is neither ended nor over.
pub(super) fn person_of_session(
    conn: &mut AnyConn,
    digest: &[u8],
    now: Timestamp,
) -> Result<Option<PersonId>, DbError> {
    Ok(sessions::table
        .find(digest)
        .filter(sessions::ended_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .select(sessions::person_id)
        .get_result(conn)
        .optional()?)
}

/// Ends a session; ending it again changes nothing.
pub(super) fn end_session(
    tx: &mut WriteTx<'_>,
    digest: &[u8],
    now: Timestamp,
) -> Result<(), DbError> {
    diesel::update(sessions::table.find(digest))
        .filter(sessions::ended_at.is_null())
        .set(sessions::ended_at.eq(Some(now)))
        .execute(tx.conn())?;
    Ok(())
}
