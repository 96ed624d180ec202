//! What a customer sees, and what nobody else may.

use futures_util::future::join_all;
use kitward_tests::{Actor, BUYER, Kind, Shop, TestApp, both};
use reqwest::Method;
use serde_json::json;

async fn mailed(app: &TestApp, browser: &Actor, address: &str) -> (String, String) {
    let before = app.inbox.messages().len();
    browser.form("/sign-in", &[("email", address)]).await;
    app.drain().await;
    let mails = app.inbox.messages();
    assert_eq!(mails.len(), before + 1);
    let text = mails.last().unwrap().text();
    let link = text
        .split_whitespace()
        .find(|w| w.contains("/sign-in/link/"))
        .unwrap();
    let token = link.rsplit('/').next().unwrap().to_owned();
    (token, code_in(&text))
}

/// The 8-character code, which stands alone on its line.
fn code_in(text: &str) -> String {
    let lines = text.lines().map(|line| line.trim().replace([' ', '-'], ""));
    let mut codes = lines.filter(|line| {
        line.len() == 8
            && line
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    });
    codes.next().unwrap_or_else(|| panic!("no code in {text}"))
}

both!(a_customer_signs_in_by_code_and_sees_the_license);
async fn a_customer_signs_in_by_code_and_sees_the_license(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let purchase = shop.buy(&app).await;
    let hint = &purchase.key[purchase.key.len() - 6..];
    let browser = app.browser();
    let away = browser.get("/").await.expect_status(303);
    assert!(away.header("location").starts_with("/sign-in"));
    let (_token, code) = mailed(&app, &browser, " Buyer@EXAMPLE.com ").await;
    let wrong = if code == "AAAAAAAA" {
        "BBBBBBBB"
    } else {
        "AAAAAAAA"
    };
    let refused = browser.form("/sign-in/code", &[("code", wrong)]).await;
    assert_eq!(refused.status, 422);
    // Another browser cannot use the code.
    let elsewhere = app.browser();
    assert_ne!(
        elsewhere
            .form("/sign-in/code", &[("code", &code)])
            .await
            .status,
        303
    );
    let typed = format!(" {} ", code.to_lowercase());
    browser
        .form("/sign-in/code", &[("code", &typed)])
        .await
        .expect_status(303);
    let home = browser.get("/").await.expect_status(200).text();
    assert!(
        home.contains("Feedback Widget Kit") && home.contains(hint),
        "{home}"
    );
    assert!(!home.contains(&purchase.key));
    // A code works once.
    let again = browser.form("/sign-in/code", &[("code", &code)]).await;
    assert_ne!(again.status, 303);
    browser.form("/sign-out", &[]).await.expect_status(303);
    browser.get("/").await.expect_status(303);
    app.stop().await;
}

both!(opening_the_mailed_link_changes_nothing_until_the_button);
async fn opening_the_mailed_link_changes_nothing_until_the_button(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    shop.buy(&app).await;
    let browser = app.browser();
    let (token, _code) = mailed(&app, &browser, BUYER).await;
    let path = format!("/sign-in/link/{token}");
    let scanner = app.browser();
    for method in [Method::HEAD, Method::GET, Method::GET] {
        let reply = scanner.send(scanner.request(method, &path)).await;
        assert_eq!(reply.status, 200);
    }
    // The scanner has not asked for the mail: its browser is another one.
    assert_ne!(
        scanner
            .form("/sign-in/link", &[("token", &token)])
            .await
            .status,
        303
    );
    scanner.get("/").await.expect_status(303);
    assert!(
        browser
            .get(&path)
            .await
            .expect_status(200)
            .text()
            .contains("<form")
    );
    browser
        .form("/sign-in/link", &[("token", &token)])
        .await
        .expect_status(303);
    browser.get("/").await.expect_status(200);
    let again = app.browser();
    assert_ne!(
        again
            .form("/sign-in/link", &[("token", &token)])
            .await
            .status,
        303
    );
    app.stop().await;
}

both!(one_link_used_twice_at_once_signs_in_once);
async fn one_link_used_twice_at_once_signs_in_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let _shop = Shop::open(&app).await;
    let link = kitward::people::operator_link(&app.app, BUYER)
        .await
        .unwrap();
    let token = link.rsplit('/').next().unwrap().to_owned();
    let tries = (0..16).map(|_| {
        let browser = app.browser();
        let token = token.clone();
        async move {
            browser
                .form("/sign-in/link", &[("token", token.as_str())])
                .await
                .status
        }
    });
    let statuses = join_all(tries).await;
    assert_eq!(
        statuses.iter().filter(|status| **status == 303).count(),
        1,
        "{statuses:?}"
    );
    app.stop().await;
}

both!(an_old_code_and_many_wrong_codes_are_dead);
async fn an_old_code_and_many_wrong_codes_are_dead(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    shop.buy(&app).await;
    let browser = app.browser();
    let (_token, code) = mailed(&app, &browser, BUYER).await;
    app.clock.advance(601);
    assert_ne!(
        browser
            .form("/sign-in/code", &[("code", &code)])
            .await
            .status,
        303
    );
    let (_token, code) = mailed(&app, &browser, BUYER).await;
    for _ in 0..10 {
        browser.form("/sign-in/code", &[("code", "ZZZZZZZZ")]).await;
    }
    assert_ne!(
        browser
            .form("/sign-in/code", &[("code", &code)])
            .await
            .status,
        303
    );
    app.stop().await;
}

both!(unknown_addresses_get_the_same_answer_and_no_mail);
async fn unknown_addresses_get_the_same_answer_and_no_mail(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    shop.buy(&app).await;
    let before = app.inbox.messages().len();
    let known = app.browser().form("/sign-in", &[("email", BUYER)]).await;
    let unknown = app
        .browser()
        .form("/sign-in", &[("email", "nobody@example.com")])
        .await;
    assert_eq!(known.status, unknown.status);
    let blank = |reply: &kitward_tests::Reply| {
        reply
            .text()
            .replace(BUYER, "-")
            .replace("nobody@example.com", "-")
    };
    let strip = |text: String| {
        text.lines()
            .filter(|l| !l.contains("req_"))
            .collect::<String>()
    };
    assert_eq!(strip(blank(&known)), strip(blank(&unknown)));
    app.drain().await;
    assert_eq!(app.inbox.messages().len(), before + 1);
    // However often somebody asks, an address gets at most three mails an hour.
    for _ in 0..10 {
        app.browser().form("/sign-in", &[("email", BUYER)]).await;
        app.drain().await;
    }
    assert_eq!(app.inbox.messages().len(), before + 3);
    app.stop().await;
}

both!(a_customer_reveals_the_key_and_frees_a_seat);
async fn a_customer_reveals_the_key_and_frees_a_seat(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let purchase = shop.buy(&app).await;
    let body = json!({
        "key": purchase.key, "kit": "feedback-widget", "device": "machine-1", "name": "Old <b>laptop</b>",
    });
    let answer = app
        .anonymous()
        .post("/v1/licenses/activate", &body)
        .await
        .expect_status(200);
    let license = answer.str("/license/id");
    let browser = app.customer(BUYER).await;
    let path = format!("/licenses/{license}");
    let page = browser.get(&path).await.expect_status(200).text();
    assert!(page.contains("Free the seat of"));
    assert!(!page.contains("<b>laptop</b>") && !page.contains(&purchase.key));
    let revealed = browser
        .form(&format!("{path}/reveal"), &[])
        .await
        .expect_status(200);
    assert!(revealed.text().contains(&purchase.key));
    assert_eq!(revealed.header("cache-control"), "no-store");
    let free = format!("{path}/seats/{}/free", answer.str("/activation/id"));

    // Nobody else sees or touches it, and nobody learns that it exists.
    let stranger = app.customer("stranger@example.com").await;
    stranger.get(&path).await.expect_status(404);
    stranger
        .form(&format!("{path}/reveal"), &[])
        .await
        .expect_status(404);
    stranger.form(&free, &[]).await.expect_status(404);
    app.browser().form(&free, &[]).await.expect_status(303);
    let look = app.anonymous().post("/v1/licenses/validate", &body).await;
    assert_eq!(look.str("/code"), "VALID");

    for _ in 0..2 {
        browser.form(&free, &[]).await.expect_status(303);
    }
    let look = app.anonymous().post("/v1/licenses/validate", &body).await;
    assert_eq!(
        (look.str("/code"), look.str("/license/seats/used")),
        ("NOT_ACTIVATED".into(), "0".into())
    );
    app.stop().await;
}

both!(forms_of_other_sites_are_refused);
async fn forms_of_other_sites_are_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    shop.buy(&app).await;
    let browser = app.customer(BUYER).await;
    let post = |site: Option<&'static str>, origin: Option<&'static str>| {
        let mut actor = app.anonymous();
        for name in ["kitward_session", "__Host-kitward_session"] {
            if let Some(value) = browser.cookie(name) {
                actor = actor.with("cookie", format!("{name}={value}"));
            }
        }
        if let Some(site) = site {
            actor = actor.with("sec-fetch-site", site);
        }
        if let Some(origin) = origin {
            actor = actor.with("origin", origin);
        }
        async move { actor.form("/sign-out", &[]).await.status }
    };
    for (site, origin) in [
        (Some("cross-site"), None),
        (Some("same-site"), None),
        (Some("none"), None),
        (None, None),
        (None, Some("null")),
        (None, Some("https://evil.example")),
    ] {
        assert_eq!(post(site, origin).await, 403, "{site:?} {origin:?}");
    }
    browser.get("/").await.expect_status(200);
    assert_eq!(post(Some("same-origin"), None).await, 303);
    browser.get("/").await.expect_status(303);
    app.stop().await;
}

#[test]
fn return_addresses_never_lead_elsewhere() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::start(kind).await;
        for target in [
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "/%0d%0aX:1",
            "javascript:alert(1)",
            "\t//evil.example",
            "/a/../..//evil.example",
        ] {
            let link = kitward::people::operator_link(&app.app, BUYER)
                .await
                .unwrap();
            let token = link.rsplit('/').next().unwrap();
            let browser = app.browser();
            browser
                .form("/sign-in", &[("email", BUYER), ("return_to", target)])
                .await;
            let fields = [("token", token), ("return_to", target)];
            let location = browser
                .form("/sign-in/link", &fields)
                .await
                .header("location")
                .to_owned();
            assert!(
                location.starts_with('/') && !location.starts_with("//"),
                "{location}"
            );
            assert!(
                !location.contains("evil.example") || location.starts_with("/a"),
                "{location}"
            );
            let theme = browser
                .form("/theme", &[("theme", "dark"), ("return_to", target)])
                .await;
            let location = theme.header("location").to_owned();
            assert!(
                location.starts_with('/')
                    && !location.starts_with("//")
                    && !location.starts_with("/\\"),
                "{location}"
            );
        }
        app.stop().await;
    });
}

#[test]
fn pages_carry_their_headers_and_errors_are_pages() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::start(kind).await;
        let browser = app.browser();
        let page = browser.get("/sign-in").await.expect_status(200);
        let policy = page.header("content-security-policy").to_owned();
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("cache-control"), "no-store");
        let missing = browser.get("/no/such/page").await.expect_status(404);
        assert!(missing.header("content-type").starts_with("text/html"));
        assert!(missing.text().contains("not_found") && missing.text().contains("req_"));
        let style = page
            .text()
            .split('"')
            .find(|part| part.starts_with("/static/") && part.ends_with(".css"))
            .unwrap()
            .to_owned();
        let asset = browser.get(&style).await.expect_status(200);
        assert!(asset.header("cache-control").contains("immutable"));
        browser.get("/static/none.css").await.expect_status(404);
        app.stop().await;
    });
}
