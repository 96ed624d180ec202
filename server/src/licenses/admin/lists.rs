//! Licenses and their parts as lists, and as files.

use actix_web::{HttpResponse, web};

use super::answers::{DetailBody, EventBody, KeyBody, LicenseBody, SeatBody};
use super::queries::LicenseQuery;
use super::{Answer, known_license, license_id, no_such_license};
use crate::activations::store::held_after;
use crate::app::App;
use crate::audit::of_subject;
use crate::clock::Timestamp;
use crate::db::{AnyConn, DbError, Page};
use crate::http::conditional::version_tag;
use crate::http::error::ApiError;
use crate::http::export::Row;
use crate::http::extract::{Admin, AppData, Query};
use crate::http::paging::{PageQuery, window};
use crate::licenses::listing;
use crate::licenses::model::LicenseId;
use crate::licenses::store::{self, Filter, Hold, Note};
use crate::staff::Scope;

/// Licenses in the order of their issue.
#[utoipa::path(
    get,
    path = "/v1/admin/licenses",
    operation_id = "license_list",
    tag = "licenses",
    params(LicenseQuery),
    responses((status = 200, description = "A page.", body = Page<LicenseBody>)),
    security(("management_token" = ["read"])),
)]
pub(super) async fn list(app: AppData, admin: Admin, Query(query): Query<LicenseQuery>) -> Answer {
    admin.may(Scope::Read)?;
    let filter = query.filter(&app).await?;
    let read = reader(filter, app.clock.now());
    let window = window(query.limit, query.cursor)?;
    window.page(&app, read, LicenseBody::cursor).await
}

/// What reads a page of them, or a slice of their file, as they stand now.
pub(super) fn reader(
    filter: Filter,
    now: Timestamp,
) -> impl Fn(&mut AnyConn, &str, i64) -> Result<Vec<LicenseBody>, DbError> {
    move |conn: &mut AnyConn, after: &str, rows| {
        let found = listing::page(conn, &filter, after, rows)?;
        let bodies = found.iter().map(|it| LicenseBody::new(it, now));
        Ok(bodies.collect())
    }
}

/// A license with its keys and open holds.
#[utoipa::path(
    get,
    path = "/v1/admin/licenses/{license}",
    operation_id = "license_show",
    tag = "licenses",
    params(("license" = LicenseId, Path)),
    responses(
        (status = 200, description = "The license.", body = DetailBody),
        (status = 404, description = "There is no such license."),
    ),
    security(("management_token" = ["read"])),
)]
pub(super) async fn show(app: AppData, admin: Admin, path: web::Path<String>) -> Answer {
    admin.may(Scope::Read)?;
    answer(&app, license_id(&path)?).await
}

/// The answer that shows a license.
pub(super) async fn answer(app: &App, id: LicenseId) -> Answer {
    let body = detail(app, id).await?;
    Ok(HttpResponse::Ok()
        .insert_header(version_tag(body.version()))
        .json(body))
}

pub(super) async fn detail(app: &App, id: LicenseId) -> Result<DetailBody, ApiError> {
    let found = listing::dossier(app, id).await?;
    let dossier = found.ok_or_else(no_such_license)?;
    Ok(DetailBody::new(dossier, app.clock.now()))
}

async fn known(app: &App, admin: Admin, path: &str) -> Result<LicenseId, ApiError> {
    admin.may(Scope::Read)?;
    known_license(app, path).await
}

/// Its keys, oldest first: never their texts.
#[utoipa::path(
    get,
    path = "/v1/admin/licenses/{license}/keys",
    operation_id = "license_keys",
    tag = "licenses",
    params(
        ("license" = LicenseId, Path),
        ("limit" = Option<usize>, Query, minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query),
    ),
    responses(
        (status = 200, description = "A page.", body = Page<KeyBody>),
        (status = 404, description = "There is no such license."),
    ),
    security(("management_token" = ["read"])),
)]
pub(super) async fn keys(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
    Query(query): Query<PageQuery>,
) -> Answer {
    let id = known(&app, admin, &path).await?;
    let read = move |conn: &mut AnyConn, after: &str, rows| {
        let keys = store::keys_of(conn, &id)?;
        Ok(rest(
            keys.into_iter().map(KeyBody::from),
            KeyBody::id,
            after,
            rows,
        ))
    };
    query.window()?.page(&app, read, KeyBody::id).await
}

/// Its holds and revocations, open and closed.
#[utoipa::path(
    get,
    path = "/v1/admin/licenses/{license}/holds",
    operation_id = "license_holds",
    tag = "licenses",
    params(
        ("license" = LicenseId, Path),
        ("limit" = Option<usize>, Query, minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query),
    ),
    responses(
        (status = 200, description = "A page.", body = Page<Hold>),
        (status = 404, description = "There is no such license."),
    ),
    security(("management_token" = ["read"])),
)]
pub(super) async fn holds(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
    Query(query): Query<PageQuery>,
) -> Answer {
    let id = known(&app, admin, &path).await?;
    let own = |hold: &Hold| hold.id.to_string();
    let read = move |conn: &mut AnyConn, after: &str, rows| {
        let mut holds = store::holds_of(conn, &id)?;
        holds.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(rest(holds.into_iter(), own, after, rows))
    };
    query.window()?.page(&app, read, own).await
}

/// What was written about it, oldest first.
#[utoipa::path(
    get,
    path = "/v1/admin/licenses/{license}/notes",
    operation_id = "license_notes",
    tag = "licenses",
    params(
        ("license" = LicenseId, Path),
        ("limit" = Option<usize>, Query, minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query),
    ),
    responses(
        (status = 200, description = "A page.", body = Page<Note>),
        (status = 404, description = "There is no such license."),
    ),
    security(("management_token" = ["read"])),
)]
pub(super) async fn notes(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
    Query(query): Query<PageQuery>,
) -> Answer {
    let id = known(&app, admin, &path).await?;
    let own = |note: &Note| note.id.to_string();
    let read = move |conn: &mut AnyConn, after: &str, rows| {
        let notes = store::notes_of(conn, &id)?;
        Ok(rest(notes.into_iter(), own, after, rows))
    };
    query.window()?.page(&app, read, own).await
}

/// Its seats in use.
#[utoipa::path(
    get,
    path = "/v1/admin/licenses/{license}/seats",
    operation_id = "license_seats",
    tag = "licenses",
    params(
        ("license" = LicenseId, Path),
        ("limit" = Option<usize>, Query, minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query),
    ),
    responses(
        (status = 200, description = "A page.", body = Page<SeatBody>),
        (status = 404, description = "There is no such license."),
    ),
    security(("management_token" = ["read"])),
)]
pub(super) async fn seats(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
    Query(query): Query<PageQuery>,
) -> Answer {
    let id = known(&app, admin, &path).await?;
    let read = move |conn: &mut AnyConn, after: &str, rows| {
        let seats = held_after(conn, &id, after, rows)?;
        Ok(seats.into_iter().map(SeatBody::from).collect())
    };
    let own = |seat: &SeatBody| seat.id.to_string();
    query.window()?.page(&app, read, own).await
}

/// What was changed about it and by whom, oldest first.
#[utoipa::path(
    get,
    path = "/v1/admin/licenses/{license}/history",
    operation_id = "license_history",
    tag = "licenses",
    params(
        ("license" = LicenseId, Path),
        ("limit" = Option<usize>, Query, minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query),
    ),
    responses(
        (status = 200, description = "A page.", body = Page<EventBody>),
        (status = 404, description = "There is no such license."),
    ),
    security(("management_token" = ["read"])),
)]
pub(super) async fn history(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
    Query(query): Query<PageQuery>,
) -> Answer {
    let id = known(&app, admin, &path).await?;
    let window = query.window()?;
    let start = if window.after.is_empty() {
        "0"
    } else {
        window.after.as_str()
    };
    let start: i64 = start
        .parse()
        .map_err(|_not_a_number| ApiError::field("cursor", "is no cursor of this list"))?;
    let read = move |conn: &mut AnyConn, _after: &str, rows| {
        let entries = of_subject(conn, id.as_str(), start, rows)?;
        Ok(entries.into_iter().map(EventBody::from).collect())
    };
    window
        .page(&app, read, |it: &EventBody| it.seq.to_string())
        .await
}

/// The rows of a short list that follow a cursor.
fn rest<T>(
    all: impl Iterator<Item = T>,
    id: impl Fn(&T) -> String,
    after: &str,
    rows: i64,
) -> Vec<T> {
    let rows = usize::try_from(rows).unwrap_or(usize::MAX);
    all.filter(|it| id(it).as_str() > after)
        .take(rows)
        .collect()
}
