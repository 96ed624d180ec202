//! Links that switch mails off by one click, without signing in.
//!
//! A link names person, kit and kind, and carries a check that only this installation makes; nothing
//! is stored for it, so that it works for ever. It does nothing else: it signs nobody in and tells
//! nothing about anybody.

use data_encoding::BASE32_NOPAD;
use subtle::ConstantTimeEq;

use super::model::{Choice, Hearer, NoticeKind, Subject};
use super::store;
use crate::app::App;
use crate::clock::Timestamp;
use crate::customers::model::CustomerId;
use crate::db::{DbError, Shard, WriteTx};
use crate::kits::model::KitId;

/// Keeps its digests apart from others.
const PURPOSE: &str = "unsubscribe link";
/// Bytes of the check.
const CHECK_LEN: usize = 16;

/// The address that switches off what a mail was about; of several kits, all new versions.
pub fn address(app: &App, hearer: &Hearer, kit: Option<&KitId>, kind: NoticeKind) -> String {
    let subject = Subject {
        hearer: hearer.clone(),
        kit: kit.cloned(),
        kind,
    };
    let text = subject.text();
    let check = check(app, &text);
    app.link(&format!("/unsubscribe/{text}-{check}"))
}

/// Switches off what a link names. One that nobody made does nothing, and nobody is told which it was.
pub async fn unsubscribe(app: &App, token: &str) -> Result<(), DbError> {
    let Some(subject) = read(app, token) else {
        return Ok(());
    };
    let now = app.clock.now();
    let shard = match &subject.hearer {
        Hearer::Person(person) => Shard::of(person.as_str()),
        // It may be a choice of people by now.
        Hearer::Buyer(_) => Shard::Wide,
    };
    app.db
        .write(shard, move |tx| switch_off_in(tx, &subject, now))
        .await
}

fn switch_off_in(tx: &mut WriteTx<'_>, subject: &Subject, now: Timestamp) -> Result<(), DbError> {
    let Subject { hearer, kit, kind } = subject;
    match (hearer, kit, kind) {
        (Hearer::Person(person), Some(kit), kind) => {
            store::set_choice(tx, (person, kit, *kind), Choice::Off, now)
        }
        (Hearer::Person(person), None, NoticeKind::NewVersion) => {
            store::set_silence(tx, person, Choice::Off, now)
        }
        (Hearer::Buyer(buyer), Some(kit), _) => switch_buyer_off_in(tx, (buyer, kit), now),
        // No mail of ours has such a link: advisories are about one kit each.
        (Hearer::Person(_), None, NoticeKind::Advisory) | (Hearer::Buyer(_), None, _) => Ok(()),
    }
}

/// Once somebody signed in, the mails are those of the owners, and the link still does what it says.
fn switch_buyer_off_in(
    tx: &mut WriteTx<'_>,
    (buyer, kit): (&CustomerId, &KitId),
    now: Timestamp,
) -> Result<(), DbError> {
    if store::lock_unclaimed(tx, buyer)? {
        return store::set_buyer_off(tx, (buyer, kit), now);
    }
    for owner in store::owners_of(tx.conn(), buyer)? {
        let subject = (&owner, kit, NoticeKind::Advisory);
        store::set_choice(tx, subject, Choice::Off, now)?;
    }
    Ok(())
}

fn read(app: &App, token: &str) -> Option<Subject> {
    let (text, given) = token.rsplit_once('-')?;
    let subject = Subject::parse(text)?;
    let right = check(app, text);
    let same: bool = given.as_bytes().ct_eq(right.as_bytes()).into();
    same.then_some(subject)
}

fn check(app: &App, text: &str) -> String {
    let digest = app.vault.digest(PURPOSE, text.as_bytes());
    let first: Vec<u8> = digest.into_iter().take(CHECK_LEN).collect();
    BASE32_NOPAD.encode(&first).to_ascii_lowercase()
}
