//! Tokens and the license text as customers see them.

use kitward_tests::{BUYER, Kind, both};
use serde_json::json;

use super::{RELEASES, scene};

/// The token on the page that shows it.
fn shown(page: &str, prefix: &str) -> String {
    let start = page
        .find(prefix)
        .unwrap_or_else(|| panic!("no {prefix} in {page}"));
    page[start..start + 60].to_owned()
}

both!(customers_make_and_revoke_tokens_on_their_page);
async fn customers_make_and_revoke_tokens_on_their_page(kind: Kind) {
    let scene = scene(kind).await;
    let browser = scene.app.customer(BUYER).await;
    let path = format!("/licenses/{}/tokens", scene.license);
    let license = browser
        .get(&format!("/licenses/{}", scene.license))
        .await
        .text();
    assert!(license.contains(&path));
    let made = browser
        .form(&path, &[("name", " Main <b> "), ("kind", "ci")])
        .await
        .expect_status(200);
    assert_eq!(made.header("cache-control"), "no-store");
    let token = shown(&made.text(), "kwc_");
    assert_eq!(
        scene.kit("activate", &token, &json!({})).await.str("/code"),
        "VALID"
    );
    let made = browser
        .form(&path, &[("name", "Mirror"), ("kind", "download")])
        .await
        .expect_status(200);
    let download = shown(&made.text(), "kwd_");
    scene
        .app
        .kit(&download)
        .get(RELEASES)
        .await
        .expect_status(200);
    // One that the vendor made is the license's as well.
    scene.token("publishable").await;
    let list = browser.get(&path).await.expect_status(200).text();
    assert!(
        !list.contains(&token) && list.contains(&token[54..]) && list.contains("Main &#60;b&#62;"),
        "{list}"
    );
    let admin = scene.shop.admin.get(&scene.list()).await.json();
    let items = admin["items"].as_array().unwrap();
    let own = items.iter().find(|item| item["kind"] == "ci").unwrap();
    assert!(own["person_id"].as_str().unwrap().starts_with("per_"));
    let revoke = format!("{path}/{}/revoke", own["id"].as_str().unwrap());
    let done = browser.form(&revoke, &[]).await.expect_status(303);
    let told = browser
        .get(done.header("location"))
        .await
        .expect_status(200)
        .text();
    assert!(told.contains("The token is revoked") && !told.contains(&token[54..]));
    assert_eq!(
        scene.kit("activate", &token, &json!({})).await.str("/code"),
        "NOT_FOUND"
    );
    for (name, kind, status) in [
        ("", "ci", 422),
        ("a\u{202e}", "ci", 422),
        ("a", "publishable", 404),
        ("a", "key", 422),
    ] {
        let refused = browser.form(&path, &[("name", name), ("kind", kind)]).await;
        assert_eq!(refused.status, status, "{name:?} {kind}");
        assert!(!refused.text().contains("kwc_"));
    }
    scene.app.stop().await;
}

both!(tokens_of_others_are_not_there);
async fn tokens_of_others_are_not_there(kind: Kind) {
    let scene = scene(kind).await;
    let made = scene.make(&json!({ "kind": "ci", "name": "a" })).await;
    let path = format!("/licenses/{}/tokens", scene.license);
    let revoke = format!("{path}/{}/revoke", made.str("/id"));
    let stranger = scene.app.customer("stranger@example.com").await;
    for page in [&path, &format!("/licenses/{}/text", scene.license)] {
        stranger.get(page).await.expect_status(404);
    }
    let fields = [("name", "mine"), ("kind", "ci")];
    stranger.form(&path, &fields).await.expect_status(404);
    stranger.form(&revoke, &[]).await.expect_status(404);
    scene
        .app
        .browser()
        .form(&path, &fields)
        .await
        .expect_status(303);
    let elsewhere = scene
        .app
        .customer(BUYER)
        .await
        .with("sec-fetch-site", "cross-site");
    elsewhere.form(&path, &fields).await.expect_status(403);
    // Of the same customer, those who are no owners see their own, and who only pays makes none.
    for (role, status) in [("member", 200), ("billing", 403)] {
        scene
            .sql(format!("UPDATE memberships SET role = '{role}'"))
            .await;
        let person = scene.app.customer(BUYER).await;
        assert!(
            !person
                .get(&path)
                .await
                .expect_status(200)
                .text()
                .contains(&revoke),
            "{role}"
        );
        let revoked = person.form(&revoke, &[]).await;
        assert_eq!(revoked.status, if role == "member" { 404 } else { 403 });
        person.form(&path, &fields).await.expect_status(status);
    }
    assert_eq!(
        scene
            .kit("activate", &made.str("/token"), &json!({}))
            .await
            .str("/code"),
        "VALID"
    );
    scene.app.stop().await;
}

both!(live_tokens_are_shown_however_many_ended_before);
async fn live_tokens_are_shown_however_many_ended_before(kind: Kind) {
    let scene = scene(kind).await;
    let past = "'2027-01-15 11:00:00'";
    scene.add_rows("gone", 600, ("revoked_at", past)).await;
    scene.add_rows("over", 600, ("expires_at", past)).await;
    let made = scene.make(&json!({ "kind": "ci", "name": "late" })).await;
    let token = made.str("/token");
    let browser = scene.app.customer(BUYER).await;
    let path = format!("/licenses/{}/tokens", scene.license);
    let page = browser.get(&path).await.expect_status(200).text();
    assert!(
        page.contains(&token[54..]) && !page.contains("ltk_00"),
        "{page}"
    );
    let revoke = format!("{path}/{}/revoke", made.str("/id"));
    browser.form(&revoke, &[]).await.expect_status(303);
    let answer = scene.kit("validate", &token, &json!({})).await;
    assert_eq!(answer.str("/code"), "NOT_FOUND");
    // The vendor sees all of them.
    let listed = scene.shop.admin.get(&scene.list()).await;
    assert_eq!(listed.str("/items/0/hint"), "gone");
    scene.app.stop().await;
}

both!(the_license_text_that_holds_is_shown_as_text);
async fn the_license_text_that_holds_is_shown_as_text(kind: Kind) {
    let scene = scene(kind).await;
    let texts = "/v1/admin/license-texts";
    let first = json!({ "name": "Standard", "body": "One <script>alert(1)</script>\n  two" });
    let first = scene
        .shop
        .admin
        .post(texts, &first)
        .await
        .expect_status(201)
        .str("/id");
    let policy = "/v1/admin/policies/personal";
    let change = json!({ "license_text_id": first });
    scene
        .shop
        .admin
        .patch(policy, &change)
        .await
        .expect_status(200);
    let browser = scene.app.customer(BUYER).await;
    let page = format!("/licenses/{}/text", scene.license);
    browser.get(&page).await.expect_status(404);
    scene.apply_second_terms(policy).await;
    // A later version holds for who comes later.
    let second = json!({ "name": "Standard", "body": "Other" });
    scene
        .shop
        .admin
        .post(texts, &second)
        .await
        .expect_status(201);
    let text = browser.get(&page).await.expect_status(200).text();
    assert!(
        text.contains("&#60;script&#62;alert(1)&#60;/script&#62;\n  two")
            && text.contains("Version 1"),
        "{text}"
    );
    let license = browser
        .get(&format!("/licenses/{}", scene.license))
        .await
        .text();
    assert!(license.contains("Standard, version 1") && license.contains(&page));
    scene.app.stop().await;
}
