//! Downloads in the portal.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use kitward_portal::pages::{ArtifactRow, DownloadsPage, KitDownloads, Locked, ReleaseRow};
use kitward_portal::{NavItem, Notes};

use super::api::refused;
use super::listing::{KitListing, ReleaseListing, listing};
use super::tickets::{TicketError, create_ticket};
use super::view::artifact_url;
use crate::app::App;
use crate::clock::Timestamp;
use crate::customers::model::{Action, CustomerId, may};
use crate::db::DbError;
use crate::http::error::PageError;
use crate::http::extract::AppData;
use crate::http::pages::{frame, html, not_found, see_other};
use crate::http::routes::resource;
use crate::http::session::SignedIn;
use crate::kits::store::Kit;
use crate::licenses::store::of_customers;
use crate::people::session::Viewer;
use crate::releases::model::{ArtifactId, Refusal};
use crate::releases::store::Artifact;

/// Routes of this file.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/downloads").get(get_downloads))
        .service(resource("/downloads/{artifact}").on(Method::POST, post_download));
}

async fn get_downloads(
    app: AppData,
    request: HttpRequest,
    person: SignedIn,
) -> Result<HttpResponse, PageError> {
    let kits = open_to(&app, &person.0).await?;
    let page = DownloadsPage {
        frame: frame(&app, &request, NavItem::Downloads),
        kits: kits.iter().map(|kit| kit_downloads(&app, kit)).collect(),
    };
    Ok(html(page.render()))
}

/// A ticket for one file, and on to the file.
async fn post_download(
    app: AppData,
    person: SignedIn,
    artifact: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    let artifact = ArtifactId::parse(&artifact).ok_or_else(not_found)?;
    let kits = open_to(&app, &person.0).await?;
    let mut releases = kits.iter().flat_map(|kit| &kit.releases);
    let holds = |release: &&ReleaseListing| release.artifacts.iter().any(|it| it.id == artifact);
    let release = releases.find(holds).ok_or_else(not_found)?;
    let license = release.license.clone().ok_or_else(not_found)?;
    match create_ticket(&app, license, artifact).await {
        Ok(ticket) => Ok(see_other(&ticket.url)),
        Err(TicketError::Access(error)) => Err(refused(&app, error).into()),
        Err(TicketError::Unknown | TicketError::Expired) => Err(not_found()),
    }
}

/// What the licenses of a person open, of those customers for which the person may download.
pub async fn open_to(app: &App, person: &Viewer) -> Result<Vec<KitListing>, DbError> {
    let allowed = person
        .memberships
        .iter()
        .filter(|(_, role)| may(*role, Action::Download));
    let customers: Vec<CustomerId> = allowed.map(|(customer, _)| customer.clone()).collect();
    let holdings = app
        .db
        .read_slow(move |conn| of_customers(conn, &customers))
        .await?;
    listing(app, holdings).await
}

fn kit_downloads(app: &App, listing: &KitListing) -> KitDownloads {
    let KitListing { kit, releases } = listing;
    KitDownloads {
        name: kit.name.clone(),
        slug: kit.slug.clone(),
        releases: releases
            .iter()
            .map(|release| release_row(app, kit, release))
            .collect(),
    }
}

fn release_row(app: &App, kit: &Kit, listing: &ReleaseListing) -> ReleaseRow {
    let ReleaseListing {
        release, artifacts, ..
    } = listing;
    let published_at = release.published_at.unwrap_or(release.created_at);
    let commands: Vec<String> = artifacts
        .iter()
        .map(|file| curl(&artifact_url(app, &kit.slug, &release.version, &file.name)))
        .collect();
    ReleaseRow {
        version: release.version.clone(),
        channel: release.channel.to_string(),
        published_at: Timestamp::utc(published_at),
        notes: Some(Notes::new(&release.notes, Notes::BRIEF)).filter(|notes| !notes.is_empty()),
        locked: listing.refusal.clone().map(locked),
        artifacts: artifacts.iter().map(artifact_row).collect(),
        curl: Some(commands.join("\n")).filter(|commands| !commands.is_empty()),
    }
}

fn artifact_row(file: &Artifact) -> ArtifactRow {
    ArtifactRow {
        id: file.id.to_string(),
        name: file.name.clone(),
        size_bytes: u64::try_from(file.size).unwrap_or_default(),
        sha256: file.sha256.clone(),
    }
}

/// The key comes from a variable, so that it stands in no page and no history of commands.
fn curl(url: &str) -> String {
    // Addresses of files are percent-encoded, so they hold no quote.
    format!(
        "curl --fail --location --remote-name --header \"Authorization: License $LICENSE_KEY\" '{url}'"
    )
}

fn locked(refusal: Refusal) -> Locked {
    let reason = match refusal {
        Refusal::License(code) => code.detail().to_owned(),
        Refusal::VersionNotCovered => {
            "It came out after the updates of your license ended.".to_owned()
        }
        Refusal::EntitlementMissing(feature) => {
            format!("It needs a license that includes \"{feature}\".")
        }
        Refusal::Withdrawn => "It was withdrawn.".to_owned(),
        Refusal::NotPublished => "It is not out yet.".to_owned(),
    };
    Locked {
        reason,
        way_out_label: "See what your licenses cover".to_owned(),
        way_out_href: Some("/".to_owned()),
    }
}
