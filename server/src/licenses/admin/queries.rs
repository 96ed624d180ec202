//! What lists of licenses may be narrowed to.

use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::App;
use crate::customers::model::CustomerId;
use crate::db::DbError;
use crate::http::error::ApiError;
use crate::http::paging::refuse_paging;
use crate::kits::model::{KitId, PolicyId};
use crate::kits::store::{find_kit_by_name, find_policy_named};
use crate::licenses::model::LicenseStatus;
use crate::licenses::store::{Filter, Present};

const DAY: i64 = 86_400;
/// Most days a filter may look back or ahead: a century.
const DAYS_MAX: i64 = 36_500;

/// Filters of a list of licenses, in the query; all of them must hold.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LicenseQuery {
    /// Most rows of a page.
    #[param(minimum = 1, maximum = 100)]
    pub(super) limit: Option<usize>,
    /// `next_cursor` of the page before.
    pub(super) cursor: Option<String>,
    /// In this state now.
    status: Option<LicenseStatus>,
    /// Covering this kit: slug, former slug or id.
    kit: Option<String>,
    /// Of this customer.
    customer: Option<String>,
    /// Under this policy: id or name.
    policy: Option<String>,
    /// Use or updates end within so many days.
    #[param(minimum = 1, maximum = 36500)]
    expiring: Option<i64>,
    /// Activated once, and no seat seen for so many days.
    #[param(minimum = 1, maximum = 36500)]
    dormant: Option<i64>,
    /// More seats in use than it has, or not.
    over_limit: Option<bool>,
    /// Has seats and never had one taken, or the contrary.
    never_activated: Option<bool>,
}

impl LicenseQuery {
    /// The filter it asks for. Names are looked up: a list narrowed to what there is not is a
    /// mistake, not an empty list.
    pub(super) async fn filter(&self, app: &App) -> Result<Filter, ApiError> {
        let now = app.clock.now();
        let customer = match &self.customer {
            Some(text) => Some(CustomerId::parse(text).ok_or_else(|| unknown("customer"))?),
            None => None,
        };
        let (kit, policy) = self.named(app).await?;
        let ahead = days("expiring", self.expiring)?;
        let back = days("dormant", self.dormant)?;
        Ok(Filter {
            present: Present::new(now, app.db.is_sqlite()),
            status: self.status,
            kit,
            customer,
            policy,
            expiring_until: ahead.map(|days| now.plus_seconds(days * DAY)),
            unseen_since: back.map(|days| now.plus_seconds(-days * DAY)),
            over_limit: self.over_limit,
            never_activated: self.never_activated,
        })
    }

    async fn named(&self, app: &App) -> Result<(Option<KitId>, Option<PolicyId>), ApiError> {
        let (kit, policy) = (self.kit.clone(), self.policy.clone());
        if kit.is_none() && policy.is_none() {
            return Ok((None, None));
        }
        let found = app.db.read_snapshot(move |conn| -> Result<_, DbError> {
            let kit = match kit {
                Some(name) => Some(find_kit_by_name(conn, &name)?.map(|kit| kit.id)),
                None => None,
            };
            let policy = match policy {
                Some(name) => Some(find_policy_named(conn, &name)?.map(|it| it.policy.id)),
                None => None,
            };
            Ok((kit, policy))
        });
        let (kit, policy) = found.await?;
        let kit = kit
            .map(|kit| kit.ok_or_else(|| unknown("kit")))
            .transpose()?;
        let policy = policy.map(|it| it.ok_or_else(|| unknown("policy")));
        Ok((kit, policy.transpose()?))
    }

    /// An export has no pages.
    pub(super) fn refuse_paging(&self) -> Result<(), ApiError> {
        refuse_paging(self.limit, self.cursor.as_deref())
    }
}

fn unknown(what: &str) -> ApiError {
    ApiError::field(what, format!("There is no such {what}."))
}

fn days(field: &str, days: Option<i64>) -> Result<Option<i64>, ApiError> {
    if days.is_none_or(|days| (1..=DAYS_MAX).contains(&days)) {
        return Ok(days);
    }
    Err(ApiError::field(field, "must be 1 to 36500 days"))
}
