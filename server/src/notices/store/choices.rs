//! Which mails people switched off.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::customers::model::CustomerId;
use crate::db::schema::{buyer_choices, kits, notice_choices, notice_silences, people};
use crate::db::{AnyConn, DbError, WriteTx};
use crate::kits::model::KitId;
use crate::notices::model::{Choice, NoticeKind};
use crate::people::model::PersonId;

/// What people switched off.
#[derive(Debug, Clone, Default)]
pub struct Off {
    kinds: Vec<(PersonId, KitId, NoticeKind)>,
    silent: Vec<PersonId>,
}

impl Off {
    /// Whether a person wants no mails of a kind about a kit.
    pub fn is_off(&self, person: &PersonId, kit: &KitId, kind: NoticeKind) -> bool {
        let silent = kind == NoticeKind::NewVersion && self.is_silent(person);
        silent || self.is_off_for(person, kit, kind)
    }

    /// Whether that was said for this kit.
    pub fn is_off_for(&self, person: &PersonId, kit: &KitId, kind: NoticeKind) -> bool {
        let mut kinds = self.kinds.iter();
        kinds.any(|(who, what, which)| who == person && what == kit && *which == kind)
    }

    /// Whether a person wants no mails about new versions at all.
    pub fn is_silent(&self, person: &PersonId) -> bool {
        self.silent.contains(person)
    }
}

/// What these people switched off.
pub fn choices_of(conn: &mut AnyConn, people: &[PersonId]) -> Result<Off, DbError> {
    let kinds = notice_choices::table
        .filter(notice_choices::person_id.eq_any(people.to_vec()))
        .select((
            notice_choices::person_id,
            notice_choices::kit_id,
            notice_choices::kind,
        ))
        .load(conn)?;
    let silent = notice_silences::table
        .filter(notice_silences::person_id.eq_any(people.to_vec()))
        .select(notice_silences::person_id)
        .load(conn)?;
    Ok(Off { kinds, silent })
}

/// Writes what a person wants of a kit; for a person or kit that is not there, nothing.
pub fn set_choice(
    tx: &mut WriteTx<'_>,
    subject: (&PersonId, &KitId, NoticeKind),
    choice: Choice,
    now: Timestamp,
) -> Result<(), DbError> {
    let (person, kit, kind) = subject;
    if choice == Choice::On {
        diesel::delete(notice_choices::table.find((person, kit, kind))).execute(tx.conn())?;
        return Ok(());
    }
    let known: Option<KitId> = kits::table
        .find(kit)
        .select(kits::id)
        .get_result(tx.conn())
        .optional()?;
    if known.is_none() || !is_known(tx, person)? {
        return Ok(());
    }
    tx.unless_taken(|tx| {
        diesel::insert_into(notice_choices::table)
            .values((
                notice_choices::person_id.eq(person),
                notice_choices::kit_id.eq(kit),
                notice_choices::kind.eq(kind),
                notice_choices::since.eq(now),
            ))
            .execute(tx.conn())?;
        Ok(())
    })?;
    Ok(())
}

/// What a buyer switched off stays off for the person who signed in first.
pub fn take_over_choices(
    tx: &mut WriteTx<'_>,
    buyer: &CustomerId,
    person: &PersonId,
) -> Result<(), DbError> {
    let off: Vec<(KitId, Timestamp)> = buyer_choices::table
        .filter(buyer_choices::customer_id.eq(buyer))
        .select((buyer_choices::kit_id, buyer_choices::since))
        .load(tx.conn())?;
    for (kit, since) in &off {
        let subject = (person, kit, NoticeKind::Advisory);
        set_choice(tx, subject, Choice::Off, *since)?;
    }
    Ok(())
}

/// Writes whether a person wants mails about new versions at all.
pub fn set_silence(
    tx: &mut WriteTx<'_>,
    person: &PersonId,
    choice: Choice,
    now: Timestamp,
) -> Result<(), DbError> {
    if choice == Choice::On {
        diesel::delete(notice_silences::table.find(person)).execute(tx.conn())?;
        return Ok(());
    }
    if !is_known(tx, person)? {
        return Ok(());
    }
    tx.unless_taken(|tx| {
        diesel::insert_into(notice_silences::table)
            .values((
                notice_silences::person_id.eq(person),
                notice_silences::since.eq(now),
            ))
            .execute(tx.conn())?;
        Ok(())
    })?;
    Ok(())
}

fn is_known(tx: &mut WriteTx<'_>, person: &PersonId) -> Result<bool, DbError> {
    let found: Option<PersonId> = people::table
        .find(person)
        .select(people::id)
        .get_result(tx.conn())
        .optional()?;
    Ok(found.is_some())
}
