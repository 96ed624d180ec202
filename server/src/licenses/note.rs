//! Writing a note about a license.

use super::change::{self, Change, ChangeError};
use super::model::{LicenseId, NoteId, note_text};
use super::store::{self, Note};
use crate::app::App;
use crate::db::{DbError, WriteTx};
use crate::idempotency::{Claim, Once};
use crate::kits::texts::Fault;

/// A note that is not written yet.
#[derive(Debug, Clone)]
pub struct NewNote {
    id: NoteId,
    text: String,
}

impl NewNote {
    /// Checks its text.
    pub fn new(app: &App, text: &str) -> Result<Self, Fault> {
        let text = note_text(text)?;
        let id = NoteId::new(app.clock.now(), app.entropy.as_ref());
        Ok(Self { id, text })
    }
}

/// Writes a note; merged licenses take them too.
pub async fn write_note(
    app: &App,
    of: Change,
    note: NewNote,
    claim: Claim,
) -> Result<Once<LicenseId>, ChangeError> {
    change::run(app, claim, of, move |tx, of| {
        match change::open_in(tx, of) {
            Ok(_) | Err(ChangeError::Merged { .. }) => {}
            Err(error) => return Err(error),
        }
        write_in(tx, of, &note)?;
        Ok(())
    })
    .await
}

/// The same inside another unit of work, which holds the license's lock. What a note says is the
/// vendor's, and may name people: the audit log holds its id alone.
pub fn write_in(tx: &mut WriteTx<'_>, of: &Change, note: &NewNote) -> Result<(), DbError> {
    let row = Note {
        id: note.id.clone(),
        license_id: of.license.clone(),
        author: of.actor.to_string(),
        body: note.text.clone(),
        created_at: of.now,
    };
    store::insert_note(tx, &row)?;
    tx.audit(of.entry("license.noted", &["notes"]));
    Ok(())
}
