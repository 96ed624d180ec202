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
    /// The file; several where what is sent holds bytes of each.
    pub artifacts: Vec<ArtifactId>,
    /// How many bytes there are.
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

/// A delivery that has begun: its rows, one for each file, and where they are written. It ends there too:
/// two writers that change the same rows would wait for each other.
#[derive(Debug, Clone)]
pub struct Begun {
    ids: Vec<DownloadId>,
    shard: Shard,
}

/// Records that a delivery begins, if the limits leave room for it.
pub async fn begin_delivery(app: &App, mut new: NewDelivery) -> Result<Begun, BeginDeliveryError> {
    let now = app.clock.now();
    // Whoever changes rows of several files does it in the same order.
    new.artifacts.sort_unstable();
    let each = new.artifacts.iter();
    let ids: Vec<DownloadId> = each
        .map(|_| DownloadId::new(now, app.entropy.as_ref()))
        .collect();
    let shard = match (&new.to.license, new.artifacts.as_slice()) {
        (Some(license), _) => Shard::of(license.as_str()),
        (None, [artifact]) => Shard::of(artifact.as_str()),
        (None, _) => Shard::Wide,
    };
    let ids = app
        .db
        .write(shard, move |tx| begin_delivery_in(tx, &ids, &new, now))
        .await?;
    Ok(Begun { ids, shard })
}

fn begin_delivery_in(
    tx: &mut WriteTx<'_>,
    ids: &[DownloadId],
    new: &NewDelivery,
    now: Timestamp,
) -> Result<Vec<DownloadId>, BeginDeliveryError> {
    let network = network_of(new.address);
    let asked = i64::try_from(new.asked).unwrap_or(i64::MAX);
    pass_ticket(tx, new, &network, asked)?;
    let mut recorded = Vec::with_capacity(ids.len());
    for (id, artifact) in ids.iter().zip(&new.artifacts) {
        let continues = match &new.to.license {
            Some(license) => !is_counted(tx, license, (artifact, new.to.limits), &network, now)?,
            None => false,
        };
        let row = Download {
            id: id.clone(),
            artifact_id: artifact.clone(),
            license_id: new.to.license.clone(),
            credential: new.to.credential,
            token_id: new.to.token.clone(),
            network: Some(network.clone()),
            bytes_asked: Some(asked),
            continues,
            started_at: now,
            completed: None,
            stamp_nonce: new.stamp_nonce.clone(),
        };
        recorded.push(put(tx, row, asked)?);
    }
    Ok(recorded)
}

/// Adds a part to the delivery that it goes on with, else a delivery: what anybody may ask for again
/// and again makes no rows.
fn put(tx: &mut WriteTx<'_>, row: Download, asked: i64) -> Result<DownloadId, DbError> {
    // What is counted now is new; what nobody counts may be either.
    let may_go_on = row.continues || row.license_id.is_none();
    if may_go_on && let Some(id) = store::of_same_day(tx, &row)? {
        store::add_part(tx, &id, asked)?;
        return Ok(id);
    }
    store::insert(tx, &row)?;
    Ok(row.id)
}

/// Takes what is asked for from what the ticket has left, where it came by one.
fn pass_ticket(
    tx: &mut WriteTx<'_>,
    new: &NewDelivery,
    network: &str,
    asked: i64,
) -> Result<(), BeginDeliveryError> {
    if let Some(digest) = &new.to.ticket {
        let size = i64::try_from(new.size).unwrap_or(i64::MAX);
        // A file without bytes can be had too.
        let most = size.max(1).saturating_mul(TICKET_TIMES);
        if !store::use_ticket(tx, digest, network, asked.max(1), most)? {
            return Err(why_unusable(tx, digest, network)?);
        }
    }
    Ok(())
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
    (artifact, limits): (&ArtifactId, DayLimits),
    network: &str,
    now: Timestamp,
) -> Result<bool, BeginDeliveryError> {
    let day = Day::of(now);
    store::lock_day(tx, license, day)?;
    let (this_file, any_file) = store::seen(tx, license, day, network, artifact)?;
    if this_file {
        return Ok(false);
    }
    store::count(tx, license, day, !any_file, limits)?.map_err(|reached| {
        BeginDeliveryError::Limit {
            reached,
            retry_after: seconds_left(now),
        }
    })?;
    store::insert_file(tx, license, day, network, artifact)?;
    Ok(true)
}

/// Records how a delivery ended.
pub async fn end_delivery(app: &App, begun: Begun, completed: bool) -> Result<(), DbError> {
    let Begun { ids, shard } = begun;
    app.db
        .write(shard, move |tx| {
            ids.iter()
                .try_for_each(|id| store::set_completed(tx, id, completed))
        })
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
