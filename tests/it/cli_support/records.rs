//! What stands behind a license, a policy, the customers and the orders.

use std::os::unix::fs::PermissionsExt;

use kitward_tests::{BUYER, Shop, key_in};
use serde_json::{Value, json};

use super::{Terminal, at_a_terminal};

fn shop(at: &Terminal) -> Shop {
    let admin = at.app.anonymous();
    let admin = admin.with("authorization", format!("Bearer {}", at.token));
    Shop {
        admin,
        policy: String::new(),
    }
}

#[test]
fn a_license_is_edited_beside_its_terms() {
    at_a_terminal(async |at| {
        let (id, _key) = at.issue();
        let edit = |words: &[&str]| {
            let words = [&["license", "edit", &id], words].concat();
            at.done(&words)
        };
        let edited = edit(&[
            "--entitlement",
            "pro",
            "--entitlement",
            "sso",
            "--metadata",
            "crm=47=11",
        ]);
        assert_eq!(edited["extra_entitlements"], json!(["pro", "sso"]));
        assert_eq!(edited["metadata"], json!({ "crm": "47=11" }));
        let edited = edit(&["--add-entitlement", "beta", "--remove-entitlement", "pro"]);
        assert_eq!(edited["extra_entitlements"], json!(["sso", "beta"]));
        assert_eq!(edited["metadata"], json!({ "crm": "47=11" }), "it stays");
        let edited = edit(&["--no-entitlements"]);
        assert_eq!(edited["extra_entitlements"], json!([]));
        let edited = edit(&["--no-metadata"]);
        assert_eq!(edited["metadata"], json!({}));
        at.refused(&["license", "edit", &id], "nothing to change");
        for both in [
            ["--no-entitlements", "--entitlement=pro"],
            ["--no-metadata", "--metadata=a=b"],
        ] {
            let ended = at.run(&["license", "edit", &id, both[0], both[1]]);
            assert_eq!(ended.status, 2, "{ended:?}");
        }
    });
}

#[test]
fn what_stands_behind_a_license_is_listed() {
    at_a_terminal(async |at| {
        let (id, key) = at.issue();
        let shop = shop(at);
        shop.release("feedback-widget", "1.0.0", "kit.bin", b"kit")
            .await;
        let file = "/v1/kits/feedback-widget/releases/1.0.0/artifacts/kit.bin";
        at.app.kit(&key).get(file).await.expect_status(200);
        at.done(&["license", "note", &id, "A note."]);
        at.done(&["license", "suspend", &id, "--cause", "ticket 1"]);
        let list = |part: &str| at.done(&["license", part, &id]);
        let keys = list("keys");
        assert_eq!(keys[0]["source"], "kitward");
        assert!(!keys.to_string().contains(&key), "never their texts");
        assert_eq!(list("holds")[0]["cause"], "ticket 1");
        assert_eq!(list("notes")[0]["body"], "A note.");
        let history = list("history");
        let history = history.as_array().unwrap().iter();
        let actions: Vec<&str> = history.filter_map(|row| row["action"].as_str()).collect();
        assert!(actions.contains(&"license.issued"), "{actions:?}");
        let delivered = list("downloads");
        assert_eq!(delivered[0]["version"], "1.0.0");
        assert_eq!(delivered[0]["name"], "kit.bin");
        let unknown = "lic_01jhmz3e5afkt9ymv5n2e8wqc4";
        for part in ["keys", "holds", "notes", "history", "downloads"] {
            at.refused(&["license", part, unknown], "no such license");
        }
    });
}

#[test]
fn versions_of_a_policy_are_listed() {
    at_a_terminal(async |at| {
        at.done(&["policy", "edit", "personal", "--set", "seat_limit=9"]);
        let versions = at.done(&["policy", "versions", "personal"]);
        let told = |member: &str| {
            let rows = versions.as_array().unwrap().iter();
            rows.map(|row| row[member].clone()).collect::<Vec<Value>>()
        };
        assert_eq!(told("number"), [json!(1), json!(2)]);
        assert_eq!(told("seat_limit"), [json!(5), json!(9)]);
        at.refused(&["policy", "versions", "none"], "no such policy");
    });
}

#[test]
fn the_mail_of_an_order_is_sent_once_more() {
    at_a_terminal(async |at| {
        let purchase = shop(at).buy(&at.app).await;
        let orders = at.done(&["order", "list"]);
        let order = orders[0]["id"].as_str().unwrap();
        let resend = ["order", "resend", order];
        assert_eq!(at.done(&resend)["email"], BUYER);
        at.refused(&resend, "waits to be sent");
        at.app.drain().await;
        let mails = at.app.inbox.messages();
        assert_eq!(mails.len(), 2);
        assert_eq!(key_in(&mails[1].text()), purchase.key);
        let unknown = "ord_01jhmz3e5afkt9ymv5n2e8wqc4";
        at.refused(&["order", "resend", unknown], "no such order");
    });
}

#[test]
fn customers_and_orders_are_written_into_files() {
    at_a_terminal(async |at| {
        shop(at).buy(&at.app).await;
        let read = |name: &str| std::fs::read_to_string(at.folder.path().join(name)).unwrap();
        for list in ["customer", "order"] {
            let told = at.done(&[list, "export", "all.csv"]);
            let text = read("all.csv");
            assert_eq!(told["bytes"], text.len());
            assert_eq!(text.lines().count(), 2, "{list}: {text}");
            at.refused(&[list, "export", "all.txt"], ".csv or .json");
            // Names and addresses are for whoever asked for them, and the file of before is gone.
            let kept = std::fs::metadata(at.folder.path().join("all.csv")).unwrap();
            assert_eq!(kept.permissions().mode() & 0o777, 0o600);
        }
        // A file that cannot be written whole takes nothing away.
        std::fs::write(at.folder.path().join("all.csv.part"), "somebody's").unwrap();
        at.refused(&["order", "export", "all.csv"], "all.csv.part");
        assert!(read("all.csv").contains(BUYER));
        assert_eq!(read("all.csv.part"), "somebody's");
        let words = ["customer", "export", "one.json", "--email"];
        at.done(&[&words[..], &["nobody@example.com"]].concat());
        let nobody: Value = serde_json::from_str(&read("one.json")).unwrap();
        assert_eq!(nobody, json!([]));
        at.done(&["order", "export", "all.json"]);
        let orders: Value = serde_json::from_str(&read("all.json")).unwrap();
        assert_eq!(orders[0]["total"], 3_700);
    });
}
