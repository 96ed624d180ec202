//! What support does from the command line.

mod drafts;
mod records;

use kitward_tests::{Ended, Kind, Shop, TestApp, command};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A shop and somebody at a terminal.
struct Terminal {
    app: TestApp,
    folder: TempDir,
    token: String,
}

impl Terminal {
    async fn open() -> Self {
        let app = TestApp::start(Kind::Sqlite).await;
        let shop = Shop::open(&app).await;
        let token = shop.admin.header_text("authorization");
        let token = token.strip_prefix("Bearer ").unwrap().to_owned();
        let folder = TempDir::new().unwrap();
        Self { app, folder, token }
    }

    fn run(&self, words: &[&str]) -> Ended {
        let origin = self.app.origin();
        let variables = [
            ("KITWARD_URL", origin.as_str()),
            ("KITWARD_TOKEN", self.token.as_str()),
        ];
        let words = [&["--json"][..], words].concat();
        command(self.folder.path(), &variables, &words)
    }

    fn done(&self, words: &[&str]) -> Value {
        let ended = self.run(words);
        assert_eq!(ended.status, 0, "{ended:?}");
        serde_json::from_str(ended.out.trim()).unwrap()
    }

    fn refused(&self, words: &[&str], word: &str) {
        let ended = self.run(words);
        assert_eq!(ended.status, 1, "{ended:?}");
        assert!(ended.err.contains(word), "{ended:?}");
    }

    /// Id and key of a new license.
    fn issue(&self) -> (String, String) {
        let issued = self.done(&[
            "license",
            "issue",
            "personal",
            "--email",
            "buyer@example.com",
        ]);
        let text = |member: &str| issued[member].as_str().unwrap().to_owned();
        (text("id"), text("key"))
    }
}

fn at_a_terminal(test: impl AsyncFnOnce(&Terminal)) {
    kitward_tests::block_on(async {
        let terminal = Terminal::open().await;
        test(&terminal).await;
        terminal.app.stop().await;
    });
}

#[test]
fn licenses_are_issued_listed_and_exported() {
    at_a_terminal(async |at| {
        let issued = at.done(&[
            "license",
            "issue",
            "personal",
            "--email",
            "buyer@example.com",
            "--seats",
            "3",
            "--metadata",
            "crm=47=11",
            "--note",
            "A gift.",
        ]);
        assert!(issued["key"].as_str().unwrap().starts_with("kwl_"));
        assert_eq!(issued["metadata"]["crm"], "47=11");
        assert_eq!(issued["seats"]["limit"], 3);
        let id = issued["id"].as_str().unwrap();
        assert_eq!(at.done(&["license", "show", id])["notes"], 1);
        let suspended = at.done(&["license", "suspend", id, "--cause", "ticket 1"]);
        assert_eq!(suspended["status"], "suspended");
        let list = at.done(&["license", "list", "--status", "suspended"]);
        assert_eq!(list[0]["id"], id);
        assert_eq!(
            at.done(&["license", "list", "--status", "active"]),
            json!([])
        );
        at.done(&["license", "export", "all.csv"]);
        let file = std::fs::read_to_string(at.folder.path().join("all.csv")).unwrap();
        assert_eq!(file.lines().count(), 2);
        at.done(&["license", "export", "none.json", "--status", "active"]);
        let file = std::fs::read_to_string(at.folder.path().join("none.json")).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&file).unwrap(), json!([]));
        at.refused(&["license", "export", "all.txt"], ".csv or .json");
    });
}

#[test]
fn every_verb_has_its_command() {
    at_a_terminal(async |at| {
        let (id, _key) = at.issue();
        let act = |words: &[&str]| at.done(&[&["license"], words].concat());
        act(&["suspend", &id]);
        act(&["reinstate", &id, "--reason", "manual"]);
        act(&["renew", &id, "--from", "now"]);
        let end = "2031-01-01T00:00:00Z";
        let moved = act(&[
            "extend",
            &id,
            "--valid-until",
            end,
            "--updates-until",
            "never",
        ]);
        assert_eq!(
            (&moved["valid_until"], &moved["updates_until"]),
            (&json!(end), &Value::Null)
        );
        let later = act(&["extend", &id, "--days", "1"]);
        assert_eq!(later["valid_until"], "2031-01-02T00:00:00Z");
        let more = act(&["seats", &id, "--set", "unlimited"]);
        assert_eq!(more["seats"]["limit"], Value::Null);
        let under = act(&["set-policy", &id, "personal", "--seats", "2"]);
        assert_eq!(under["seats"]["limit"], 2);
        assert_eq!(act(&["note", &id, "A note."])["notes"], 1);
        let rotated = act(&["rotate", &id, "--grace-seconds", "60"]);
        assert_eq!(rotated["replaced"][0]["source"], "kitward");
        let (other, _key) = at.issue();
        assert_eq!(act(&["merge", &other, &id])["status"], "merged");
        let moved = act(&["transfer", &id, "--email", "new@example.com"]);
        assert_eq!(moved["status"], "active");
        assert_eq!(
            act(&["revoke", &id, "--reason", "abuse"])["status"],
            "revoked"
        );
        at.refused(&["license", "suspend", &other], "merged");
    });
}

#[test]
fn support_finds_frees_and_renames() {
    at_a_terminal(async |at| {
        let (id, key) = at.issue();
        let device = json!({ "key": key, "kit": "feedback-widget", "device": "box" });
        let kit = at.app.anonymous();
        kit.post("/v1/licenses/activate", &device)
            .await
            .expect_status(200);
        let listed = at.done(&["license", "seats", &id]);
        let seat = listed[0]["id"].as_str().unwrap();
        assert_eq!(at.done(&["seat", "free", &id, seat])["freed"], true);
        for text in [key.as_str(), "box", "buyer@example.com"] {
            assert_eq!(at.done(&["find", text])["licenses"][0]["id"], *id, "{text}");
        }
        let list = at.done(&["customer", "list", "--email", "buyer@example.com"]);
        let customer = list[0]["id"].as_str().unwrap();
        at.done(&["customer", "rename", customer, "Buyer Ltd"]);
        assert_eq!(
            at.done(&["customer", "show", customer])["name"],
            "Buyer Ltd"
        );
        let unknown = "lic_01jhmz3e5afkt9ymv5n2e8wqc4";
        at.refused(&["license", "show", unknown], "no such license");
        for words in [
            &["license", "revoke", &id][..],
            &["license", "issue", "personal"],
            &["license", "reinstate", &id],
            &["license", "rotate", &id, "--grace-seconds", "-1"],
        ] {
            assert_eq!(at.run(words).status, 2, "{words:?}");
        }
    });
}

#[test]
fn releases_are_managed_from_the_command_line() {
    at_a_terminal(async |at| {
        let admin = at.app.anonymous();
        let admin = admin.with("authorization", format!("Bearer {}", at.token));
        let shop = Shop {
            admin,
            policy: String::new(),
        };
        let id = shop
            .release("feedback-widget", "1.0.0", "kit.bin", b"kit")
            .await;
        let name = "feedback-widget@1.0.0";
        assert_eq!(at.done(&["release", "show", name])["id"], json!(id));
        let notes = at.folder.path().join("notes.md");
        std::fs::write(&notes, "Faster.").unwrap();
        let edited = at.done(&[
            "release",
            "edit",
            name,
            "--notes",
            notes.to_str().unwrap(),
            "--severity",
            "security",
            "--require",
            "pro",
            "--minimum-version",
            "0.9.0",
            "--quality-score",
            "97",
        ]);
        assert_eq!(edited["notes"], "Faster.");
        assert_eq!(edited["required_entitlements"], json!(["pro"]));
        let words = ["release", "edit", &id, "--require-nothing"];
        let words = [&words[..], &["--minimum-version", "none"]].concat();
        let emptied = at.done(&words);
        assert_eq!(emptied["required_entitlements"], json!([]));
        assert_eq!(emptied["minimum_version"], Value::Null);
        assert_eq!(emptied["quality_score"], 97);
        let step = "2027-03-01T00:00:00Z=10";
        let words = ["release", "rollout", name, "--step", step];
        assert_eq!(at.done(&words)["rollout"][0]["percent"], 10);
        let all = at.done(&["release", "rollout", name, "100"]);
        assert_eq!(all["rollout"], Value::Null);
        let halted = at.done(&["release", "halt", name]);
        assert!(halted["halted_at"].is_string());
        let resumed = at.done(&["release", "resume", name]);
        assert_eq!(resumed["halted_at"], Value::Null);
        let (license, _key) = at.issue();
        let why = ["--reason", "Promised."];
        at.done(&[&["release", "grant", name, &license], &why[..]].concat());
        let grants = at.done(&["release", "grants", name]);
        assert_eq!(grants[0]["license_id"], json!(license));
        at.done(&["release", "ungrant", name, &license]);
        at.refused(&["release", "ungrant", name, &license], "no such grant");
        let yanked = at.done(&[&["release", "yank", name], &why[..]].concat());
        assert_eq!(yanked["yank_reason"], "Promised.");
        let listed = at.done(&["release", "list", "--yanked", "true"]);
        assert_eq!(listed.as_array().unwrap().len(), 1);
        at.done(&["release", "unyank", name]);
        at.done(&[&["release", "withdraw", name], &why[..]].concat());
        at.refused(&["release", "unyank", name], "cannot be undone");
        at.refused(&["release", "delete", name], "published");
        let draft = json!({ "kit": "feedback-widget", "version": "1.1.0" });
        let draft = shop.admin.post("/v1/admin/releases", &draft).await;
        draft.expect_status(201);
        let deleted = at.done(&["release", "delete", "feedback-widget@1.1.0"]);
        assert_eq!(deleted["deleted"], true);
        at.refused(&["release", "show", "feedback-widget@1.1.0"], "no release");
        let ended = at.run(&["release", "rollout", name]);
        assert_eq!(ended.status, 2, "{ended:?}");
    });
}
