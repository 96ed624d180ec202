//! Tickets: one file, ten minutes, no other credential.

use data_encoding::BASE32_NOPAD;

use super::authorize::{AccessError, check_artifact};
use super::model::{CredentialForm, TICKET_SECONDS};
use super::record::Recipient;
use super::store::{self, TicketRow};
use crate::app::App;
use crate::clock::Timestamp;
use crate::customers::model::CustomerId;
use crate::db::{DbError, Shard, WriteTx};
use crate::entropy::bytes;
use crate::licenses;
use crate::licenses::model::LicenseId;
use crate::releases::model::ArtifactId;
use crate::releases::store::Artifact;

/// Seconds a ticket that is over still answers with 410.
pub(super) const KEEP_SECONDS: i64 = 24 * 60 * 60;
const PURPOSE: &str = "download ticket";
/// 32 bytes in base32.
const SECRET_LENGTH: usize = 52;

/// For what a ticket is made.
#[derive(Debug, Clone)]
pub struct NewTicket {
    /// Who asks for it, and owns the license.
    pub owner: CustomerId,
    /// The license.
    pub license: LicenseId,
    /// The file.
    pub artifact: ArtifactId,
}

/// A new ticket.
#[derive(Debug)]
pub struct Ticket {
    /// Address of the file, the secret in it.
    pub url: String,
    /// Good until then.
    pub expires_at: Timestamp,
}

/// Why there is none, or why it opens nothing.
#[derive(Debug, thiserror::Error)]
pub enum TicketError {
    /// The license may not have the file.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The license was given to somebody else.
    #[error("the license has another owner")]
    OtherOwner,
    /// Nobody made this ticket.
    #[error("unknown ticket")]
    Unknown,
    /// Its time is over.
    #[error("the ticket has ended")]
    Expired,
}

impl From<DbError> for TicketError {
    fn from(error: DbError) -> Self {
        Self::Access(error.into())
    }
}

/// Makes a ticket, if the license may have the file.
pub async fn create_ticket(app: &App, new: NewTicket) -> Result<Ticket, TicketError> {
    let now = app.clock.now();
    let random: [u8; 32] = bytes(app.entropy.as_ref());
    let secret = BASE32_NOPAD.encode(&random).to_lowercase();
    let wanted = new.clone();
    app.db
        .read_snapshot(move |conn| check_artifact(conn, &wanted.license, &wanted.artifact, now))
        .await?;
    let expires_at = now.plus_seconds(TICKET_SECONDS);
    let row = TicketRow {
        digest: app.vault.digest(PURPOSE, secret.as_bytes()),
        artifact_id: new.artifact,
        license_id: new.license,
        created_at: now,
        expires_at,
        network: None,
        bytes_asked: 0,
    };
    let owner = new.owner;
    app.db
        .write(Shard::of(row.license_id.as_str()), move |tx| {
            create_ticket_in(tx, &owner, &row)
        })
        .await?;
    let url = app.link(&format!("/v1/downloads/{secret}"));
    Ok(Ticket { url, expires_at })
}

/// A transfer deletes the tickets that are there, so none may come after it: the license stays with
/// its owner until the ticket is. What the license may have is looked at whenever the ticket is used.
fn create_ticket_in(
    tx: &mut WriteTx<'_>,
    owner: &CustomerId,
    row: &TicketRow,
) -> Result<(), TicketError> {
    if !licenses::store::hold_owner(tx, &row.license_id, owner)? {
        return Err(TicketError::OtherOwner);
    }
    store::delete_tickets(tx, row.created_at.plus_seconds(-KEEP_SECONDS))?;
    Ok(store::insert_ticket(tx, row)?)
}

/// What a ticket opens: the license is looked at again, its revocation counts at once.
pub async fn open_ticket(app: &App, secret: &str) -> Result<(Recipient, Artifact), TicketError> {
    if secret.len() != SECRET_LENGTH {
        return Err(TicketError::Unknown);
    }
    let now = app.clock.now();
    let digest = app.vault.digest(PURPOSE, secret.as_bytes());
    app.db
        .read_snapshot(move |conn| {
            let ticket = store::find_ticket(conn, &digest)?.ok_or(TicketError::Unknown)?;
            if ticket.expires_at <= now {
                return Err(TicketError::Expired);
            }
            let artifact = check_artifact(conn, &ticket.license_id, &ticket.artifact_id, now)?;
            let holding = licenses::store::find(conn, &ticket.license_id)?;
            let holding = holding.ok_or(TicketError::Unknown)?;
            let recipient = Recipient {
                ticket: Some(ticket.digest),
                ..Recipient::of(Some(&holding), CredentialForm::Ticket)
            };
            Ok((recipient, artifact))
        })
        .await
}
