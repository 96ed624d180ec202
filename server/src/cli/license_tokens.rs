//! Tokens derived from license keys, over HTTP.

use serde_json::json;

use super::arguments::LicenseTokenCommand;
use super::catalog::{list, post};
use super::output::{Failed, Output};

pub(super) async fn token(command: LicenseTokenCommand, output: Output) -> Result<(), Failed> {
    match command {
        LicenseTokenCommand::Create {
            license,
            kind,
            name,
            origins,
            expires,
        } => {
            let body = json!({
                "kind": kind, "name": name, "origins": origins, "expires_at": expires,
            });
            post(output, &["licenses", &license, "tokens"], &body).await
        }
        LicenseTokenCommand::List { license } => {
            let columns = [
                "kind",
                "name",
                "hint",
                "created_at",
                "revoked_at",
                "flagged_at",
                "id",
            ];
            list(output, &["licenses", &license, "tokens"], &[], &columns).await
        }
        LicenseTokenCommand::Revoke { license, token } => {
            let path = ["licenses", &license, "tokens", &token, "revoke"];
            post(output, &path, &json!({})).await
        }
    }
}
