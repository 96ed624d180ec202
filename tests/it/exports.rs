//! Lists of customers and of orders as files: every row, and no formula.

use kitward::staff::Scope;
use kitward_tests::{Actor, BUYER, Kind, Shop, TestApp, both};
use serde_json::{Value, json};

use crate::seats::sql;

/// Numbers up to 999: with the one that is copied, two whole slices.
const MANY: &str =
    "WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < 999)";

/// A shop after a purchase, and somebody who may look.
async fn sold(kind: Kind) -> (TestApp, Actor) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    shop.buy(&app).await;
    let reader = app.token(Scope::Read).await;
    (app, reader)
}

/// The lines of a file of comma-separated values.
async fn lines(reader: &Actor, list: &str) -> Vec<String> {
    let path = format!("/v1/admin/{list}/export.csv");
    let file = reader.get(&path).await.expect_status(200);
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(file.header("cache-control"), "no-store");
    let name = format!("{list}.csv");
    assert!(file.header("content-disposition").contains(&name));
    let text = file.text();
    let lines = text.split_terminator("\r\n").map(str::to_owned);
    lines.collect()
}

async fn rows(reader: &Actor, list: &str) -> Vec<Value> {
    let path = format!("/v1/admin/{list}/export.json");
    let file = reader.get(&path).await.expect_status(200);
    let name = format!("{list}.json");
    assert!(file.header("content-disposition").contains(&name));
    file.json().as_array().unwrap().clone()
}

async fn first(reader: &Actor, list: &str) -> Value {
    let page = reader.get(&format!("/v1/admin/{list}")).await;
    page.json()["items"][0].clone()
}

async fn only_readers_get_whole_files(app: &TestApp, reader: &Actor, list: &str) {
    let publisher = app.token(Scope::Publish).await;
    for form in ["csv", "json"] {
        let path = format!("/v1/admin/{list}/export.{form}");
        let refused = publisher.get(&path).await;
        refused.expect_problem(403, "insufficient_scope");
        for bad in ["limit=1", "cursor=x", "nonsense=1", "email=nobody"] {
            let refused = reader.get(&format!("{path}?{bad}")).await;
            refused.expect_problem(422, "invalid_field");
        }
    }
}

both!(a_file_holds_every_customer);
async fn a_file_holds_every_customer(kind: Kind) {
    let (app, reader) = sold(kind).await;
    let customer = first(&reader, "customers").await;
    let id = customer["id"].as_str().unwrap();
    let copies = format!(
        "{MANY} INSERT INTO customers (id, name, created_at) \
         SELECT 'cus_7000000' || (1000000000000000000 + n), '=1+1', created_at \
         FROM many, customers WHERE customers.id = '{id}'"
    );
    sql(&app, copies).await;
    let text = lines(&reader, "customers").await;
    assert_eq!(text.len(), 1 + 1_000);
    assert_eq!(text[0], "id,name,claim_address,created_at");
    let line = format!("{id},Example Buyer,{BUYER},2027-01-15T12:00:00Z");
    assert_eq!(text[1], line);
    assert!(text[1_000].contains(",'=1+1,,2027-"), "{}", text[1_000]);
    let all = rows(&reader, "customers").await;
    assert_eq!(all.len(), 1_000);
    assert_eq!(all[0], customer);
    let narrowed = "/v1/admin/customers/export.json?email=buyer%40example.com";
    let narrowed = reader.get(narrowed).await.expect_status(200);
    assert_eq!(narrowed.json(), json!([customer]));
    only_readers_get_whole_files(&app, &reader, "customers").await;
    app.stop().await;
}

both!(a_file_holds_every_order);
async fn a_file_holds_every_order(kind: Kind) {
    let (app, reader) = sold(kind).await;
    let order = first(&reader, "orders").await;
    let text_of = |member: &str| order[member].as_str().unwrap().to_owned();
    let id = text_of("id");
    let copies = format!(
        "{MANY} INSERT INTO orders (id, provider, mode, business_key, customer_id, email, \
         billing_name, currency, subtotal, tax, total, status, purchased_at, created_at) \
         SELECT 'ord_7000000' || (1000000000000000000 + n), provider, mode, 'copy ' || n, \
         customer_id, email, '@SUM(1,1)', currency, subtotal, tax, total, status, purchased_at, \
         created_at FROM many, orders WHERE orders.id = '{id}'"
    );
    sql(&app, copies).await;
    let text = lines(&reader, "orders").await;
    assert_eq!(text.len(), 1 + 1_000);
    assert_eq!(
        text[0],
        "id,status,customer_id,email,billing_name,tax_id,currency,subtotal,tax,total,provider,mode,\
         business_key,payment_ref,purchased_at,created_at"
    );
    let starts = ["id", "status", "customer_id", "email", "billing_name"].map(text_of);
    assert!(text[1].starts_with(&starts.join(",")), "{}", text[1]);
    let money = format!(",{},3700,0,3700,stripe,", text_of("currency"));
    assert!(text[1].contains(&money), "{}", text[1]);
    let last = &text[1_000];
    assert!(last.contains(",\"'@SUM(1,1)\","), "{last}");
    let all = rows(&reader, "orders").await;
    assert_eq!(all.len(), 1_000);
    assert_eq!(all[0], order);
    only_readers_get_whole_files(&app, &reader, "orders").await;
    app.stop().await;
}

#[test]
fn a_file_of_nothing_is_a_head_or_an_empty_list() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::start(kind).await;
        let reader = app.token(Scope::Read).await;
        for list in ["customers", "orders", "licenses"] {
            assert_eq!(lines(&reader, list).await.len(), 1, "{list}");
            assert!(rows(&reader, list).await.is_empty(), "{list}");
        }
        app.stop().await;
    });
}
