//! The commands' way to a server.

mod persistence;

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::output::Failed;
use crate::config;

pub(super) use persistence::{Unanswered, persist};

/// How long one part of a file may take.
const PART_PATIENCE: Duration = Duration::from_mins(10);
/// How long the server may take to put a file together.
const COMPLETE_PATIENCE: Duration = Duration::from_mins(30);

/// A server and a management token.
pub(super) struct Client {
    base: Url,
    token: SecretString,
    http: reqwest::Client,
}

impl Client {
    /// From `KITWARD_URL` and `KITWARD_TOKEN`.
    pub(super) fn from_environment() -> Result<Self, Failed> {
        let base = variable("KITWARD_URL").unwrap_or_else(|| "http://localhost:8080".to_owned());
        let base = Url::parse(&base).map_err(|_bad| Failed::new("KITWARD_URL is not a URL"))?;
        let token = variable("KITWARD_TOKEN").ok_or_else(|| {
            Failed::new("KITWARD_TOKEN is not set")
                .with_detail("make a token on the server: kitward token create --scope admin")
        })?;
        Self::new(base, SecretString::from(token))
    }

    pub(super) fn new(base: Url, token: SecretString) -> Result<Self, Failed> {
        match base.scheme() {
            "https" => {}
            "http" if config::is_loopback(&base) => {}
            _ => {
                return Err(Failed::new("KITWARD_URL must be https://")
                    .with_detail("the token would be sent readable; http:// is for this machine"));
            }
        }
        #[expect(clippy::disallowed_methods, reason = "the commands' own client")]
        let http = reqwest::Client::builder()
            .user_agent(concat!("kitward/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .tcp_keepalive(Duration::from_secs(30))
            .build()?;
        Ok(Self { base, token, http })
    }

    fn request(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<RequestBuilder, Failed> {
        let url = address(&self.base, path, query)?;
        Ok(self
            .http
            .request(method, url)
            .bearer_auth(self.token.expose_secret()))
    }

    /// `path` is relative to the management API, in segments.
    pub(super) async fn get(&self, path: &[&str]) -> Result<Value, Failed> {
        answer(self.request(Method::GET, path, &[])?).await
    }

    pub(super) async fn post(&self, path: &[&str], body: &Value) -> Result<Value, Failed> {
        answer(self.request(Method::POST, path, &[])?.json(body)).await
    }

    pub(super) async fn patch(&self, path: &[&str], body: &Value) -> Result<Value, Failed> {
        answer(self.request(Method::PATCH, path, &[])?.json(body)).await
    }

    pub(super) async fn delete(&self, path: &[&str]) -> Result<Value, Failed> {
        answer(self.request(Method::DELETE, path, &[])?).await
    }

    /// A file, to be read as it comes.
    pub(super) async fn download(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<reqwest::Response, Failed> {
        let response = self.request(Method::GET, path, query)?.send().await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let problem = response.text().await?;
        Err(refusal(
            status,
            &serde_json::from_str(&problem).unwrap_or(Value::Null),
        ))
    }

    /// Every item of a list, page by page.
    pub(super) async fn list(
        &self,
        path: &[&str],
        filter: &[(&str, &str)],
    ) -> Result<Vec<Value>, Failed> {
        self.list_first(path, filter, usize::MAX).await
    }

    /// The first `count` items of a list, or all where there are fewer.
    pub(super) async fn list_first(
        &self,
        path: &[&str],
        filter: &[(&str, &str)],
        count: usize,
    ) -> Result<Vec<Value>, Failed> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let mut query = filter.to_vec();
            query.push(("limit", "100"));
            if !cursor.is_empty() {
                query.push(("cursor", &cursor));
            }
            let page = answer(self.request(Method::GET, path, &query)?).await?;
            if let Some(rows) = page.get("items").and_then(Value::as_array) {
                items.extend(rows.iter().cloned());
            }
            match page.get("next_cursor").and_then(Value::as_str) {
                Some(next) if items.len() < count => next.clone_into(&mut cursor),
                _ => {
                    items.truncate(count);
                    return Ok(items);
                }
            }
        }
    }

    /// A short text, as it is.
    pub(super) async fn put_text(&self, path: &[&str], text: String) -> Result<Value, Failed> {
        let request = self.request(Method::PUT, path, &[])?;
        answer(request.header("content-type", "text/plain").body(text)).await
    }

    /// `put_text` that tells why it was not done.
    pub(super) async fn try_put_text(
        &self,
        path: &[&str],
        text: String,
    ) -> Result<Value, Unanswered> {
        let request = self.request(Method::PUT, path, &[])?;
        let request = request.header("content-type", "text/plain").body(text);
        Unanswered::or_answer(request.timeout(COMPLETE_PATIENCE)).await
    }

    /// One part of an upload.
    pub(super) async fn put_part(
        &self,
        (upload, number): (&str, &str),
        part: Bytes,
        sha256: &str,
    ) -> Result<Value, Unanswered> {
        let path = ["uploads", upload, "parts", number];
        let request = self
            .request(Method::PUT, &path, &[])?
            .header("content-type", "application/octet-stream")
            .header("x-content-sha256", sha256)
            .timeout(PART_PATIENCE)
            .body(part);
        Unanswered::or_answer(request).await
    }

    /// `post` that tells why it was not done.
    pub(super) async fn try_post(&self, path: &[&str], body: &Value) -> Result<Value, Unanswered> {
        self.try_post_asking(path, &[], body).await
    }

    /// The same with words behind the address.
    pub(super) async fn try_post_asking(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        body: &Value,
    ) -> Result<Value, Unanswered> {
        let request = self.request(Method::POST, path, query)?.json(body);
        Unanswered::or_answer(request.timeout(COMPLETE_PATIENCE)).await
    }
}

/// Segments hold words of the caller: each stays one segment, whatever is in it.
fn address(base: &Url, path: &[&str], query: &[(&str, &str)]) -> Result<Url, Failed> {
    let mut url = base.clone();
    url.set_path("");
    url.set_query(None);
    url.set_fragment(None);
    // URLs give these a meaning of their own, in every encoding.
    if let Some(odd) = path.iter().find(|word| matches!(**word, "" | "." | "..")) {
        return Err(Failed::new(format!("\"{odd}\" is no name or id")));
    }
    match url.path_segments_mut() {
        Ok(mut segments) => segments.extend(["v1", "admin"]).extend(path),
        Err(()) => return Err(Failed::new("KITWARD_URL is not a URL of a server")),
    };
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}

#[expect(
    clippy::disallowed_methods,
    reason = "commands are told their server by variables"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

async fn answer(request: RequestBuilder) -> Result<Value, Failed> {
    let response = request.send().await?;
    let status = response.status();
    let body = response.text().await?;
    let value: Value = serde_json::from_str(&body).unwrap_or(Value::Null);
    if status.is_success() {
        return Ok(value);
    }
    Err(refusal(status, &value))
}

fn refusal(status: StatusCode, problem: &Value) -> Failed {
    let text = |name: &str| {
        problem
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let field = text("field");
    let line = match (text("detail"), field) {
        ("", _) => format!("the server answered {status}"),
        (detail, "") => detail.to_owned(),
        (detail, field) => format!("{field}: {detail}"),
    };
    let detail = format!("{status} {} (request {})", text("code"), text("request_id"));
    Failed::new(line).with_detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_caller_stay_in_their_place() {
        let base = Url::parse("http://localhost:8080/x?y#z").unwrap();
        let shown = |path: &[&str], query: &[(&str, &str)]| {
            address(&base, path, query).map(|url| url.to_string()).ok()
        };
        let at = |rest: &str| Some(format!("http://localhost:8080/v1/admin/{rest}"));
        assert_eq!(shown(&["kits"], &[]), at("kits"));
        assert_eq!(shown(&["kits", "../orders"], &[]), at("kits/..%2Forders"));
        assert_eq!(shown(&["kits", "fk?x=1#y"], &[]), at("kits/fk%3Fx=1%23y"));
        assert_eq!(shown(&["kits", "%2e%2e"], &[]), at("kits/%252e%252e"));
        assert_eq!(
            shown(&["releases"], &[("kit", "a&limit=1#b")]),
            at("releases?kit=a%26limit%3D1%23b")
        );
        for odd in ["", ".", ".."] {
            assert_eq!(shown(&["kits", odd], &[]), None);
        }
    }

    #[test]
    fn the_token_is_not_sent_readable_over_the_network() {
        let new = |url: &str| {
            let _ = rustls::crypto::ring::default_provider().install_default();
            Client::new(Url::parse(url).unwrap(), SecretString::from("kwa_x"))
        };
        for good in [
            "https://kits.example.com",
            "http://localhost:1",
            "http://127.0.0.1",
            "http://[::1]",
        ] {
            assert!(new(good).is_ok(), "{good}");
        }
        for bad in [
            "http://kits.example.com",
            "http://localhost.example.com",
            "http://192.168.1.2",
            "ftp://localhost",
        ] {
            assert!(new(bad).is_err(), "{bad}");
        }
    }
}
