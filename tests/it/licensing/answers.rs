//! What answers tell beside their code: newer versions, dates, where to mend what is refused.

use kitward::kits::store::Terms;
use kitward_tests::{Issued, Kind, TestApp, both};
use serde_json::{Value, json};

use super::{call, shop};
use crate::seats::{self, DAY, ask, code, devices, hold, sql};

const KIT: &str = "feedback-widget";

/// What `activate` says of a newer version.
async fn told(app: &TestApp, key: &str, version: &str) -> Option<String> {
    let more = json!({ "device": "machine-1", "version": version });
    let answer = call(&app.anonymous(), "activate", key, &more).await;
    assert_eq!(answer.str("/valid"), "true", "{version}");
    let notices = answer.json()["notices"].as_array().unwrap().clone();
    let newer = notices.iter().find(|it| it["code"] == "newer_version")?;
    Some(newer["detail"].as_str().unwrap().to_owned())
}

/// The sentence of a version that an update check offers.
async fn offered(app: &TestApp, key: &str, version: &str) -> Option<String> {
    let path = format!("/v1/kits/{KIT}/updates?version={version}");
    let answer = app.kit(key).get(&path).await.expect_status(200).json();
    let version = answer["release"]["version"].as_str()?;
    Some(format!("Version {version} is available."))
}

both!(a_start_tells_of_the_version_that_an_update_check_offers);
async fn a_start_tells_of_the_version_that_an_update_check_offers(kind: Kind) {
    let (app, shop, purchase) = shop(kind).await;
    let key = purchase.key.as_str();
    let release = async |version: &str| {
        let file = format!("{version}.bin");
        shop.release(KIT, version, &file, version.as_bytes()).await
    };
    let act = async |id: &str, verb: &str, body: Value| {
        let path = format!("/v1/admin/releases/{id}/{verb}");
        shop.admin.post(&path, &body).await.expect_status(200);
        app.clock.advance(60);
    };
    release("1.0.0").await;
    assert_eq!(told(&app, key, "1.0.0").await, None);
    let newer = release("1.1.0").await;
    // A catalog is looked at once a minute.
    assert_eq!(told(&app, key, "1.0.0").await, None);
    app.clock.advance(60);
    let sentence = Some("Version 1.1.0 is available.".to_owned());
    assert_eq!(told(&app, key, "1.0.0").await, sentence);
    assert_eq!(offered(&app, key, "1.0.0").await, sentence);
    for other in ["1.1.0", "1.2.0-rc.1", "nightly", ""] {
        assert_eq!(told(&app, key, other).await, None, "{other}");
    }
    release("1.2.0-beta.1").await;
    for (verb, body) in [
        ("halt", json!({})),
        ("resume", json!({})),
        ("rollout", json!({ "percent": 0 })),
        ("rollout", json!({ "percent": 100 })),
        ("yank", json!({ "reason": "It loses feedback." })),
        ("unyank", json!({})),
    ] {
        act(&newer, verb, body).await;
        let check = offered(&app, key, "1.0.0").await;
        assert_eq!(told(&app, key, "1.0.0").await, check, "{verb}");
    }
    let patch = format!("/v1/admin/releases/{newer}");
    let security = json!({ "severity": "security" });
    let edited = shop.admin.patch(&patch, &security).await;
    edited.expect_status(200);
    // What came out after the end of the updates is not told of.
    app.clock.advance(400 * DAY);
    release("2.0.0").await;
    app.clock.advance(60);
    let hole = "Version 1.1.0 is available. It closes a security hole.";
    assert_eq!(told(&app, key, "1.0.0").await.as_deref(), Some(hole));
    app.stop().await;
}

both!(only_a_start_that_is_valid_tells_of_a_newer_version);
async fn only_a_start_that_is_valid_tells_of_a_newer_version(kind: Kind) {
    let (app, shop, purchase) = shop(kind).await;
    for version in ["1.0.0", "1.1.0"] {
        shop.release(KIT, version, "kit.bin", version.as_bytes())
            .await;
    }
    let kit = app.anonymous();
    let old = json!({ "device": "machine-1", "version": "1.0.0" });
    let other = json!({ "device": "machine-1", "version": "1.0.0", "kit": "rate-limiter" });
    let silent = json!({ "device": "machine-1" });
    for (verb, more, many) in [
        ("activate", &old, 1),
        ("validate", &old, 0),
        ("heartbeat", &old, 0),
        ("activate", &silent, 0),
        ("activate", &other, 0),
    ] {
        let answer = call(&kit, verb, &purchase.key, more).await.json();
        let notices = answer["notices"].as_array().unwrap();
        assert_eq!(notices.len(), many, "{verb} {more}");
    }
    app.stop().await;
}

both!(grace_says_what_is_overdue_and_until_when_the_kit_works);
async fn grace_says_what_is_overdue_and_until_when_the_kit_works(kind: Kind) {
    let (app, shop) = seats::shop(kind).await;
    let terms = || Terms {
        grace_days: 7,
        ..devices(1)
    };
    let bounded = Terms {
        valid_days: Some(30),
        ..terms()
    };
    let (ends, unpaid) = (
        shop.issue(&app, bounded).await,
        shop.issue(&app, terms()).await,
    );
    for license in [&ends, &unpaid] {
        assert_eq!(code(&app, "activate", license, "a").await, "VALID");
    }
    app.clock.advance(30 * DAY);
    let now = app.app.clock.now();
    let now = now.utc().format("%Y-%m-%d %H:%M:%S%.6f");
    let overdue = format!(
        "UPDATE licenses SET past_due_since = '{now}' WHERE id = '{}'",
        unpaid.id
    );
    sql(&app, overdue).await;
    let dates = "This license ended on 14 February 2027. It can be used until 21 February 2027.";
    for (license, detail) in [(&ends, dates), (&unpaid, "A payment is overdue.")] {
        let more = json!({ "device": "a" });
        let answer = ask(&app.anonymous(), "validate", license, more).await;
        assert_eq!(answer.str("/code"), "GRACE");
        assert_eq!(answer.str("/detail"), detail);
    }
    app.stop().await;
}

fn page(app: &TestApp, license: &Issued) -> String {
    format!("{}/licenses/{}", app.origin(), license.id)
}

both!(a_refusal_leads_to_where_the_customer_mends_it);
async fn a_refusal_leads_to_where_the_customer_mends_it(kind: Kind) {
    let (app, shop) = seats::shop(kind).await;
    let bounded = Terms {
        valid_days: Some(10),
        grace_days: 0,
        ..devices(1)
    };
    let (held, ends) = (
        shop.issue(&app, devices(1)).await,
        shop.issue(&app, bounded).await,
    );
    code(&app, "activate", &ends, "a").await;
    let offline = json!({ "key": ends.key, "kit": KIT, "device": "a" });
    let offline = app.anonymous().post("/v1/licenses/file", &offline).await;
    let offline = offline.expect_problem(422, "no_offline_files");
    assert_eq!(offline.str("/manage_url"), page(&app, &ends));
    hold(&app, &held).await;
    app.clock.advance(10 * DAY);
    for (license, code) in [(&held, "license_suspended"), (&ends, "license_expired")] {
        let kit = app.kit(&license.key);
        for rest in ["updates?version=1.0.0", "releases", "releases/1.0.0"] {
            let refused = kit.get(&format!("/v1/kits/{KIT}/{rest}")).await;
            let refused = refused.expect_problem(403, code);
            assert_eq!(refused.str("/manage_url"), page(&app, license), "{rest}");
        }
    }
    app.stop().await;
}
