//! The commands' way to a server.

use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::output::Failed;

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
        #[expect(clippy::disallowed_methods, reason = "the commands' own client")]
        let http = reqwest::Client::builder()
            .user_agent(concat!("kitward/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { base, token, http })
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, Failed> {
        let url = self
            .base
            .join(path)
            .map_err(|_bad| Failed::new(format!("bad path {path}")))?;
        Ok(self
            .http
            .request(method, url)
            .bearer_auth(self.token.expose_secret()))
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, Failed> {
        answer(self.request(Method::GET, path)?).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failed> {
        answer(self.request(Method::POST, path)?.json(body)).await
    }

    pub(super) async fn patch(&self, path: &str, body: &Value) -> Result<Value, Failed> {
        answer(self.request(Method::PATCH, path)?.json(body)).await
    }

    /// Every item of a list, page by page.
    pub(super) async fn list(&self, path: &str) -> Result<Vec<Value>, Failed> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let mut items = Vec::new();
        let mut next = format!("{path}{separator}limit=100");
        loop {
            let page = self.get(&next).await?;
            if let Some(rows) = page.get("items").and_then(Value::as_array) {
                items.extend(rows.iter().cloned());
            }
            match page.get("next_cursor").and_then(Value::as_str) {
                Some(cursor) => next = format!("{path}{separator}limit=100&cursor={cursor}"),
                None => return Ok(items),
            }
        }
    }

    /// Uploads a file, streaming it.
    pub(super) async fn put_file(
        &self,
        path: &str,
        file: tokio::fs::File,
        size: u64,
        sha256: &str,
    ) -> Result<Value, Failed> {
        let body = reqwest::Body::from(file);
        let request = self
            .request(Method::PUT, path)?
            .header("content-type", "application/octet-stream")
            .header("content-length", size)
            .header("x-content-sha256", sha256)
            .body(body);
        answer(request).await
    }
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
