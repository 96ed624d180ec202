//! The schedule of a rollout in one text column, as JSON.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types;
use serde::Serialize;

use crate::releases::model::{Rollout, Step};

/// A schedule as stored.
#[derive(
    Debug, Clone, PartialEq, Eq, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = sql_types::Text)]
pub struct RolloutColumn {
    rollout: Rollout,
    /// Kept because a bound value must be borrowed from somewhere.
    text: String,
}

impl RolloutColumn {
    /// The schedule.
    pub fn rollout(&self) -> &Rollout {
        &self.rollout
    }
}

impl From<Rollout> for RolloutColumn {
    fn from(rollout: Rollout) -> Self {
        // A list of times and numbers always is JSON.
        let text = serde_json::to_string(&rollout).unwrap_or_default();
        Self { rollout, text }
    }
}

impl Serialize for RolloutColumn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.rollout.serialize(serializer)
    }
}

impl<DB: Backend> FromSql<sql_types::Text, DB> for RolloutColumn
where
    String: FromSql<sql_types::Text, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<sql_types::Text, DB>>::from_sql(value)?;
        let steps: Vec<Step> = serde_json::from_str(&text)?;
        Ok(Self {
            rollout: Rollout::new(steps)?,
            text,
        })
    }
}

impl<DB: Backend> ToSql<sql_types::Text, DB> for RolloutColumn
where
    str: ToSql<sql_types::Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.text.as_str().to_sql(out)
    }
}
