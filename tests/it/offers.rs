//! Random releases and licenses: what is offered is listed, what is listed can be downloaded, and
//! every way in agrees with the rules as they are written here once more.
//!
//! `TEST_OFFERS` says how many; `.ci/run nightly` plays more.

mod expected;
mod ways;

use kitward::staff::Scope;
use kitward_tests::{Actor, Kind, Reply, TestApp, both};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};

use crate::comparisons::kits::zip_of;
use crate::seats::sql;
use expected::{Case, Draft, Ending, FOLLOWED, Sold, VERSIONS, case, day, follows};

/// Cases in one run, for each database.
fn cases() -> u32 {
    let wanted = std::env::var("TEST_OFFERS").ok();
    wanted.map_or(16, |text| text.parse().expect("a number"))
}

struct Stage {
    app: TestApp,
    admin: Actor,
    number: std::sync::atomic::AtomicU32,
}

/// A case as it stands on the server.
struct Played {
    kit: String,
    key: String,
    /// A download token.
    token: String,
    browser: Actor,
    /// Ids of release and file.
    releases: Vec<(String, String)>,
}

both!(what_is_offered_is_listed_and_what_is_listed_can_be_downloaded);
async fn what_is_offered_is_listed_and_what_is_listed_can_be_downloaded(kind: Kind) {
    let app = TestApp::builder()
        .without_request_limits()
        .start(kind)
        .await;
    let admin = app.token(Scope::Admin).await;
    let stage = Stage {
        app,
        admin,
        number: 0.into(),
    };
    let config = Config {
        cases: cases(),
        failure_persistence: None,
        max_shrink_iters: 60,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let handle = tokio::runtime::Handle::current();
    let outcome = runner.run(&case(), |case| {
        tokio::task::block_in_place(|| handle.block_on(stage.play(&case)))
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    stage.app.stop().await;
}

fn differ(
    what: &str,
    found: impl std::fmt::Debug,
    expected: impl std::fmt::Debug,
) -> TestCaseError {
    TestCaseError::fail(format!("{what}: found {found:?}, expected {expected:?}"))
}

fn equal<T: PartialEq + std::fmt::Debug>(
    what: &str,
    found: T,
    expected: T,
) -> Result<(), TestCaseError> {
    if found == expected {
        return Ok(());
    }
    Err(differ(what, found, expected))
}

/// Versions of a list, in its order.
fn versions(list: &Reply) -> Vec<String> {
    let list = list.json();
    let items = list["items"].as_array().expect("items").iter();
    let version = |item: &Value| item["version"].as_str().expect("a version").to_owned();
    items.map(version).collect()
}

/// Those of a case, the highest first.
fn highest_first(case: &Case, shown: impl Fn(usize) -> bool) -> Vec<String> {
    let all = (0..case.releases.len()).rev().filter(|at| shown(*at));
    all.map(|at| VERSIONS[at].to_owned()).collect()
}

impl Stage {
    async fn play(&self, case: &Case) -> Result<(), TestCaseError> {
        let played = self.set(case).await;
        for (at, release) in case.releases.iter().enumerate() {
            self.check_one(case, &played, at, release).await?;
            self.check_names(case, &played, at).await?;
        }
        self.check_list(case, &played).await?;
        self.check_updates(case, &played).await?;
        self.check_selectors(case, &played).await?;
        self.check_comparisons(case, &played).await?;
        self.check_portal(case, &played).await?;
        self.check_anybody(case, &played).await
    }

    async fn post(&self, path: &str, body: &Value) -> Reply {
        let reply = self.admin.post(&format!("/v1/admin/{path}"), body).await;
        assert!(reply.status < 300, "{path} {body}: {}", reply.text());
        reply
    }

    /// Makes kit, license and releases, in the order of their days.
    async fn set(&self, case: &Case) -> Played {
        let number = self
            .number
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let kit = format!("kit-{number}");
        let body = json!({ "slug": kit, "name": "A kit", "is_open": case.is_open });
        self.post("kits", &body).await;
        let (license, key) = self.sell(case, &kit, number).await;
        let tokens = format!("licenses/{license}/tokens");
        let token = json!({ "kind": "download", "name": "mirror" });
        let token = self.post(&tokens, &token).await.str("/token");
        let mut releases = Vec::new();
        for (at, release) in case.releases.iter().enumerate() {
            releases.push(self.release(&kit, at, release, &license).await);
            self.app.clock.advance(day(1));
        }
        self.end(case.sold, &license).await;
        Played {
            kit,
            key,
            token,
            browser: self.app.customer(&address(number)).await,
            releases,
        }
    }

    /// Id and key of the license.
    async fn sell(&self, case: &Case, kit: &str, number: u32) -> (String, String) {
        let keeps = if case.sold.ending == Ending::LapseAndStop {
            "stop"
        } else {
            "keep"
        };
        let entitlements: &[&str] = if case.sold.is_pro { &["pro"] } else { &[] };
        let policy = json!({
            "name": format!("policy {number}"), "edition": "Personal", "scope": "kits",
            "kits": [kit], "seat_kind": "none", "on_lapse": keeps, "license_file_days": 14,
            "security_grace_days": case.sold.grace_days, "entitlements": entitlements,
        });
        let policy = self.post("policies", &policy).await.str("/id");
        let license = json!({ "policy": policy, "email": address(number) });
        let issued = self.post("licenses", &license).await;
        let (id, key) = (issued.str("/id"), issued.str("/key"));
        if let Some(days) = case.sold.updates_days {
            let end = self.app.app.clock.now().plus_seconds(day(days));
            let body = json!({ "updates_until": end.to_string() });
            self.post(&format!("licenses/{id}/extend"), &body).await;
        }
        (id, key)
    }

    async fn release(
        &self,
        kit: &str,
        at: usize,
        release: &Draft,
        license: &str,
    ) -> (String, String) {
        let body = json!({
            "kit": kit, "version": VERSIONS[at], "severity": release.severity,
            "required_entitlements": if release.is_for_pro { vec!["pro"] } else { vec![] },
            "minimum_version": release.minimum(at),
        });
        let id = self.post("releases", &body).await.str("/id");
        let file = format!("/v1/admin/releases/{id}/artifacts/kit.zip");
        let archive = zip_of("kit", &[("release.txt", id.as_str())]);
        let file = self.admin.put(&file, archive).await;
        let file = file.expect_status(201).str("/id");
        let at = |rest: &str| format!("releases/{id}/{rest}");
        if release.is_published {
            self.post(&at("publish"), &json!({})).await;
        }
        if let Some(days) = release.dated_back {
            let date = self.app.app.clock.now().plus_seconds(-day(days));
            let body = json!({ "entitled_at": date.to_string() });
            let path = format!("/v1/admin/releases/{id}");
            self.admin.patch(&path, &body).await.expect_status(200);
        }
        let reason = json!({ "reason": "for the test" });
        if release.is_yanked && release.is_published {
            self.post(&at("yank"), &reason).await;
        }
        if release.is_withdrawn && release.is_published {
            self.post(&at("withdraw"), &reason).await;
        }
        if release.is_granted {
            let body = json!({ "license": license, "reason": "for the test" });
            self.post(&at("grants"), &body).await;
        }
        if let Some(percent) = release.percent {
            self.post(&at("rollout"), &json!({ "percent": percent }))
                .await;
        }
        if release.is_halted {
            self.post(&at("halt"), &json!({})).await;
        }
        (id, file)
    }

    async fn end(&self, sold: Sold, license: &str) {
        let path = |verb: &str| format!("licenses/{license}/{verb}");
        match sold.ending {
            Ending::None => {}
            Ending::Hold => {
                self.post(&path("suspend"), &json!({})).await;
            }
            Ending::Revocation => {
                self.post(&path("revoke"), &json!({ "reason": "abuse" }))
                    .await;
            }
            Ending::LapseAndKeep | Ending::LapseAndStop => {
                let now = self.app.app.clock.now();
                let since = now.plus_seconds(-day(sold.lapsed_days)).utc();
                let since = since.format("%Y-%m-%d %H:%M:%S%.6f");
                let statement =
                    format!("UPDATE licenses SET lapsed_at = '{since}' WHERE id = '{license}'");
                sql(&self.app, statement).await;
            }
        }
    }

    /// Every way in to one release.
    async fn check_one(
        &self,
        case: &Case,
        played: &Played,
        at: usize,
        release: &Draft,
    ) -> Result<(), TestCaseError> {
        let version = VERSIONS[at];
        let base = format!("/v1/kits/{}/releases/{version}", played.kit);
        let file = format!("{base}/artifacts/kit.zip");
        let kit = self.app.kit(&played.key);
        let expected = case.status(at);
        equal(&file, kit.get(&file).await.status, expected)?;
        equal(&base, kit.get(&base).await.status, expected)?;
        let anybody = self.app.anonymous();
        let open = case.open_status(at);
        equal("anybody's file", anybody.get(&file).await.status, open)?;
        equal("anybody's release", anybody.get(&base).await.status, open)?;
        let (_, artifact) = &played.releases[at];
        let ticket = played
            .browser
            .form(&format!("/downloads/{artifact}"), &[])
            .await;
        let is_listed = case.is_listed(at);
        equal("a ticket", ticket.status == 303, is_listed)?;
        if is_listed {
            let fetched = anybody.get(ticket.header("location")).await;
            equal("by ticket", fetched.status, 200)?;
            equal("listed, so downloadable", expected, 200)?;
        }
        if release.is_yanked && expected == 200 {
            equal("yanked, so unlisted", is_listed, false)?;
        }
        Ok(())
    }

    async fn check_list(&self, case: &Case, played: &Played) -> Result<(), TestCaseError> {
        let mut asked = vec![(&played.token, None), (&played.key, None)];
        asked.extend(FOLLOWED.map(|channel| (&played.key, Some(channel))));
        for (secret, channel) in asked {
            let named = channel.map(|channel| format!("&channel={channel}"));
            let named = named.unwrap_or_default();
            let path = format!("/v1/kits/{}/releases?limit=100{named}", played.kit);
            let reply = self.app.kit(secret).get(&path).await;
            if case.is_refused() {
                equal(&path, reply.status, 403)?;
                continue;
            }
            let shown =
                |at| case.is_listed(at) && channel.is_none_or(|channel| follows(channel, at));
            let found = versions(&reply.expect_status(200));
            equal(&path, found, highest_first(case, shown))?;
        }
        Ok(())
    }

    /// For every channel, by hand and not, from several versions.
    async fn check_updates(&self, case: &Case, played: &Played) -> Result<(), TestCaseError> {
        for channel in FOLLOWED {
            for present in ["0.1.0", "1.0.0", "1.2.0"] {
                for manual in [false, true] {
                    let path = format!(
                        "/v1/kits/{}/updates?version={present}&channel={channel}&manual={manual}",
                        played.kit
                    );
                    let reply = self.app.kit(&played.key).get(&path).await;
                    if case.is_refused() {
                        equal(&path, reply.status, 403)?;
                        continue;
                    }
                    let reply = reply.expect_status(200).json();
                    let found = reply["release"]["version"].as_str();
                    let at = found.map(|it| VERSIONS.iter().position(|v| *v == it).expect("one"));
                    let sure = case.best(present, channel, 100);
                    let luck = case.best(present, channel, 1);
                    if manual {
                        equal(&path, at, luck)?;
                    } else if at != sure && at != luck {
                        // Between what everybody gets and what only the first of a rollout get.
                        let is_candidate = at.is_some_and(|at| {
                            case.is_candidate(at, present, channel, 1) && Some(at) > sure
                        });
                        equal(&path, is_candidate, true)?;
                    }
                    if let Some(at) = at {
                        equal("offered, so listed", case.is_listed(at), true)?;
                    }
                    if at.is_some() && manual {
                        self.check_compare_url(case, played, present, &reply)
                            .await?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn address(number: u32) -> String {
    format!("buyer-{number}@example.com")
}
