//! Policies, versions and templates as management sees them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::kits::model::{KitId, Template, TermsId};
use crate::kits::store::{Policy, PolicyTerms, Terms, TermsVersion};

/// A policy with its present terms.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyDetail)]
pub(in crate::kits::admin) struct PolicyView {
    #[serde(flatten)]
    policy: Policy,
    /// Its present terms.
    terms_id: TermsId,
    #[serde(flatten)]
    terms: Terms,
    /// Ids; none where the scope is `all`.
    kits: Vec<KitId>,
}

impl PolicyView {
    pub(super) fn version(&self) -> i64 {
        self.policy.version
    }

    pub(super) fn id(&self) -> String {
        self.policy.id.to_string()
    }
}

impl From<PolicyTerms> for PolicyView {
    fn from(found: PolicyTerms) -> Self {
        Self {
            policy: found.policy,
            terms_id: found.version.id,
            terms: found.version.terms,
            kits: found.kits,
        }
    }
}

/// One version of a policy's terms.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyVersion)]
pub(in crate::kits::admin) struct VersionView {
    id: TermsId,
    number: i32,
    created_at: Timestamp,
    #[serde(flatten)]
    terms: Terms,
    /// Ids; none where the scope is `all`.
    kits: Vec<KitId>,
}

impl VersionView {
    pub(super) fn number(&self) -> String {
        self.number.to_string()
    }
}

impl From<(TermsVersion, Vec<KitId>)> for VersionView {
    fn from((version, kits): (TermsVersion, Vec<KitId>)) -> Self {
        Self {
            id: version.id,
            number: version.number,
            created_at: version.created_at,
            terms: version.terms,
            kits,
        }
    }
}

/// Terms to start from.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyTemplate)]
pub(in crate::kits::admin) struct TemplateView {
    template: Template,
    description: &'static str,
    #[serde(flatten)]
    terms: Terms,
}

impl From<Template> for TemplateView {
    fn from(template: Template) -> Self {
        Self {
            template,
            description: template.meaning(),
            terms: template.terms(),
        }
    }
}
