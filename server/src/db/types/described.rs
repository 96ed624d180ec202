//! What ids, words and times look like in the document of the API.

use std::borrow::Cow;

use utoipa::openapi::schema::{
    ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type,
};
use utoipa::openapi::{Object, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::WordList;
use crate::clock::Timestamp;

/// Describes a type: `described!(Name as "name in the document", id("prefix"))`, or `words(&[…])`.
macro_rules! described {
    ($name:ident as $schema:expr, $kind:ident($($argument:expr),*)) => {
        impl ::utoipa::PartialSchema for $name {
            fn schema() -> ::utoipa::openapi::RefOr<::utoipa::openapi::Schema> {
                $crate::db::types::described::$kind($($argument),*)
            }
        }

        impl ::utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed($schema)
            }
        }
    };
}
pub(crate) use described;

/// A typed id with its prefix.
pub(crate) fn id(prefix: &str) -> RefOr<Schema> {
    text()
        .pattern(Some(format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$")))
        .examples([format!("{prefix}_01jhmz3e5afkt9ymv5n2e8wqc4")])
        .into()
}

/// One of a closed set of words.
pub(crate) fn words(words: &[&str]) -> RefOr<Schema> {
    text().enum_values(Some(words.iter().copied())).into()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

impl PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        text()
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("RFC 3339, in UTC."))
            .examples(["2027-01-15T12:00:00Z"])
            .into()
    }
}

impl ToSchema for Timestamp {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Timestamp")
    }
}

impl PartialSchema for WordList {
    fn schema() -> RefOr<Schema> {
        let word = Object::with_type(Type::String);
        ArrayBuilder::new().items(word).into()
    }
}

impl ToSchema for WordList {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("WordList")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::types::{is_type_id, text_enum, typed_id};

    typed_id!(
        /// For this test.
        ThingId, "thg"
    );

    text_enum! {
        /// For this test.
        pub enum Word as "OtherName" => {
            /// One.
            One = "one",
            /// Two.
            Two = "two",
        }
    }

    fn json<T: PartialSchema>() -> serde_json::Value {
        serde_json::to_value(T::schema()).unwrap()
    }

    #[test]
    fn an_id_is_described_by_its_form_and_a_good_example() {
        let schema = json::<ThingId>();
        assert_eq!(schema["pattern"], "^thg_[0-7][0-9a-hjkmnp-tv-z]{25}$");
        assert!(is_type_id("thg", schema["examples"][0].as_str().unwrap()));
        assert_eq!(ThingId::name(), "ThingId");
    }

    #[test]
    fn a_set_is_described_by_its_words() {
        assert_eq!(json::<Word>()["enum"], serde_json::json!(["one", "two"]));
        assert_eq!(Word::name(), "OtherName");
        assert_eq!(json::<Timestamp>()["format"], "date-time");
    }
}
