//! What is asked.

use std::io::Write as _;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::keys::Keys;
use crate::seed::{KIT, device};

/// Kinds of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Traffic {
    /// `validate` with keys nobody made: answered and signed without the database.
    Forged,
    /// `validate` of a seat that is taken.
    Validate,
    /// An update check from an older version, with a key.
    Check,
    /// `activate` of an identity nobody saw before.
    Activate,
}

/// An endless sequence of requests, other for every connection.
#[derive(Debug, Clone)]
pub(crate) struct Requests {
    traffic: Traffic,
    keys: Rc<Keys>,
    host: String,
    random: u64,
}

impl Requests {
    pub(crate) fn new(traffic: Traffic, keys: &Rc<Keys>, host: String) -> Self {
        Self {
            traffic,
            keys: Rc::clone(keys),
            host,
            random: 0,
        }
    }

    /// Those of one connection.
    pub(crate) fn for_connection(&self, number: usize) -> Self {
        // Phases after each other must not ask the same again.
        static STREAMS: AtomicU64 = AtomicU64::new(1);
        let stream = STREAMS.fetch_add(1, Ordering::Relaxed);
        let seed = (stream << 20) ^ number as u64;
        Self {
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            ..self.clone()
        }
    }

    /// Xorshift: nothing secret rests on it.
    fn draw(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    /// Replaces what is in `output` by the next request.
    pub(crate) fn write_next(&mut self, output: &mut Vec<u8>) {
        let (at, nonce) = (self.draw(), self.draw());
        let (number, key) = self.keys.pick(at);
        output.clear();
        if self.traffic == Traffic::Check {
            // Writing to a Vec cannot fail.
            let _ = write!(
                output,
                "GET /v1/kits/{KIT}/updates?version=1.2.0&nonce={nonce:016x} HTTP/1.1\r\nhost: {}\r\n\
                 authorization: License {key}\r\n\r\n",
                self.host,
            );
            return;
        }
        let route = match self.traffic {
            Traffic::Forged | Traffic::Validate | Traffic::Check => "validate",
            Traffic::Activate => "activate",
        };
        let identity = match self.traffic {
            Traffic::Forged | Traffic::Validate | Traffic::Check => device(number, nonce % 2),
            Traffic::Activate => format!("new-{at:016x}{nonce:016x}"),
        };
        let (start, changed, rest) = match self.traffic {
            Traffic::Forged => forge(key),
            Traffic::Validate | Traffic::Check | Traffic::Activate => (key, "", ""),
        };
        let mut body = String::with_capacity(320);
        for part in [
            r#"{"key":""#,
            start,
            changed,
            rest,
            r#"","kit":""#,
            KIT,
            r#"","device":""#,
            &identity,
            r#"","version":"1.2.0","nonce":""#,
        ] {
            body.push_str(part);
        }
        let _ = write!(
            output,
            "POST /v1/licenses/{route} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}{nonce:016x}\"}}",
            self.host,
            body.len() + 18,
        );
    }

    /// Whether an answer is what the request must be answered.
    pub(crate) fn is_right(&self, body: &[u8]) -> bool {
        match self.traffic {
            Traffic::Forged => body.starts_with(br#"{"valid":false,"code":"NOT_FOUND""#),
            Traffic::Validate | Traffic::Activate => {
                body.starts_with(br#"{"valid":true,"code":"VALID""#)
            }
            Traffic::Check => {
                body.starts_with(br#"{"available":true,"release":{"version":"1.23.0""#)
            }
        }
    }
}

/// The key with one letter of its random part changed.
fn forge(key: &str) -> (&str, &'static str, &str) {
    const AT: usize = 20;
    let (start, rest) = key.split_at_checked(AT).unwrap_or((key, ""));
    let mut letters = rest.chars();
    let changed = if letters.next() == Some('a') {
        "b"
    } else {
        "a"
    };
    (start, changed, letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(traffic: Traffic, connection: usize) -> String {
        let keys = Rc::new(Keys::new(vec![format!("kwl_{}", "q".repeat(149))]));
        let requests = Requests::new(traffic, &keys, "localhost:1".to_owned());
        let mut output = b"left over".to_vec();
        requests.for_connection(connection).write_next(&mut output);
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn the_length_told_is_that_of_the_body() {
        for traffic in [Traffic::Forged, Traffic::Validate, Traffic::Activate] {
            let text = text(traffic, 3);
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.ends_with(&format!("content-length: {}", body.len())));
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            assert_eq!(body["kit"], KIT);
            assert_eq!(body["nonce"].as_str().unwrap().len(), 16);
        }
    }

    #[test]
    fn an_update_check_shows_its_key_and_has_no_body() {
        let text = text(Traffic::Check, 3);
        assert!(text.starts_with("GET /v1/kits/feedback-widget/updates?version=1.2.0&nonce="));
        assert!(text.contains("\r\nauthorization: License kwl_qqq"));
        assert!(text.ends_with("\r\n\r\n"));
    }

    #[test]
    fn a_forged_key_differs_in_one_letter() {
        let key = format!("kwl_{}", "a".repeat(149));
        let (start, changed, rest) = forge(&key);
        let forged = format!("{start}{changed}{rest}");
        let different = forged.chars().zip(key.chars()).filter(|(a, b)| a != b);
        assert_eq!((different.count(), forged.len()), (1, key.len()));
    }

    #[test]
    fn no_two_connections_ask_the_same() {
        assert_ne!(text(Traffic::Activate, 1), text(Traffic::Activate, 1));
    }
}
