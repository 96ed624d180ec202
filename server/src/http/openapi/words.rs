//! Texts of a known form that several requests and answers share. They stand in for `String`:
//! `#[schema(value_type = Slug)]`.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

const NUMBERS: &str = r"(0|[1-9][0-9]{0,17})\.(0|[1-9][0-9]{0,17})\.(0|[1-9][0-9]{0,17})";
const PRE_RELEASE: &str = r"(-(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?";
const BUILD: &str = r"(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?";

macro_rules! text {
    ($(#[doc = $doc:literal])+ $name:ident, $edit:expr) => {
        $(#[doc = $doc])+
        #[derive(Debug)]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let edit: fn(ObjectBuilder) -> ObjectBuilder = $edit;
                let meaning = concat!($($doc),+).trim();
                let text = ObjectBuilder::new().schema_type(Type::String);
                edit(text.description(Some(meaning))).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    };
}

fn format(text: ObjectBuilder, format: &str) -> ObjectBuilder {
    text.format(Some(SchemaFormat::Custom(format.to_owned())))
}

text!(
    /// `a-z`, `0-9` and single hyphens between them.
    Slug,
    |text| text
        .min_length(Some(1))
        .max_length(Some(64))
        .pattern(Some("^[a-z0-9]+(-[a-z0-9]+)*$"))
        .examples(["feedback-widget"])
);
text!(
    /// A slug, a former slug, or an id.
    KitName,
    |text| text
        .min_length(Some(1))
        .max_length(Some(64))
        .examples(["feedback-widget"])
);
text!(
    /// Version of a release (Semantic Versioning 2.0.0, without build metadata).
    ReleaseVersion,
    |text| text
        .max_length(Some(64))
        .pattern(Some(format!("^{NUMBERS}{PRE_RELEASE}$")))
        .examples(["1.2.3"])
);
text!(
    /// A version in use (Semantic Versioning 2.0.0).
    InstalledVersion,
    |text| text
        .max_length(Some(256))
        .pattern(Some(format!("^{NUMBERS}{PRE_RELEASE}{BUILD}$")))
        .examples(["1.2.3"])
);
text!(
    /// 64 hexadecimal digits.
    Sha256,
    |text| text.pattern(Some("^[0-9a-f]{64}$"))
);
text!(
    /// 128 hexadecimal digits.
    Sha512,
    |text| text.pattern(Some("^[0-9a-f]{128}$"))
);
text!(
    /// A web address.
    WebAddress,
    |text| format(text, "uri").max_length(Some(2048))
);
text!(
    /// Signed, in compact form (RFC 7515); see `docs/key-format.md`.
    SignedDocument,
    |text| text.pattern(Some("^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$"))
);
text!(
    /// The bytes of a file.
    FileBytes,
    |text| text.format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
);
