//! Paths, queries and headers that nobody honest would send.

use kitward_tests::{Kind, both};
use reqwest::Method;
use serde_json::json;

use super::{expect_documented, opened};

const WORDS: [&str; 13] = [
    "%00",
    "a%00b",
    "%ff%fe",
    "%20",
    "%2e%2e%2f",
    "..%2f..",
    "%E2%80%AE",
    "'",
    "1e999",
    "-1",
    "18446744073709551616",
    "1.2.3.4",
    "%F0%9F%8E%89",
];

const MANAGEMENT: [&str; 17] = [
    "kits/{}",
    "policies/{}",
    "prices/{}",
    "orders/{}",
    "releases/{}",
    "tokens/{}",
    "kits?limit={}",
    "kits?cursor={}",
    "releases?kit={}",
    "tokens?cursor={}",
    "events?x={}",
    "orders?cursor={}&limit=1",
    "licenses/{}/downloads",
    "downloads?nonce={}",
    "downloads?nonce=AAAAAAAAAAAAAAAAAAAAAA&cursor={}",
    "releases/{}/uploads",
    "customers/export.csv?email={}",
];

const VERBS: [&str; 5] = [
    "orders/{}/fulfil",
    "orders/{}/resend",
    "events/{}/retry",
    "releases/{}/publish",
    "tokens/{}/revoke",
];

const GATED: [&str; 11] = [
    "{}/updates?version=1.0.0",
    "feedback-widget/updates?version={}",
    "feedback-widget/updates?version=1.0.0&channel={}",
    "feedback-widget/updates?version=1.0.0&nonce={}",
    "feedback-widget/releases?cursor={}",
    "feedback-widget/releases?limit={}",
    "feedback-widget/releases?channel={}",
    "feedback-widget/releases/{}",
    "feedback-widget/releases/{}/artifacts/kit.bin",
    "feedback-widget/releases/1.0.0/artifacts/{}",
    "{}/releases/1.0.0/artifacts/kit.bin",
];

both!(no_path_or_query_makes_the_server_fail);
async fn no_path_or_query_makes_the_server_fail(kind: Kind) {
    let (app, shop, purchase) = opened(kind).await;
    shop.release("feedback-widget", "1.0.0", "kit.bin", b"x")
        .await;
    let kit = app.kit(&purchase.key);
    let long = "x".repeat(5_000);
    for word in WORDS.into_iter().chain([long.as_str()]) {
        for pattern in MANAGEMENT {
            let path = format!("/v1/admin/{}", pattern.replace("{}", word));
            expect_documented(&shop.admin.get(&path).await, &path);
        }
        for pattern in VERBS {
            let path = format!("/v1/admin/{}", pattern.replace("{}", word));
            let reply = shop.admin.post(&path, &json!({})).await;
            reply.expect_problem(404, "not_found");
        }
        for pattern in GATED {
            let path = format!("/v1/kits/{}", pattern.replace("{}", word));
            let reply = kit.get(&path).await;
            // A kit that is not there is one that is not owned.
            if reply.status == 403 {
                reply.expect_problem(403, "kit_not_covered");
            } else {
                expect_documented(&reply, &path);
            }
        }
        let path = format!("/v1/downloads/{word}");
        expect_documented(&app.anonymous().get(&path).await, &path);
    }
    app.stop().await;
}

both!(no_header_makes_the_server_fail);
async fn no_header_makes_the_server_fail(kind: Kind) {
    let (app, shop, purchase) = opened(kind).await;
    shop.release("feedback-widget", "1.0.0", "kit.bin", b"x")
        .await;
    let kit = app.kit(&purchase.key);
    let values: [&[u8]; 6] = [b"", b"\xff\xfe", b"a b", b"\"", b"Bearer", &[b'x'; 4_000]];
    let body = json!({ "slug": "feedback-widget", "name": "A" });
    let names = [
        "idempotency-key",
        "if-match",
        "if-none-match",
        "x-forwarded-for",
        "range",
        "accept",
        "x-content-sha256",
    ];
    for (name, value) in names.into_iter().flat_map(|n| values.map(|v| (n, v))) {
        let post = shop.admin.request(Method::POST, "/v1/admin/kits");
        let patch = shop
            .admin
            .request(Method::PATCH, "/v1/admin/kits/rate-limiter");
        let file = "/v1/kits/feedback-widget/releases/1.0.0/artifacts/kit.bin";
        for request in [
            post.json(&body),
            patch.json(&json!({})),
            kit.request(Method::GET, file),
        ] {
            let reply = shop.admin.send(request.header(name, value)).await;
            assert!(reply.status < 500, "{name} {value:?}: {}", reply.text());
            assert_ne!(reply.status, 201, "{name} {value:?}");
        }
    }
    let anyone = app.anonymous();
    for value in values {
        for path in ["/v1/admin/kits", "/v1/kits/feedback-widget/releases"] {
            let request = anyone.request(Method::GET, path);
            let reply = anyone.send(request.header("authorization", value)).await;
            assert_eq!(reply.status, 401, "{value:?}: {}", reply.text());
        }
    }
    app.stop().await;
}

both!(no_address_makes_the_server_fail);
async fn no_address_makes_the_server_fail(kind: Kind) {
    let (app, shop, purchase) = opened(kind).await;
    let kit = app.kit(&purchase.key);
    let license = shop
        .admin
        .get("/v1/admin/licenses")
        .await
        .str("/items/0/id");
    for odd in [
        "%00",
        "a%00b",
        "%ff",
        "%2e%2e%2f",
        "%F0%9F%98%80",
        "-1",
        "9223372036854775808",
    ] {
        for list in [
            "kits",
            "policies",
            "license-texts",
            "prices",
            "orders",
            "events",
            "licenses",
            "customers",
            "releases",
            "tokens",
            "audit",
        ] {
            for path in [
                format!("/v1/admin/{list}/{odd}"),
                format!("/v1/admin/{list}?cursor={odd}"),
                format!("/v1/admin/{list}?limit={odd}"),
            ] {
                let reply = shop.admin.get(&path).await;
                assert!(reply.status < 500, "{path}: {}", reply.text());
            }
        }
        for path in [
            format!("/v1/admin/policies/{odd}/versions?cursor={odd}"),
            format!("/v1/admin/policies/personal/versions?cursor={odd}"),
            format!("/v1/admin/find?q={odd}"),
            format!("/v1/admin/licenses?kit={odd}"),
            format!("/v1/admin/licenses?policy={odd}"),
            format!("/v1/admin/licenses?customer={odd}"),
            format!("/v1/admin/licenses?expiring={odd}"),
            format!("/v1/admin/licenses/export.csv?kit={odd}"),
            format!("/v1/admin/customers?email={odd}@example.com"),
            format!("/v1/admin/licenses/{license}/history?cursor={odd}"),
            format!("/v1/admin/licenses/{license}/keys?cursor={odd}"),
            format!("/v1/admin/licenses/{license}/seats?cursor={odd}"),
            format!("/v1/admin/licenses/{license}/tokens?cursor={odd}"),
            format!("/v1/admin/orders?customer={odd}"),
            format!("/v1/admin/audit?subject={odd}"),
        ] {
            let reply = shop.admin.get(&path).await;
            assert!(reply.status < 500, "{path}: {}", reply.text());
        }
        for path in [
            format!("/v1/kits/{odd}/releases"),
            format!("/v1/kits/feedback-widget/releases?cursor={odd}"),
            format!("/v1/kits/feedback-widget/releases/{odd}"),
            format!("/v1/kits/feedback-widget/releases/1.0.0/artifacts/{odd}"),
            format!("/v1/kits/feedback-widget/updates?version=1.0.0&nonce={odd}"),
            format!("/v1/downloads/{odd}"),
            format!("/k/{odd}/v1/kits/feedback-widget/releases"),
        ] {
            let reply = kit.get(&path).await;
            assert!(reply.status < 500, "{path}: {}", reply.text());
        }
    }
    app.stop().await;
}
