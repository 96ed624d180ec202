//! Column types that both databases share: typed ids, closed sets of words, times, JSON lists.

pub(crate) mod described;
mod word_list;

use serde::Serialize;

use crate::clock::Timestamp;
use crate::entropy::{Entropy, bytes};

pub use word_list::WordList;

/// Text of a `TypeID`: prefix, `_`, 26 characters of Crockford base32 over a `UUIDv7`
/// (<https://github.com/jetify-com/typeid>).
pub fn new_type_id(prefix: &str, now: Timestamp, entropy: &dyn Entropy) -> String {
    let random: [u8; 10] = bytes(entropy);
    let uuid = uuid::Builder::from_unix_timestamp_millis(now.unix_millis(), &random).into_uuid();
    let mut text = String::with_capacity(prefix.len() + 27);
    text.push_str(prefix);
    text.push('_');
    encode_crockford(uuid.as_u128(), &mut text);
    text
}

const CROCKFORD: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

fn encode_crockford(value: u128, out: &mut String) {
    for position in (0..26).rev() {
        let five_bits = (value >> (position * 5)) & 31;
        let symbol = usize::try_from(five_bits)
            .ok()
            .and_then(|at| CROCKFORD.get(at));
        out.push(symbol.copied().map_or('0', char::from));
    }
}

/// Whether `text` is a `TypeID` with this prefix.
pub fn is_type_id(prefix: &str, text: &str) -> bool {
    text.strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .is_some_and(|suffix| {
            suffix.len() == 26
                && suffix.bytes().all(|byte| CROCKFORD.contains(&byte))
                && suffix.bytes().next().is_some_and(|first| first <= b'7')
        })
}

/// Declares a typed public id, stored as its text.
macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash,
            ::diesel::expression::AsExpression, ::diesel::deserialize::FromSqlRow,
        )]
        #[diesel(sql_type = ::diesel::sql_types::Text)]
        pub struct $name(String);

        impl $name {
            /// What the text of the id starts with.
            pub const PREFIX: &'static str = $prefix;

            /// A new id, ordered by time.
            pub fn new(
                now: $crate::clock::Timestamp,
                entropy: &dyn $crate::entropy::Entropy,
            ) -> Self {
                Self($crate::db::types::new_type_id($prefix, now, entropy))
            }

            /// Reads an id; `None` for anything else, ids of other kinds included.
            pub fn parse(text: &str) -> Option<Self> {
                $crate::db::types::is_type_id($prefix, text).then(|| Self(text.to_owned()))
            }

            /// Its text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        $crate::db::types::described!($name as stringify!($name), id($prefix));

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| {
                    serde::de::Error::custom(concat!("expected an id that starts with ", $prefix, "_"))
                })
            }
        }

        impl<DB: ::diesel::backend::Backend> ::diesel::serialize::ToSql<::diesel::sql_types::Text, DB>
            for $name
        where
            str: ::diesel::serialize::ToSql<::diesel::sql_types::Text, DB>,
        {
            fn to_sql<'b>(
                &'b self,
                out: &mut ::diesel::serialize::Output<'b, '_, DB>,
            ) -> ::diesel::serialize::Result {
                self.0.as_str().to_sql(out)
            }
        }

        impl<DB: ::diesel::backend::Backend>
            ::diesel::deserialize::FromSql<::diesel::sql_types::Text, DB> for $name
        where
            String: ::diesel::deserialize::FromSql<::diesel::sql_types::Text, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> ::diesel::deserialize::Result<Self> {
                <String as ::diesel::deserialize::FromSql<::diesel::sql_types::Text, DB>>::from_sql(value)
                    .map(Self)
            }
        }
    };
}
pub(crate) use typed_id;

/// Declares a closed set of words, stored and shown as those words.
macro_rules! text_enum {
    ($(#[$doc:meta])* pub enum $name:ident { $($members:tt)* }) => {
        $crate::db::types::text_enum!($(#[$doc])* pub enum $name as stringify!($name) => { $($members)* });
    };
    // With the name that the document of the API gives it, where another type has its own.
    ($(#[$doc:meta])* pub enum $name:ident as $schema:expr => { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            ::diesel::expression::AsExpression, ::diesel::deserialize::FromSqlRow,
            serde::Serialize, serde::Deserialize,
        )]
        #[diesel(sql_type = ::diesel::sql_types::Text)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Every word of the set.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The member with this word.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|member| member.as_str() == text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        $crate::db::types::described!($name as $schema, words(&[$($text),+]));

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                Self::parse(text).ok_or_else(|| {
                    let words: Vec<_> = Self::ALL.iter().map(|member| member.as_str()).collect();
                    format!("expected one of {}", words.join(", "))
                })
            }
        }

        impl<DB: ::diesel::backend::Backend> ::diesel::serialize::ToSql<::diesel::sql_types::Text, DB>
            for $name
        where
            str: ::diesel::serialize::ToSql<::diesel::sql_types::Text, DB>,
        {
            fn to_sql<'b>(
                &'b self,
                out: &mut ::diesel::serialize::Output<'b, '_, DB>,
            ) -> ::diesel::serialize::Result {
                self.as_str().to_sql(out)
            }
        }

        impl<DB: ::diesel::backend::Backend>
            ::diesel::deserialize::FromSql<::diesel::sql_types::Text, DB> for $name
        where
            String: ::diesel::deserialize::FromSql<::diesel::sql_types::Text, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> ::diesel::deserialize::Result<Self> {
                let text =
                    <String as ::diesel::deserialize::FromSql<::diesel::sql_types::Text, DB>>::from_sql(value)?;
                Self::parse(&text).ok_or_else(|| format!("unknown {}: {text}", stringify!($name)).into())
            }
        }
    };
}
pub(crate) use described::described;
pub(crate) use text_enum;

/// One page of a list, by keyset.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page starts; null on the last.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of `limit` from up to `limit + 1` rows.
    pub fn cut(mut items: Vec<T>, limit: usize, cursor: impl Fn(&T) -> String) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = if more { items.last().map(cursor) } else { None };
        Self { items, next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn a_type_id_matches_the_specification() {
        let mut text = String::new();
        encode_crockford(0x0188_bac7_4afa_78aa_bc3b_bd1e_ef28_d881, &mut text);
        assert_eq!(text, "01h2xcejqtf2nbrexx3vqjhp41");
    }

    #[test]
    fn only_well_formed_ids_of_the_kind_are_read() {
        let now = Timestamp::parse("2027-01-01T00:00:00Z").unwrap();
        let id = new_type_id("lic", now, &SeededEntropy::new(1));
        assert!(is_type_id("lic", &id));
        assert!(!is_type_id("kit", &id));
        assert!(!is_type_id("lic", "lic_81h2xcejqtf2nbrexx3vqjhp41"));
        assert!(!is_type_id("lic", "lic_01H2XCEJQTF2NBREXX3VQJHP41"));
        assert!(!is_type_id("lic", "lic_'; drop table"));
    }
}
