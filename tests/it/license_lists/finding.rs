//! The one box that finds: what mail clients and checkouts make of what is looked for.

use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use kitward::db::DbError;
use kitward::staff::Scope;
use kitward_tests::{Kind, Shop, TestApp, both};
use serde_json::json;

use super::{found, ids, issue, sql};

both!(a_key_that_a_mail_client_wrapped_is_found);
async fn a_key_that_a_mail_client_wrapped_is_found(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let reader = app.token(Scope::Read).await;
    let (license, key) = issue(&shop.admin, &json!({})).await;
    let import = json!({ "source": "gumroad", "key": "AAAA-BBBB-CCCC-DDDD" });
    let path = format!("/v1/admin/licenses/{license}/import-key");
    shop.admin.post(&path, &import).await.expect_status(200);
    let (start, rest) = key.split_at(70);
    for wrapped in [
        format!("{start}\r\n{rest}"),
        format!(" {start}\n\t{rest}\r\n"),
        "AAAA-BBBB-\r\nCCCC-DDDD".to_owned(),
    ] {
        let found = found(&reader, &wrapped).await;
        assert_eq!(ids(&found, "licenses"), [license.as_str()], "{wrapped:?}");
    }
    for nothing in ["AAAA-BBBB-\u{0}CCCC-DDDD", "buyer@example.com\nx"] {
        let found = found(&reader, nothing).await;
        for group in ["licenses", "customers", "orders", "seats"] {
            assert_eq!(found[group], json!([]), "{nothing:?}");
        }
    }
    app.stop().await;
}

both!(an_order_is_found_however_its_address_was_typed);
async fn an_order_is_found_however_its_address_was_typed(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let reader = app.token(Scope::Read).await;
    shop.buy(&app).await;
    for (typed, asked) in [
        ("Buyer@Example.COM", "buyer@example.com"),
        ("buyer@example.com", " BUYER@example.Com "),
        ("Buyer@B\u{fc}cher.example", "buyer@b\u{fc}cher.example"),
        ("Buyer@b\u{fc}cher.example", "buyer@xn--bcher-kva.example"),
        ("buyer@XN--bcher-kva.example", "Buyer@B\u{fc}cher.example"),
    ] {
        let order = format!("UPDATE orders SET email = '{typed}'");
        sql(&app, order).await;
        let found = found(&reader, asked).await;
        assert_eq!(ids(&found, "orders").len(), 1, "{typed} {asked}");
        assert_eq!(ids(&found, "licenses").len(), 1, "{typed} {asked}");
    }
    let other = found(&reader, "uyer@xn--bcher-kva.example").await;
    assert_eq!(other["orders"], json!([]));
    app.stop().await;
}

#[test]
fn orders_are_found_by_an_index() {
    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = Text)]
        detail: String,
    }
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::start(kind).await;
        let query = "EXPLAIN QUERY PLAN SELECT * FROM orders WHERE lower(orders.email) IN ('a', 'b') \
                     ORDER BY orders.created_at DESC, orders.id DESC LIMIT 20";
        let read = app
            .app
            .db
            .read_slow(move |conn| Ok::<Vec<Step>, DbError>(sql_query(query).load(conn)?));
        let steps = read.await.unwrap();
        let by_index = |step: &Step| step.detail.contains("orders_email_spelling");
        assert!(steps.iter().any(by_index), "{}", steps[0].detail);
        app.stop().await;
    });
}

both!(no_key_and_no_token_is_looked_for_in_an_address);
async fn no_key_and_no_token_is_looked_for_in_an_address(kind: Kind) {
    let own_word = TestApp::builder().config(|config| {
        "acme".clone_into(&mut config.vendor.key_prefix);
    });
    let app = own_word.start(kind).await;
    let shop = Shop::open(&app).await;
    let reader = app.token(Scope::Read).await;
    let (license, key) = issue(&shop.admin, &json!({})).await;
    let get = async |text: &str| reader.get(&format!("/v1/admin/find?q={text}")).await;
    for secret in [
        key.as_str(),
        "acme_aaaa",
        "kwl_aaaa",
        "KWL_aaaa",
        "%20%22kwa_aaaa",
        "k%0Awd_aaaa",
        "kwc_aaaa",
        "kwp_aaaa",
    ] {
        let refused = get(secret).await.expect_problem(422, "invalid_field");
        assert_eq!(refused.str("/field"), "q", "{secret}");
        assert!(refused.str("/detail").contains("POST"), "{secret}");
    }
    for other in ["kwl", "acme", "my_kwl_box", "buyer%40example.com"] {
        get(other).await.expect_status(200);
    }
    let found = found(&reader, &key).await;
    assert_eq!(ids(&found, "licenses"), [license]);
    app.stop().await;
}
