//! The owner of a stand-in.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{App, HttpServer, web};
use serde_json::Value;

use super::checkout::{Checkout, CheckoutIds};
use super::state::{RecordedRequest, State};
use super::{objects, routes};
use crate::loopback::{self, Running};

/// A Stripe API on 127.0.0.1. Clones share one server; it stops when the last one is dropped.
///
/// Ids are counted: the same calls give the same ids, also in another stand-in.
#[derive(Debug, Clone)]
pub struct FakeStripe {
    state: Arc<State>,
    address: SocketAddr,
    server: Arc<Running>,
}

impl FakeStripe {
    /// Starts on a free port, on a thread of its own.
    #[expect(clippy::unused_async, reason = "every stand-in starts the same way")]
    pub async fn start() -> io::Result<Self> {
        let state = Arc::new(State::default());
        let shared = web::Data::from(Arc::clone(&state));
        let (listener, address) = loopback::listen()?;
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .default_service(web::to(routes::answer))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)?
        .run();
        let server = Arc::new(Running::spawn("fake-stripe", server)?);
        Ok(Self {
            state,
            address,
            server,
        })
    }

    /// Stops now, whoever else holds a clone, and waits until the port is closed.
    pub async fn stop(&self) {
        self.server.stop().await;
    }

    /// `http://127.0.0.1:PORT/`
    pub fn base_url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Stores a complete Checkout Session as Stripe would serve it now.
    #[expect(clippy::needless_pass_by_value, reason = "callers build it in place")]
    pub fn add_checkout(&self, checkout: Checkout) -> CheckoutIds {
        self.state.add_checkout(&checkout)
    }

    /// Stores any object with an `id`, to be fetched as `/v1/<anything>/<id>` and put into events.
    /// Returns the id.
    pub fn add_object(&self, mut object: Value) -> String {
        let id = match object.get("id").and_then(Value::as_str) {
            Some(id) => id.to_owned(),
            None => self.state.issue("obj_1", 23),
        };
        if let Value::Object(keys) = &mut object {
            keys.insert("id".to_owned(), Value::String(id.clone()));
        }
        self.state.stored().others.insert(id.clone(), object);
        id
    }

    /// Changes a stored Checkout Session in any way; an unknown id is left alone.
    /// `edit` must not use the stand-in.
    pub fn edit_session(&self, session_id: &str, edit: impl FnOnce(&mut Value)) {
        if let Some(session) = self.state.stored().sessions.get_mut(session_id) {
            edit(&mut session.body);
        }
    }

    /// Sets `payment_status`, as when a slow payment arrives; an unknown id is left alone.
    pub fn set_payment_status(&self, session_id: &str, status: &str) {
        self.edit_session(session_id, |session| {
            if let Value::Object(keys) = session {
                keys.insert(
                    "payment_status".to_owned(),
                    Value::String(status.to_owned()),
                );
            }
        });
    }

    /// A new event with the object as it is now; an unknown object has nothing but its id.
    pub fn event(&self, event_type: &str, object_id: &str) -> Value {
        let object = self.state.snapshot(object_id);
        objects::event(
            &self.state.issue("evt_1", 23),
            event_type,
            self.state.now(),
            &object,
        )
    }

    /// Stops the clock that stamps `created`; `0` lets it follow the system again.
    pub fn set_now(&self, unix_seconds: i64) {
        self.state.set_now(unix_seconds);
    }

    /// The next `n` requests fail with this status and a Stripe error.
    pub fn fail_next(&self, n: usize, status: u16) {
        self.state.fail_next(n, status);
    }

    /// Each request is answered only after this time.
    pub fn set_delay(&self, delay: Duration) {
        self.state.set_delay(delay);
    }

    /// While down, each request is answered with 503.
    pub fn set_down(&self, down: bool) {
        self.state.set_down(down);
    }

    /// All requests so far, also the failed ones.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.state.requests()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.state.forget_requests();
    }
}
