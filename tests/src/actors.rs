//! Who talks to the server in tests.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

/// A client with one identity: headers it always sends, cookies it was given.
#[derive(Debug, Clone)]
pub struct Actor {
    base: String,
    http: reqwest::Client,
    headers: Vec<(&'static str, String)>,
    cookies: Option<Arc<Mutex<BTreeMap<String, String>>>>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Status.
    pub status: u16,
    headers: reqwest::header::HeaderMap,
    /// Body.
    pub bytes: Vec<u8>,
}

impl Reply {
    /// A header's text; empty when absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("text"))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).expect("UTF-8")
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.bytes)))
    }

    /// The member at a pointer, as text.
    pub fn str(&self, pointer: &str) -> String {
        let value = self.json();
        match value.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => panic!("no {pointer} in {value}"),
        }
    }

    /// Fails unless the status is this one.
    #[track_caller]
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(
            self.status,
            status,
            "{}",
            String::from_utf8_lossy(&self.bytes)
        );
        self
    }

    /// Fails unless this is an error body with this code.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Self {
        let reply = self.expect_status(status);
        assert_eq!(reply.header("content-type"), "application/problem+json");
        assert_eq!(reply.str("/code"), code);
        assert_eq!(reply.str("/status"), status.to_string());
        assert!(!reply.str("/request_id").is_empty());
        assert_eq!(reply.header("x-request-id"), reply.str("/request_id"));
        reply
    }
}

impl Actor {
    pub(crate) fn new(base: String, address: SocketAddr) -> Self {
        let http = reqwest::Client::builder()
            .resolve("localhost", address)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .expect("a client");
        Self {
            base,
            http,
            headers: Vec::new(),
            cookies: None,
        }
    }

    /// The same with a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// A browser: keeps cookies, sends what browsers send with same-origin requests.
    #[must_use]
    pub fn browser(mut self) -> Self {
        self.cookies = Some(Arc::default());
        self
    }

    /// A header it always sends.
    pub fn header_text(&self, name: &str) -> String {
        let header = self.headers.iter().find(|(known, _)| *known == name);
        header.expect("the header").1.clone()
    }

    /// A cookie this browser holds.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let cookies = self.cookies.as_ref()?.lock().expect("no panic before");
        cookies.get(name).cloned()
    }

    /// Sets a cookie by hand.
    pub fn set_cookie(&self, name: &str, value: &str) {
        let cookies = self.cookies.as_ref().expect("a browser");
        cookies
            .lock()
            .expect("no panic before")
            .insert(name.to_owned(), value.to_owned());
    }

    /// A request, for what the methods below do not cover.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.base)
        };
        let is_post = method != Method::GET && method != Method::HEAD;
        let mut request = self.http.request(method, url);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(cookies) = &self.cookies {
            let cookies = cookies.lock().expect("no panic before");
            let pairs: Vec<String> = cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            if !pairs.is_empty() {
                request = request.header("cookie", pairs.join("; "));
            }
            if is_post
                && !self
                    .headers
                    .iter()
                    .any(|(name, _)| *name == "sec-fetch-site")
            {
                request = request
                    .header("sec-fetch-site", "same-origin")
                    .header("origin", &self.base);
            }
        }
        request
    }

    /// Sends a request.
    pub async fn send(&self, request: RequestBuilder) -> Reply {
        self.try_send(request).await.expect("an answer")
    }

    /// Sends a request that may get no answer.
    pub async fn try_send(&self, request: RequestBuilder) -> Result<Reply, reqwest::Error> {
        let response = request.send().await?;
        let status: StatusCode = response.status();
        let headers = response.headers().clone();
        if let Some(cookies) = &self.cookies {
            let mut cookies = cookies.lock().expect("no panic before");
            for line in headers.get_all("set-cookie") {
                let line = line.to_str().expect("text");
                let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
                let (name, value) = pair.split_once('=').expect("a cookie");
                if value.is_empty() || attributes.to_lowercase().contains("max-age=0") {
                    cookies.remove(name);
                } else {
                    cookies.insert(name.to_owned(), value.to_owned());
                }
            }
        }
        let bytes = response.bytes().await?.to_vec();
        Ok(Reply {
            status: status.as_u16(),
            headers,
            bytes,
        })
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    /// POST with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// PATCH with a JSON body.
    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request(Method::PATCH, path).json(body))
            .await
    }

    /// POST of a form.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = self.request(Method::POST, path);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(body)).await
    }

    /// PUT of bytes.
    pub async fn put(&self, path: &str, body: Vec<u8>) -> Reply {
        self.send(self.request(Method::PUT, path).body(body)).await
    }
}
