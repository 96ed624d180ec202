//! Lists of releases, for whoever manages them.

use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::Release;
use crate::db::schema::releases;
use crate::db::{AnyConn, DbError};
use crate::kits::model::KitId;
use crate::releases::model::{Channel, ReleaseStatus, Severity};

/// What a list of releases is narrowed to; all of it must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this kit.
    pub kit: Option<KitId>,
    /// So far.
    pub status: Option<ReleaseStatus>,
    /// On this channel alone.
    pub channel: Option<Channel>,
    /// So urgent.
    pub severity: Option<Severity>,
    /// Taken off the lists, or not.
    pub yanked: Option<bool>,
    /// Taken away, or not.
    pub withdrawn: Option<bool>,
    /// Halted, or not.
    pub halted: Option<bool>,
}

/// A condition that holds where nothing is asked for.
macro_rules! if_asked {
    ($column:expr, $asked:expr, $other:expr) => {
        $column
            .eq($asked.clone().unwrap_or($other))
            .or($asked.is_none().into_sql::<Bool>())
    };
}

/// Whether a time is set, or not, or either.
macro_rules! if_set {
    ($column:expr, $asked:expr) => {
        $column
            .is_not_null()
            .and(($asked != Some(false)).into_sql::<Bool>())
            .or($column
                .is_null()
                .and(($asked != Some(true)).into_sql::<Bool>()))
    };
}

/// Releases in the order of their creation, after a cursor.
pub fn list(
    conn: &mut AnyConn,
    filter: &Filter,
    after: &str,
    limit: i64,
) -> Result<Vec<Release>, DbError> {
    let rest = releases::table
        .filter(releases::id.gt(after.to_owned()))
        .filter(if_asked!(
            releases::status,
            filter.status,
            ReleaseStatus::Draft
        ))
        .filter(if_asked!(
            releases::channel,
            filter.channel,
            Channel::Stable
        ))
        .filter(if_asked!(
            releases::severity,
            filter.severity,
            Severity::Normal
        ))
        .filter(if_set!(releases::yanked_at, filter.yanked))
        .filter(if_set!(releases::withdrawn_at, filter.withdrawn))
        .filter(if_set!(releases::halted_at, filter.halted))
        .order(releases::id)
        .select(Release::as_select())
        .limit(limit);
    Ok(match &filter.kit {
        Some(kit) => rest.filter(releases::kit_id.eq(kit)).load(conn)?,
        None => rest.load(conn)?,
    })
}
