//! Downloads in the portal.

mod view;

use actix_web::http::Method;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use kitward_portal::NavItem;
use kitward_portal::pages::DownloadsPage;
use serde::Deserialize;

use self::view::Choice;
use super::api::refused;
use super::listing::{KitListing, ReleaseListing, listing};
use super::tickets::{NewTicket, TicketError, create_ticket};
use crate::app::App;
use crate::customers::model::{Action, CustomerId, may};
use crate::db::DbError;
use crate::http::error::PageError;
use crate::http::extract::{AppData, Query};
use crate::http::headers::with_forms_leading_to;
use crate::http::pages::{frame, html, not_found, see_other};
use crate::http::routes::resource;
use crate::http::session::SignedIn;
use crate::licenses::store::of_customers;
use crate::people::session::Viewer;
use crate::releases::model::{ArtifactId, Channel};

/// Routes of this file.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/downloads").get(get_downloads))
        .service(resource("/downloads/{kit}/notes/{version}").get(get_notes))
        .service(resource("/downloads/{artifact}").on(Method::POST, post_download));
}

/// What of the downloads is shown; what is not understood is left out.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    kit: Option<String>,
    major: Option<String>,
    channel: Option<String>,
    after: Option<String>,
}

async fn get_downloads(
    app: AppData,
    request: HttpRequest,
    person: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<HttpResponse, PageError> {
    let listings = open_to(&app, &person.0).await?;
    let kits = match &asked.kit {
        Some(slug) => {
            let listing = listings.iter().find(|listing| listing.kit.slug == *slug);
            let choice = Choice {
                major: asked.major.as_deref().and_then(|major| major.parse().ok()),
                channel: asked.channel.as_deref().and_then(Channel::parse),
                after: asked.after,
            };
            vec![view::one_kit(&app, listing.ok_or_else(not_found)?, &choice)]
        }
        None => view::overview(&app, &listings),
    };
    let frame = frame(&app, &request, NavItem::Downloads);
    let mut page = html(DownloadsPage { frame, kits }.render());
    allow_buttons(&app, &mut page).await;
    Ok(page)
}

/// The buttons of the page end where the files lie.
async fn allow_buttons(app: &App, page: &mut HttpResponse) {
    match app.storage.origin_elsewhere().await {
        Ok(None) => {}
        Ok(Some(origin)) => {
            if let Ok(policy) = HeaderValue::try_from(with_forms_leading_to(&origin)) {
                page.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
            }
        }
        // The page can be read all the same.
        Err(error) => tracing::warn!(%error, "where files lie is not known"),
    }
}

/// All of a release's notes as they were written.
async fn get_notes(
    app: AppData,
    person: SignedIn,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let (kit, version) = path.into_inner();
    let listings = open_to(&app, &person.0).await?;
    let listing = listings.into_iter().find(|listing| listing.kit.slug == kit);
    let mut releases = listing.ok_or_else(not_found)?.releases.into_iter();
    let found = releases.find(|listing| listing.release.version == version);
    let notes = found.ok_or_else(not_found)?.release.notes;
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body(notes))
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
    let holding = release.opened_by.as_ref().ok_or_else(not_found)?;
    let new = NewTicket {
        owner: holding.license.customer_id.clone(),
        license: holding.license.id.clone(),
        artifact,
    };
    match create_ticket(&app, new).await {
        Ok(ticket) => Ok(see_other(&ticket.url)),
        Err(TicketError::Access(error)) => Err(refused(&app, error).into()),
        Err(TicketError::OtherOwner | TicketError::Unknown | TicketError::Expired) => {
            Err(not_found())
        }
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
