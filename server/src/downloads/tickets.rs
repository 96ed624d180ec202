//! Tickets: one file, ten minutes, no other credential.

use data_encoding::BASE32_NOPAD;

use super::authorize::{AccessError, check_artifact};
use super::model::{CredentialForm, TICKET_SECONDS};
use super::record::Recipient;
use super::store::{self, TicketRow};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{DbError, Shard};
use crate::entropy::bytes;
use crate::licenses;
use crate::licenses::model::LicenseId;
use crate::releases::model::ArtifactId;
use crate::releases::store::Artifact;

/// Seconds a ticket that is over still answers with 410.
const KEEP_SECONDS: i64 = 24 * 60 * 60;
const PURPOSE: &str = "download ticket";
/// 32 bytes in base32.
const SECRET_LENGTH: usize = 52;

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
pub async fn create_ticket(
    app: &App,
    license: LicenseId,
    artifact: ArtifactId,
) -> Result<Ticket, TicketError> {
    let now = app.clock.now();
    let random: [u8; 32] = bytes(app.entropy.as_ref());
    let secret = BASE32_NOPAD.encode(&random).to_lowercase();
    let (wanted, owner) = (artifact.clone(), license.clone());
    app.db
        .read_snapshot(move |conn| check_artifact(conn, &owner, &wanted, now))
        .await?;
    let expires_at = now.plus_seconds(TICKET_SECONDS);
    let row = TicketRow {
        digest: app.vault.digest(PURPOSE, secret.as_bytes()),
        artifact_id: artifact,
        license_id: license,
        created_at: now,
        expires_at,
        network: None,
        bytes_asked: 0,
    };
    app.db
        .write(Shard::of(row.license_id.as_str()), move |tx| {
            store::delete_tickets(tx, now.plus_seconds(-KEEP_SECONDS))?;
            store::insert_ticket(tx, &row)
        })
        .await?;
    let url = app.link(&format!("/v1/downloads/{secret}"));
    Ok(Ticket { url, expires_at })
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
