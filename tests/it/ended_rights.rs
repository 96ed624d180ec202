//! What ends with a license, a key or an owner.

use futures_util::future::join_all;
use kitward::activations::{seen, sweep::sweep};
use kitward::customers::model::CustomerId;
use kitward::downloads::tickets::{NewTicket, TicketError, create_ticket};
use kitward::kits::model::{OnLapse, SeatKind};
use kitward::kits::store::Terms;
use kitward::licenses;
use kitward::releases::model::ReleaseId;
use kitward::releases::store::artifacts_of;
use kitward_keys::{DocumentType, Expected, Jwks, PublicKeys};
use kitward_tests::{BUYER, Issued, Kind, TestApp, both};
use serde_json::{Value, json};

use crate::seats::{DAY, ask, code, devices, held, number, shop, sql};

async fn file_life(app: &TestApp, key: &str) -> i64 {
    let body = json!({ "key": key, "kit": "feedback-widget" });
    let reply = app.anonymous().post("/v1/licenses/file", &body).await;
    let file = reply.expect_status(200).str("/license_file");
    let jwks = app.anonymous().get("/.well-known/jwks.json").await;
    let jwks: Jwks = serde_json::from_value(jwks.json()).unwrap();
    let keys = PublicKeys::from_jwks(&jwks).unwrap();
    let expected = Expected {
        issuer: None,
        audience: "feedback-widget",
        now: app.now(),
        leeway: 0,
        nonce: None,
    };
    let claims =
        kitward_keys::verify_document(&file, DocumentType::License, &keys, &expected).unwrap();
    claims.exp - app.now()
}

both!(a_file_got_by_a_build_ends_soon_after_it_also_without_seats);
async fn a_file_got_by_a_build_ends_soon_after_it_also_without_seats(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let terms = Terms {
        seat_kind: SeatKind::None,
        offline_file_days: Some(90),
        ci_use: true,
        ..Terms::default()
    };
    let license = shop.issue(&app, terms).await;
    let path = format!("/v1/admin/licenses/{}/tokens", license.id);
    let token = json!({ "kind": "ci", "name": "build" });
    let token = shop.admin.post(&path, &token).await.expect_status(201);
    assert_eq!(file_life(&app, &license.key).await, 90 * DAY);
    assert_eq!(file_life(&app, &token.str("/token")).await, 3_600);
    app.stop().await;
}

both!(a_ticket_of_the_former_owner_ends_with_the_transfer);
async fn a_ticket_of_the_former_owner_ends_with_the_transfer(kind: Kind) {
    let (app, shop) = shop(kind).await;
    shop.release("feedback-widget", "1.0.0", "kit.bin", b"file")
        .await;
    let license = shop.issue(&app, devices(1)).await;
    let browser = app.customer(BUYER).await;
    let page = browser.get("/downloads").await.expect_status(200).text();
    let at = page.find("action=\"/downloads/").unwrap();
    let action: String = page[at + 8..].chars().take_while(|c| *c != '"').collect();
    let redirect = browser.form(&action, &[]).await.expect_status(303);
    let ticket = redirect.header("location").to_owned();
    app.anonymous().get(&ticket).await.expect_status(200);
    let path = format!("/v1/admin/licenses/{}/transfer", license.id);
    let to = json!({ "email": "new-owner@example.com", "name": "New Owner" });
    shop.admin.post(&path, &to).await.expect_status(200);
    let late = app.anonymous().get(&ticket).await;
    late.expect_problem(404, "not_found");
    app.stop().await;
}

async fn owner(app: &TestApp, license: &Issued) -> CustomerId {
    let id = license.id.clone();
    let found = app
        .app
        .db
        .read_snapshot(move |conn| licenses::store::find(conn, &id));
    found.await.unwrap().unwrap().license.customer_id
}

both!(no_ticket_of_the_former_owner_comes_after_the_transfer);
async fn no_ticket_of_the_former_owner_comes_after_the_transfer(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let second = app.second().await;
    let release = shop
        .release("feedback-widget", "1.0.0", "kit.bin", b"file")
        .await;
    let release = [ReleaseId::parse(&release).unwrap()];
    let files = app
        .app
        .db
        .read(move |conn| artifacts_of(conn, &release))
        .await;
    let artifact = files.unwrap().remove(0).id;
    let license = shop.issue(&app, devices(1)).await;
    let path = format!("/v1/admin/licenses/{}/transfer", license.id);
    for round in 0..4 {
        // Who looked at the page while the license was theirs.
        let new = NewTicket {
            owner: owner(&app, &license).await,
            license: license.id.clone(),
            artifact: artifact.clone(),
        };
        let asked = (0..24).map(|number| {
            let app = if number % 2 == 0 { &app } else { &second };
            create_ticket(&app.app, new.clone())
        });
        let to = json!({ "email": format!("owner-{round}@example.com"), "name": "Next" });
        let (made, moved) = tokio::join!(join_all(asked), shop.admin.post(&path, &to));
        moved.expect_status(200);
        for outcome in made {
            assert!(
                matches!(outcome, Ok(_) | Err(TicketError::OtherOwner)),
                "{outcome:?}"
            );
        }
        let late = create_ticket(&second.app, new).await;
        assert!(matches!(late, Err(TicketError::OtherOwner)), "{late:?}");
        let left = "SELECT COUNT(*) AS number FROM download_tickets";
        assert_eq!(number(&app, left.to_owned()).await, 0, "round {round}");
    }
    second.stop().await;
    app.stop().await;
}

both!(a_replaced_key_keeps_no_seat_in_mind);
async fn a_replaced_key_keeps_no_seat_in_mind(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let terms = Terms {
        free_unseen_days: Some(30),
        ..devices(1)
    };
    let license = shop.issue(&app, terms).await;
    code(&app, "activate", &license, "a").await;
    let path = format!("/v1/admin/licenses/{}/rotate", license.id);
    let rotate = json!({ "grace_seconds": 0 });
    shop.admin.post(&path, &rotate).await.expect_status(200);
    app.clock.advance(20 * DAY);
    for verb in ["activate", "validate", "heartbeat"] {
        let told = ask(&app.anonymous(), verb, &license, json!({ "device": "a" })).await;
        assert_eq!(told.str("/code"), "KEY_REPLACED");
        assert_eq!(told.json()["activation"], Value::Null);
    }
    seen::flush(&app.app).await.unwrap();
    app.clock.advance(10 * DAY);
    assert_eq!(sweep(&app.app).await.unwrap().unseen, 1);
    assert_eq!(held(&app, &license).await, 0);
    app.stop().await;
}

both!(no_file_outlives_a_lapse_that_stops_its_license);
async fn no_file_outlives_a_lapse_that_stops_its_license(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let terms = Terms {
        grace_days: 5,
        on_lapse: OnLapse::Stop,
        offline_file_days: Some(90),
        seat_kind: SeatKind::None,
        ..Terms::default()
    };
    let license = shop.issue(&app, terms).await;
    assert_eq!(file_life(&app, &license.key).await, 90 * DAY);
    let set = |column: &str| {
        let (id, now) = (&license.id, app.app.clock.now());
        let now = now.utc().format("%Y-%m-%d %H:%M:%S%.6f");
        sql(
            &app,
            format!("UPDATE licenses SET {column} = '{now}' WHERE id = '{id}'"),
        )
    };
    set("past_due_since").await;
    assert_eq!(file_life(&app, &license.key).await, 5 * DAY);
    app.clock.advance(5 * DAY);
    assert_eq!(code(&app, "validate", &license, "a").await, "EXPIRED");
    app.stop().await;
}
