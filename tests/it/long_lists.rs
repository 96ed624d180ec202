//! Lists that are longer than what one statement can bind find what they should.

use kitward::activations::store::ended_but_counted;
use kitward::customers::model::CustomerId;
use kitward::customers::store::customers_by_ids;
use kitward::db::{AnyConn, DbError};
use kitward::kits::model::{KitId, TermsId};
use kitward::kits::store::{kits_by_ids, kits_of_terms};
use kitward::licenses::model::LicenseId;
use kitward::licenses::store::{find_any, of_customers};
use kitward::releases::model::ReleaseId;
use kitward::releases::store::{artifacts_of, grants_of_licenses, published};
use kitward_tests::{Kind, Shop, TestApp, both};
use serde_json::json;

/// More than SQLite binds, and more than PostgreSQL does.
const MANY: usize = 70_000;

/// Ids of nothing, between them those that are asked for.
macro_rules! among_many {
    ($app:expr, $id:ty, $known:expr) => {{
        let (now, entropy) = ($app.app.clock.now(), $app.app.entropy.as_ref());
        let known: Vec<$id> = $known;
        let many = (0..MANY).map(|_| <$id>::new(now, entropy));
        let mut ids: Vec<$id> = many.collect();
        for (place, id) in [5, MANY / 2, MANY].into_iter().zip(known) {
            ids.insert(place, id);
        }
        ids
    }};
}

async fn read<T: Send + 'static>(
    app: &TestApp,
    read: impl Fn(&mut AnyConn) -> Result<T, DbError> + Send + 'static,
) -> T {
    app.app.db.read_slow(read).await.unwrap()
}

both!(lists_longer_than_a_statement_binds_are_read_as_a_whole);
async fn lists_longer_than_a_statement_binds_are_read_as_a_whole(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    for name in ["b.bin", "a.bin"] {
        let version = if name == "b.bin" { "1.0.0" } else { "1.1.0" };
        shop.release("feedback-widget", version, name, name.as_bytes())
            .await;
    }
    let issue = json!({ "policy": shop.policy, "email": "buyer@example.com" });
    for _ in 0..2 {
        let issued = shop.admin.post("/v1/admin/licenses", &issue).await;
        issued.expect_status(201);
    }
    let kits = read(&app, |conn| kitward::kits::store::list_kits(conn, "", 10)).await;
    let kit = kits.iter().find(|kit| kit.slug == "feedback-widget");
    let kit = kit.unwrap().id.clone();
    let listed = shop.admin.get("/v1/admin/licenses").await.json();
    let of = |at: usize, member: &str| listed["items"][at][member].as_str().unwrap().to_owned();
    let licenses = [0, 1].map(|at| LicenseId::parse(&of(at, "id")).unwrap());
    let customer = CustomerId::parse(&of(0, "customer_id")).unwrap();

    let ids = among_many!(app, KitId, kits.iter().map(|kit| kit.id.clone()).collect());
    let (found, out) = read(&app, move |conn| {
        Ok((kits_by_ids(conn, &ids)?, published(conn, &ids)?))
    })
    .await;
    assert_eq!((found.len(), out.len()), (2, 2));
    assert!(found[0].name < found[1].name, "by name");
    assert_eq!(out[0].1.version, "1.1.0", "the highest first");

    let releases: Vec<ReleaseId> = out.iter().map(|(_, it)| it.id.clone()).rev().collect();
    let ids = among_many!(app, ReleaseId, releases.clone());
    let files = read(&app, move |conn| artifacts_of(conn, &ids)).await;
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["a.bin", "b.bin"], "by name");

    let grant = json!({ "license": licenses[1].as_str(), "reason": "sorry" });
    let path = format!("/v1/admin/releases/{}/grants", releases[0]);
    let granted = shop.admin.post(&path, &grant).await;
    assert!(granted.status < 300, "{}", granted.text());
    let ids = among_many!(app, LicenseId, licenses.to_vec());
    let (granted, found, ended) = read(&app, move |conn| {
        let granted = grants_of_licenses(conn, &ids)?;
        let now = kitward::clock::Timestamp::parse("2027-01-15T12:00:00Z").unwrap();
        Ok((
            granted,
            find_any(conn, &ids)?,
            ended_but_counted(conn, &ids, now)?,
        ))
    })
    .await;
    assert_eq!(granted, [(licenses[1].clone(), releases[0].clone())]);
    assert_eq!((found.len(), ended.len()), (2, 0));
    assert!(found[0].license.id < found[1].license.id, "in their order");

    let ids = among_many!(app, CustomerId, vec![customer.clone()]);
    let (found, theirs) = read(&app, move |conn| {
        Ok((of_customers(conn, &ids)?, customers_by_ids(conn, &ids)?))
    })
    .await;
    assert_eq!((found.len(), theirs.len()), (2, 1));
    assert!(found[0].license.id > found[1].license.id, "newest first");

    let terms = vec![found[0].license.terms_id.clone()];
    let ids = among_many!(app, TermsId, terms);
    let listed = read(&app, move |conn| kits_of_terms(conn, &ids)).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].1, kit);
    app.stop().await;
}
