//! Versions of terms this process has seen. Their rows never change, nor do the kits they list, so
//! what was read once holds for ever and on every process: nothing is ever taken out.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::model::{KitId, TermsId};
use super::store::{Terms, find_terms, kits_of_terms};
use crate::db::{AnyConn, DbError};

/// One version of terms with the kits it lists.
#[derive(Debug)]
pub struct KnownTerms {
    /// What it grants.
    pub terms: Arc<Terms>,
    /// Its kits; none where its scope is `all`.
    pub kits: Vec<KitId>,
}

/// All that were seen: as many as policies were edited, each under a kilobyte.
#[derive(Debug, Default)]
pub struct TermsSeen(ArcSwap<HashMap<TermsId, Arc<KnownTerms>>>);

impl TermsSeen {
    /// The version with this id; `None` where there is none.
    pub fn get(
        &self,
        conn: &mut AnyConn,
        id: &TermsId,
    ) -> Result<Option<Arc<KnownTerms>>, DbError> {
        if let Some(known) = self.0.load().get(id) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(version) = find_terms(conn, id)? else {
            return Ok(None);
        };
        let listed = kits_of_terms(conn, std::slice::from_ref(id))?;
        let known = Arc::new(KnownTerms {
            terms: Arc::new(version.terms),
            kits: listed.into_iter().map(|(_, kit)| kit).collect(),
        });
        self.0.rcu(|seen| {
            let mut seen = HashMap::clone(seen);
            seen.insert(id.clone(), Arc::clone(&known));
            seen
        });
        Ok(Some(known))
    }
}
