//! `kitward publish`: resumed, repeated, refused; through lost connections and a server that restarts.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use kitward::staff::Scope;
use kitward_fakes::ChaosProxy;
use kitward_tests::{ChildSettings, Ended, Kind, Shop, TestApp, command, run_on};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::signatures::{knows_own_key, own_key, supplied};
use crate::uploads::{Draft, PART, file_of, sha256};

/// A shop, and a folder from which somebody publishes.
struct Publisher {
    app: TestApp,
    folder: TempDir,
    token: String,
}

impl Publisher {
    async fn new() -> Self {
        Self::at(TestApp::start(Kind::Sqlite).await).await
    }

    async fn at(app: TestApp) -> Self {
        Shop::open(&app).await;
        let actor = app.token(Scope::Publish).await;
        let token = actor.header_text("authorization");
        let token = token.strip_prefix("Bearer ").unwrap().to_owned();
        let folder = TempDir::new().unwrap();
        Self { app, folder, token }
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    async fn run(&self, line: &str) -> Ended {
        let folder = self.folder.path().to_path_buf();
        let (origin, token) = (self.app.origin(), self.token.clone());
        let line = line.to_owned();
        let work = tokio::task::spawn_blocking(move || {
            let variables = [("KITWARD_URL", origin.as_str()), ("KITWARD_TOKEN", &token)];
            let words: Vec<&str> = line.split_whitespace().collect();
            command(&folder, &variables, &words)
        });
        work.await.unwrap()
    }

    async fn ok(&self, line: &str) -> Ended {
        let ended = self.run(line).await;
        assert_eq!(ended.status, 0, "{ended:?}");
        ended
    }

    async fn refused(&self, line: &str, words: &[&str]) {
        let ended = self.run(line).await;
        assert_eq!(ended.status, 1, "{ended:?}");
        for word in words {
            assert!(ended.err.contains(word), "no {word} in {ended:?}");
        }
    }

    async fn release(&self, line: &str) -> Value {
        let ended = self.ok(&format!("--json {line}")).await;
        assert_eq!(ended.err, "", "programs are told nothing beside");
        serde_json::from_str(&ended.out).unwrap()
    }
}

#[test]
fn what_the_server_holds_is_not_sent_again() {
    run_on(Kind::Sqlite, |_kind| async {
        let publisher = Publisher::new().await;
        let file = file_of(3 * PART + 77, 41);
        publisher.write("kit.bin", &file);
        let draft = Draft::open(&publisher.app, "feedback-widget", "1.0.0").await;
        let begun = draft.begin("kit.bin", &file).await.expect_status(201);
        let upload = begun.str("/id");
        for number in [1, 3] {
            let part = &file[(number - 1) * PART..number * PART];
            draft.send(&upload, number, part).await.expect_status(200);
        }
        let ended = publisher.ok("publish feedback-widget 1.0.0 kit.bin").await;
        let told = format!("{} of {} bytes are there", 2 * PART, file.len());
        assert!(ended.err.contains(&told), "{ended:?}");
        assert!(ended.out.contains("published"), "{ended:?}");
        assert_eq!(draft.artifacts().await[0]["sha256"], sha256(&file));
        draft.show(&upload).await.expect_problem(404, "not_found");
        publisher.app.stop().await;
    });
}

#[test]
fn a_second_run_with_equal_files_changes_nothing_and_one_with_others_names_the_file() {
    run_on(Kind::Sqlite, |_kind| async {
        let publisher = Publisher::new().await;
        publisher.write("a.bin", b"one");
        publisher.write("b.bin", b"two");
        let line = "publish feedback-widget 1.0.0 a.bin b.bin";
        let first = publisher.release(line).await;
        assert_eq!(first["status"], "published");
        let second = publisher.release(line).await;
        assert_eq!(first, second);
        publisher.write("b.bin", b"changed");
        publisher
            .refused(line, &["b.bin has other bytes there"])
            .await;
        publisher.write("c.bin", b"more");
        let more = "publish feedback-widget 1.0.0 a.bin c.bin";
        publisher.refused(more, &["c.bin is not in it"]).await;
        assert_eq!(
            publisher
                .release("publish feedback-widget 1.0.0 a.bin")
                .await,
            first
        );
        publisher.app.stop().await;
    });
}

#[test]
fn a_second_run_that_says_something_else_of_a_file_is_refused() {
    run_on(Kind::Sqlite, |_kind| async {
        let publisher = Publisher::new().await;
        publisher.write("app.bin", b"app");
        let line = "publish feedback-widget 1.0.0 app.bin";
        publisher.ok(&format!("{line} --draft")).await;
        let other = format!("{line} --kind app --platform linux");
        publisher
            .refused(&other, &["app.bin", "another kind", "409"])
            .await;
        let shown = publisher.release("release show feedback-widget@1.0.0");
        assert_eq!(
            shown.await["status"],
            "draft",
            "it goes out as nothing else"
        );
        let out = publisher.release(line).await;
        assert_eq!(out["artifacts"][0]["kind"], "source");
        for (words, member) in [
            ("--kind app", "kind"),
            ("--kind source --platform linux", "platform"),
            ("--arch app.bin=x86_64", "arch"),
        ] {
            let told = format!("app.bin has another {member} there");
            publisher
                .refused(&format!("{line} {words}"), &[told.as_str()])
                .await;
        }
        assert_eq!(
            publisher.release(&format!("{line} --kind source")).await,
            out
        );
        publisher.app.stop().await;
    });
}

#[test]
fn several_machines_fill_a_draft_and_the_last_one_publishes() {
    run_on(Kind::Sqlite, |_kind| async {
        let publisher = Publisher::new().await;
        publisher.write("app-linux.bin", b"linux");
        publisher.write("app-macos.bin", b"macos");
        publisher.write("docs.bin", b"docs");
        let line = "publish feedback-widget 2.0.0 app-linux.bin docs.bin --draft --kind app \
                    --kind docs.bin=docs --platform app-linux.bin=linux --arch x86_64";
        let draft = publisher.release(line).await;
        assert_eq!(draft["status"], "draft");
        let files = draft["artifacts"].as_array().unwrap();
        let said = |name: &str| {
            let file = files.iter().find(|file| file["name"] == name).unwrap();
            json!([file["kind"], file["platform"], file["arch"]])
        };
        assert_eq!(said("app-linux.bin"), json!(["app", "linux", "x86_64"]));
        assert_eq!(said("docs.bin"), json!(["docs", null, "x86_64"]));
        // A draft's file with other bytes is in the way, until it is taken out.
        publisher.write("docs.bin", b"better docs");
        publisher.refused(line, &["docs.bin", "409"]).await;
        let line = "publish feedback-widget 2.0.0 app-macos.bin --kind app --quality-score 97 \
                    --platform macos";
        publisher
            .refused(line, &["quality_score is not set", "--quality-score"])
            .await;
        let line = "publish feedback-widget 2.0.0 app-macos.bin --kind app --platform macos";
        let release = publisher.release(line).await;
        assert_eq!(release["artifacts"].as_array().unwrap().len(), 3);
        assert_eq!(release["status"], "published");
        publisher.app.stop().await;
    });
}

#[test]
fn what_is_said_of_a_release_is_kept_with_it() {
    run_on(Kind::Sqlite, |_kind| async {
        let publisher = Publisher::new().await;
        publisher.write("kit.bin", b"kit");
        publisher.write("notes.md", b"# Better\n");
        let line = "publish feedback-widget 3.0.0 kit.bin --severity security --notes notes.md \
                    --entitled-at 2026-12-01T00:00:00Z --minimum-version 2.0.0 --require pro \
                    --quality-score 97 --build-seconds 340 --tests-passed 200 --tests-failed 1 \
                    --bugs-found 4 --bugs-fixed 3";
        let release = publisher.release(line).await;
        for (name, value) in [
            ("severity", json!("security")),
            ("notes", json!("# Better\n")),
            ("entitled_at", json!("2026-12-01T00:00:00Z")),
            ("minimum_version", json!("2.0.0")),
            ("required_entitlements", json!(["pro"])),
            ("quality_score", json!(97)),
            ("build_seconds", json!(340)),
            ("tests_passed", json!(200)),
            ("tests_failed", json!(1)),
            ("bugs_found", json!(4)),
            ("bugs_fixed", json!(3)),
        ] {
            assert_eq!(release[name], value, "{name}");
        }
        assert_eq!(publisher.release(line).await, release);
        publisher.app.stop().await;
    });
}

#[test]
fn what_cannot_work_is_refused_before_a_draft_exists() {
    run_on(Kind::Sqlite, |_kind| async {
        let publisher = Publisher::new().await;
        publisher.write("kit.bin", b"kit");
        publisher.write("other/kit.bin", b"other");
        for (rest, words) in [
            ("kit.bin other/kit.bin", ["have one name", "other/kit.bin"]),
            ("kit.bin missing.bin", ["missing.bin", "No such file"]),
            ("kit.bin --kind kti.bin=docs", ["kti.bin", "--kind"]),
            ("kit.bin --notes missing.md", ["missing.md", "No such file"]),
            ("kit.bin --entitled-at yesterday", ["yesterday", "no time"]),
            ("other", ["other", "directory"]),
        ] {
            let line = format!("publish feedback-widget 1.0.0 {rest}");
            publisher.refused(&line, &words).await;
        }
        let releases = publisher.release("release list feedback-widget").await;
        assert_eq!(releases, json!([]));
        let figures = publisher.release("storage").await;
        assert_eq!(figures["files"], 0);
        publisher.app.stop().await;
    });
}

fn as_text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn one_run_survives_cut_connections_and_a_server_that_is_killed() {
    run_on(Kind::Sqlite, |_kind| async {
        let folder = TempDir::new().unwrap();
        let mut settings = ChildSettings::new(folder.path(), String::new());
        let port = settings
            .origin()
            .rsplit(':')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let proxy = ChaosProxy::start(SocketAddr::from(([127, 0, 0, 1], port)))
            .await
            .unwrap();
        let origin = format!("http://localhost:{}", proxy.address().port());
        settings.toml = format!("public_url = \"{origin}\"\n");
        let child = settings.start().await;
        let config = as_text(&folder.path().join("kitward.toml"));
        let run = {
            let folder = folder.path().to_path_buf();
            move |variables: Vec<(&'static str, String)>, line: &str| {
                let (folder, line) = (folder.clone(), line.to_owned());
                tokio::task::spawn_blocking(move || {
                    let pairs = variables
                        .iter()
                        .map(|(name, value)| (*name, value.as_str()));
                    let pairs: Vec<(&str, &str)> = pairs.collect();
                    let words: Vec<&str> = line.split_whitespace().collect();
                    command(&folder, &pairs, &words)
                })
            }
        };
        let made = run(
            vec![("KITWARD_CONFIG", config)],
            "--json token create --scope admin",
        );
        let made: Value = serde_json::from_str(&made.await.unwrap().out).unwrap();
        let token = made["token"].as_str().unwrap().to_owned();
        let remote = vec![("KITWARD_URL", origin), ("KITWARD_TOKEN", token)];
        let kit = run(remote.clone(), "kit create feedback-widget --name Kit");
        assert_eq!(kit.await.unwrap().status, 0);
        let file = file_of(12 * PART + 5, 42);
        std::fs::write(folder.path().join("kit.bin"), &file).unwrap();
        let publish = run(remote.clone(), "publish feedback-widget 1.0.0 kit.bin");
        let mut child = child;
        for round in 0..6 {
            tokio::time::sleep(Duration::from_millis(400)).await;
            proxy.cut();
            if round == 2 {
                child.kill();
                child = settings.start().await;
            }
            tokio::time::sleep(Duration::from_millis(150)).await;
            proxy.restore();
        }
        let ended = publish.await.unwrap();
        assert_eq!(ended.status, 0, "{ended:?}");
        let list = run(remote, "--json release list feedback-widget");
        let list: Value = serde_json::from_str(&list.await.unwrap().out).unwrap();
        assert_eq!(list[0]["status"], "published");
        assert_eq!(list[0]["artifacts"][0]["sha256"], sha256(&file));
        child.kill();
    });
}

/// What the vendor's own key says of a file.
fn signature(bytes: &[u8], file: &str, version: &str) -> String {
    String::from_utf8(supplied(&own_key(), bytes, file, version)).unwrap()
}

#[test]
fn a_release_goes_out_with_the_vendors_signature_and_to_a_few_at_first() {
    run_on(Kind::Sqlite, |_kind| async {
        let builder = TestApp::builder().config(knows_own_key);
        let publisher = Publisher::at(builder.start(Kind::Sqlite).await).await;
        publisher.write("a.bin", b"one");
        publisher.write("b.bin", b"two");
        let signed = signature(b"one", "a.bin", "1.0.0");
        publisher.write("a.bin.minisig", signed.as_bytes());
        let line =
            "publish feedback-widget 1.0.0 a.bin b.bin --rollout 10 --signature a.bin.minisig";
        let release = publisher.release(line).await;
        assert_eq!(release["status"], "published");
        assert_eq!(release["rollout"][0]["percent"], 10);
        let by = |release: &Value, name: &str| {
            let files = release["artifacts"].as_array().unwrap();
            let file = files.iter().find(|file| file["name"] == name).unwrap();
            (file["signed_by"].clone(), file["signature"].clone())
        };
        assert_eq!(by(&release, "a.bin"), (json!("vendor"), json!(signed)));
        assert_eq!(by(&release, "b.bin").0, "server");
        // Repeated, it changes nothing, whatever became of the rollout; what is missing is supplied.
        publisher
            .ok("release rollout feedback-widget@1.0.0 50")
            .await;
        let again = publisher.ok(line).await;
        assert!(again.err.contains("its rollout stays"), "{again:?}");
        let late = signature(b"two", "b.bin", "1.0.0");
        publisher.write("b.bin.minisig", late.as_bytes());
        let more = format!("{line} --signature b.bin.minisig");
        let release = publisher.release(&more).await;
        assert_eq!(release["rollout"][0]["percent"], 50);
        assert_eq!(by(&release, "b.bin"), (json!("vendor"), json!(late)));
        // One that does not hold keeps a release from going out.
        publisher.write("c.bin", b"three");
        let other = signature(b"other", "c.bin", "1.1.0");
        publisher.write("c.bin.minisig", other.as_bytes());
        let line = "publish feedback-widget 1.1.0 c.bin --signature c.bin.minisig";
        publisher.refused(line, &["c.bin"]).await;
        let shown = publisher.release("release show feedback-widget@1.1.0");
        assert_eq!(shown.await["status"], "draft");
        // What is of another file is refused before anything is made.
        let line = "publish feedback-widget 1.2.0 b.bin --signature c.bin.minisig";
        publisher.refused(line, &["not among the files"]).await;
        let line = "publish feedback-widget 1.2.0 b.bin --signature b.bin";
        publisher.refused(line, &["names no file"]).await;
        let usage = publisher.run("publish feedback-widget 1.2.0 b.bin --rollout 101");
        assert_eq!(usage.await.status, 2);
        let list = publisher.ok("release list feedback-widget").await;
        assert!(!list.out.contains("1.2.0"), "{list:?}");
        publisher.app.stop().await;
    });
}
