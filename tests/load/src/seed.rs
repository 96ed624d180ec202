//! Installations full of real licenses, by the server's own operations in large units of work.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use kitward::activations::model::ActivationId;
use kitward::activations::store::{self as seats, Activation};
use kitward::app::{App, Parts};
use kitward::audit::Actor;
use kitward::config;
use kitward::customers::model::CustomerId;
use kitward::customers::store::{Customer, insert_customer};
use kitward::db::{DbError, Shard, WriteTx};
use kitward::idempotency::Claim;
use kitward::kits::create_kit::{CreateKit, create_kit};
use kitward::kits::create_policy::{CreatePolicy, create_policy};
use kitward::kits::model::{KitStatus, SeatKind};
use kitward::kits::store::{TermsVersion, find_policy_by_name};
use kitward::licenses::issue::{IssueLicense, Prepared, issue_in, key_cell, prepare};
use kitward::licenses::store::{self as licenses};
use kitward::secrets::SealError;
use tokio::task::JoinSet;

use crate::Outcome;
use crate::keys::Keys;
use crate::releases::publish;

/// The kit all licenses are for.
pub(crate) const KIT: &str = "feedback-widget";
/// Other kits of the vendor.
const OTHERS: [&str; 5] = [
    "rate-limiter",
    "changelog",
    "feature-flags",
    "error-tracking",
    "session-recording",
];
/// Seats taken of each license.
const SEATS: u64 = 2;
/// Licenses that one unit of work writes.
const CHUNK: usize = 500;
/// Units of work under way at once: what is queued during one COMMIT shares the next.
const UNDER_WAY: usize = 4;

/// Identity of a seat that is taken.
pub(crate) fn device(license: usize, seat: u64) -> String {
    format!("device-{license}-{seat}")
}

/// Why a chunk was not written.
#[derive(Debug)]
enum SeedError {
    Db(DbError),
    Key(SealError),
}

impl std::fmt::Display for SeedError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Db(error) => write!(f, "licenses could not be written: {error}"),
            Self::Key(error) => write!(f, "a license key could not be opened: {error}"),
        }
    }
}

impl std::error::Error for SeedError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Db(error) => Some(error),
            Self::Key(error) => Some(error),
        }
    }
}

impl From<DbError> for SeedError {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

impl From<SealError> for SeedError {
    fn from(error: SealError) -> Self {
        Self::Key(error)
    }
}

/// Fills a new installation with `count` licenses, two seats of each taken.
pub(crate) async fn seed(
    folder: &Path,
    mut variables: BTreeMap<String, String>,
    count: usize,
) -> Outcome<Keys> {
    let path = folder.display().to_string();
    variables.insert("KITWARD_DATA_DIR".to_owned(), path);
    let app = App::build(config::load(None, &variables)?, Parts::default()).await?;
    let terms = catalog(&app).await?;
    publish(&app).await?;
    let mut chunks = BTreeMap::new();
    let mut writing = JoinSet::new();
    for first in (0..count).step_by(CHUNK) {
        let size = CHUNK.min(count - first);
        let chunk = Chunk {
            first,
            prepared: prepare(&app, size)?,
            terms: terms.clone(),
            app: Arc::clone(&app),
        };
        writing.spawn(write_chunk(chunk));
        // Lets it reach the writer, which works while the next keys are made.
        tokio::task::yield_now().await;
        if writing.len() >= UNDER_WAY
            && let Some(written) = writing.join_next().await
        {
            let (first, keys) = written??;
            chunks.insert(first, keys);
        }
    }
    while let Some(written) = writing.join_next().await {
        let (first, keys) = written??;
        chunks.insert(first, keys);
    }
    app.db.close();
    Ok(Keys::new(chunks.into_values().flatten().collect()))
}

async fn catalog(app: &App) -> Outcome<TermsVersion> {
    for slug in OTHERS.iter().chain([&KIT]) {
        let kit = CreateKit {
            slug: (*slug).to_owned(),
            name: (*slug).to_owned(),
            description: "A kit.".to_owned(),
            homepage: None,
            ecosystems: vec!["npm".to_owned()],
            status: KitStatus::Released,
            is_open: false,
            stamps: false,
            actor: Actor::Operator,
        };
        create_kit(app, kit, Claim::default()).await?;
    }
    let terms = serde_json::json!({
        "edition": "Team", "scope": "kits", "seat_kind": "device", "seat_limit": 1_000_000,
        "updates_months": 12, "valid_months": null, "license_file_days": 14,
    });
    let policy = CreatePolicy {
        name: "team".to_owned(),
        template: None,
        terms: serde_json::from_value(terms)?,
        renew_url: String::new(),
        kits: vec![KIT.to_owned()],
        actor: Actor::Operator,
    };
    create_policy(app, policy, Claim::default()).await?;
    let policy = app.db.read_slow(|conn| find_policy_by_name(conn, "team"));
    let policy = policy.await?.ok_or("the policy was not added")?;
    Ok(policy.version)
}

/// Licenses of one unit of work.
struct Chunk {
    /// Number of the first.
    first: usize,
    prepared: Vec<Prepared>,
    terms: TermsVersion,
    app: Arc<App>,
}

async fn write_chunk(chunk: Chunk) -> Result<(usize, Vec<String>), SeedError> {
    let first = chunk.first;
    let db = chunk.app.db.clone();
    // One writer takes all: several would wait for each other at the head of the audit log.
    let keys = db.write(Shard::One(0), move |tx| chunk.write(tx));
    Ok((first, keys.await?))
}

impl Chunk {
    fn write(&self, tx: &mut WriteTx<'_>) -> Result<Vec<String>, SeedError> {
        let now = self.app.clock.now();
        let customer = CustomerId::new(now, self.app.entropy.as_ref());
        let row = Customer {
            id: customer.clone(),
            name: "Example".to_owned(),
            claim_address: None,
            version: 1,
            created_at: now,
        };
        insert_customer(tx, &row)?;
        let numbers = self.first..;
        numbers
            .zip(&self.prepared)
            .map(|(number, prepared)| self.write_license(tx, number, prepared, &customer))
            .collect()
    }

    fn write_license(
        &self,
        tx: &mut WriteTx<'_>,
        number: usize,
        prepared: &Prepared,
        customer: &CustomerId,
    ) -> Result<String, SeedError> {
        let now = self.app.clock.now();
        let input = IssueLicense {
            customer: customer.clone(),
            order_item: None,
            ordinal: 0,
            terms: self.terms.clone(),
            seats_times: 1,
            purchased_at: now,
            actor: Actor::Operator,
        };
        let license = issue_in(tx, prepared, input)?;
        for seat in 0..SEATS {
            licenses::claim_seat(tx, &license)?;
            let row = Activation {
                id: ActivationId::new(now, self.app.entropy.as_ref()),
                license_id: license.clone(),
                kind: SeatKind::Device,
                identity: device(number, seat),
                name: device(number, seat),
                version: Some("1.2.0".to_owned()),
                platform: None,
                created_at: now,
                last_seen_at: now,
                freed_at: None,
                lease_ends_at: None,
                freed_reason: None,
                offline_until: None,
            };
            seats::insert(tx, &row)?;
        }
        let row = licenses::present_key(tx.conn(), &license)?.ok_or(DbError::Aborted(None))?;
        let key = self.app.vault.open(key_cell(&row.id), &row.sealed_key)?;
        Ok(String::from_utf8_lossy(&key).into_owned())
    }
}
