//! Which licenses a list shows, and the status of a license as one SQL expression.
//!
//! The expression says what [`Standing::status`](crate::licenses::model::Standing::status) says; a
//! property test holds them together. Where a grace is added to an end there, it is taken from the
//! present here, so that the column stands alone on its side.

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types;

use crate::clock::Timestamp;
use crate::customers::model::CustomerId;
use crate::kits::model::{KitId, PolicyId};
use crate::licenses::model::LicenseStatus;

/// The present, as the expressions need it.
#[derive(Debug, Clone)]
pub struct Present {
    moment: Timestamp,
    /// SQLite counts days in whole seconds: those, and what is left of the present, as it writes
    /// times. `None` on PostgreSQL.
    parts: Option<(String, String)>,
}

impl Present {
    /// For a database of this kind.
    pub fn new(moment: Timestamp, sqlite: bool) -> Self {
        let written = |form: &str| moment.utc().format(form).to_string();
        let parts = sqlite.then(|| (written("%F %T"), written("%.f")));
        Self { moment, parts }
    }

    fn push<'b, DB>(&'b self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        DB: Backend,
        Timestamp: ToSql<sql_types::Timestamp, DB>,
    {
        out.push_bind_param::<sql_types::Timestamp, _>(&self.moment)
    }

    /// The present less the days of grace of the terms.
    fn push_less_grace<'b, DB>(&'b self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        DB: Backend,
        Timestamp: ToSql<sql_types::Timestamp, DB>,
        str: ToSql<sql_types::Text, DB>,
    {
        let Some((whole, fraction)) = &self.parts else {
            out.push_sql("(CAST(");
            self.push(out)?;
            out.push_sql(" AS TIMESTAMP) - terms.grace_days * INTERVAL '1 day')");
            return Ok(());
        };
        out.push_sql("(datetime(");
        out.push_bind_param::<sql_types::Text, str>(whole.as_str())?;
        out.push_sql(", (-terms.grace_days) || ' days') || ");
        out.push_bind_param::<sql_types::Text, str>(fraction.as_str())?;
        out.push_sql(")");
        Ok(())
    }
}

/// What a list of licenses is narrowed to; all of it must hold.
#[derive(Debug, Clone, ValidGrouping)]
pub struct Filter {
    /// The present.
    pub present: Present,
    /// In this state now.
    pub status: Option<LicenseStatus>,
    /// Covering this kit.
    pub kit: Option<KitId>,
    /// Of this customer.
    pub customer: Option<CustomerId>,
    /// Under this policy.
    pub policy: Option<PolicyId>,
    /// Use or updates end between the present and then.
    pub expiring_until: Option<Timestamp>,
    /// Activated once, and no seat seen since.
    pub unseen_since: Option<Timestamp>,
    /// More seats in use than it has, or not.
    pub over_limit: Option<bool>,
    /// Has seats, and never had one taken; or the contrary.
    pub never_activated: Option<bool>,
}

impl QueryId for Filter {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Expression for Filter {
    type SqlType = sql_types::Bool;
}

impl<T> AppearsOnTable<T> for Filter {}
impl<T> SelectableExpression<T> for Filter {}

impl<DB> QueryFragment<DB> for Filter
where
    DB: Backend,
    Timestamp: ToSql<sql_types::Timestamp, DB>,
    str: ToSql<sql_types::Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql("1 = 1");
        if let Some(status) = self.status {
            out.push_sql(" AND ");
            push_status(&self.present, out.reborrow())?;
            // One of our own words, never a text of the caller.
            out.push_sql(" = '");
            out.push_sql(status.as_str());
            out.push_sql("'");
        }
        if let Some(customer) = &self.customer {
            out.push_sql(" AND licenses.customer_id = ");
            out.push_bind_param::<sql_types::Text, str>(customer.as_str())?;
        }
        if let Some(policy) = &self.policy {
            out.push_sql(" AND licenses.policy_id = ");
            out.push_bind_param::<sql_types::Text, str>(policy.as_str())?;
        }
        if let Some(kit) = &self.kit {
            out.push_sql(
                " AND (terms.scope = 'all' OR EXISTS (SELECT 1 FROM terms_kits \
                 WHERE terms_kits.terms_id = licenses.terms_id AND terms_kits.kit_id = ",
            );
            out.push_bind_param::<sql_types::Text, str>(kit.as_str())?;
            out.push_sql("))");
        }
        self.walk_seats(out.reborrow())?;
        self.walk_expiring(out)
    }
}

/// The status in one word, as `licenses` and `terms` stand in the query.
fn push_status<'b, DB>(present: &'b Present, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()>
where
    DB: Backend,
    Timestamp: ToSql<sql_types::Timestamp, DB>,
    str: ToSql<sql_types::Text, DB>,
{
    out.push_sql(
        "CASE WHEN licenses.base_state = 'merged' THEN 'merged' \
         WHEN EXISTS (SELECT 1 FROM license_holds WHERE license_holds.license_id = licenses.id \
         AND license_holds.kind = 'revocation' AND license_holds.closed_at IS NULL) THEN 'revoked' \
         WHEN EXISTS (SELECT 1 FROM license_holds WHERE license_holds.license_id = licenses.id \
         AND license_holds.kind = 'hold' AND license_holds.closed_at IS NULL) THEN 'suspended' \
         WHEN licenses.base_state = 'pending' OR licenses.starts_at > ",
    );
    present.push(&mut out)?;
    out.push_sql(" THEN 'pending' WHEN licenses.base_state = 'ended' OR licenses.valid_until <= ");
    present.push_less_grace(&mut out)?;
    out.push_sql(
        " OR (NOT (terms.on_lapse = 'keep' \
         AND licenses.paid_months >= terms.keep_after_paid_months) AND ",
    );
    push_lapsed(present, &mut out)?;
    out.push_sql(") THEN 'expired' WHEN ");
    push_lapsed(present, &mut out)?;
    out.push_sql(" THEN 'lapsed' WHEN licenses.valid_until <= ");
    present.push(&mut out)?;
    out.push_sql(" OR licenses.past_due_since <= ");
    present.push(&mut out)?;
    out.push_sql(" THEN 'grace' ELSE 'active' END");
    Ok(())
}

/// Whether the subscription ended, was paused, or is past due beyond grace.
fn push_lapsed<'b, DB>(present: &'b Present, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
where
    DB: Backend,
    Timestamp: ToSql<sql_types::Timestamp, DB>,
    str: ToSql<sql_types::Text, DB>,
{
    out.push_sql("(licenses.lapsed_at <= ");
    present.push(out)?;
    out.push_sql(" OR licenses.past_due_since <= ");
    present.push_less_grace(out)?;
    out.push_sql(")");
    Ok(())
}

const ACTIVATED: &str =
    "EXISTS (SELECT 1 FROM activations WHERE activations.license_id = licenses.id";

impl Filter {
    fn walk_seats<'b, DB>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        DB: Backend,
        Timestamp: ToSql<sql_types::Timestamp, DB>,
    {
        match self.over_limit {
            Some(true) => out.push_sql(
                " AND licenses.seat_limit IS NOT NULL AND licenses.seats_used > licenses.seat_limit",
            ),
            Some(false) => out.push_sql(
                " AND (licenses.seat_limit IS NULL OR licenses.seats_used <= licenses.seat_limit)",
            ),
            None => {}
        }
        if let Some(never) = self.never_activated {
            out.push_sql(" AND terms.seat_kind <> 'none' AND ");
            if never {
                out.push_sql("NOT ");
            }
            out.push_sql(ACTIVATED);
            out.push_sql(")");
        }
        if let Some(since) = &self.unseen_since {
            out.push_sql(" AND ");
            out.push_sql(ACTIVATED);
            out.push_sql(") AND NOT ");
            out.push_sql(ACTIVATED);
            out.push_sql(" AND activations.last_seen_at >= ");
            out.push_bind_param::<sql_types::Timestamp, _>(since)?;
            out.push_sql(")");
        }
        Ok(())
    }

    fn walk_expiring<'b, DB>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        DB: Backend,
        Timestamp: ToSql<sql_types::Timestamp, DB>,
    {
        let Some(until) = &self.expiring_until else {
            return Ok(());
        };
        for (before, column) in [
            (" AND (", "licenses.valid_until"),
            (" OR ", "licenses.updates_until"),
        ] {
            out.push_sql(before);
            out.push_sql("(");
            out.push_sql(column);
            out.push_sql(" > ");
            self.present.push(&mut out)?;
            out.push_sql(" AND ");
            out.push_sql(column);
            out.push_sql(" <= ");
            out.push_bind_param::<sql_types::Timestamp, _>(until)?;
            out.push_sql(")");
        }
        out.push_sql(")");
        Ok(())
    }
}
