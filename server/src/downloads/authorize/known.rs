//! The short way to an access: one statement, and a catalog that was seen before.

use std::sync::Arc;

use super::look::of_license;
use super::{Access, AccessError};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{AnyConn, DbError, LookUp};
use crate::downloads::store::{Gate, Sought, gates};
use crate::kits::known_terms::TermsSeen;
use crate::kits::model::{Scope, is_slug};
use crate::licenses::keys::Lookup;

/// A key before a kit. What many ask at once is asked together.
#[derive(Debug)]
pub struct AtGate {
    lookup: Vec<u8>,
    slug: String,
    terms: Arc<TermsSeen>,
}

impl LookUp for AtGate {
    type Found = Option<Gate>;

    fn answer(conn: &mut AnyConn, questions: &[Self]) -> Result<Vec<Self::Found>, DbError> {
        let Some(first) = questions.first() else {
            return Ok(Vec::new());
        };
        let sought = questions.iter().map(|question| Sought {
            lookup: &question.lookup,
            slug: &question.slug,
        });
        gates(conn, &first.terms, &sought.collect::<Vec<_>>())
    }
}

/// What a key opens of a kit, where one statement tells it; `None` where it takes more: tokens, imported
/// keys, former slugs, releases granted to the license, a kit it does not cover, a catalog that changed.
pub(super) async fn known(
    app: &App,
    lookup: &Lookup,
    slug: &str,
    now: Timestamp,
) -> Result<Option<Access>, AccessError> {
    let Some(digest) = lookup.only().filter(|_| is_slug(slug)) else {
        return Ok(None);
    };
    let asked = AtGate {
        lookup: digest.to_vec(),
        slug: slug.to_owned(),
        terms: Arc::clone(&app.terms_seen),
    };
    let gate = app.db.read_grouped(&app.gates, asked).await?;
    let gate = gate.ok_or(AccessError::KeyUnknown)?;
    let Some((kit, version)) = gate.kit.filter(|_| !gate.has_grants) else {
        return Ok(None);
    };
    let covers = match gate.holding.terms.scope {
        Scope::All => true,
        Scope::Kits => gate.terms.kits.contains(&kit),
    };
    let catalog = app.catalogs.get(&kit, version);
    match catalog.filter(|_| covers) {
        Some(catalog) => of_license(gate.holding, catalog, &[], gate.renew_url, now).map(Some),
        None => Ok(None),
    }
}
