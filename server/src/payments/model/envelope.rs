//! The little that is read of a provider's event before its object is fetched.

use serde_json::Value;

use super::{EventStatus, Mode};

/// Longest id or type that is read.
const MAX: usize = 255;

/// Types that have an effect here.
const HANDLED: [&str; 2] = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
];

/// What an event says about itself. Everything else may change with the provider's versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The provider's id of the event.
    pub event_id: String,
    /// What happened, as the provider calls it.
    pub event_type: String,
    /// Real money or not.
    pub mode: Mode,
    /// What it happened to.
    pub object_id: Option<String>,
    /// Whether it happened in an account connected to ours.
    pub foreign: bool,
}

/// Why a body is no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not UTF-8.
    #[error("the body is not UTF-8")]
    Encoding,
    /// Not JSON.
    #[error("the body is not JSON")]
    Syntax,
    /// JSON without an id.
    #[error("the event has no id")]
    NoId,
}

impl Envelope {
    /// Reads a Stripe event, whole (`data.object`) or thin (`related_object`).
    pub fn parse(body: &[u8]) -> Result<Self, EnvelopeError> {
        let text = std::str::from_utf8(body).map_err(|_bytes| EnvelopeError::Encoding)?;
        let event: Value = serde_json::from_str(text).map_err(|_json| EnvelopeError::Syntax)?;
        let event_id = plain(event.get("id")).ok_or(EnvelopeError::NoId)?;
        let object = event
            .pointer("/data/object/id")
            .or_else(|| event.pointer("/related_object/id"));
        let live = event.get("livemode").and_then(Value::as_bool);
        Ok(Self {
            event_id,
            event_type: plain(event.get("type")).unwrap_or_default(),
            mode: Mode::of(live.unwrap_or(false)),
            object_id: plain(object),
            foreign: event
                .get("account")
                .is_some_and(|account| !account.is_null()),
        })
    }

    /// What shall become of the event.
    pub fn status(&self, ours: Mode) -> EventStatus {
        // Thin events about objects of the first API carry its version in their type.
        let name = self.event_type.strip_prefix("v1.");
        let known = HANDLED.contains(&name.unwrap_or(&self.event_type));
        if self.mode != ours {
            EventStatus::IgnoredMode
        } else if known && self.object_id.is_some() && !self.foreign {
            EventStatus::Received
        } else {
            EventStatus::IgnoredType
        }
    }
}

/// Ids and types are short and printable; nothing else gets into columns and lists.
fn plain(value: Option<&Value>) -> Option<String> {
    let text = value?.as_str()?;
    let fits = (1..=MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Envelope {
        Envelope::parse(body.as_bytes()).unwrap()
    }

    #[test]
    fn a_whole_event_is_read_whatever_else_it_holds() {
        let event = read(
            r#"{"id":"evt_1","object":"event","type":"checkout.session.completed","livemode":true,
                "unknown":[1],"data":{"object":{"id":"cs_1","shape":"of a later version"}}}"#,
        );
        assert_eq!(event.event_id, "evt_1");
        assert_eq!(event.object_id.as_deref(), Some("cs_1"));
        assert_eq!(event.status(Mode::Live), EventStatus::Received);
        assert_eq!(event.status(Mode::Test), EventStatus::IgnoredMode);
    }

    #[test]
    fn a_thin_event_is_read_alike() {
        let event = read(
            r#"{"id":"evt_2","object":"v2.core.event","livemode":false,
                "type":"v1.checkout.session.completed",
                "related_object":{"id":"cs_2","type":"checkout.session"}}"#,
        );
        assert_eq!(event.object_id.as_deref(), Some("cs_2"));
        assert_eq!(event.status(Mode::Test), EventStatus::Received);
    }

    #[test]
    fn what_has_no_effect_here_is_kept_and_ignored() {
        for body in [
            r#"{"id":"evt_3","type":"customer.created","data":{"object":{"id":"cus_1"}}}"#,
            r#"{"id":"evt_3","type":"checkout.session.completed"}"#,
            r#"{"id":"evt_3","type":7}"#,
            r#"{"id":"evt_3"}"#,
            r#"{"id":"evt_3","account":"acct_1","type":"checkout.session.completed",
                "data":{"object":{"id":"cs_1"}}}"#,
        ] {
            assert_eq!(
                read(body).status(Mode::Test),
                EventStatus::IgnoredType,
                "{body}"
            );
        }
    }

    #[test]
    fn what_is_no_event_is_refused() {
        let refused = |body: &[u8]| Envelope::parse(body).unwrap_err();
        assert_eq!(refused(b"{\"id\":\"\xff\"}"), EnvelopeError::Encoding);
        assert_eq!(refused(b"{\"id\":"), EnvelopeError::Syntax);
        assert_eq!(refused(b""), EnvelopeError::Syntax);
        for body in [
            "{}",
            "[]",
            "7",
            r#"{"id":7}"#,
            r#"{"id":""}"#,
            r#"{"id":"a\u0000b"}"#,
        ] {
            assert_eq!(refused(body.as_bytes()), EnvelopeError::NoId, "{body}");
        }
    }
}
