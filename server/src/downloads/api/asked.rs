//! What a request asks for: a kit by a credential, a release of it, a channel.

use secrecy::SecretString;

use super::refused;
use crate::app::App;
use crate::downloads::authorize::{Access, AccessError, authorize};
use crate::http::ApiError;
use crate::releases::model::{Channel, Selector};
use crate::releases::store::Release;

/// What the credential of a request opens of a kit.
pub async fn open(app: &App, key: Option<&SecretString>, kit: &str) -> Result<Access, ApiError> {
    let access = authorize(app, key, kit).await;
    access.map_err(|error| refused(app, error))
}

/// The channel that a request follows, where it names one.
pub fn followed_channel(word: Option<&str>) -> Result<Option<Channel>, ApiError> {
    let named = word.map(str::parse::<Channel>).transpose();
    named.map_err(|reason| ApiError::field("channel", reason))
}

/// The release that `1.2.3`, `1.2`, `1` or `latest` names, if it may be had.
pub fn find<'a>(
    app: &App,
    access: &'a Access,
    version: &str,
) -> Result<(Selector, &'a Release), ApiError> {
    let selector = Selector::parse(version).ok_or(AccessError::UnknownVersion);
    let found = selector.and_then(|selector| {
        let release = access.release(&selector)?;
        Ok((selector, release))
    });
    found.map_err(|error| refused(app, error))
}
