//! Lists of licenses: filters, files, and the one box that finds.

mod finding;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use diesel::connection::SimpleConnection;
use kitward::db::{DbError, Shard};
use kitward::staff::Scope;
use kitward_tests::{Actor, BUYER, Kind, Reply, Shop, TestApp, both};
use serde_json::{Value, json};

async fn issue(admin: &Actor, changes: &Value) -> (String, String) {
    let mut body = json!({ "policy": "personal", "email": BUYER });
    for (member, value) in changes.as_object().unwrap() {
        body[member] = value.clone();
    }
    let reply = admin.post("/v1/admin/licenses", &body).await;
    let reply = reply.expect_status(201);
    (reply.str("/id"), reply.str("/key"))
}

async fn sql(app: &TestApp, text: String) {
    app.app
        .db
        .write(Shard::Wide, move |tx| {
            tx.conn().batch_execute(&text)?;
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
}

/// All pages of a list: id and row.
async fn all(admin: &Actor, query: &str) -> BTreeMap<String, Value> {
    let mut rows = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/admin/licenses?limit=7&{query}{cursor}");
        let page = admin.get(&path).await.expect_status(200).json();
        for row in page["items"].as_array().unwrap() {
            let id = row["id"].as_str().unwrap().to_owned();
            assert!(rows.insert(id, row.clone()).is_none(), "no row comes twice");
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    /// A moment around the present, often exactly at an end of some grace.
    fn moment(&mut self) -> String {
        let day = 86_400;
        let days = [-30, -7, -3, -1, 0, 0, 0, 1, 3, 7, 30][self.roll(11)];
        let off = [-1, 0, 0, 1][self.roll(4)];
        let fraction = ["", ".000001", ".5", ".123456"][self.roll(4)];
        let start = 1_800_014_400 + days * day + off;
        let moment = kitward::clock::Timestamp::from_unix(start).unwrap();
        let text = moment.utc().format("%F %T").to_string();
        format!("'{text}{fraction}'")
    }

    fn maybe(&mut self) -> String {
        if self.roll(2) == 0 {
            "NULL".to_owned()
        } else {
            self.moment()
        }
    }
}

fn random_row(dice: &mut Dice, id: &str) -> String {
    let state = [
        "active", "active", "active", "active", "pending", "ended", "merged",
    ][dice.roll(7)];
    let starts = ["'2026-01-01 00:00:00'".to_owned(), dice.moment()][dice.roll(2)].clone();
    let (valid, due, lapsed) = (dice.maybe(), dice.maybe(), dice.maybe());
    let months = dice.roll(4);
    let mut text = format!(
        "UPDATE licenses SET base_state = '{state}', starts_at = {starts}, valid_until = {valid}, \
         past_due_since = {due}, lapsed_at = {lapsed}, paid_months = {months} WHERE id = '{id}';"
    );
    for (kind, reason) in [("hold", "manual"), ("revocation", "fraud")] {
        if dice.roll(6) == 0 {
            let closed = dice.maybe();
            let suffix = id.strip_prefix("lic_").unwrap();
            let own = if kind == "hold" { "0" } else { "1" };
            write!(
            text,
                "INSERT INTO license_holds (id, license_id, kind, reason, cause, opened_at, closed_at) \
                 VALUES ('hld_{own}{}', '{id}', '{kind}', '{reason}', 'c', '2027-01-01 00:00:00', {closed});",
                &suffix[1..]
            )
            .unwrap();
        }
    }
    text
}

both!(the_status_of_a_list_is_that_of_the_license);
async fn the_status_of_a_list_is_that_of_the_license(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    for (name, grace, lapse) in [
        ("keep-0", 0, "on_lapse = 'keep', keep_after_paid_months = 0"),
        ("keep-3", 3, "on_lapse = 'keep', keep_after_paid_months = 2"),
        ("stop-7", 7, "on_lapse = 'stop', keep_after_paid_months = 0"),
    ] {
        let id = Shop::policy(&shop.admin, name, &json!({})).await;
        let terms =
            format!("UPDATE terms SET grace_days = {grace}, {lapse} WHERE policy_id = '{id}'");
        sql(&app, terms).await;
    }
    // Half a second after the hour: a grace ends at a moment, not at a second.
    let mut dice = Dice(7);
    let mut changes = String::new();
    for at in 0..240 {
        let policy = ["keep-0", "keep-3", "stop-7"][at % 3];
        let (id, _) = issue(&shop.admin, &json!({ "policy": policy })).await;
        changes.push_str(&random_row(&mut dice, &id));
    }
    sql(&app, changes).await;
    let words = [
        "pending",
        "active",
        "grace",
        "lapsed",
        "expired",
        "suspended",
        "revoked",
        "merged",
    ];
    for seconds in [0, 86_400] {
        app.clock.advance(seconds);
        let every = all(&shop.admin, "").await;
        assert_eq!(every.len(), 240);
        let mut met = 0;
        for word in words {
            let listed = all(&shop.admin, &format!("status={word}")).await;
            let own = every.iter().filter(|(_, row)| row["status"] == word);
            let own: BTreeMap<_, _> = own.map(|(id, row)| (id.clone(), row.clone())).collect();
            assert_eq!(listed, own, "{word}");
            assert!(!listed.is_empty(), "no license is {word}");
            met += listed.len();
        }
        assert_eq!(met, 240);
    }
    app.stop().await;
}

/// Three licenses: of one kit, of another with a month of updates, of all.
struct Three {
    app: TestApp,
    admin: Actor,
    ids: [String; 3],
}

impl Three {
    async fn issue(kind: Kind) -> Self {
        let app = TestApp::start(kind).await;
        let admin = Shop::open(&app).await.admin;
        let limiter = json!({ "kits": ["rate-limiter"], "updates_months": 1, "seat_limit": 2 });
        Shop::policy(&admin, "limiter", &limiter).await;
        let all = json!({ "scope": "all", "kits": [], "seat_limit": null });
        Shop::policy(&admin, "everything", &all).await;
        let (one, key) = issue(&admin, &json!({})).await;
        // Lists go by the time of issue, to the millisecond.
        app.clock.advance(1);
        let other = json!({ "policy": "limiter", "email": "b@example.com" });
        let (two, _) = issue(&admin, &other).await;
        app.clock.advance(1);
        let (three, _) = issue(&admin, &json!({ "policy": "everything" })).await;
        for device in ["m-1", "m-2"] {
            let body = json!({ "key": key, "kit": "feedback-widget", "device": device });
            let reply = app.anonymous().post("/v1/licenses/activate", &body).await;
            reply.expect_status(200);
        }
        let ids = [one, two, three];
        Self { app, admin, ids }
    }

    /// The numbers of those in a list, in its order.
    async fn listed(&self, query: &str) -> String {
        let rows = all(&self.admin, query).await;
        let number = |id: &String| self.ids.iter().position(|own| own == id).unwrap() + 1;
        rows.keys().map(|id| number(id).to_string()).collect()
    }
}

both!(a_list_is_narrowed_to_what_needs_a_look);
async fn a_list_is_narrowed_to_what_needs_a_look(kind: Kind) {
    let three = Three::issue(kind).await;
    let rows = all(&three.admin, "").await;
    let customer = rows[&three.ids[1]]["customer_id"]
        .as_str()
        .unwrap()
        .to_owned();
    for (query, expected) in [
        ("", "123"),
        ("kit=feedback-widget", "13"),
        ("kit=rate-limiter&policy=limiter", "2"),
        (&format!("customer={customer}"), "2"),
        ("expiring=31", "2"),
        ("expiring=30", ""),
        ("never_activated=true", "23"),
        ("never_activated=false", "1"),
        ("over_limit=true", ""),
        ("dormant=30", ""),
    ] {
        assert_eq!(three.listed(query).await, expected, "{query}");
    }
    let path = format!("/v1/admin/licenses/{}", three.ids[0]);
    let smaller = three.admin.patch(&path, &json!({ "seat_limit": 1 })).await;
    smaller.expect_status(200);
    assert_eq!(three.listed("over_limit=true").await, "1");
    assert_eq!(three.listed("over_limit=false").await, "23");
    three.app.clock.advance(30 * 86_400 + 1);
    assert_eq!(three.listed("dormant=30").await, "1");
    assert_eq!(three.listed("dormant=31").await, "");
    three.app.stop().await;
}

both!(a_list_of_what_there_is_not_is_a_mistake);
async fn a_list_of_what_there_is_not_is_a_mistake(kind: Kind) {
    let app = TestApp::start(kind).await;
    let admin = Shop::open(&app).await.admin;
    for bad in [
        "status=odd",
        "kit=none-such",
        "kit=a%00b",
        "policy=none",
        "policy=a%00b",
        "customer=x",
        "expiring=0",
        "dormant=-1",
        "expiring=36501",
        "expiring=99999999999999999999",
        "over_limit=maybe",
        "nonsense=1",
        "limit=0",
        "cursor=%00",
    ] {
        let reply = admin.get(&format!("/v1/admin/licenses?{bad}")).await;
        reply.expect_problem(422, "invalid_field");
    }
    app.stop().await;
}

both!(a_file_holds_every_row_and_no_formula);
async fn a_file_holds_every_row_and_no_formula(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let reader = app.token(Scope::Read).await;
    Shop::policy(
        &shop.admin,
        "evil",
        &json!({ "edition": "=HYPERLINK(\"x\"),1" }),
    )
    .await;
    let (evil, key) = issue(&shop.admin, &json!({ "policy": "evil" })).await;
    app.clock.advance(1);
    // More than two slices.
    for _copy in 0..3 {
        issue(&shop.admin, &json!({})).await;
    }
    multiply(&app, &evil, 1_100).await;
    let file = reader
        .get("/v1/admin/licenses/export.csv")
        .await
        .expect_status(200);
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert!(file.header("content-disposition").contains("licenses.csv"));
    let text = file.text();
    let lines: Vec<&str> = text.split("\r\n").filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), 1 + 4 + 1_100);
    assert!(lines[0].starts_with("id,status,customer_id"));
    assert!(
        text.contains(",\"'=HYPERLINK(\"\"x\"\"),1\","),
        "{}",
        lines[1]
    );
    assert!(!text.contains(&key));
    let list = reader
        .get("/v1/admin/licenses/export.json")
        .await
        .expect_status(200);
    let rows = list.json().as_array().unwrap().clone();
    assert_eq!(rows.len(), 4 + 1_100);
    assert_eq!(rows[0]["id"], evil);
    // The same filters, and nothing of pages.
    let few = reader
        .get("/v1/admin/licenses/export.json?policy=personal")
        .await;
    assert_eq!(few.json().as_array().unwrap().len(), 3);
    let none = reader
        .get("/v1/admin/licenses/export.json?status=merged")
        .await;
    assert_eq!(none.json(), json!([]));
    let bad = reader.get("/v1/admin/licenses/export.csv?limit=1").await;
    bad.expect_problem(422, "invalid_field");
    let publisher = app.token(Scope::Publish).await;
    let refused = publisher.get("/v1/admin/licenses/export.csv").await;
    refused.expect_problem(403, "insufficient_scope");
    app.stop().await;
}

/// So many copies of a license, with keys of their own.
async fn multiply(app: &TestApp, id: &str, copies: usize) {
    let mut text = String::new();
    for at in 0..copies {
        let own = format!("7{at:025}");
        let digest = match app.kind {
            Kind::Sqlite => format!("CAST('{own}' AS BLOB)"),
            Kind::Postgres => format!("'{own}'::bytea"),
        };
        write!(
            text,
            "INSERT INTO licenses (id, customer_id, policy_id, terms_id, ordinal, base_state, \
             starts_at, created_at) SELECT 'lic_{own}', customer_id, policy_id, terms_id, 0, \
             base_state, starts_at, created_at FROM licenses WHERE id = '{id}'; \
             INSERT INTO license_keys (id, license_id, lookup, sealed_key, key_hint, created_at, \
             source, is_primary) SELECT 'lky_{own}', 'lic_{own}', {digest}, sealed_key, key_hint, \
             created_at, source, TRUE FROM license_keys WHERE license_id = '{id}';"
        )
        .unwrap();
    }
    sql(app, text).await;
}

async fn found(admin: &Actor, text: &str) -> Value {
    let body = json!({ "q": text });
    let reply = admin.post("/v1/admin/find", &body).await.expect_status(200);
    assert_eq!(reply.header("cache-control"), "no-store");
    reply.json()
}

fn ids(found: &Value, group: &str) -> Vec<String> {
    let rows = found[group].as_array().unwrap();
    rows.iter()
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

both!(support_finds_a_license_by_whatever_it_has);
async fn support_finds_a_license_by_whatever_it_has(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let reader = app.token(Scope::Read).await;
    let purchase = shop.buy(&app).await;
    let (other, _) = issue(&shop.admin, &json!({ "email": "other@example.com" })).await;
    let body = json!({ "key": purchase.key, "kit": "feedback-widget", "device": "Build Box 7" });
    let seat = app.anonymous().post("/v1/licenses/activate", &body).await;
    let (license, seat) = (seat.str("/license/id"), seat.str("/activation/id"));
    let import = json!({ "source": "gumroad", "key": "AAAA-BBBB-CCCC-DDDD" });
    let path = format!("/v1/admin/licenses/{license}/import-key");
    shop.admin.post(&path, &import).await.expect_status(200);
    let order = found(&reader, &purchase.ids.session).await;
    let order = ids(&order, "orders")[0].clone();
    let customer = found(&reader, BUYER).await;
    let customer = ids(&customer, "customers")[0].clone();
    for text in [
        purchase.key.as_str(),
        "aaaabbbbccccdddd",
        BUYER,
        " BUYER@example.com ",
        "Build Box 7",
        &license,
        &seat,
        &order,
        &customer,
        &purchase.ids.session,
    ] {
        let found = found(&reader, text).await;
        assert_eq!(ids(&found, "licenses").join(" "), license, "{text}");
    }
    assert_eq!(ids(&found(&reader, &seat).await, "seats"), [seat]);
    // Without the key, an address will do.
    let short = reader
        .get("/v1/admin/find?q=other%40example.com")
        .await
        .expect_status(200);
    assert_eq!(ids(&short.json(), "licenses"), [other]);
    for nothing in [
        "",
        " ",
        "nobody@example.com",
        "a\u{0}b",
        "kwl_zzzz",
        "%",
        "' OR 1=1 --",
        &"x".repeat(3_000),
    ] {
        let found = found(&reader, nothing).await;
        for group in ["licenses", "customers", "orders", "seats"] {
            assert_eq!(found[group], json!([]), "{nothing:?}");
        }
    }
    let publisher = app.token(Scope::Publish).await;
    let refused: Reply = publisher.get("/v1/admin/find?q=x").await;
    refused.expect_problem(403, "insufficient_scope");
    app.stop().await;
}

both!(customers_are_listed_found_and_renamed);
async fn customers_are_listed_found_and_renamed(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let admin = &shop.admin;
    issue(admin, &json!({ "name": "Example Buyer" })).await;
    issue(admin, &json!({ "email": "b@example.com" })).await;
    let list = admin.get("/v1/admin/customers").await.expect_status(200);
    assert_eq!(list.json()["items"].as_array().unwrap().len(), 2);
    let one = admin
        .get("/v1/admin/customers?email=BUYER%40example.com")
        .await;
    assert_eq!(one.str("/items/0/name"), "Example Buyer");
    let path = format!("/v1/admin/customers/{}", one.str("/items/0/id"));
    let shown = admin.get(&path).await.expect_status(200);
    assert_eq!(shown.header("etag"), "\"1\"");
    let edit = admin.clone().with("if-match", "\"1\"");
    let renamed = edit.patch(&path, &json!({ "name": " Buyer Ltd " })).await;
    assert_eq!(renamed.expect_status(200).str("/name"), "Buyer Ltd");
    let late = edit.patch(&path, &json!({ "name": "Late" })).await;
    late.expect_problem(412, "precondition_failed");
    for bad in [
        json!({ "name": "" }),
        json!({ "name": "a\u{0}" }),
        json!({ "name": null }),
        json!({}),
    ] {
        admin
            .patch(&path, &bad)
            .await
            .expect_problem(422, "invalid_field");
    }
    // Whoever has signed in is found by the address too.
    app.customer(BUYER).await;
    let one = admin
        .get("/v1/admin/customers?email=buyer%40example.com")
        .await;
    assert_eq!(one.str("/items/0/name"), "Buyer Ltd");
    let bad = admin.get("/v1/admin/customers?email=nobody").await;
    bad.expect_problem(422, "invalid_field");
    let unknown = "/v1/admin/customers/cus_01jhmz3e5afkt9ymv5n2e8wqc4";
    admin.get(unknown).await.expect_problem(404, "not_found");
    app.stop().await;
}
