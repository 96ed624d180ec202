//! Licenses under terms of a test's own, without a purchase.

use std::sync::atomic::{AtomicI32, Ordering};

use kitward::audit::Actor;
use kitward::customers::model::CustomerId;
use kitward::customers::resolve::{Buyer, customer_for_in};
use kitward::db::Shard;
use kitward::entropy::bytes;
use kitward::kits::model::{KitId, PolicyId, Scope, TermsId};
use kitward::kits::store::{Terms, TermsVersion, insert_terms};
use kitward::licenses::issue::{IssueLicense, PrepareError, issue_in, prepare};
use kitward::licenses::model::LicenseId;
use kitward::licenses::reveal::{RevealKey, reveal_key};
use secrecy::ExposeSecret;

use crate::TestApp;
use crate::shop::{BUYER, Shop};

/// A license of the usual buyer.
#[derive(Debug, Clone)]
pub struct Issued {
    /// Its id.
    pub id: LicenseId,
    /// Its key.
    pub key: String,
}

impl Shop {
    /// Issues a license for every kit under these terms.
    pub async fn issue(&self, app: &TestApp, terms: Terms) -> Issued {
        static NUMBER: AtomicI32 = AtomicI32::new(100);
        let (now, entropy) = (app.app.clock.now(), app.app.entropy.as_ref());
        let version = TermsVersion {
            id: TermsId::new(now, entropy),
            policy_id: PolicyId::parse(&self.policy).expect("a policy"),
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            terms: Terms {
                edition: "Special".to_owned(),
                scope: Scope::All,
                ..terms
            },
            created_at: now,
        };
        let buyer = Buyer {
            stub: CustomerId::new(now, entropy),
            address: Some(BUYER.to_owned()),
            name: "Example Buyer".to_owned(),
            external: None,
            salt: bytes(entropy),
            actor: Actor::Operator,
            now,
        };
        let prepared: Result<_, PrepareError> = prepare(&app.app, 1);
        let prepared = prepared.expect("a key").remove(0);
        let issued = app.app.db.write(Shard::Wide, move |tx| {
            insert_terms(tx, &version, &[] as &[KitId])?;
            let license = IssueLicense {
                customer: customer_for_in(tx, &buyer)?,
                order_item: None,
                ordinal: 0,
                terms: version.clone(),
                seats_times: 1,
                purchased_at: now,
                actor: Actor::Operator,
            };
            issue_in(tx, &prepared, license)
        });
        let id = issued.await.expect("a license");
        let reveal = RevealKey {
            license: id.clone(),
            owner: None,
            actor: Actor::Operator,
        };
        let key = reveal_key(&app.app, reveal).await.expect("its key");
        let key = key.expose_secret().to_owned();
        Issued { id, key }
    }
}
