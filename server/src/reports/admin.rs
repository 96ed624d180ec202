//! Figures for management.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::days::Days;
use super::store;
use crate::app::App;
use crate::clock::Timestamp;
use crate::csv::table;
use crate::db::{AnyConn, DbError};
use crate::http::export::{CSV, attachment};
use crate::http::extract::{Admin, AppData};
use crate::http::openapi::words::KitName;
use crate::http::routes::resource;
use crate::http::{ApiError, Query};
use crate::kits;
use crate::kits::store::Kit;
use crate::releases;
use crate::releases::model::{Channel, ReleaseId, same_precedence};
use crate::staff::Scope;

/// Routes of this file, relative to the management API.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/reports/downloads").get(downloads))
        .service(resource("/reports/versions").get(versions));
}

/// What this file adds to the document of the API.
#[derive(OpenApi)]
#[openapi(paths(downloads, versions))]
pub struct Paths;

/// How figures are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ReportFormat {
    /// JSON.
    #[default]
    Json,
    /// Comma-separated values; no cell is a formula.
    Csv,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReportQuery {
    /// Of this kit: slug or id.
    #[param(value_type = KitName)]
    kit: String,
    /// First day (UTC), such as `2027-01-31`; the 30th last where nothing is said.
    from: Option<String>,
    /// Last day (UTC), at most 399 later; today where nothing is said.
    to: Option<String>,
    /// `json` where nothing is said.
    #[serde(default)]
    #[param(inline)]
    format: ReportFormat,
}

/// Figures of a kit by day.
#[derive(Debug, Serialize, ToSchema)]
struct Report<T> {
    /// The kit's slug.
    kit: String,
    /// First day.
    from: String,
    /// Last day.
    to: String,
    /// Its releases or versions, the highest first.
    items: Vec<T>,
}

/// Downloads of one release, and how it was made.
#[derive(Debug, Serialize, ToSchema)]
struct ReleaseDownloads {
    /// The release.
    release: ReleaseId,
    /// Its version.
    version: String,
    /// For whom it is.
    channel: Channel,
    /// When it came out.
    published_at: Option<Timestamp>,
    /// How often one of its files was fetched.
    #[schema(minimum = 0)]
    downloads: i64,
    /// Under how many licenses.
    #[schema(minimum = 0)]
    licenses: i64,
    /// 0 to 100, as given by the vendor.
    quality_score: Option<i32>,
    /// How long its build took.
    build_seconds: Option<i32>,
}

/// One version in the field.
#[derive(Debug, Serialize, ToSchema)]
struct VersionInField {
    /// A release of the kit; null where none was reported, or no such one.
    version: Option<String>,
    /// Seats in use that reported it last, of licenses for this kit alone.
    #[schema(minimum = 0)]
    seats: i64,
    /// How often it asked for updates in these days.
    #[schema(minimum = 0)]
    checks: i64,
    /// How many licenses or installations asked, on the busiest of these days.
    #[schema(minimum = 0)]
    asking: i64,
}

/// Downloads by release.
#[utoipa::path(
    get,
    path = "/v1/admin/reports/downloads",
    operation_id = "report_downloads",
    tag = "reports",
    params(ReportQuery),
    security(("management_token" = ["read"])),
    responses((status = 200, description = "The figures.", content(
        (Report<ReleaseDownloads> = "application/json"), (String = "text/csv"),
    ))),
)]
async fn downloads(
    app: AppData,
    admin: Admin,
    Query(query): Query<ReportQuery>,
) -> Result<HttpResponse, ApiError> {
    admin.may(Scope::Read)?;
    let report = report(&app, &query, downloads_of).await?;
    if query.format == ReportFormat::Json {
        return Ok(HttpResponse::Ok().json(report));
    }
    let head = [
        "kit",
        "version",
        "channel",
        "published_at",
        "downloads",
        "licenses",
    ];
    let kit = &report.kit;
    let rows = report.items.iter().map(|row| {
        [
            kit.clone(),
            row.version.clone(),
            row.channel.to_string(),
            row.published_at
                .map(|at| at.to_string())
                .unwrap_or_default(),
            row.downloads.to_string(),
            row.licenses.to_string(),
        ]
    });
    Ok(file("downloads.csv", table(head, rows)))
}

/// Versions in the field.
#[utoipa::path(
    get,
    path = "/v1/admin/reports/versions",
    operation_id = "report_versions",
    tag = "reports",
    params(ReportQuery),
    security(("management_token" = ["read"])),
    responses((status = 200, description = "The figures.", content(
        (Report<VersionInField> = "application/json"), (String = "text/csv"),
    ))),
)]
async fn versions(
    app: AppData,
    admin: Admin,
    Query(query): Query<ReportQuery>,
) -> Result<HttpResponse, ApiError> {
    admin.may(Scope::Read)?;
    let report = report(&app, &query, versions_of).await?;
    if query.format == ReportFormat::Json {
        return Ok(HttpResponse::Ok().json(report));
    }
    let head = ["kit", "version", "seats", "checks", "asking"];
    let kit = &report.kit;
    let rows = report.items.iter().map(|row| {
        [
            kit.clone(),
            row.version.clone().unwrap_or_default(),
            row.seats.to_string(),
            row.checks.to_string(),
            row.asking.to_string(),
        ]
    });
    Ok(file("versions.csv", table(head, rows)))
}

async fn report<T: Send + 'static>(
    app: &App,
    query: &ReportQuery,
    items: fn(&mut AnyConn, &Kit, &Days) -> Result<Vec<T>, DbError>,
) -> Result<Report<T>, ApiError> {
    let now = app.clock.now();
    let days = Days::new(query.from.as_deref(), query.to.as_deref(), now);
    let days = days.map_err(|(name, fault)| ApiError::field(name, fault.to_string()))?;
    let name = query.kit.clone();
    let found = app
        .db
        .read_slow(move |conn| -> Result<_, DbError> {
            let Some(kit) = kits::store::find_kit_by_name(conn, &name)? else {
                return Ok(None);
            };
            let items = items(conn, &kit, &days)?;
            Ok(Some(Report {
                kit: kit.slug,
                from: days.first(),
                to: days.last(),
                items,
            }))
        })
        .await?;
    found.ok_or_else(|| ApiError::field("kit", "There is no such kit."))
}

fn downloads_of(
    conn: &mut AnyConn,
    kit: &Kit,
    days: &Days,
) -> Result<Vec<ReleaseDownloads>, DbError> {
    let published = releases::store::published(conn, std::slice::from_ref(&kit.id))?;
    let ids: Vec<ReleaseId> = published.iter().map(|(_, row)| row.id.clone()).collect();
    let counts = store::downloads_by_release(conn, days, &ids)?;
    let one = |(_, release): (semver::Version, releases::store::Release)| {
        let mut counts = counts.iter();
        let own = counts.find(|(id, _, _)| *id == release.id);
        ReleaseDownloads {
            downloads: own.map_or(0, |(_, downloads, _)| *downloads),
            licenses: own.map_or(0, |(_, _, licenses)| *licenses),
            quality_score: release.figures.quality_score,
            build_seconds: release.figures.build_seconds,
            release: release.id,
            version: release.version,
            channel: release.channel,
            published_at: release.published_at,
        }
    };
    Ok(published.into_iter().map(one).collect())
}

fn versions_of(conn: &mut AnyConn, kit: &Kit, days: &Days) -> Result<Vec<VersionInField>, DbError> {
    let mut found: BTreeMap<Option<String>, (i64, i64, i64)> = BTreeMap::new();
    let published = releases::store::published(conn, std::slice::from_ref(&kit.id))?;
    for (reported, seats) in store::seats_by_version(conn, &kit.id)? {
        let version = reported.and_then(|text| released(&published, &text));
        found.entry(version).or_default().0 += seats;
    }
    for (version, checks, asking) in store::checks_by_version(conn, &kit.id, days)? {
        let version = Some(version).filter(|version| !version.is_empty());
        let sums = found.entry(version).or_default();
        sums.1 += checks;
        sums.2 += asking;
    }
    let one = |(version, (seats, checks, asking))| VersionInField {
        version,
        seats,
        checks,
        asking,
    };
    let mut items: Vec<VersionInField> = found.into_iter().map(one).collect();
    let key = |item: &VersionInField| {
        let version = item.version.as_deref();
        let version = version.and_then(|text| semver::Version::parse(text).ok());
        (version, item.version.clone())
    };
    items.sort_by_key(|item| std::cmp::Reverse(key(item)));
    Ok(items)
}

/// The release that a seat reported: what it reports is anybody's text, who has a key. Build metadata
/// does not count.
fn released(
    published: &[(semver::Version, releases::store::Release)],
    reported: &str,
) -> Option<String> {
    let reported = semver::Version::parse(reported).ok()?;
    let mut all = published.iter();
    let found = all.find(|(version, _)| same_precedence(version, &reported));
    found.map(|(_, release)| release.version.clone())
}

fn file(name: &str, text: String) -> HttpResponse {
    attachment(name, CSV).body(text)
}
