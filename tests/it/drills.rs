//! The drills of `docs/operations.md`, executed as they stand there.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kitward::clock::{Clock, SystemClock};
use kitward::db::Shard;
use kitward_keys::{
    DocumentType, Expected, ExpectedRing, Jwks, KeyPurpose, KnownRing, PublicKeys, SigningKey,
    VerifyError, verify_document,
};
use kitward_tests::{Actor, ChildSettings, Ended, command, run_on};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::database::{open, run};

const PAGE: &str = include_str!("../../docs/operations.md");

/// The commands of a section, in order, without the program's name.
fn commands(section: &str) -> Vec<Vec<String>> {
    let heading = format!("\n## {section}\n");
    let (_, text) = PAGE.split_once(&heading).expect("the section");
    let text = text.split("\n## ").next().unwrap();
    let blocks = text.split("```sh\n").skip(1);
    let lines = blocks.flat_map(|block| block.split("```").next().unwrap().lines());
    let found: Vec<Vec<String>> = lines
        .map(|line| {
            let words = line.strip_prefix("kitward ").expect("a command of ours");
            words.split(' ').map(str::to_owned).collect()
        })
        .collect();
    assert!(found.len() > 1, "no commands under {section}");
    found
}

fn kitward(folder: &Path, words: &[&str]) -> Ended {
    let config = folder.join("kitward.toml");
    let variables = [("KITWARD_CONFIG", config.to_str().unwrap())];
    command(folder, &variables, words)
}

fn ok(ended: &Ended) -> String {
    assert_eq!(ended.status, 0, "{ended:?}");
    ended.out.trim().to_owned()
}

fn refused(ended: &Ended, word: &str) {
    assert_eq!(ended.status, 1, "{ended:?}");
    assert!(ended.err.contains(word), "no {word}: {ended:?}");
}

/// Executes a section with `KID` as this name; returns what each command printed.
fn drill(folder: &Path, section: &str, kid: &str) -> Vec<String> {
    let shown = commands(section).into_iter().map(|words| {
        let words: Vec<&str> = words
            .iter()
            .map(|word| if word == "KID" { kid } else { word.as_str() })
            .collect();
        ok(&kitward(folder, &words))
    });
    shown.collect()
}

/// Every key: name → (purpose, state).
fn keys(folder: &Path) -> HashMap<String, (String, String)> {
    let listed: Value =
        serde_json::from_str(&ok(&kitward(folder, &["--json", "keys", "list"]))).unwrap();
    let text = |row: &Value, member: &str| row[member].as_str().unwrap().to_owned();
    listed["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (text(row, "kid"), (text(row, "purpose"), text(row, "state"))))
        .collect()
}

fn in_state(folder: &Path, purpose: &str, state: &str) -> String {
    let found: Vec<String> = keys(folder)
        .into_iter()
        .filter(|(_, (of, is))| of == purpose && is == state)
        .map(|(kid, _)| kid)
        .collect();
    assert_eq!(found.len(), 1, "{purpose} {state}: {found:?}");
    found[0].clone()
}

fn present() -> i64 {
    SystemClock.now().unix()
}

async fn verdict(actor: &Actor) -> String {
    let body = json!({ "key": "kwl_unknown", "kit": "feedback-widget" });
    actor
        .post("/v1/licenses/validate", &body)
        .await
        .str("/verdict")
}

fn read(token: &str, keys: &PublicKeys) -> Result<(), VerifyError> {
    let expected = Expected {
        issuer: None,
        audience: "feedback-widget",
        now: present(),
        leeway: 60,
        nonce: None,
    };
    verify_document(token, DocumentType::Verdict, keys, &expected).map(|_claims| ())
}

async fn shipped(actor: &Actor) -> KnownRing {
    let jwks = actor.get("/.well-known/jwks.json").await.json();
    let jwks: Jwks = serde_json::from_value(jwks).unwrap();
    KnownRing::new(0, PublicKeys::from_jwks(&jwks).unwrap())
}

async fn fetched(actor: &Actor) -> String {
    let reply = actor.get("/.well-known/kitward-keyring.jwt").await;
    reply.expect_status(200).text()
}

fn follow(known: &KnownRing, token: &str) -> Result<KnownRing, VerifyError> {
    let expected = ExpectedRing {
        issuer: None,
        now: present(),
        leeway: 60,
    };
    known.follow(token, &expected)
}

#[test]
fn a_signing_key_was_stolen() {
    run_on(kitward_tests::Kind::Sqlite, |_kind| async {
        let folder = TempDir::new().unwrap();
        let child = ChildSettings::new(folder.path(), String::new())
            .start()
            .await;
        let kit = child.actor();
        let reader = shipped(&kit).await;
        let (genuine, old_ring) = (verdict(&kit).await, fetched(&kit).await);
        assert_eq!(read(&genuine, reader.keys()), Ok(()));
        let stolen = in_state(folder.path(), "document", "active");

        let shown = drill(folder.path(), "A signing key was stolen", &stolen);
        assert!(!shown[0].contains("compromised") && shown[2].contains("compromised"));

        let followed = follow(&reader, &fetched(&kit).await).unwrap();
        assert_eq!(
            read(&genuine, followed.keys()),
            Err(VerifyError::KeyCompromised)
        );
        let fresh = verdict(&kit).await;
        assert_eq!(read(&fresh, followed.keys()), Ok(()));
        assert_eq!(read(&fresh, reader.keys()), Err(VerifyError::UnknownKey));
        assert_eq!(read(&fresh, shipped(&kit).await.keys()), Ok(()));
        assert_eq!(
            follow(&followed, &old_ring).err(),
            Some(VerifyError::OlderVersion),
            "the thief replays what hid the theft"
        );
        assert_ne!(in_state(folder.path(), "document", "active"), stolen);
        refused(
            &kitward(folder.path(), &["keys", "compromise", &stolen]),
            "compromised already",
        );
    });
}

#[test]
fn a_signing_key_was_lost() {
    run_on(kitward_tests::Kind::Sqlite, |_kind| async {
        let folder = TempDir::new().unwrap();
        let settings = ChildSettings::new(folder.path(), String::new());
        let child = settings.start().await;
        let reader = shipped(&child.actor()).await;
        let early = verdict(&child.actor()).await;
        child.kill();
        let database = format!("sqlite:{}/data/kitward.sqlite", folder.path().display());
        let db = open(&database);
        db.write(Shard::Wide, |tx| {
            run(
                tx,
                "UPDATE signing_keys SET private_key = substr(private_key, 1, 40) \
                 WHERE purpose = 'document'",
            )
        })
        .await
        .unwrap();
        tokio::task::spawn_blocking(move || db.close())
            .await
            .unwrap();
        let lost = in_state(folder.path(), "document", "active");
        let doctor = kitward(folder.path(), &["doctor"]);
        assert_eq!(doctor.status, 1, "{doctor:?}");
        assert!(
            doctor
                .out
                .contains(&format!("signing key {lost} does not open")),
            "{doctor:?}"
        );
        let token = ["token", "create", "--scope", "read"];
        refused(&kitward(folder.path(), &token), "does not open");

        drill(folder.path(), "A signing key was lost", &lost);

        let child = settings.start().await;
        let kit = child.actor();
        let followed = follow(&reader, &fetched(&kit).await).unwrap();
        assert_eq!(
            read(&early, followed.keys()),
            Ok(()),
            "nobody else has the key"
        );
        assert_eq!(read(&verdict(&kit).await, followed.keys()), Ok(()));
        assert_eq!(in_state(folder.path(), "document", "retiring"), lost);
    });
}

#[test]
fn a_lost_root_key_is_replaced_and_readers_need_the_new_list() {
    run_on(kitward_tests::Kind::Sqlite, |_kind| async {
        let folder = TempDir::new().unwrap();
        let child = ChildSettings::new(folder.path(), String::new())
            .start()
            .await;
        let kit = child.actor();
        let reader = shipped(&kit).await;
        ok(&kitward(
            folder.path(),
            &["keys", "root", "export", "root.pem", "--remove"],
        ));
        std::fs::remove_file(folder.path().join("root.pem")).unwrap();
        let rotate = ["keys", "rotate", "document", "--now"];
        refused(&kitward(folder.path(), &rotate), "--root FILE");
        let root = in_state(folder.path(), "root", "active");
        ok(&kitward(folder.path(), &["keys", "compromise", &root]));
        ok(&kitward(folder.path(), &rotate));
        ok(&kitward(folder.path(), &["doctor"]));
        let ring = fetched(&kit).await;
        assert_eq!(follow(&reader, &ring).err(), Some(VerifyError::UnknownKey));
        assert!(follow(&shipped(&kit).await, &ring).is_ok());
    });
}

#[test]
fn rotating_keys() {
    run_on(kitward_tests::Kind::Sqlite, |_kind| async {
        let folder = TempDir::new().unwrap();
        let child = ChildSettings::new(folder.path(), String::new())
            .start()
            .await;
        let kit = child.actor();
        let (reader, early) = (shipped(&kit).await, verdict(&kit).await);
        let old = in_state(folder.path(), "document", "active");
        let shown = drill(folder.path(), "Rotating keys", &old);
        assert!(shown[1].contains("published"), "{}", shown[1]);
        assert_eq!(in_state(folder.path(), "document", "retiring"), old);
        let known = follow(&reader, &fetched(&kit).await).unwrap();
        assert_eq!(read(&early, known.keys()), Ok(()));
        assert_eq!(read(&verdict(&kit).await, known.keys()), Ok(()));

        let run = |words: &[&str]| kitward(folder.path(), words);
        refused(&run(&["keys", "retire", &old]), "may be valid until");
        ok(&run(&["keys", "retire", &old, "--force"]));
        assert_eq!(in_state(folder.path(), "document", "retired"), old);
        assert_eq!(read(&early, shipped(&kit).await.keys()), Ok(()));
        let current = in_state(folder.path(), "document", "active");
        refused(&run(&["keys", "retire", &current]), "is active");
        // Names may begin with a hyphen.
        refused(&run(&["keys", "retire", "-7abc"]), "no key is named -7abc");
        refused(
            &run(&["keys", "retire", "--force", "-7abc"]),
            "no key is named -7abc",
        );
        refused(
            &run(&["keys", "rotate", "document", "--after", "5m"]),
            "at least 1 h",
        );
        refused(&run(&["keys", "rotate", "root", "--now"]), "root key");
        for wrong in [
            &["keys", "rotate", "document", "--after", "soon"][..],
            &["keys", "rotate", "documents"],
            &["keys", "rotate", "document", "--after", "2h", "--now"],
        ] {
            assert_eq!(run(wrong).status, 2, "{wrong:?}");
        }
    });
}

#[test]
fn taking_the_root_key_off_the_server() {
    run_on(kitward_tests::Kind::Sqlite, |_kind| async {
        let folder = TempDir::new().unwrap();
        let child = ChildSettings::new(folder.path(), String::new())
            .start()
            .await;
        let kit = child.actor();
        let reader = shipped(&kit).await;
        let root = in_state(folder.path(), "root", "active");
        let run = |words: &[&str]| kitward(folder.path(), words);
        std::fs::write(folder.path().join("precious.pem"), "precious").unwrap();
        refused(
            &run(&["keys", "root", "export", "precious.pem", "--remove"]),
            "exists already",
        );
        assert_eq!(
            std::fs::read_to_string(folder.path().join("precious.pem")).unwrap(),
            "precious"
        );

        let shown = drill(folder.path(), "Taking the root key off the server", &root);
        assert!(
            shown[1].contains("root key off this server"),
            "{}",
            shown[1]
        );

        let file = folder.path().join("root.pem");
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let text = std::fs::read_to_string(&file).unwrap();
        let exported = SigningKey::from_pem(KeyPurpose::Root, &text).unwrap();
        assert_eq!(exported.kid().as_str(), root);
        let known = follow(&reader, &fetched(&kit).await).unwrap();
        assert!(known.version() > 1);
        refused(&run(&["keys", "sign-ring"]), "--root FILE");
        refused(
            &run(&["keys", "sign-ring", "--root", "precious.pem"]),
            "precious.pem",
        );
        refused(
            &run(&["keys", "sign-ring", "--root", "missing.pem"]),
            "missing.pem",
        );
        refused(
            &run(&["keys", "root", "export", "again.pem"]),
            "not on this server",
        );
        assert!(!folder.path().join("again.pem").exists());

        end_the_ring(folder.path()).await;
        let doctor = run(&["doctor"]);
        assert_eq!(doctor.status, 1, "{doctor:?}");
        assert!(
            doctor.out.contains("the signed ring ended on"),
            "{doctor:?}"
        );
    });
}

/// As time would.
async fn end_the_ring(folder: &Path) {
    let db = open(&format!("sqlite:{}/data/kitward.sqlite", folder.display()));
    db.write(Shard::Wide, |tx| {
        run(
            tx,
            "UPDATE key_ring SET document_ends_at = '2020-01-01 00:00:00'",
        )
    })
    .await
    .unwrap();
    tokio::task::spawn_blocking(move || db.close())
        .await
        .unwrap();
}

#[test]
fn a_damaged_signing_key_is_found_and_rotated_away() {
    run_on(kitward_tests::Kind::Sqlite, |_kind| async {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("kitward.toml"), "").unwrap();
        ok(&kitward(folder.path(), &["keys", "list"]));
        ok(&kitward(folder.path(), &["doctor"]));
        let db = open(&format!(
            "sqlite:{}/data/kitward.sqlite",
            folder.path().display()
        ));
        db.write(Shard::Wide, |tx| {
            run(
                tx,
                "UPDATE signing_keys SET private_key = public_key WHERE purpose = 'artifact'",
            )
        })
        .await
        .unwrap();
        tokio::task::spawn_blocking(move || db.close())
            .await
            .unwrap();
        let doctor = kitward(folder.path(), &["doctor"]);
        assert_eq!(doctor.status, 1, "{doctor:?}");
        assert!(
            doctor.out.contains("signing keys cannot be loaded")
                && doctor.out.contains("does not open"),
            "{doctor:?}"
        );
        ok(&kitward(
            folder.path(),
            &["keys", "rotate", "artifact", "--now"],
        ));
        ok(&kitward(folder.path(), &["doctor"]));
    });
}
