//! The update check of kits.

use actix_web::http::header::{CACHE_CONTROL, VARY};
use actix_web::{HttpResponse, web};
use semver::Version;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::check_update::{CheckUpdate, CheckUpdateError, Update, check_update};
use crate::app::App;
use crate::clock::Timestamp;
use crate::downloads::api::{followed_channel, refused};
use crate::downloads::view::ReleaseView;
use crate::http::conditional::REVALIDATE;
use crate::http::extract::{AppData, OptionalKey};
use crate::http::openapi::words::{InstalledVersion, SignedDocument, Slug, WebAddress};
use crate::http::routes::resource;
use crate::http::{ApiError, Query};
use crate::kits::model::has_control;
use crate::releases::model::{Channel, Machine, is_machine_word};

/// Longest nonce, and longest name of an installation, in bytes.
const TEXT_MAX: usize = 256;
/// Longest version a caller may have, in bytes.
const VERSION_MAX: usize = 256;

/// Routes of this file.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(resource("/v1/kits/{kit}/updates").get(check));
}

/// What this file adds to the document of the API.
#[derive(OpenApi)]
#[openapi(paths(check))]
pub struct Paths;

/// Unknown members are ignored: kits may be newer than the server.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct UpdateQuery {
    /// The version in use.
    #[param(required = true, value_type = InstalledVersion)]
    version: Option<String>,
    /// The channel followed; `stable` where nothing is said.
    #[param(value_type = Option<Channel>)]
    channel: Option<String>,
    /// Bound into the signed answer; in bytes.
    #[param(min_length = 1, max_length = 256)]
    nonce: Option<String>,
    /// The system it runs on, such as `linux`: only releases with a file for it are offered.
    #[param(max_length = 32, pattern = "^[a-z0-9][a-z0-9_.-]*$")]
    platform: Option<String>,
    /// The processor it runs on, such as `x86_64`.
    #[param(max_length = 32, pattern = "^[a-z0-9][a-z0-9_.-]*$")]
    arch: Option<String>,
    /// What the installation calls itself: its own place in the queue of a rollout, where no license
    /// is shown or a platform is named; in bytes.
    #[param(min_length = 1, max_length = 256)]
    install: Option<String>,
    /// Whether a person asks, now: a rollout is skipped unless it is halted.
    #[serde(default)]
    manual: bool,
}

/// The release on offer, and the same signed.
#[derive(Debug, Serialize, ToSchema)]
struct UpdateView {
    /// Whether there is one.
    available: bool,
    /// The newest one that the license covers.
    release: Option<ReleaseView>,
    /// Where the difference to the version in use can be read; null where that is no release of the
    /// kit, or not one that this license may have, or one of the two has no source to compare.
    #[schema(value_type = Option<WebAddress>)]
    compare_url: Option<String>,
    /// The highest version that the license covers, where there are higher ones.
    last_entitled_version: Option<String>,
    /// The end of the license's updates.
    updates_until: Option<Timestamp>,
    /// Where it can be renewed.
    renew_url: Option<String>,
    /// The same, signed (`update+jwt`).
    #[schema(value_type = SignedDocument)]
    manifest: String,
}

/// The newest release that this license may have.
#[utoipa::path(
    get,
    path = "/v1/kits/{kit}/updates",
    operation_id = "check_update",
    tag = "downloads",
    params(("kit" = Slug, Path, description = "The kit's slug, or a former one."), UpdateQuery),
    security((), ("license_key" = [])),
    responses((status = 200, description = "An update, or none.", body = UpdateView)),
)]
async fn check(
    app: AppData,
    OptionalKey(key): OptionalKey,
    path: web::Path<String>,
    Query(query): Query<UpdateQuery>,
) -> Result<HttpResponse, ApiError> {
    let input = checked(path.into_inner(), query)?;
    let update = check_update(&app, key.as_ref(), input).await;
    let update = update.map_err(|error| failed(&app, error))?;
    // No entity tag: the signed part is made anew each time.
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, REVALIDATE))
        .insert_header((VARY, "Authorization"))
        .json(UpdateView::from(update)))
}

fn checked(kit: String, query: UpdateQuery) -> Result<CheckUpdate, ApiError> {
    let no_version = || {
        let detail = "The version in use must be sent, such as ?version=1.2.3.";
        ApiError::field("version", detail)
    };
    check_texts(&query)?;
    let version = query.version.filter(|text| text.len() <= VERSION_MAX);
    let version = version.and_then(|text| Version::parse(&text).ok());
    let channel = followed_channel(query.channel.as_deref())?;
    Ok(CheckUpdate {
        kit,
        version: version.ok_or_else(no_version)?,
        channel: channel.unwrap_or(Channel::Stable),
        machine: Machine {
            platform: query.platform,
            arch: query.arch,
        },
        install: query.install,
        is_manual: query.manual,
        nonce: query.nonce,
    })
}

fn check_texts(query: &UpdateQuery) -> Result<(), ApiError> {
    for (field, text) in [("nonce", &query.nonce), ("install", &query.install)] {
        let fits = |text: &String| (1..=TEXT_MAX).contains(&text.len()) && !has_control(text);
        if !text.iter().all(fits) {
            let detail = "It must have 1 to 256 bytes and no control characters.";
            return Err(ApiError::field(field, detail));
        }
    }
    for (field, word) in [("platform", &query.platform), ("arch", &query.arch)] {
        if !word.iter().all(|word| is_machine_word(word)) {
            let detail = "It must be 1 to 32 of a-z, 0-9, _, - and ., a letter or digit first.";
            return Err(ApiError::field(field, detail));
        }
    }
    Ok(())
}

fn failed(app: &App, error: CheckUpdateError) -> ApiError {
    match error {
        CheckUpdateError::Access(error) => refused(app, error),
        CheckUpdateError::Sign(error) => ApiError::internal(error),
    }
}

impl From<Update> for UpdateView {
    fn from(update: Update) -> Self {
        Self {
            available: update.release.is_some(),
            release: update.release,
            compare_url: update.compare_url,
            last_entitled_version: update.last_entitled_version,
            updates_until: update.updates_until,
            renew_url: update.renew_url,
            manifest: update.manifest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Code;

    fn query(version: Option<&str>, channel: Option<&str>) -> UpdateQuery {
        UpdateQuery {
            version: version.map(str::to_owned),
            channel: channel.map(str::to_owned),
            nonce: None,
            platform: None,
            arch: None,
            install: None,
            manual: false,
        }
    }

    #[test]
    fn a_check_names_its_version_and_may_name_its_channel() {
        let input = checked("kit".to_owned(), query(Some("1.2.3"), None)).unwrap();
        assert_eq!(input.channel, Channel::Stable);
        assert!(input.machine.is_any() && !input.is_manual);
        for bad in [
            query(None, None),
            query(Some("1.2"), None),
            query(Some("1.2.3"), Some("nightly")),
        ] {
            let error = checked("kit".to_owned(), bad).unwrap_err();
            assert_eq!(error.code(), Code::InvalidField);
        }
    }
}
