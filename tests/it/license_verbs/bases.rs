//! Licenses that come under terms whose durations count from elsewhere: no end gets lost, and none
//! appears.

use kitward_tests::{Kind, Reply, Shop, both};
use serde_json::{Value, json};

use super::{Desk, code, issue, path};

const DAY: i64 = 86_400;
const START: &str = "2027-01-15T12:00:00Z";

fn trial() -> Value {
    json!({ "valid_days": 14, "updates_months": 1, "basis": "first_activation" })
}

fn endless() -> Value {
    json!({ "updates_months": null })
}

/// End of use, end of updates, first activation.
fn clock(license: &Reply) -> [String; 3] {
    ["/valid_until", "/updates_until", "/first_activated_at"].map(|member| license.str(member))
}

impl Desk {
    async fn policies(&self, policies: &[(&str, Value)]) {
        for (name, terms) in policies {
            Shop::policy(&self.admin, name, terms).await;
        }
    }

    async fn of_policy(&self, policy: &str) -> (String, String) {
        issue(&self.admin, &json!({ "policy": policy })).await
    }

    async fn put(&self, id: &str, verb: &str, body: &Value) -> Reply {
        let reply = self.admin.post(&path(id, verb), body).await;
        reply.expect_status(200)
    }

    async fn look(&self, id: &str) -> Reply {
        let reply = self.admin.get(&path(id, "")).await;
        reply.expect_status(200)
    }

    async fn activate(&self, key: &str) -> String {
        code(&self.app, key, "activate", "machine-1").await
    }

    /// Edits a policy and puts its licenses under the new terms. Looked at first, they are told as they
    /// become.
    async fn apply(&self, policy: &str, change: &Value, dates: bool) {
        let base = format!("/v1/admin/policies/{policy}");
        self.admin.patch(&base, change).await.expect_status(200);
        let base = format!("{base}/apply");
        let mut body = json!({ "preview": true, "dates": dates });
        let seen = self.admin.post(&base, &body).await.expect_status(200);
        let seen = seen.json();
        body["preview"] = json!(false);
        body["terms_number"] = seen["terms_number"].clone();
        let done = self.admin.post(&base, &body).await.expect_status(200);
        assert_eq!(done.json()["changed"], seen["licenses"]);
        for item in seen["items"].as_array().unwrap() {
            let became = self.look(item["license"].as_str().unwrap()).await.json();
            for end in ["valid_until", "updates_until"] {
                assert_eq!(became[end], item[end]["to"], "{end} of {item}");
            }
        }
    }
}

both!(a_trial_that_never_began_gets_the_ends_of_a_policy_that_counts_from_the_issue);
async fn a_trial_that_never_began_gets_the_ends_of_a_policy_that_counts_from_the_issue(kind: Kind) {
    let desk = Desk::open(kind).await;
    let yearly = json!({ "valid_months": 12 });
    desk.policies(&[("trial", trial()), ("yearly", yearly)])
        .await;
    let (id, key) = desk.of_policy("trial").await;
    let (given, _) = desk.of_policy("trial").await;
    let by_hand = json!({ "valid_until": "2027-03-01T00:00:00Z" });
    desk.put(&given, "extend", &by_hand).await;
    desk.app.clock.advance(DAY);
    let put = desk
        .put(&id, "set-policy", &json!({ "policy": "yearly" }))
        .await;
    let year = "2028-01-16T12:00:00Z";
    assert_eq!(clock(&put), [year, year, "null"]);
    assert_eq!(desk.activate(&key).await, "VALID");
    let renewed = desk.put(&id, "renew", &json!({ "from": "expiry" })).await;
    let next = "2029-01-16T12:00:00Z";
    assert_eq!(clock(&renewed), [next, next, "null"]);
    // What was set by hand stays, unless all shall begin anew.
    let put = desk
        .put(&given, "set-policy", &json!({ "policy": "yearly" }))
        .await;
    assert_eq!(clock(&put), ["2027-03-01T00:00:00Z", year, "null"]);
    let anew = json!({ "policy": "yearly", "dates": "restart" });
    let put = desk.put(&given, "set-policy", &anew).await;
    assert_eq!(clock(&put), [year, year, "null"]);
    desk.app.stop().await;
}

both!(a_license_before_its_start_gets_ends_that_count_from_there);
async fn a_license_before_its_start_gets_ends_that_count_from_there(kind: Kind) {
    let desk = Desk::open(kind).await;
    let monthly = json!({ "valid_months": 1, "updates_months": 1 });
    desk.policies(&[("trial", trial()), ("monthly", monthly)])
        .await;
    let later = json!({ "policy": "trial", "starts_at": "2027-06-01T00:00:00Z" });
    let (id, _) = issue(&desk.admin, &later).await;
    let put = desk
        .put(&id, "set-policy", &json!({ "policy": "monthly" }))
        .await;
    let end = "2027-07-01T00:00:00Z";
    assert_eq!(clock(&put), [end, end, "null"]);
    desk.app.stop().await;
}

both!(a_clock_that_runs_goes_on_under_a_policy_that_counts_from_the_first_activation);
async fn a_clock_that_runs_goes_on_under_a_policy_that_counts_from_the_first_activation(
    kind: Kind,
) {
    let desk = Desk::open(kind).await;
    desk.policies(&[("trial", trial()), ("endless", endless())])
        .await;
    let (id, key) = desk.of_policy("endless").await;
    desk.app.clock.advance(DAY);
    let keep = json!({ "policy": "trial", "dates": "keep" });
    desk.put(&id, "set-policy", &keep).await;
    assert_eq!(desk.activate(&key).await, "VALID");
    assert_eq!(clock(&desk.look(&id).await), ["null", "null", START]);
    // Begun anew it ends, also where nothing activates it.
    let (id, key) = desk.of_policy("endless").await;
    let anew = json!({ "policy": "trial", "dates": "restart" });
    desk.put(&id, "set-policy", &anew).await;
    let ends = [
        "2027-01-30T12:00:00Z",
        "2027-02-16T12:00:00Z",
        "2027-01-16T12:00:00Z",
    ];
    assert_eq!(clock(&desk.look(&id).await), ends);
    desk.app.clock.advance(DAY);
    assert_eq!(desk.activate(&key).await, "VALID");
    assert_eq!(clock(&desk.look(&id).await), ends);
    // One that waits goes on waiting.
    let (id, key) = desk.of_policy("trial").await;
    for dates in ["keep", "restart"] {
        let same = json!({ "policy": "trial", "dates": dates });
        let put = desk.put(&id, "set-policy", &same).await;
        assert_eq!(clock(&put), ["null", "null", "null"], "{dates}");
    }
    assert_eq!(desk.activate(&key).await, "VALID");
    assert_eq!(
        desk.look(&id).await.str("/valid_until"),
        "2027-01-31T12:00:00Z"
    );
    desk.app.stop().await;
}

both!(terms_that_count_from_the_first_activation_make_no_license_endless);
async fn terms_that_count_from_the_first_activation_make_no_license_endless(kind: Kind) {
    let desk = Desk::open(kind).await;
    let monthly = json!({ "valid_months": 1, "updates_months": 1 });
    desk.policies(&[("monthly", monthly)]).await;
    let earlier = json!({ "policy": "monthly", "starts_at": "2026-11-15T12:00:00Z" });
    let (expired, expired_key) = issue(&desk.admin, &earlier).await;
    let (runs, runs_key) = desk.of_policy("monthly").await;
    let (given, given_key) = desk.of_policy("monthly").await;
    let for_ever = json!({ "valid_until": null });
    desk.put(&given, "extend", &for_ever).await;
    let basis = json!({ "basis": "first_activation" });
    desk.apply("monthly", &basis, false).await;
    for (key, code) in [
        (&expired_key, "EXPIRED"),
        (&runs_key, "VALID"),
        (&given_key, "VALID"),
    ] {
        assert_eq!(desk.activate(key).await, code);
    }
    let (over, end) = ("2026-12-15T12:00:00Z", "2027-02-15T12:00:00Z");
    let before = "2026-11-15T12:00:00Z";
    assert_eq!(clock(&desk.look(&expired).await), [over, over, before]);
    assert_eq!(clock(&desk.look(&runs).await), [end, end, START]);
    assert_eq!(clock(&desk.look(&given).await), ["null", end, START]);
    // Longer and exact terms count from there too.
    desk.apply("monthly", &json!({ "valid_months": 2 }), true)
        .await;
    let two = "2027-03-15T12:00:00Z";
    assert_eq!(clock(&desk.look(&runs).await), [two, end, START]);
    assert_eq!(clock(&desk.look(&given).await), [two, end, START]);
    desk.app.stop().await;
}

both!(a_clock_that_began_since_is_a_change_that_an_edit_must_know);
async fn a_clock_that_began_since_is_a_change_that_an_edit_must_know(kind: Kind) {
    let desk = Desk::open(kind).await;
    desk.policies(&[("trial", trial())]).await;
    let (id, key) = desk.of_policy("trial").await;
    let read = desk.admin.get(&path(&id, "")).await.expect_status(200);
    assert_eq!(desk.activate(&key).await, "VALID");
    let careful = desk.admin.clone().with("if-match", read.header("etag"));
    let longer = json!({ "valid_until": "2028-01-01T00:00:00Z" });
    let late = careful.post(&path(&id, "extend"), &longer).await;
    late.expect_problem(412, "precondition_failed");
    desk.app.stop().await;
}

both!(terms_that_count_from_the_issue_start_the_clocks_that_waited);
async fn terms_that_count_from_the_issue_start_the_clocks_that_waited(kind: Kind) {
    let desk = Desk::open(kind).await;
    desk.policies(&[("trial", trial())]).await;
    let (waits, _) = desk.of_policy("trial").await;
    let (given, _) = desk.of_policy("trial").await;
    let (began, key) = desk.of_policy("trial").await;
    let by_hand = json!({ "valid_until": "2027-06-01T00:00:00Z" });
    desk.put(&given, "extend", &by_hand).await;
    assert_eq!(desk.activate(&key).await, "VALID");
    desk.app.clock.advance(20 * DAY);
    // Terms with the same basis leave a waiting clock alone, and the end that was set by hand.
    desk.apply("trial", &json!({ "valid_days": 21 }), false)
        .await;
    let hand = "2027-06-01T00:00:00Z";
    assert_eq!(clock(&desk.look(&waits).await), ["null", "null", "null"]);
    assert_eq!(clock(&desk.look(&given).await), [hand, "null", "null"]);
    let basis = json!({ "basis": "issue" });
    desk.apply("trial", &basis, false).await;
    let (valid, updates) = ("2027-02-25T12:00:00Z", "2027-03-04T12:00:00Z");
    assert_eq!(clock(&desk.look(&waits).await), [valid, updates, "null"]);
    assert_eq!(clock(&desk.look(&given).await), [hand, updates, "null"]);
    let (valid, updates) = ("2027-02-05T12:00:00Z", "2027-02-15T12:00:00Z");
    assert_eq!(clock(&desk.look(&began).await), [valid, updates, START]);
    // Counted exactly, they count from the issue.
    desk.apply("trial", &json!({ "valid_days": 30 }), true)
        .await;
    let valid = "2027-02-14T12:00:00Z";
    assert_eq!(clock(&desk.look(&waits).await), [valid, updates, "null"]);
    assert_eq!(clock(&desk.look(&given).await), [valid, updates, "null"]);
    desk.app.stop().await;
}

both!(nothing_is_for_ever_that_has_not_begun_to_count);
async fn nothing_is_for_ever_that_has_not_begun_to_count(kind: Kind) {
    let desk = Desk::open(kind).await;
    let news = json!({ "basis": "first_activation" });
    desk.policies(&[("trial", trial()), ("news", news)]).await;
    let (id, key) = desk.of_policy("trial").await;
    for (field, body) in [
        ("valid_until", json!({ "valid_until": null })),
        (
            "updates_until",
            json!({ "valid_until": "2027-06-01T00:00:00Z", "updates_until": null }),
        ),
    ] {
        let reply = desk.admin.post(&path(&id, "extend"), &body).await;
        let reply = reply.expect_problem(422, "invalid_field");
        assert_eq!(reply.str("/field"), field);
    }
    assert_eq!(clock(&desk.look(&id).await), ["null", "null", "null"]);
    assert_eq!(desk.activate(&key).await, "VALID");
    let for_ever = json!({ "valid_until": null, "updates_until": null });
    desk.put(&id, "extend", &for_ever).await;
    desk.app.clock.advance(30 * DAY);
    assert_eq!(desk.activate(&key).await, "VALID");
    assert_eq!(clock(&desk.look(&id).await), ["null", "null", START]);
    // An end that the terms do not have is for ever anyway.
    let (id, key) = desk.of_policy("news").await;
    let body = json!({ "valid_until": null, "updates_until": "2030-01-01T00:00:00Z" });
    desk.put(&id, "extend", &body).await;
    assert_eq!(desk.activate(&key).await, "VALID");
    let end = "2030-01-01T00:00:00Z";
    let shown = desk.look(&id).await;
    assert_eq!(clock(&shown), ["null", end, "2027-02-14T12:00:00Z"]);
    desk.app.stop().await;
}
