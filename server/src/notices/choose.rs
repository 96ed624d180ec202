//! What a person who is signed in wants to hear.

use super::model::{Choice, NoticeKind};
use super::store;
use crate::app::App;
use crate::db::{DbError, Shard};
use crate::kits::model::KitId;
use crate::people::model::PersonId;

/// Switches mails of a kind about a kit on or off.
pub async fn choose(
    app: &App,
    person: PersonId,
    kit: KitId,
    kind: NoticeKind,
    choice: Choice,
) -> Result<(), DbError> {
    let now = app.clock.now();
    app.db
        .write(Shard::of(person.as_str()), move |tx| {
            store::set_choice(tx, (&person, &kit, kind), choice, now)
        })
        .await
}

/// Switches mails about new versions of everything on or off.
pub async fn choose_all(app: &App, person: PersonId, choice: Choice) -> Result<(), DbError> {
    let now = app.clock.now();
    app.db
        .write(Shard::of(person.as_str()), move |tx| {
            store::set_silence(tx, &person, choice, now)
        })
        .await
}
