//! The commands: exit status 0 done, 1 refused with one line and detail, 2 usage.

use std::os::unix::fs::PermissionsExt;

use kitward::staff::Scope;
use kitward_tests::{Ended, Kind, TestApp, command};
use serde_json::Value;
use tempfile::TempDir;

fn ok(ended: &Ended) -> String {
    assert_eq!(ended.status, 0, "{ended:?}");
    ended.out.trim().to_owned()
}

fn refused(ended: &Ended, word: &str) {
    assert_eq!(ended.status, 1, "{ended:?}");
    let first = ended
        .err
        .lines()
        .find(|line| line.starts_with("kitward: "))
        .unwrap_or_default();
    assert!(ended.err.contains(word), "no {word} in {first}: {ended:?}");
}

#[test]
fn usage_mistakes_are_status_2() {
    let folder = TempDir::new().unwrap();
    for words in [
        &["no-such-command"][..],
        &["token", "create"],
        &["kit", "create"],
        &["publish", "a"],
    ] {
        let ended = command(folder.path(), &[], words);
        assert_eq!(ended.status, 2, "{ended:?}");
        assert!(ended.err.contains("Usage"), "{ended:?}");
    }
    assert_eq!(command(folder.path(), &[], &["--version"]).status, 0);
}

#[test]
fn the_configuration_is_checked_and_its_secrets_are_masked() {
    let folder = TempDir::new().unwrap();
    let run = |variables: &[(&str, &str)]| command(folder.path(), variables, &["check-config"]);
    let shown = ok(&run(&[
        ("KITWARD_STRIPE_SECRET_KEY", "sk_test_canary"),
        ("KITWARD_LISTEN", "127.0.0.1:9999"),
    ]));
    assert!(
        shown.contains("127.0.0.1:9999") && !shown.contains("canary"),
        "{shown}"
    );
    for (name, value, word) in [
        ("KITWARD_NO_SUCH", "1", "KITWARD_NO_SUCH"),
        ("KITWARD_LISTEN", "nowhere", "listen"),
        ("KITWARD_LISTEN", "0.0.0.0:80", "public_url"),
        (
            "KITWARD_PUBLIC_URL",
            "http://kits.example.com",
            "public_url",
        ),
        (
            "KITWARD_PUBLIC_URL",
            "https://kits.example.com/path",
            "public_url",
        ),
        ("KITWARD_STRIPE_SECRET_KEY", " ", "stripe.secret_key"),
        (
            "KITWARD_DATABASE_URL",
            "mysql://localhost/x",
            "database_url",
        ),
        (
            "KITWARD_DATABASE_URL",
            "postgres://localhost/x?sslmode=require",
            "postgres-tls",
        ),
        (
            "KITWARD_MAIL_SMTP_URL",
            "smtp://mail.example.com",
            "mail.smtp_url",
        ),
        ("KITWARD_MAIL_FROM", "nobody", "mail.from"),
        ("KITWARD_LIMITS_JSON_BYTES", "many", "limits.json_bytes"),
    ] {
        refused(&run(&[(name, value)]), word);
    }
    let file = folder.path().join("kitward.toml");
    std::fs::write(&file, "listne = \"x\"\n").unwrap();
    refused(
        &command(
            folder.path(),
            &[("KITWARD_CONFIG", "kitward.toml")],
            &["check-config"],
        ),
        "listne",
    );
    std::fs::write(&file, "[stripe]\nwebhook_secrets = [\"\"]\n").unwrap();
    refused(
        &command(
            folder.path(),
            &[("KITWARD_CONFIG", "kitward.toml")],
            &["check-config"],
        ),
        "webhook_secrets",
    );
    std::fs::write(folder.path().join("secret"), "whsec_from_file\n").unwrap();
    std::fs::write(&file, "[stripe]\nwebhook_secrets_file = \"secret\"\n").unwrap();
    let shown = ok(&command(
        folder.path(),
        &[("KITWARD_CONFIG", "kitward.toml")],
        &["--json", "check-config"],
    ));
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["stripe.webhook_secrets"], "********");
}

#[test]
fn a_data_folder_is_set_up_and_examined() {
    let folder = TempDir::new().unwrap();
    let run = |words: &[&str]| command(folder.path(), &[], words);
    assert!(ok(&run(&["migrate"])).contains("installation"));
    assert_eq!(ok(&run(&["migrate"])), "nothing to do");
    let token = ok(&run(&["token", "create", "--scope", "admin"]));
    assert!(token.starts_with("kwa_") && token.len() == 60, "{token}");
    refused(
        &run(&[
            "token",
            "create",
            "--scope",
            "admin",
            "--expires",
            "tomorrow",
        ]),
        "--expires",
    );
    let long = "x".repeat(101);
    for (option, value) in [
        ("--expires", "2020-01-31T00:00:00Z"),
        ("--name", ""),
        ("--name", " "),
        ("--name", "a\u{7}b"),
        ("--name", &long),
    ] {
        let words = ["token", "create", "--scope", "admin", option, value];
        refused(&run(&words), option);
    }
    let report: Value = serde_json::from_str(&ok(&run(&["--json", "doctor"]))).unwrap();
    let report = report.as_array().unwrap();
    assert!(
        report.len() >= 7 && report.iter().all(|finding| finding["ok"] == true),
        "{report:?}"
    );
    let nobody = [("KITWARD_LISTEN", "127.0.0.1:1")];
    let ping = command(folder.path(), &nobody, &["doctor", "--ping"]);
    refused(&ping, "kitward:");
    std::fs::remove_file(folder.path().join("data/master.key")).unwrap();
    let ended = run(&["doctor"]);
    assert_eq!(ended.status, 1);
    assert!(ended.out.contains("the master key is missing"), "{ended:?}");
}

#[test]
fn a_look_changes_nothing_and_a_new_data_folder_is_the_owners() {
    let folder = TempDir::new().unwrap();
    let run = |words: &[&str]| command(folder.path(), &[], words);
    let unfit = || {
        let ended = run(&["doctor"]);
        assert_eq!(ended.status, 1, "{ended:?}");
        assert!(ended.out.contains("not set up yet"), "{ended:?}");
    };
    unfit();
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    ok(&run(&["migrate"]));
    let data = folder.path().join("data");
    let mode = std::fs::metadata(&data).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    unfit();
    assert!(!data.join("master.key").exists(), "a look made a key");
    ok(&run(&["token", "create", "--scope", "admin"]));
    ok(&run(&["doctor"]));
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&data, open).unwrap();
    let ended = run(&["doctor"]);
    assert_eq!(ended.status, 1, "{ended:?}");
    assert!(ended.out.contains("chmod 700"), "{ended:?}");
}

#[test]
fn the_token_is_not_sent_readable_over_the_network() {
    let folder = TempDir::new().unwrap();
    let variables = [
        ("KITWARD_URL", "http://kits.example.com"),
        ("KITWARD_TOKEN", "kwa_canary"),
    ];
    let ended = command(folder.path(), &variables, &["kit", "list"]);
    refused(&ended, "https://");
    assert!(!ended.err.contains("canary"), "{ended:?}");
}

type Run<'a> = dyn Fn(&[&str]) -> Ended + 'a;

fn set_up_catalog(run: &Run<'_>) {
    ok(&run(&[
        "kit",
        "create",
        "feedback",
        "--name",
        "Feedback Kit",
        "--ecosystem",
        "npm",
    ]));
    refused(
        &run(&["kit", "create", "feedback", "--name", "Again"]),
        "conflict",
    );
    ok(&run(&[
        "kit",
        "edit",
        "feedback",
        "--slug",
        "feedback-kit",
        "--status",
        "released",
    ]));
    assert!(ok(&run(&["kit", "list"])).contains("feedback-kit"));
    assert!(
        ok(&run(&["kit", "show", "feedback"])).contains("Feedback Kit"),
        "old slugs answer"
    );
    let policy = "policy create personal --edition Personal --kit feedback-kit --seat-kind device \
                  --seat-limit 3 --updates-months 12";
    ok(&run(&policy.split_whitespace().collect::<Vec<_>>()));
    assert!(ok(&run(&["policy", "list"])).contains("personal"));
    policies_and_tokens(&run);
    ok(&run(&[
        "price", "create", "price_1", "--policy", "personal",
    ]));
    refused(
        &run(&["price", "create", "price_2", "--policy", "no-such"]),
        "polic",
    );
    let prices = ok(&run(&["price", "list"]));
    assert!(
        prices.contains("price_1") && prices.contains("licenses"),
        "{prices}"
    );
    for odd in ["../prices", "feedback-kit?x=1#y", "feedback-kit/", "%2e%2e"] {
        refused(&run(&["kit", "show", odd]), "404");
        refused(&run(&["release", "list", odd]), "no such kit");
    }
    for odd in ["", ".", ".."] {
        refused(&run(&["kit", "show", odd]), "no name or id");
    }
    assert_eq!(ok(&run(&["order", "list"])), "");
}

/// Columns without their width.
fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn policies_and_tokens(run: &Run<'_>) {
    let words = |line: &str| run(&line.split_whitespace().collect::<Vec<_>>());
    assert!(ok(&words("policy templates")).contains("floating_team"));
    let made = "policy create team --template floating_team --kit feedback-kit --set grace_days=3";
    let made = ok(&words(made));
    assert!(
        made.contains("lease_seconds") && made.contains("3600"),
        "{made}"
    );
    let edited = ok(&words(
        "policy edit team --set seat_limit=9 --set overage_seats=1",
    ));
    assert!(spaced(&edited).contains("terms_number 2"), "{edited}");
    refused(&words("policy edit team --set seats=9"), "seats");
    refused(
        &words("policy edit team --seat-limit 3 --set seat_limit=4"),
        "twice",
    );
    assert!(ok(&words("policy apply team")).contains("licenses"));
    assert!(spaced(&ok(&words("policy apply team --yes"))).contains("changed 0"));
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let text = ok(&run(&["license-text", "add", "standard", file]));
    assert!(spaced(&text).contains("number 1"), "{text}");
    assert!(ok(&words("license-text list")).contains("standard"));
    let missing = "lic_01jhmz3e5afkt9ymv5n2e8wqc4";
    let token = format!("license token create {missing} --kind ci --name build");
    refused(&words(&token), "no such license");
    refused(
        &words(&format!("license token list {missing}")),
        "no such license",
    );
}

fn publish(run: &Run<'_>, folder: &std::path::Path) {
    std::fs::write(
        folder.join("kit-1.0.0.zip"),
        kitward_fakes::sample_kit_zip(),
    )
    .unwrap();
    let words = ["publish", "feedback-kit", "1.0.0", "kit-1.0.0.zip"];
    for _ in 0..2 {
        let shown = ok(&run(&words));
        assert!(shown.contains("published"), "{shown}");
    }
    std::fs::write(folder.join("notes.md"), "Fixes.\n").unwrap();
    for (option, value, present) in [
        ("--channel", "beta", "channel is \"stable\""),
        ("--severity", "critical", "severity is \"normal\""),
        ("--notes", "notes.md", "notes is different"),
    ] {
        let more = [&words[..], &[option, value]].concat();
        refused(&run(&more), present);
    }
    ok(&run(&[&words[..], &["--channel", "stable"]].concat()));
    std::fs::write(folder.join("kit-1.0.0.zip"), b"other bytes").unwrap();
    refused(&run(&words), "has other bytes there");
    refused(
        &run(&["publish", "feedback-kit", "1.0.1", "missing.zip"]),
        "missing.zip",
    );
    let releases = ok(&run(&["--json", "release", "list", "feedback-kit"]));
    let releases: Value = serde_json::from_str(&releases).unwrap();
    assert_eq!(
        releases.as_array().unwrap().len(),
        1,
        "no draft is left: {releases}"
    );
    assert_eq!(releases[0]["version"], "1.0.0");
    let beta = [
        "--json",
        "publish",
        "feedback-kit",
        "1.1.0-beta.1",
        "notes.md",
    ];
    let beta: Value = serde_json::from_str(&ok(&run(&beta))).unwrap();
    assert_eq!(beta["channel"], "beta", "by the pre-release word");
}

/// The last thing a token can do is to end itself.
fn end_token(run: &Run<'_>) {
    let tokens: Value = serde_json::from_str(&ok(&run(&["--json", "token", "list"]))).unwrap();
    assert_eq!(tokens[0]["scopes"], serde_json::json!(["admin"]));
    let id = tokens[0]["id"].as_str().unwrap();
    refused(&run(&["token", "revoke", "tok_1"]), "no such token");
    assert!(ok(&run(&["token", "revoke", id])).contains(id));
    refused(&run(&["token", "list"]), "401");
}

#[test]
fn a_vendor_sets_up_shop_and_publishes_from_the_command_line() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::start(kind).await;
        let admin = app.token(Scope::Admin).await.header_text("authorization");
        let token = admin.strip_prefix("Bearer ").unwrap().to_owned();
        let origin = app.origin();
        let folder = TempDir::new().unwrap();
        let work = tokio::task::spawn_blocking(move || {
            let variables = [
                ("KITWARD_URL", origin.as_str()),
                ("KITWARD_TOKEN", token.as_str()),
            ];
            let run = |words: &[&str]| command(folder.path(), &variables, words);
            set_up_catalog(&run);
            publish(&run, folder.path());
            let nobody = command(folder.path(), &variables[..1], &["kit", "list"]);
            refused(&nobody, "KITWARD_TOKEN");
            end_token(&run);
        });
        work.await.unwrap();
        app.stop().await;
    });
}
