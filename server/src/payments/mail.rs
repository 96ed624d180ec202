//! The mail with the license keys of an order. What it tells is decided when it leaves.

use std::sync::Arc;

use kitward_portal::mail::{FirstStep, IssuedItem, LicenseIssuedMail};

use crate::app::App;
use crate::customers::model::{OrderId, normalize_address};
use crate::customers::store::{Order, find_order};
use crate::db::{AnyConn, DbError};
use crate::kits;
use crate::kits::model::Scope;
use crate::kits::store::Kit;
use crate::licenses;
use crate::licenses::issue::key_cell;
use crate::licenses::model::BaseState;
use crate::licenses::store::{Holding, LicenseKeyRow};
use crate::mail::Letter;
use crate::outbox::{Failure, OutboxId};
use crate::secrets::SealError;

/// What a license covers when that is everything.
const ALL_KITS: &str = "All kits";

/// Why the mail was not made.
#[derive(Debug, thiserror::Error)]
enum MailError {
    #[error("there is no such order")]
    NoOrder,
    #[error("the order has no usable mail address")]
    NoRecipient,
    #[error("the order has no license whose key may be told")]
    NoLicenses,
    #[error("a license key does not open")]
    Seal(#[from] SealError),
    #[error("a license key is not a text")]
    Key,
    #[error("the database failed while a mail was made")]
    Db(#[from] DbError),
}

impl From<MailError> for Failure {
    fn from(error: MailError) -> Self {
        match error {
            MailError::NoOrder | MailError::NoRecipient | MailError::NoLicenses => {
                Self::Never(error.to_string())
            }
            MailError::Seal(_) | MailError::Key | MailError::Db(_) => Self::retry(&error),
        }
    }
}

/// Sends the keys of an order to the address it was bought with.
pub async fn send(app: &Arc<App>, row: &OutboxId, order: &OrderId) -> Result<(), Failure> {
    let Some(mailer) = &app.mailer else {
        return Err(Failure::Retry("no mail server is configured".to_owned()));
    };
    match letter(app, order).await {
        // Refunded or given away while the mail waited: there is nothing to send, and nothing went wrong.
        Err(MailError::NoLicenses) => {
            tracing::info!(
                order = order.as_str(),
                "no key of the order may be told any more"
            );
            Ok(())
        }
        made => mailer.send(row, made?).await,
    }
}

async fn letter(app: &App, order: &OrderId) -> Result<Letter, MailError> {
    let id = order.clone();
    let contents = app.db.read_slow(move |conn| read(conn, &id)).await?;
    let to = recipient(&contents.order.email).ok_or(MailError::NoRecipient)?;
    let items = contents
        .licenses
        .iter()
        .map(|license| item(app, license))
        .collect::<Result<Vec<_>, _>>()?;
    let first_steps = match (items.as_slice(), contents.licenses.as_slice()) {
        ([item], [license]) => first_steps(app, item, license),
        _ => Vec::new(),
    };
    let rendered = LicenseIssuedMail {
        vendor_name: app.config.vendor.name.clone(),
        customer_name: contents.order.billing_name,
        items,
        portal_url: app.link("/"),
        order_ref: contents.order.id.to_string(),
        first_steps,
        support_email: app.config.vendor.support_email.clone(),
    }
    .render();
    Ok(Letter {
        to,
        subject: rendered.subject,
        text: rendered.text,
        html: rendered.html,
        unsubscribe: None,
    })
}

struct Contents {
    order: Order,
    licenses: Vec<Licensed>,
}

struct Licensed {
    holding: Holding,
    key: LicenseKeyRow,
    kits: Vec<Kit>,
}

fn read(conn: &mut AnyConn, id: &OrderId) -> Result<Contents, MailError> {
    let order = find_order(conn, id)?.ok_or(MailError::NoOrder)?;
    let mut found = Vec::new();
    for holding in told(conn, &order)? {
        let Some(key) = licenses::store::present_key(conn, &holding.license.id)? else {
            continue;
        };
        let listed = licenses::store::kits_of(conn, &holding.license)?;
        let kits = kits::store::kits_by_ids(conn, &listed)?;
        found.push(Licensed { holding, key, kits });
    }
    if found.is_empty() {
        return Err(MailError::NoLicenses);
    }
    Ok(Contents {
        order,
        licenses: found,
    })
}

/// The licenses of an order whose keys its mails tell.
pub(super) fn told(conn: &mut AnyConn, order: &Order) -> Result<Vec<Holding>, DbError> {
    let mut found = licenses::store::of_order(conn, &order.id)?;
    found.retain(|holding| is_told(holding, order));
    Ok(found)
}

/// What was transferred is somebody else's, and so is its key; the key of what was revoked or folded
/// into another license is of no use any more.
fn is_told(holding: &Holding, order: &Order) -> bool {
    let license = &holding.license;
    let is_theirs = license.customer_id == order.customer_id;
    is_theirs && !holding.revoked && license.base_state != BaseState::Merged
}

/// As typed where any mail server takes it; else in the form every mail server takes.
pub(super) fn recipient(typed: &str) -> Option<String> {
    let normalized = normalize_address(typed)?;
    Some(if typed.is_ascii() {
        typed.trim().to_owned()
    } else {
        normalized
    })
}

fn item(app: &App, license: &Licensed) -> Result<IssuedItem, MailError> {
    let opened = app
        .vault
        .open(key_cell(&license.key.id), &license.key.sealed_key)?;
    let key = std::str::from_utf8(&opened).map_err(|_secret_bytes| MailError::Key)?;
    let kit_names = match license.holding.terms.scope {
        Scope::All => vec![ALL_KITS.to_owned()],
        Scope::Kits => license.kits.iter().map(|kit| kit.name.clone()).collect(),
    };
    Ok(IssuedItem {
        kit_names,
        edition: license.holding.terms.edition.clone(),
        key: key.to_owned(),
    })
}

/// What to do with one key; several are explained in the portal.
fn first_steps(app: &App, item: &IssuedItem, license: &Licensed) -> Vec<FirstStep> {
    let Some(kit) = license.kits.first() else {
        return Vec::new();
    };
    let url = app.link("/v1/licenses/validate");
    let body = format!(r#"'{{"key":"'$KIT_KEY'","kit":"{}"}}'"#, kit.slug);
    vec![
        FirstStep {
            text: "Put the key where your build can read it.".to_owned(),
            command: Some(format!("export KIT_KEY={}", item.key)),
        },
        FirstStep {
            text: "Check that it works.".to_owned(),
            command: Some(format!("curl {url} \\\n  --json {body}")),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::recipient;

    #[test]
    fn mail_goes_to_the_address_as_typed_where_that_can_be() {
        let to = |typed| recipient(typed);
        assert_eq!(
            to(" Buyer@Example.com ").as_deref(),
            Some("Buyer@Example.com")
        );
        let idn = Some("buyer@xn--bcher-kva.example");
        assert_eq!(to("buyer@bücher.example").as_deref(), idn);
        assert_eq!(to("buyer@"), None);
        assert_eq!(to(""), None);
    }
}
