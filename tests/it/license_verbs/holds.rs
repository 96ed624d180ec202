//! Reasons for which a license does not hold: opened and closed, each for itself.

use futures_util::future::join_all;
use kitward::staff::Scope;
use kitward_tests::{Kind, both};
use serde_json::json;

use super::{Desk, code, count, issue, path, sql};

both!(closing_one_reason_never_closes_another);
async fn closing_one_reason_never_closes_another(kind: Kind) {
    let desk = Desk::open(kind).await;
    desk.seat("machine-1").await;
    desk.done("suspend", &json!({ "cause": "ticket 1" })).await;
    let twice = desk.done("suspend", &json!({ "cause": "ticket 1" })).await;
    assert_eq!(twice.json()["holds"].as_array().unwrap().len(), 1);
    let both = desk.done("suspend", &json!({ "note": "Looks odd." })).await;
    assert_eq!(both.str("/status"), "suspended");
    assert_eq!(desk.code(&desk.key).await, "SUSPENDED");
    let several = desk.act("reinstate", &json!({ "reason": "manual" })).await;
    several.expect_problem(409, "conflict");
    let one = json!({ "reason": "manual", "cause": "ticket 1" });
    desk.done("reinstate", &one).await;
    assert_eq!(desk.code(&desk.key).await, "SUSPENDED");
    desk.act("reinstate", &one)
        .await
        .expect_problem(422, "invalid_field");
    let left = desk.show().await.str("/holds/0/id");
    desk.done("revoke", &json!({ "reason": "abuse" })).await;
    assert_eq!(desk.code(&desk.key).await, "REVOKED");
    desk.done("reinstate", &json!({ "hold": left })).await;
    assert_eq!(desk.show().await.str("/status"), "revoked");
    let abuse = json!({ "reason": "abuse", "note": "They stopped." });
    desk.done("reinstate", &abuse).await;
    assert_eq!(desk.code(&desk.key).await, "VALID");
    // A reason that is opened again is the same row.
    desk.done("suspend", &json!({ "cause": "ticket 1" })).await;
    let all = desk.admin.get(&desk.path("holds")).await;
    assert_eq!(all.json()["items"].as_array().unwrap().len(), 3);
    desk.app.stop().await;
}

both!(what_was_not_opened_by_hand_is_closed_by_an_admin_who_says_why);
async fn what_was_not_opened_by_hand_is_closed_by_an_admin_who_says_why(kind: Kind) {
    let desk = Desk::open(kind).await;
    let support = desk.app.token(Scope::Support).await;
    let reinstate = desk.path("reinstate");
    desk.done("suspend", &json!({})).await;
    let by_hand = json!({ "reason": "manual" });
    let closed = support.post(&reinstate, &by_hand).await;
    assert_eq!(closed.expect_status(200).str("/status"), "active");
    let reasons = ["dispute", "fraud", "abuse", "refund_full", "dispute_lost"];
    for reason in reasons {
        if reason == "dispute" {
            desk.done("suspend", &json!({ "cause": "dp_1" })).await;
            let by_provider = "UPDATE license_holds SET reason = 'dispute' WHERE cause = 'dp_1'";
            sql(&desk.app, by_provider.to_owned()).await;
        } else {
            let why = json!({ "reason": reason, "cause": "re_1" });
            desk.done("revoke", &why).await;
        }
        let open = desk.show().await;
        assert_eq!(open.str("/holds/0/reason"), reason);
        let id = open.str("/holds/0/id");
        for named in [json!({ "reason": reason }), json!({ "hold": id })] {
            let mut body = named.clone();
            body["note"] = json!("They asked for it.");
            let refused = support.post(&reinstate, &body).await;
            refused.expect_problem(403, "insufficient_scope");
            for note in [json!(null), json!(""), json!(" ")] {
                body["note"] = note;
                let refused = desk.act("reinstate", &body).await;
                let refused = refused.expect_problem(422, "invalid_field");
                assert_eq!(refused.str("/field"), "note", "{body}");
            }
            desk.act("reinstate", &named)
                .await
                .expect_problem(422, "invalid_field");
        }
        assert_eq!(desk.show().await.str("/status"), open.str("/status"));
        let why = json!({ "hold": id, "note": "The provider was wrong." });
        let closed = desk.done("reinstate", &why).await;
        assert_eq!(closed.str("/status"), "active", "{reason}");
    }
    // Of what was refused nothing is left.
    let notes = desk.show().await.str("/notes");
    assert_eq!(notes, reasons.len().to_string());
    desk.app.stop().await;
}

both!(a_reason_must_be_one_that_staff_may_give);
async fn a_reason_must_be_one_that_staff_may_give(kind: Kind) {
    let desk = Desk::open(kind).await;
    for (verb, body) in [
        ("revoke", json!({ "reason": "manual" })),
        ("revoke", json!({ "reason": "erased" })),
        ("revoke", json!({ "reason": "dislike" })),
        ("revoke", json!({ "reason": "abuse", "cause": "" })),
        ("suspend", json!({ "cause": "x".repeat(201) })),
        ("suspend", json!({ "cause": "a\u{0}" })),
        ("reinstate", json!({})),
        (
            "reinstate",
            json!({ "hold": "hld_01jhmz3e5afkt9ymv5n2e8wqc4" }),
        ),
        (
            "reinstate",
            json!({ "reason": "fraud", "hold": "hld_01jhmz3e5afkt9ymv5n2e8wqc4" }),
        ),
    ] {
        let reply = desk.act(verb, &body).await;
        reply.expect_problem(422, "invalid_field");
    }
    // A hold is named by its id, whatever else is said of it.
    desk.done("suspend", &json!({ "cause": "ticket 1" })).await;
    let hold = desk.show().await.str("/holds/0/id");
    let both = json!({ "hold": hold, "cause": "ticket 2" });
    let refused = desk.act("reinstate", &both).await;
    let refused = refused.expect_problem(422, "invalid_field");
    assert_eq!(refused.str("/field"), "cause");
    desk.done("reinstate", &json!({ "hold": hold })).await;
    // Another license's hold is nobody's here.
    let (other, _) = issue(&desk.admin, &json!({})).await;
    let other = desk.admin.post(&path(&other, "suspend"), &json!({})).await;
    let hold = json!({ "hold": other.str("/holds/0/id") });
    desk.act("reinstate", &hold)
        .await
        .expect_problem(422, "invalid_field");
    assert_eq!(desk.show().await.str("/status"), "active");
    desk.app.stop().await;
}

both!(no_seat_is_taken_after_a_revocation);
async fn no_seat_is_taken_after_a_revocation(kind: Kind) {
    let desk = Desk::open(kind).await;
    let there = desk.app.second().await;
    let asking = join_all((0..32).map(|n| {
        let (app, key) = (&there, &desk.key);
        async move { code(app, key, "activate", &format!("machine-{n}")).await }
    }));
    let fraud = json!({ "reason": "fraud" });
    let revoking = desk.done("revoke", &fraud);
    let (revoked, codes) = futures_util::future::join(revoking, asking).await;
    assert_eq!(revoked.str("/status"), "revoked");
    for code in &codes {
        let known = ["VALID", "REVOKED", "SEATS_EXHAUSTED"];
        assert!(known.contains(&code.as_str()), "{code}");
    }
    assert_eq!(desk.seat("machine-99").await, "REVOKED");
    let used: i64 = desk.show().await.str("/seats/used").parse().unwrap();
    let held = count(&desk.app, "activations WHERE freed_at IS NULL").await;
    assert_eq!(used, held);
    there.stop().await;
    desk.app.stop().await;
}
