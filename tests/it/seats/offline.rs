//! Seats of machines that are never online: held as long as the file that speaks for them.

use kitward::activations::sweep::{Swept, sweep};
use kitward::kits::store::Terms;
use kitward_tests::{BUYER, Kind, Shop, both};
use serde_json::json;

use super::{DAY, ask, code, devices, events, expect_not_yet, held, shop};

/// Terms with so many devices and files of thirty days.
fn offline(limit: i32) -> Terms {
    Terms {
        offline_file_days: Some(30),
        ..devices(limit)
    }
}

both!(a_seat_with_an_offline_file_is_not_the_customers_to_free_before_its_end);
async fn a_seat_with_an_offline_file_is_not_the_customers_to_free_before_its_end(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let license = shop.issue(&app, offline(1)).await;
    let kit = app.anonymous();
    assert_eq!(code(&app, "activate", &license, "far").await, "VALID");
    assert_eq!(code(&app, "file", &license, "far").await, "VALID");
    // Coming back online changes nothing about the file that is out.
    assert_eq!(code(&app, "activate", &license, "far").await, "VALID");
    let refused = ask(&kit, "deactivate", &license, json!({ "device": "far" })).await;
    expect_not_yet(&app, &license, &refused, "OFFLINE_FILE");
    let replace = json!({ "device": "near", "replace": "longest_unseen" });
    let full = ask(&kit, "activate", &license, replace).await;
    assert_eq!(full.str("/code"), "SEATS_EXHAUSTED");

    let look = ask(&kit, "validate", &license, json!({ "device": "far" })).await;
    let seat = look.str("/activation/id");
    let owner = app.customer(BUYER).await;
    let free = format!("/licenses/{}/seats/{seat}/free", license.id);
    let page = owner.form(&free, &[]).await.expect_status(200).text();
    assert!(page.contains("14 February 2027"), "{page}");
    assert_eq!(held(&app, &license).await, 1);

    app.clock.advance(30 * DAY - 1);
    let early = code(&app, "deactivate", &license, "far").await;
    assert_eq!(early, "OFFLINE_FILE");
    app.clock.advance(1);
    assert_eq!(code(&app, "deactivate", &license, "far").await, "FREED");
    assert_eq!(code(&app, "activate", &license, "near").await, "VALID");
    app.stop().await;
}

both!(the_vendor_frees_a_seat_with_an_offline_file_and_gives_the_file_up);
async fn the_vendor_frees_a_seat_with_an_offline_file_and_gives_the_file_up(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let license = shop.issue(&app, offline(1)).await;
    code(&app, "activate", &license, "far").await;
    code(&app, "file", &license, "far").await;
    let far = json!({ "device": "far" });
    let look = ask(&app.anonymous(), "validate", &license, far).await;
    let (id, seat) = (&license.id, look.str("/activation/id"));
    let free = format!("/v1/admin/licenses/{id}/seats/{seat}/free");
    let freed = shop.admin.post(&free, &json!({})).await;
    assert_eq!(freed.expect_status(200).str("/freed"), "true");
    assert_eq!(events(&app, &license, "freed", "staff").await, 1);
    assert_eq!(code(&app, "activate", &license, "far").await, "VALID");
    assert_eq!(code(&app, "deactivate", &license, "far").await, "FREED");
    app.stop().await;
}

both!(terms_that_float_keep_a_seat_until_the_end_of_its_offline_file);
async fn terms_that_float_keep_a_seat_until_the_end_of_its_offline_file(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let license = shop.issue(&app, offline(2)).await;
    code(&app, "activate", &license, "far").await;
    code(&app, "activate", &license, "near").await;
    code(&app, "file", &license, "far").await;
    let floats = json!({ "seat_limit": 2, "lease_seconds": 600 });
    Shop::policy(&shop.admin, "floating", &floats).await;
    let path = format!("/v1/admin/licenses/{}/set-policy", license.id);
    let floating = json!({ "policy": "floating" });
    let put = shop.admin.post(&path, &floating).await;
    put.expect_status(200);
    let one_lease = Swept {
        leases: 1,
        ..Swept::default()
    };
    app.clock.advance(601);
    assert_eq!(sweep(&app.app).await.unwrap(), one_lease);
    assert_eq!(
        code(&app, "validate", &license, "near").await,
        "NOT_ACTIVATED"
    );
    // Online for once, it gets no lease that ends before its file.
    for verb in ["activate", "heartbeat"] {
        let far = json!({ "device": "far" });
        let back = ask(&app.anonymous(), verb, &license, far).await;
        assert_eq!(
            (back.str("/code"), back.str("/activation/lease_ends_at")),
            ("VALID".into(), "2027-02-14T12:00:00Z".into()),
            "{verb}"
        );
        app.clock.advance(601);
        assert_eq!(sweep(&app.app).await.unwrap(), Swept::default());
    }
    let early = code(&app, "deactivate", &license, "far").await;
    assert_eq!(early, "OFFLINE_FILE");
    app.clock.advance(30 * DAY);
    assert_eq!(sweep(&app.app).await.unwrap(), one_lease);
    assert_eq!(held(&app, &license).await, 0);
    app.stop().await;
}
