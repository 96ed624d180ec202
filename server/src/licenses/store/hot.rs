//! The two changes every taken seat makes. Diesel prepares its own UPDATE statements anew at each
//! call, because their columns may differ; the text of these never does.

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::Text;

use crate::licenses::model::LicenseId;

/// Counts the version of a license up.
#[derive(Debug)]
pub(super) struct CountVersion<'a>(pub(super) &'a LicenseId);

impl<DB: Backend> QueryFragment<DB> for CountVersion<'_>
where
    LicenseId: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("UPDATE licenses SET version = version + 1 WHERE id = ");
        out.push_bind_param::<Text, _>(self.0)
    }
}

impl QueryId for CountVersion<'_> {
    type QueryId = CountVersion<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<Conn> RunQueryDsl<Conn> for CountVersion<'_> {}

/// Counts one more seat of a license, if one is left.
#[derive(Debug)]
pub(super) struct CountSeat<'a>(pub(super) &'a LicenseId);

impl<DB: Backend> QueryFragment<DB> for CountSeat<'_>
where
    LicenseId: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(
            "UPDATE licenses SET seats_used = seats_used + 1 \
             WHERE (seat_cap IS NULL OR seats_used < seat_cap) AND id = ",
        );
        out.push_bind_param::<Text, _>(self.0)
    }
}

impl QueryId for CountSeat<'_> {
    type QueryId = CountSeat<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<Conn> RunQueryDsl<Conn> for CountSeat<'_> {}
