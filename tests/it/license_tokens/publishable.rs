//! Ids that stand in a web page: what they may ask, and from which origins.

use kitward_tests::{Kind, Reply, TestApp, both};
use reqwest::Method;
use serde_json::json;

use super::{ORIGIN, RELEASES, Scene, VALIDATE, call, from, scene, scene_in};

const ALLOWED: &str = "access-control-allow-origin";

async fn preflight(scene: &Scene, origin: Option<&str>) -> Reply {
    let page = scene.app.anonymous();
    let mut request = page
        .request(Method::OPTIONS, VALIDATE)
        .header("access-control-request-method", "POST");
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    page.send(request).await.expect_status(204)
}

both!(a_publishable_id_validates_from_its_origins_only);
async fn a_publishable_id_validates_from_its_origins_only(kind: Kind) {
    let scene = scene(kind).await;
    assert_eq!(preflight(&scene, Some(ORIGIN)).await.header(ALLOWED), "");
    let id = scene.token("publishable").await;
    assert!(id.starts_with("kwp_"));
    let answer = from(&scene, ORIGIN, &id).await;
    assert_eq!(answer.str("/code"), "NOT_ACTIVATED");
    assert_eq!(
        (answer.header(ALLOWED), answer.header("vary")),
        (ORIGIN, "Origin")
    );
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    let asked = preflight(&scene, Some(ORIGIN)).await;
    assert_eq!(
        (asked.header(ALLOWED), asked.header("vary")),
        (ORIGIN, "Origin")
    );
    assert_eq!(asked.header("access-control-allow-methods"), "POST");
    assert_eq!(asked.header("access-control-allow-headers"), "content-type");
    for other in [
        "https://evil.example",
        "http://shop.example.com",
        "https://shop.example.com:8443",
        "https://shop.example.com.evil.example",
        "https://SHOP.example.com",
        "null",
        "*",
    ] {
        let answer = from(&scene, other, &id).await;
        assert_eq!(
            (answer.str("/code"), answer.header(ALLOWED)),
            ("NOT_FOUND".into(), ""),
            "{other}"
        );
        assert_eq!(
            preflight(&scene, Some(other)).await.header(ALLOWED),
            "",
            "{other}"
        );
    }
    assert_eq!(preflight(&scene, None).await.header(ALLOWED), "");
    assert_eq!(
        scene.kit("validate", &id, &json!({})).await.str("/code"),
        "NOT_FOUND"
    );
    // A secret in a web page gets no permission to be read.
    let answer = from(&scene, ORIGIN, &scene.purchase.key).await;
    assert_eq!(
        (answer.str("/code"), answer.header(ALLOWED)),
        ("NOT_ACTIVATED".into(), "")
    );
    let page = scene.app.anonymous().with("origin", ORIGIN);
    for verb in ["activate", "deactivate"] {
        let answer = call(&page, verb, &id, &json!({ "device": "d" }))
            .await
            .expect_status(200);
        assert_eq!(
            (answer.str("/code"), answer.header(ALLOWED)),
            ("NOT_FOUND".into(), ""),
            "{verb}"
        );
    }
    let request = page.request(Method::OPTIONS, "/v1/licenses/activate");
    page.send(request)
        .await
        .expect_problem(405, "method_not_allowed");
    let kit = scene.app.kit(&id).with("origin", ORIGIN);
    kit.get(RELEASES).await.expect_problem(401, "key_unknown");
    scene.app.stop().await;
}

both!(a_page_reads_why_it_is_refused);
async fn a_page_reads_why_it_is_refused(kind: Kind) {
    let limits = TestApp::builder().config(|config| {
        config.limits.key_misses_per_minute = 6;
        config.limits.key_misses_burst = 1;
    });
    let scene = scene_in(limits.start(kind).await).await;
    let page = scene.app.anonymous().with("origin", ORIGIN);
    let elsewhere = scene.app.anonymous().with("origin", "https://evil.example");
    let id = scene.token("publishable").await;
    let ended = scene
        .make(&json!({ "kind": "publishable", "name": "build", "origins": [ORIGIN] }))
        .await;
    let path = format!("{}/{}/revoke", scene.list(), ended.str("/id"));
    scene
        .shop
        .admin
        .post(&path, &json!({}))
        .await
        .expect_status(200);
    let ended = ended.str("/token");
    for (id, body, status) in [
        (&id, json!({ "device": "d\u{0}e" }), 422),
        (&id, json!({ "device": 5 }), 422),
        (&ended, json!({}), 200),
        (&ended, json!({}), 429),
    ] {
        let refused = call(&page, "validate", id, &body).await;
        let refused = refused.expect_status(status);
        assert_eq!(refused.header(ALLOWED), ORIGIN, "{}", refused.text());
        assert_eq!(refused.header("vary"), "Origin");
        let foreign = call(&elsewhere, "validate", id, &body).await;
        assert_eq!(foreign.header(ALLOWED), "", "{}", foreign.text());
    }
    scene.app.stop().await;
}
