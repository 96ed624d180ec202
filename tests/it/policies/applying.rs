//! Licenses put under other terms: looked at first, by who saw them, and nobody thrown off.

use diesel::{RunQueryDsl, sql_query};
use futures_util::future::join_all;
use kitward::db::{DbError, Shard};
use kitward::licenses::model::LicenseId;
use kitward::licenses::store::{self, License};
use kitward::staff::Scope;
use kitward_tests::{Kind, Purchase, Shop, TestApp, both};
use serde_json::{Value, json};

use super::{POLICIES, call, edit, shop};

const APPLY: &str = "/v1/admin/policies/personal/apply";
const DAY: i64 = 86_400;

async fn license_of(app: &TestApp, purchase: &Purchase) -> LicenseId {
    let look = call(app, "validate", &purchase.key, "any").await;
    LicenseId::parse(&look.str("/license/id")).unwrap()
}

async fn row(app: &TestApp, id: &LicenseId) -> License {
    let id = id.clone();
    let read = app.app.db.read(move |conn| store::find(conn, &id));
    read.await.unwrap().unwrap().license
}

async fn sql(app: &TestApp, text: String) {
    let write = app.app.db.write(Shard::Wide, move |tx| {
        sql_query(text.clone()).execute(tx.conn())?;
        Ok::<_, DbError>(())
    });
    write.await.unwrap();
}

/// A limit that is no multiple of the policy's 5.
async fn give_own_limit(app: &TestApp, id: &LicenseId) {
    let text = format!("UPDATE licenses SET seat_limit = 7, seat_cap = 7 WHERE id = '{id}'");
    sql(app, text).await;
}

async fn apply(shop: &Shop, body: &Value) -> Value {
    let reply = shop.admin.post(APPLY, body).await;
    reply.expect_status(200).json()
}

fn item<'a>(seen: &'a Value, id: &LicenseId) -> &'a Value {
    let mut items = seen["items"].as_array().unwrap().iter();
    items.find(|item| item["license"] == id.as_str()).unwrap()
}

both!(applying_terms_is_looked_at_first_and_throws_nobody_off);
async fn applying_terms_is_looked_at_first_and_throws_nobody_off(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let full = shop.buy(&app).await;
    let idle = shop.buy(&app).await;
    let own = shop.buy(&app).await;
    for device in ["a", "b", "c"] {
        call(&app, "activate", &full.key, device).await;
    }
    let own_id = license_of(&app, &own).await;
    give_own_limit(&app, &own_id).await;
    edit(
        &shop.admin,
        &json!({ "seat_limit": 2, "updates_months": 6 }),
    )
    .await;
    let later = shop.buy(&app).await;
    let later_id = license_of(&app, &later).await;

    let look = json!({ "preview": true });
    let seen = apply(&shop, &look).await;
    assert_eq!(
        (
            &seen["licenses"],
            &seen["over_limit"],
            &seen["terms_number"]
        ),
        (&json!(3), &json!(1), &json!(2))
    );
    let full_id = license_of(&app, &full).await;
    let item = item(&seen, &full_id);
    assert_eq!(item["seat_limit"], json!({ "from": 5, "to": 2 }));
    assert_eq!(item["over_limit"], true);
    // Ends never come earlier unasked.
    assert_eq!(item["updates_until"]["from"], item["updates_until"]["to"]);
    let item = self::item(&seen, &own_id);
    assert_eq!(
        (&item["own_limit"], &item["seat_limit"]["to"]),
        (&json!(true), &json!(7))
    );

    let go = json!({ "preview": false, "terms_number": 2 });
    let refused = shop
        .admin
        .post(APPLY, &go)
        .await
        .expect_problem(409, "seats_stranded");
    assert_eq!(refused.str("/licenses"), "1");
    assert_eq!(row(&app, &full_id).await.seat_limit, Some(5));

    let go = json!({ "preview": false, "terms_number": 2, "over_limit_days": 14, "limit": 2 });
    let done = apply(&shop, &go).await;
    assert_eq!(done["changed"], 2);
    let mut rest = go.clone();
    rest["cursor"] = done["next_cursor"].clone();
    let rest = apply(&shop, &rest).await;
    assert_eq!(
        (&rest["changed"], &rest["next_cursor"]),
        (&json!(1), &Value::Null)
    );
    let over = [&done, &rest].map(|slice| slice["over_limit"].as_i64().unwrap());
    assert_eq!(over[0] + over[1], 1);
    // Sent again it finds nothing to do.
    let again = apply(&shop, &go).await;
    assert_eq!(again["changed"], 0);

    let changed = row(&app, &full_id).await;
    assert_eq!(
        (changed.seat_limit, changed.seat_cap, changed.seats_used),
        (Some(2), Some(2), 3)
    );
    assert_eq!(
        changed.over_limit_until.unwrap().unix(),
        app.now() + 14 * DAY
    );
    let other = row(&app, &license_of(&app, &idle).await).await;
    assert_eq!((other.seat_limit, other.over_limit_until), (Some(2), None));
    assert_eq!(row(&app, &own_id).await.seat_limit, Some(7));
    assert_eq!(row(&app, &later_id).await.terms_id, changed.terms_id);
    let here = call(&app, "activate", &full.key, "c").await;
    assert_eq!(here.str("/valid"), "true");
    let new = call(&app, "activate", &full.key, "d").await;
    assert_eq!(new.str("/code"), "SEATS_EXHAUSTED");
    app.stop().await;
}

both!(limits_of_their_own_and_earlier_ends_change_only_when_asked);
async fn limits_of_their_own_and_earlier_ends_change_only_when_asked(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let purchase = shop.buy(&app).await;
    let id = license_of(&app, &purchase).await;
    give_own_limit(&app, &id).await;
    let before = row(&app, &id).await;
    edit(
        &shop.admin,
        &json!({ "updates_months": 1, "valid_days": 10, "overage_seats": 1 }),
    )
    .await;
    let go = json!({ "preview": false, "terms_number": 2 });
    shop.admin.post(APPLY, &go).await.expect_status(200);
    let kept = row(&app, &id).await;
    assert_eq!(
        (kept.updates_until, kept.valid_until),
        (before.updates_until, None)
    );
    assert_eq!((kept.seat_limit, kept.seat_cap), (Some(7), Some(8)));
    edit(&shop.admin, &json!({ "updates_months": 2 })).await;
    let go = json!({ "preview": false, "terms_number": 3, "seats": true, "dates": true });
    shop.admin.post(APPLY, &go).await.expect_status(200);
    let after = row(&app, &id).await;
    assert_eq!((after.seat_limit, after.seat_cap), (Some(5), Some(6)));
    assert_eq!(
        after.valid_until.unwrap().unix(),
        after.starts_at.unix() + 10 * DAY
    );
    assert!(after.updates_until < before.updates_until);
    // A longer time is given unasked.
    edit(&shop.admin, &json!({ "valid_days": 20 })).await;
    let go = json!({ "preview": false, "terms_number": 4 });
    shop.admin.post(APPLY, &go).await.expect_status(200);
    let longer = row(&app, &id).await;
    assert_eq!(
        longer.valid_until.unwrap().unix(),
        after.starts_at.unix() + 20 * DAY
    );
    app.stop().await;
}

both!(seats_of_another_kind_keep_a_license_as_it_is);
async fn seats_of_another_kind_keep_a_license_as_it_is(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let used = shop.buy(&app).await;
    let idle = shop.buy(&app).await;
    call(&app, "activate", &used.key, "a").await;
    edit(&shop.admin, &json!({ "seat_kind": "site" })).await;
    let go = json!({ "preview": false, "terms_number": 2, "over_limit_days": 1 });
    let done = apply(&shop, &go).await;
    assert_eq!(done["changed"], 1);
    let id = license_of(&app, &used).await;
    let stays = json!([{ "license": id.as_str(), "reason": "seat_kind_in_use" }]);
    assert_eq!(done["standing_still"], stays);
    let look = call(&app, "validate", &used.key, "a").await;
    assert_eq!(
        (look.str("/code"), look.str("/license/seats/kind")),
        ("VALID".into(), "device".into())
    );
    let look = call(&app, "validate", &idle.key, "a").await;
    assert_eq!(look.str("/license/seats/kind"), "site");
    app.stop().await;
}

both!(terms_are_applied_by_who_saw_them_and_each_change_is_on_record);
async fn terms_are_applied_by_who_saw_them_and_each_change_is_on_record(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let purchase = shop.buy(&app).await;
    edit(&shop.admin, &json!({ "seat_limit": 6 })).await;
    edit(&shop.admin, &json!({ "seat_limit": 7 })).await;
    for preview in [false, true] {
        let stale = json!({ "preview": preview, "terms_number": 2 });
        let stale = shop.admin.post(APPLY, &stale).await;
        let stale = stale.expect_problem(412, "precondition_failed");
        assert_eq!(stale.str("/terms_number"), "3");
    }
    for (field, body) in [
        ("terms_number", json!({ "preview": false })),
        (
            "over_limit_days",
            json!({ "preview": true, "over_limit_days": 0 }),
        ),
        (
            "over_limit_days",
            json!({ "preview": true, "over_limit_days": 400 }),
        ),
        ("limit", json!({ "preview": true, "limit": 101 })),
        ("cursor", json!({ "preview": true, "cursor": "a b" })),
        ("force", json!({ "preview": true, "force": true })),
    ] {
        let reply = shop
            .admin
            .post(APPLY, &body)
            .await
            .expect_problem(422, "invalid_field");
        assert_eq!(reply.str("/field"), field);
    }
    let look = json!({ "preview": true });
    for scope in [Scope::Read, Scope::Publish] {
        let other = app.token(scope).await;
        other
            .post(APPLY, &look)
            .await
            .expect_problem(403, "insufficient_scope");
    }
    shop.admin
        .post(&format!("{POLICIES}/none/apply"), &look)
        .await
        .expect_problem(404, "not_found");
    let go = json!({ "preview": false, "terms_number": 3 });
    shop.admin.post(APPLY, &go).await.expect_status(200);
    let id = license_of(&app, &purchase).await;
    assert_eq!(row(&app, &id).await.seat_limit, Some(7));
    for (action, subject) in [
        ("license.terms_changed", id.as_str()),
        ("policy.applied", shop.policy.as_str()),
        ("policy.changed", shop.policy.as_str()),
    ] {
        assert!(audited(&app, action, subject).await > 0, "{action}");
    }
    app.stop().await;
}

async fn audited(app: &TestApp, action: &'static str, subject: &str) -> i64 {
    #[derive(diesel::QueryableByName)]
    struct Number {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        number: i64,
    }
    let query = format!(
        "SELECT COUNT(*) AS number FROM audit_log WHERE action = '{action}' AND subject = '{subject}'"
    );
    let read = app.app.db.read_slow(move |conn| {
        let rows: Vec<Number> = sql_query(query).load(conn)?;
        Ok::<_, DbError>(rows[0].number)
    });
    read.await.unwrap()
}

both!(a_seat_taken_while_terms_are_applied_is_never_beyond_both_limits);
async fn a_seat_taken_while_terms_are_applied_is_never_beyond_both_limits(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let purchase = shop.buy(&app).await;
    call(&app, "activate", &purchase.key, "first").await;
    edit(&shop.admin, &json!({ "seat_limit": 1 })).await;
    let go = json!({ "preview": false, "terms_number": 2 });
    let apply = shop.admin.post(APPLY, &go);
    let takes = join_all((0..8).map(|n| {
        let (app, key) = (&app, purchase.key.as_str());
        async move { call(app, "activate", key, &format!("device-{n}")).await }
    }));
    let (outcome, answers) = futures_util::future::join(apply, takes).await;
    let granted = answers
        .iter()
        .filter(|reply| reply.str("/valid") == "true")
        .count();
    let license = row(&app, &license_of(&app, &purchase).await).await;
    assert_eq!(usize::try_from(license.seats_used).unwrap(), granted + 1);
    // Either it came first and no more seats were given, or it saw the seats and let all be.
    match license.seat_limit {
        Some(1) => assert_eq!((outcome.status, granted), (200, 0)),
        limit => assert_eq!((limit, granted), (Some(5), 4), "{}", outcome.text()),
    }
    app.stop().await;
}
