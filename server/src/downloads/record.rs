//! What was delivered to whom: written, and counted against the license's limits, before the first
//! byte leaves.

use super::model::{
    CredentialForm, DAY_SECONDS, Day, DayLimits, DownloadId, LimitReached, TICKET_TIMES,
    network_of, seconds_left,
};
use super::store::{self, Download};
use super::tickets::KEEP_SECONDS;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{DbError, Shard, WriteTx};
use crate::licenses::model::LicenseId;
use crate::licenses::store::Holding;
use crate::licenses::tokens::model::LicenseTokenId;
use crate::releases::model::ArtifactId;

/// Who is given a file.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// The license; none for open kits.
    pub license: Option<LicenseId>,
    /// What its terms allow on one day.
    pub limits: DayLimits,
    /// The form in which the key or token came.
    pub credential: CredentialForm,
    /// The token, where it was one.
    pub token: Option<LicenseTokenId>,
    /// Digest of the ticket, where it was one.
    pub ticket: Option<Vec<u8>>,
}

/// What is about to be delivered.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    /// To whom.
    pub to: Recipient,
    /// From where it was asked for.
    pub address: std::net::IpAddr,
    /// The file.
    pub artifact: ArtifactId,
    /// How many bytes it has.
    pub size: u64,
    /// How many of them were asked for.
    pub asked: u64,
    /// Nonce of the stamp in it.
    pub stamp_nonce: Option<String>,
}

/// Why nothing is delivered.
#[derive(Debug, thiserror::Error)]
pub enum BeginDeliveryError {
    /// The database failed.
    #[error("the database failed while a delivery was recorded")]
    Db(#[from] DbError),
    /// A limit of the license's terms is reached for this day.
    #[error("the license's limit of the day is reached")]
    Limit {
        /// Which.
        reached: LimitReached,
        /// Seconds until the next day.
        retry_after: u64,
    },
    /// Another network used the ticket first.
    #[error("the ticket belongs to another network")]
    TicketElsewhere,
    /// The ticket gave as many bytes as it gives.
    #[error("the ticket is used up")]
    TicketUsedUp,
    /// The ticket was deleted meanwhile.
    #[error("unknown ticket")]
    TicketUnknown,
}

impl Recipient {
    /// The holder of a license, however it was found; anybody where the kit is open.
    pub fn of(holding: Option<&Holding>, credential: CredentialForm) -> Self {
        let limits = holding.map(|holding| DayLimits {
            downloads: holding.terms.downloads_per_day,
            networks: holding.terms.download_networks_per_day,
        });
        let via = holding.and_then(|holding| holding.via.as_ref());
        Self {
            license: holding.map(|holding| holding.license.id.clone()),
            limits: limits.unwrap_or_default(),
            credential,
            token: via.map(|via| via.token.clone()),
            ticket: None,
        }
    }
}

/// Records that a delivery begins, if the limits leave room for it.
pub async fn begin_delivery(app: &App, new: NewDelivery) -> Result<DownloadId, BeginDeliveryError> {
    let now = app.clock.now();
    let id = DownloadId::new(now, app.entropy.as_ref());
    let shard = match &new.to.license {
        Some(license) => Shard::of(license.as_str()),
        None => Shard::of(new.artifact.as_str()),
    };
    let row = id.clone();
    app.db
        .write(shard, move |tx| begin_delivery_in(tx, &row, &new, now))
        .await?;
    Ok(id)
}

fn begin_delivery_in(
    tx: &mut WriteTx<'_>,
    id: &DownloadId,
    new: &NewDelivery,
    now: Timestamp,
) -> Result<(), BeginDeliveryError> {
    let network = network_of(new.address);
    let asked = i64::try_from(new.asked).unwrap_or(i64::MAX);
    if let Some(digest) = &new.to.ticket {
        let size = i64::try_from(new.size).unwrap_or(i64::MAX);
        // A file without bytes can be had too.
        let most = size.max(1).saturating_mul(TICKET_TIMES);
        if !store::use_ticket(tx, digest, &network, asked.max(1), most)? {
            return Err(why_unusable(tx, digest, &network)?);
        }
    }
    let continues = match &new.to.license {
        Some(license) => !is_counted(tx, license, new, &network, now)?,
        None => false,
    };
    let row = Download {
        id: id.clone(),
        artifact_id: new.artifact.clone(),
        license_id: new.to.license.clone(),
        credential: new.to.credential,
        token_id: new.to.token.clone(),
        network: Some(network),
        bytes_asked: Some(asked),
        continues,
        started_at: now,
        completed: None,
        stamp_nonce: new.stamp_nonce.clone(),
    };
    Ok(store::insert(tx, &row)?)
}

fn why_unusable(
    tx: &mut WriteTx<'_>,
    digest: &[u8],
    network: &str,
) -> Result<BeginDeliveryError, DbError> {
    let ticket = store::find_ticket(tx.conn(), digest)?;
    Ok(match ticket.map(|ticket| ticket.network) {
        None => BeginDeliveryError::TicketUnknown,
        Some(Some(first)) if first != network => BeginDeliveryError::TicketElsewhere,
        Some(_) => BeginDeliveryError::TicketUsedUp,
    })
}

/// Counts a download; not where it goes on with one: the same file, network and day.
fn is_counted(
    tx: &mut WriteTx<'_>,
    license: &LicenseId,
    new: &NewDelivery,
    network: &str,
    now: Timestamp,
) -> Result<bool, BeginDeliveryError> {
    let day = Day::of(now);
    store::lock_day(tx, license, day)?;
    let (this_file, any_file) = store::seen(tx, license, day, network, &new.artifact)?;
    if this_file {
        return Ok(false);
    }
    store::count(tx, license, day, !any_file, new.to.limits)?.map_err(|reached| {
        BeginDeliveryError::Limit {
            reached,
            retry_after: seconds_left(now),
        }
    })?;
    store::insert_file(tx, license, day, network, &new.artifact)?;
    Ok(true)
}

/// Records how a delivery ended.
pub async fn end_delivery(app: &App, id: DownloadId, completed: bool) -> Result<(), DbError> {
    let shard = Shard::of(id.as_str());
    app.db
        .write(shard, move |tx| store::set_completed(tx, &id, completed))
        .await
}

/// Forgets what was counted on days that are over, tickets that are, and networks that are kept no
/// longer, in slices.
pub async fn sweep(app: &App) -> Result<(), DbError> {
    let now = app.clock.now();
    // The day before may still be written by a process whose clock is behind.
    let yesterday = Day::of(now).before();
    until_none(app, move |tx| store::delete_days(tx, yesterday)).await?;
    let over = now.plus_seconds(-KEEP_SECONDS);
    until_none(app, move |tx| store::delete_tickets(tx, over)).await?;
    let days = i64::from(app.config.retention.download_networks_days);
    let before = now.plus_seconds(-days * DAY_SECONDS);
    until_none(app, move |tx| store::forget_networks(tx, before)).await
}

/// Runs a step, each time in a unit of work of its own, until it finds nothing.
async fn until_none(
    app: &App,
    step: impl Fn(&mut WriteTx<'_>) -> Result<usize, DbError> + Copy + Send + 'static,
) -> Result<(), DbError> {
    while app.db.write(Shard::Wide, step).await? > 0 {}
    Ok(())
}
