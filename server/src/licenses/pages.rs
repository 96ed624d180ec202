//! Pages of licenses: the list, one license, its key, its seats.

mod view;

use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use kitward_portal::NavItem;
use kitward_portal::pages::{LicensePage, LicensesPage};
use secrecy::ExposeSecret;
use serde::Deserialize;

use self::view::Done;
pub(super) use self::view::kit_names;
use super::facts::{churn_detail, offline_file_detail};
use super::model::LicenseId;
use super::overview::{Detail, Overview, detail, overview};
use super::reveal::{RevealKey, RevealKeyError, reveal_key};
use crate::activations::free::{FreeSeat, Freed, free_seat};
use crate::activations::model::ActivationId;
use crate::app::App;
use crate::customers::model::{Action, may};
use crate::downloads::newest::newest;
use crate::http::error::{ApiError, Code, PageError};
use crate::http::extract::{AppData, Query};
use crate::http::pages::{frame, html, not_found, see_other};
use crate::http::routes::resource;
use crate::http::session::SignedIn;
use crate::people::session::Viewer;

/// Routes of this file.
pub fn routes(config: &mut web::ServiceConfig) {
    let free = resource("/licenses/{license}/seats/{activation}/free");
    config
        .service(resource("/").get(get_licenses))
        .service(resource("/licenses/{license}").get(get_license))
        .service(resource("/licenses/{license}/reveal").on(Method::POST, post_reveal))
        .service(free.on(Method::POST, post_free));
}

impl From<RevealKeyError> for PageError {
    fn from(error: RevealKeyError) -> Self {
        match error {
            RevealKeyError::Db(error) => error.into(),
            RevealKeyError::NoKey => not_found(),
            error @ (RevealKeyError::Seal(_) | RevealKeyError::Text(_)) => {
                ApiError::internal(error).into()
            }
        }
    }
}

#[derive(Debug, Deserialize)]
struct Asked {
    done: Option<String>,
}

async fn get_licenses(
    app: AppData,
    request: HttpRequest,
    person: SignedIn,
) -> Result<HttpResponse, PageError> {
    let now = app.clock.now();
    let licenses = overview(&app, person.0.customers()).await?;
    let holdings = licenses.iter().map(|it| it.holding.clone()).collect();
    let newest = newest(&app, holdings).await?;
    let card = |license: &Overview| {
        let kits = newest.get(&license.holding.license.id);
        view::card(license, kits.map_or(&[][..], Vec::as_slice), now)
    };
    let cards = licenses.iter().map(card).collect();
    let frame = frame(&app, &request, NavItem::Licenses);
    let page = LicensesPage {
        frame,
        cards,
        flash: None,
    };
    Ok(html(page.render()))
}

async fn get_license(
    app: AppData,
    request: HttpRequest,
    person: SignedIn,
    license: web::Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse, PageError> {
    let detail = own_license(&app, &person.0, &license).await?;
    let done = asked.0.done.as_deref().and_then(Done::parse);
    let flash = done.map(Done::flash);
    let page = LicensePage {
        flash,
        ..page(&app, &request, &detail)
    };
    Ok(html(page.render()))
}

/// The answer holds the key: no cache keeps it, and no address leads to it.
async fn post_reveal(
    app: AppData,
    request: HttpRequest,
    person: SignedIn,
    license: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    let detail = own_license(&app, &person.0, &license).await?;
    allow(&person.0, &detail, Action::RevealKey)?;
    let license = &detail.overview.holding.license;
    let input = RevealKey {
        license: license.id.clone(),
        owner: Some(license.customer_id.clone()),
        actor: person.0.actor(),
    };
    let key = reveal_key(&app, input).await?;
    let revealed_key = Some(key.expose_secret().to_owned());
    let page = LicensePage {
        revealed_key,
        ..page(&app, &request, &detail)
    };
    let mut response = html(page.render());
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn post_free(
    app: AppData,
    request: HttpRequest,
    person: SignedIn,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let (license, activation) = path.into_inner();
    let detail = own_license(&app, &person.0, &license).await?;
    allow(&person.0, &detail, Action::FreeSeat)?;
    let activation = ActivationId::parse(&activation).ok_or_else(not_found)?;
    let license = &detail.overview.holding.license;
    let back = format!("/licenses/{}", license.id);
    let input = FreeSeat {
        license: license.id.clone(),
        activation,
        owner: Some(license.customer_id.clone()),
        actor: person.0.actor(),
    };
    let done = match free_seat(&app, input).await? {
        Freed::Yes => Done::SeatFreed,
        Freed::NotHeld => Done::SeatWasFree,
        Freed::ChurnLimit(next) => {
            let why = churn_detail(next);
            return Ok(refused(page(&app, &request, &detail), why));
        }
        Freed::OfflineFile(until) => {
            let why = offline_file_detail(until);
            return Ok(refused(page(&app, &request, &detail), why));
        }
    };
    Ok(see_other(&format!("{back}?done={}", done.word())))
}

fn refused(page: LicensePage, why: String) -> HttpResponse {
    let flash = Some(view::refused_flash(why));
    html(LicensePage { flash, ..page }.render())
}

/// A license of this person's customers; anything else is not there.
pub(super) async fn own_license(app: &App, person: &Viewer, id: &str) -> Result<Detail, PageError> {
    let id = LicenseId::parse(id).ok_or_else(not_found)?;
    let found = detail(app, person.customers(), id).await?;
    found.ok_or_else(not_found)
}

fn allow(person: &Viewer, detail: &Detail, action: Action) -> Result<(), PageError> {
    let customer = &detail.overview.holding.license.customer_id;
    if person
        .role_in(customer)
        .is_some_and(|role| may(role, action))
    {
        return Ok(());
    }
    let detail = "Your role does not include this.";
    Err(ApiError::new(Code::Forbidden, detail).into())
}

/// The page of a license, under its own address also where it answers a form.
fn page(app: &App, request: &HttpRequest, detail: &Detail) -> LicensePage {
    let mut frame = frame(app, request, NavItem::Licenses);
    frame.path = format!("/licenses/{}", detail.overview.holding.license.id);
    view::page(frame, detail, app.clock.now())
}
