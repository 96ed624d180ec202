//! JSON objects in which no member is named twice.
//!
//! RFC 8259 leaves open which of two equal members counts, so that two readers of one signed text
//! could see different claims. Such texts are refused at every depth.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Why a text was refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A member is named twice.
    Duplicate,
    /// Not a JSON object; the reader's own words.
    Malformed(String),
}

/// Reads a JSON object (RFC 8259) whose members, at every depth, are all different.
pub(super) fn parse_object(json: &[u8]) -> Result<Map<String, Value>, Fault> {
    let duplicate = Cell::new(false);
    let mut reader = serde_json::Deserializer::from_slice(json);
    let read = Unique(&duplicate)
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    match read {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Fault::Malformed("not an object".to_owned())),
        Err(_) if duplicate.get() => Err(Fault::Duplicate),
        Err(error) => Err(Fault::Malformed(error.to_string())),
    }
}

/// Reads any value, and notes when it stopped at a member named twice.
#[derive(Clone, Copy)]
struct Unique<'a>(&'a Cell<bool>);

impl<'de> DeserializeSeed<'de> for Unique<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self)? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(self)?;
            if members.insert(name, value).is_some() {
                self.0.set(true);
                return Err(A::Error::custom("a member is named twice"));
            }
        }
        Ok(members.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_named_twice_is_refused_at_every_depth() {
        for json in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"b":[{"c":{"a":null,"a":{}}}]}"#,
        ] {
            assert_eq!(
                parse_object(json.as_bytes()),
                Err(Fault::Duplicate),
                "{json}"
            );
        }
        assert!(parse_object(br#"{"a":{"a":[{"a":1},{"a":2}]}}"#).is_ok());
    }

    #[test]
    fn values_are_read_as_they_stand() {
        let json = r#"{"a":[null,true,-1,18446744073709551615,1.5,"x",{"b":[]}]}"#;
        let read = parse_object(json.as_bytes()).map(|members| Value::from(members).to_string());
        assert_eq!(read, Ok(json.to_owned()));
    }

    #[test]
    fn anything_but_one_object_is_malformed() {
        let deep = "[".repeat(10_000);
        for json in [
            "",
            "null",
            "[]",
            "{} {}",
            "{",
            "{\"a\":1,}",
            "{\"a\":\"\u{0}\"}",
            &deep,
        ] {
            let fault = parse_object(json.as_bytes());
            assert!(matches!(fault, Err(Fault::Malformed(_))), "{json}");
        }
        assert!(matches!(
            parse_object(b"{\"a\":\"\xff\"}"),
            Err(Fault::Malformed(_))
        ));
    }
}
