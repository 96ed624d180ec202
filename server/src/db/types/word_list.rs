//! Lists of short words.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types;
use serde::Serialize;

/// A list of short words in one text column, as JSON.
#[derive(
    Debug, Clone, PartialEq, Eq, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = sql_types::Text)]
pub struct WordList {
    words: Vec<String>,
    /// Kept because a bound value must be borrowed from somewhere.
    text: String,
}

impl WordList {
    /// Keeps the order given.
    pub fn new(words: Vec<String>) -> Self {
        let text = serde_json::Value::from(words.clone()).to_string();
        Self { words, text }
    }

    /// The words.
    pub fn words(&self) -> &[String] {
        &self.words
    }
}

impl Default for WordList {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl From<Vec<String>> for WordList {
    fn from(words: Vec<String>) -> Self {
        Self::new(words)
    }
}

impl<'de> serde::Deserialize<'de> for WordList {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<String>::deserialize(deserializer).map(Self::new)
    }
}

impl Serialize for WordList {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.words.serialize(serializer)
    }
}

impl<DB: Backend> FromSql<sql_types::Text, DB> for WordList
where
    String: FromSql<sql_types::Text, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<sql_types::Text, DB>>::from_sql(value)?;
        Ok(Self {
            words: serde_json::from_str(&text)?,
            text,
        })
    }
}

impl<DB: Backend> ToSql<sql_types::Text, DB> for WordList
where
    str: ToSql<sql_types::Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.text.as_str().to_sql(out)
    }
}
