//! Signing in under pressure, sessions on several processes, and files through the portal.

use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use kitward::db::DbError;
use kitward_tests::{Actor, BUYER, Kind, Shop, TestApp, both};
use reqwest::Method;
use serde_json::json;

async fn ask(browser: &Actor, address: &str) {
    browser
        .form("/sign-in", &[("email", address)])
        .await
        .expect_status(200);
}

both!(a_session_ends_on_every_process_at_once);
async fn a_session_ends_on_every_process_at_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let other = app.second().await;
    let browser = app.customer(BUYER).await;
    let name = "__Host-kitward_session";
    let first = browser.cookie(name).unwrap();
    let elsewhere = other.browser();
    elsewhere.set_cookie(name, &first);
    elsewhere.get("/").await.expect_status(200);
    // Signing in again brings a new session and ends the one before.
    let link = kitward::people::operator_link(&app.app, BUYER)
        .await
        .unwrap();
    let token = link.rsplit('/').next().unwrap();
    browser
        .form("/sign-in/link", &[("token", token)])
        .await
        .expect_status(303);
    let second = browser.cookie(name).unwrap();
    assert_ne!(first, second);
    elsewhere.get("/").await.expect_status(303);
    elsewhere.set_cookie(name, &second);
    elsewhere.get("/").await.expect_status(200);
    browser.form("/sign-out", &[]).await.expect_status(303);
    assert_eq!(browser.cookie(name), None);
    elsewhere.get("/").await.expect_status(303);
    other.stop().await;
    app.stop().await;
}

both!(a_session_ends_after_thirty_days_whatever_happens);
async fn a_session_ends_after_thirty_days_whatever_happens(kind: Kind) {
    let app = TestApp::start(kind).await;
    let browser = app.customer(BUYER).await;
    for _ in 0..29 {
        app.clock.advance(86_400);
        browser.get("/").await.expect_status(200);
    }
    app.clock.advance(86_400);
    browser.get("/").await.expect_status(303);
    app.stop().await;
}

both!(parallel_requests_on_two_processes_get_three_mails);
async fn parallel_requests_on_two_processes_get_three_mails(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    shop.buy(&app).await;
    let other = app.second().await;
    let before = app.inbox.messages().len();
    let asks = (0..24).map(|number| {
        let browser = if number % 2 == 0 {
            app.browser()
        } else {
            other.browser()
        };
        async move { ask(&browser, BUYER).await }
    });
    futures_util::future::join_all(asks).await;
    app.drain().await;
    assert_eq!(app.inbox.messages().len(), before + 3);
    app.clock.advance(3_601);
    ask(&app.browser(), BUYER).await;
    app.drain().await;
    assert_eq!(app.inbox.messages().len(), before + 4);
    other.stop().await;
    app.stop().await;
}

both!(a_code_of_an_earlier_mail_still_works_and_parallel_guesses_are_counted);
async fn a_code_of_an_earlier_mail_still_works_and_parallel_guesses_are_counted(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    shop.buy(&app).await;
    let browser = app.browser();
    ask(&browser, BUYER).await;
    app.drain().await;
    let text = app.inbox.messages().last().unwrap().text();
    let code = text
        .lines()
        .map(str::trim)
        .find(|line| line.len() == 8 && !line.contains(' '))
        .unwrap()
        .to_owned();
    // Over the limit no mail leaves, and what was mailed before goes on working.
    for _ in 0..5 {
        ask(&browser, BUYER).await;
    }
    let guesses = (0..9).map(|_| browser.form("/sign-in/code", &[("code", "ZZZZZZZZ")]));
    for reply in futures_util::future::join_all(guesses).await {
        assert_eq!(reply.status, 422);
    }
    browser
        .form("/sign-in/code", &[("code", code.as_str())])
        .await
        .expect_status(303);
    app.stop().await;
}

both!(mails_go_to_the_known_address_never_to_a_look_alike);
async fn mails_go_to_the_known_address_never_to_a_look_alike(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let checkout = kitward_fakes::Checkout {
        email: "jack@example.com".to_owned(),
        ..Shop::checkout("price_personal", 1)
    };
    shop.buy_checkout(&app, checkout).await;
    // U+212A, the Kelvin sign, lower-cases to an ordinary k.
    ask(&app.browser(), "jac\u{212a}@example.com").await;
    app.drain().await;
    let mails = app.inbox.messages();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails.last().unwrap().to, ["jack@example.com"]);
    app.stop().await;
}

both!(covered_files_come_through_the_portal_and_locked_ones_do_not);
async fn covered_files_come_through_the_portal_and_locked_ones_do_not(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    shop.buy(&app).await;
    shop.release("feedback-widget", "1.0.0", "widget.bin", b"first")
        .await;
    app.clock.advance(400 * 86_400);
    shop.release("feedback-widget", "2.0.0", "widget.bin", b"second")
        .await;
    let browser = app.customer(BUYER).await;
    let home = browser.get("/").await.expect_status(200).text();
    assert!(home.contains("1.0.0") && !home.contains("2.0.0"), "{home}");
    let page = browser.get("/downloads").await.expect_status(200).text();
    assert!(page.contains("2.0.0") && page.contains("Locked."), "{page}");
    let paths: Vec<_> = page
        .split('"')
        .filter(|part| part.starts_with("/downloads/art_"))
        .collect();
    assert_eq!(paths.len(), 1, "{paths:?}");
    let sent = browser.form(paths[0], &[]).await.expect_status(303);
    let file = app
        .anonymous()
        .get(sent.header("location"))
        .await
        .expect_status(200);
    assert_eq!(file.bytes, b"first");
    let stranger = app.customer("stranger@example.com").await;
    stranger.form(paths[0], &[]).await.expect_status(404);
    assert!(
        stranger
            .get("/downloads")
            .await
            .expect_status(200)
            .text()
            .contains("Nothing to download yet")
    );
    app.stop().await;
}

#[test]
fn pages_answer_heads_wrong_methods_and_wrong_forms() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::start(kind).await;
        let browser = app.customer(BUYER).await;
        for path in ["/", "/sign-in", "/downloads"] {
            let head = browser
                .send(browser.request(Method::HEAD, path))
                .await
                .expect_status(200);
            assert!(head.bytes.is_empty());
        }
        for (reply, status) in [
            (browser.get("/sign-out").await, 405),
            (browser.form("/sign-in", &[]).await, 422),
            (browser.form("/sign-in", &[("email", "nobody")]).await, 422),
            (
                browser
                    .form("/sign-in/code", &[("code", &"x".repeat(9_000))])
                    .await,
                413,
            ),
            (browser.post("/theme", &json!({})).await, 415),
            (browser.form("/theme", &[("theme", "neon")]).await, 422),
            (browser.get("/licenses/lic_none").await, 404),
            (browser.get("/sign-in/link/none").await, 410),
            (
                app.browser()
                    .with("sec-fetch-site", "cross-site")
                    .form("/sign-out", &[])
                    .await,
                403,
            ),
        ] {
            let reply = reply.expect_status(status);
            assert!(
                reply.header("content-type").starts_with("text/html"),
                "{status}"
            );
        }
        browser
            .form("/theme", &[("theme", "dark"), ("return_to", "/downloads")])
            .await
            .expect_status(303);
        assert!(
            browser
                .get("/")
                .await
                .text()
                .contains("data-theme=\"dark\"")
        );
        let page = browser.get("/").await.text();
        let style = page.split('"').find(|part| part.ends_with(".css")).unwrap();
        let asset = browser.get(style).await.expect_status(200);
        let known = browser
            .request(Method::GET, style)
            .header("if-none-match", asset.header("etag"));
        assert!(
            browser
                .send(known)
                .await
                .expect_status(304)
                .bytes
                .is_empty()
        );
        app.stop().await;
    });
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

async fn rows_of(app: &TestApp, table: &str) -> i64 {
    let query = format!("SELECT count(*) AS value FROM {table}");
    let found = app.app.db.read_slow(move |conn| -> Result<_, DbError> {
        Ok(sql_query(query).get_result::<Number>(conn)?)
    });
    found.await.unwrap().value
}

both!(what_is_long_over_is_forgotten_whoever_asks);
async fn what_is_long_over_is_forgotten_whoever_asks(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    shop.buy(&app).await;
    shop.release("feedback-widget", "1.0.0", "widget.bin", b"a")
        .await;
    let download = async |browser: &Actor| {
        let page = browser.get("/downloads").await.expect_status(200).text();
        let mut parts = page.split('"');
        let path = parts.find(|part| part.starts_with("/downloads/art_"));
        let path = path.unwrap().to_owned();
        browser.form(&path, &[]).await.expect_status(303);
    };
    download(&app.customer(BUYER).await).await;
    for number in 0..3 {
        ask(&app.browser(), &format!("nobody-{number}@example.com")).await;
    }
    assert_eq!(rows_of(&app, "sign_ins").await, 4);
    app.clock.advance(2 * 86_400);
    ask(&app.browser(), "somebody@example.com").await;
    assert_eq!(rows_of(&app, "sign_ins").await, 1);
    assert_eq!(rows_of(&app, "sessions").await, 1);
    app.clock.advance(59 * 86_400);
    ask(&app.browser(), "somebody@example.com").await;
    assert_eq!(rows_of(&app, "sessions").await, 0);
    download(&app.customer(BUYER).await).await;
    assert_eq!(rows_of(&app, "download_tickets").await, 1);
    app.stop().await;
}
