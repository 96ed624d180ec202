//! The update check of kits.

use actix_web::http::header::{CACHE_CONTROL, VARY};
use actix_web::{HttpResponse, web};
use semver::Version;
use serde::{Deserialize, Serialize};

use super::check_update::{CheckUpdate, CheckUpdateError, Update, check_update};
use crate::app::App;
use crate::clock::Timestamp;
use crate::downloads::api::refused;
use crate::downloads::view::ReleaseView;
use crate::http::conditional::REVALIDATE;
use crate::http::extract::{AppData, KeyCredential};
use crate::http::routes::resource;
use crate::http::{ApiError, Query};
use crate::kits::model::has_control;
use crate::releases::model::Channel;

/// Longest nonce, in bytes.
const NONCE_MAX: usize = 256;
/// Longest version a caller may have, in bytes.
const VERSION_MAX: usize = 256;

/// Routes of this file.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(resource("/v1/kits/{kit}/updates").get(check));
}

/// Unknown members are ignored: kits may be newer than the server.
#[derive(Debug, Deserialize)]
struct UpdateQuery {
    version: Option<String>,
    channel: Option<String>,
    nonce: Option<String>,
}

#[derive(Debug, Serialize)]
struct UpdateView {
    available: bool,
    release: Option<ReleaseView>,
    last_entitled_version: Option<String>,
    updates_until: Option<Timestamp>,
    renew_url: Option<String>,
    /// The same, signed.
    manifest: String,
}

async fn check(
    app: AppData,
    KeyCredential(key): KeyCredential,
    path: web::Path<String>,
    Query(query): Query<UpdateQuery>,
) -> Result<HttpResponse, ApiError> {
    let input = checked(path.into_inner(), query)?;
    let update = check_update(&app, &key, input).await;
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
    let version = query.version.filter(|text| text.len() <= VERSION_MAX);
    let version = version.and_then(|text| Version::parse(&text).ok());
    let channel = match query.channel.as_deref() {
        None => Channel::Stable,
        Some(word) => word
            .parse()
            .map_err(|reason: String| ApiError::field("channel", reason))?,
    };
    let fits = |nonce: &String| (1..=NONCE_MAX).contains(&nonce.len()) && !has_control(nonce);
    if !query.nonce.iter().all(fits) {
        let detail = "The nonce must have 1 to 256 bytes and no control characters.";
        return Err(ApiError::field("nonce", detail));
    }
    Ok(CheckUpdate {
        kit,
        version: version.ok_or_else(no_version)?,
        channel,
        nonce: query.nonce,
    })
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
        }
    }

    #[test]
    fn a_check_names_its_version_and_may_name_its_channel() {
        let input = checked("kit".to_owned(), query(Some("1.2.3"), None)).unwrap();
        assert_eq!(input.channel, Channel::Stable);
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
