//! The key ring: never zero and never two active keys, nothing that counts goes unverified.

mod readers;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use futures_util::future::join_all;
use kitward::app::{App, Parts};
use kitward::audit::Actor as AuditActor;
use kitward::db::{Db, DbError, Shard};
use kitward::entropy::SeededEntropy;
use kitward::key_ring::model::{Refused, Start};
use kitward::key_ring::{self, ChangeError, Examination, Order, refresh, upkeep};
use kitward_keys::{
    DocumentType, Expected, ExpectedRing, Jwks, KeyPurpose, KeyState, KnownRing, PublicKeys,
    VerifyError, verify_document,
};
use kitward_tests::{Actor, Kind, Shop, TestApp, both};
use serde_json::{Value, json};

use crate::database::run;

const DAY: i64 = 86_400;

fn by_operator() -> Order {
    Order {
        actor: AuditActor::Operator,
        root: None,
    }
}

async fn rotate(app: &TestApp, purpose: KeyPurpose, start: Start) -> Result<(), ChangeError> {
    key_ring::rotate(&app.app.custody(), &by_operator(), purpose, start).await
}

async fn examine(app: &TestApp) -> Examination {
    key_ring::examine(&app.app.custody()).await.unwrap()
}

/// Name of the one active key of a purpose.
async fn active(app: &TestApp, purpose: KeyPurpose) -> String {
    let found = examine(app).await;
    let key = found.keys.iter().find(|key| key.signs(purpose)).unwrap();
    key.kid().to_owned()
}

async fn state(app: &TestApp, kid: &str) -> KeyState {
    let found = examine(app).await;
    let key = found.keys.iter().find(|key| key.kid() == kid).unwrap();
    key.public.state()
}

/// A signed verdict on a key nobody has.
async fn verdict(actor: &Actor) -> String {
    verdict_on(actor, "kwl_unknown").await
}

async fn verdict_on(actor: &Actor, key: &str) -> String {
    let body = json!({ "key": key, "kit": "feedback-widget" });
    let reply = actor.post("/v1/licenses/validate", &body).await;
    reply.expect_status(200).str("/verdict")
}

fn read(token: &str, keys: &PublicKeys, now: i64) -> Result<(), VerifyError> {
    let expected = Expected {
        issuer: None,
        audience: "feedback-widget",
        now,
        leeway: 0,
        nonce: None,
    };
    verify_document(token, DocumentType::Verdict, keys, &expected).map(|_claims| ())
}

/// The key a token names.
fn kid_of(token: &str) -> String {
    let header = token.split('.').next().unwrap();
    let header = BASE64URL_NOPAD.decode(header.as_bytes()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

async fn list(actor: &Actor) -> PublicKeys {
    let jwks = actor.get("/.well-known/jwks.json").await.expect_status(200);
    let jwks: Jwks = serde_json::from_value(jwks.json()).unwrap();
    PublicKeys::from_jwks(&jwks).unwrap()
}

async fn ring(actor: &Actor) -> String {
    let discovery = actor.get("/.well-known/kitward.json").await;
    let reply = actor.get(&discovery.str("/keyring_uri")).await;
    reply.expect_status(200).text()
}

fn follow(known: &KnownRing, app: &TestApp, token: &str) -> Result<KnownRing, VerifyError> {
    let expected = ExpectedRing {
        issuer: Some(&app.app.installation_id),
        now: app.now(),
        leeway: 0,
    };
    known.follow(token, &expected)
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    word: String,
}

/// What the audit log says of a subject, in order.
async fn recorded(db: &Db, subject: &str) -> Vec<String> {
    let query =
        format!("SELECT action AS word FROM audit_log WHERE subject = '{subject}' ORDER BY seq");
    let rows: Vec<Word> = db
        .read_slow(move |conn| Ok::<_, DbError>(sql_query(query).load(conn)?))
        .await
        .unwrap();
    rows.into_iter().map(|row| row.word).collect()
}

async fn execute(db: &Db, statements: &'static [&'static str]) {
    db.write(Shard::Wide, move |tx| {
        statements
            .iter()
            .try_for_each(|statement| run(tx, statement))
    })
    .await
    .unwrap();
}

both!(an_installation_of_before_gets_the_keys_it_lacks_and_keeps_its_own);
async fn an_installation_of_before_gets_the_keys_it_lacks_and_keeps_its_own(kind: Kind) {
    let app = TestApp::start(kind).await;
    let document = active(&app, KeyPurpose::Document).await;
    execute(
        &app.app.db,
        &[
            "DELETE FROM signing_keys WHERE purpose IN ('artifact', 'root')",
            "UPDATE signing_keys SET state_since = NULL",
            "UPDATE key_ring SET version = 0, document = NULL, document_ends_at = NULL",
        ],
    )
    .await;
    let starts = (1..5).map(|number| {
        let parts = Parts {
            clock: app.clock.clone(),
            entropy: Arc::new(SeededEntropy::new(number)),
        };
        App::build(app.app.config.clone(), parts)
    });
    for started in join_all(starts).await {
        let started = started.unwrap();
        tokio::task::spawn_blocking(move || started.db.close())
            .await
            .unwrap();
    }
    let found = examine(&app).await;
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    assert_eq!((found.keys.len(), found.version), (4, 1), "made once");
    assert_eq!(active(&app, KeyPurpose::Document).await, document);
    // What it has in memory is from before.
    refresh(&app.app).await.unwrap();
    let shipped = KnownRing::new(0, list(&app.anonymous()).await);
    assert_eq!(
        follow(&shipped, &app, &ring(&app.anonymous()).await)
            .unwrap()
            .version(),
        1
    );
    app.stop().await;
}

both!(a_key_is_published_before_it_signs_and_one_process_promotes_it);
async fn a_key_is_published_before_it_signs_and_one_process_promotes_it(kind: Kind) {
    let app = TestApp::start(kind).await;
    let second = app.second().await;
    let (old, early) = (
        active(&app, KeyPurpose::Document).await,
        verdict(&app.anonymous()).await,
    );
    rotate(&app, KeyPurpose::Document, Start::After(None))
        .await
        .unwrap();
    let published = list(&second.anonymous()).await;
    let next = published
        .iter()
        .find(|key| key.state() == KeyState::Published)
        .unwrap();
    let next = next.kid().to_string();

    app.clock.advance(DAY - 1);
    for process in [&app, &second] {
        refresh(&process.app).await.unwrap();
        upkeep(&process.app).await.unwrap();
        assert_eq!(kid_of(&verdict(&process.anonymous()).await), old);
    }
    app.clock.advance(1);
    let both = join_all([upkeep(&app.app), upkeep(&second.app)]).await;
    assert!(both.iter().all(Result::is_ok), "{both:?}");
    for process in [&app, &second] {
        refresh(&process.app).await.unwrap();
        let late = verdict(&process.anonymous()).await;
        assert_eq!(kid_of(&late), next);
        // A list from before the key signed is enough.
        read(&late, &published, app.now()).unwrap();
        let keys = list(&process.anonymous()).await;
        assert_eq!(read(&early, &keys, app.now() - DAY), Ok(()));
    }
    assert_eq!(state(&app, &old).await, KeyState::Retiring);
    assert_eq!(
        recorded(&app.app.db, &next).await,
        ["signing_key.published", "signing_key.activated"]
    );
    assert_eq!(
        recorded(&app.app.db, &old).await,
        ["signing_key.created", "signing_key.retiring"]
    );
    second.stop().await;
    app.stop().await;
}

both!(a_running_process_follows_within_five_seconds_and_does_what_is_due);
async fn a_running_process_follows_within_five_seconds_and_does_what_is_due(kind: Kind) {
    let app = TestApp::builder().with_workers().start(kind).await;
    let second = app.second().await;
    rotate(&app, KeyPurpose::Document, Start::Now)
        .await
        .unwrap();
    let signs = |app: &TestApp| app.app.keys.load().document.kid().to_string();
    let both_sign = async |kid: &str| {
        // Both look every two seconds; the rest is for a machine that is busy.
        let end = Instant::now() + Duration::from_secs(20);
        while signs(&app) != kid || signs(&second) != kid {
            assert!(Instant::now() < end, "not followed");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    both_sign(&active(&app, KeyPurpose::Document).await).await;
    rotate(&app, KeyPurpose::Document, Start::After(None))
        .await
        .unwrap();
    let keys = list(&second.anonymous()).await;
    let next = keys
        .iter()
        .find(|key| key.state() == KeyState::Published)
        .unwrap();
    refresh(&app.app).await.unwrap();
    app.clock.advance(DAY);
    both_sign(next.kid().as_str()).await;
    second.stop().await;
    app.stop().await;
}

both!(no_verdict_fails_or_goes_unverified_while_keys_rotate);
async fn no_verdict_fails_or_goes_unverified_while_keys_rotate(kind: Kind) {
    let app = TestApp::start(kind).await;
    let second = app.second().await;
    let key = Shop::open(&app).await.buy(&app).await.key;
    let is_over = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..8)
        .map(|number| {
            let actor = if number % 2 == 0 { &app } else { &second }.anonymous();
            let (is_over, now, key) = (Arc::clone(&is_over), app.now(), key.clone());
            tokio::spawn(async move {
                let mut verdicts = Vec::new();
                while !is_over.load(Ordering::Acquire) {
                    let verdict = verdict_on(&actor, &key).await;
                    // The list that is fetched after a verdict verifies it.
                    let keys = list(&actor).await;
                    assert_eq!(read(&verdict, &keys, now), Ok(()));
                    verdicts.push(verdict);
                }
                verdicts
            })
        })
        .collect();
    for number in 0..12 {
        let by = if number % 2 == 0 { &app } else { &second };
        rotate(by, KeyPurpose::Document, Start::Now).await.unwrap();
        rotate(by, KeyPurpose::LicenseKey, Start::Now)
            .await
            .unwrap();
        refresh(&by.app).await.unwrap();
        assert!(examine(by).await.problems.is_empty());
    }
    is_over.store(true, Ordering::Release);
    let keys = list(&app.anonymous()).await;
    let (mut count, mut kids) = (0, std::collections::HashSet::new());
    for caller in callers {
        for verdict in caller.await.unwrap() {
            assert_eq!(read(&verdict, &keys, app.now()), Ok(()));
            kids.insert(kid_of(&verdict));
            count += 1;
        }
    }
    assert!(
        count > 20 && kids.len() > 3,
        "{count} verdicts by {} keys",
        kids.len()
    );
    second.stop().await;
    app.stop().await;
}

both!(rotations_at_the_same_time_all_happen_one_after_the_other);
async fn rotations_at_the_same_time_all_happen_one_after_the_other(kind: Kind) {
    let app = TestApp::start(kind).await;
    let second = app.second().await;
    let before = examine(&app).await.version;
    let rotations = (0..8).map(|number| {
        let by = if number % 2 == 0 { &app } else { &second };
        rotate(by, KeyPurpose::Document, Start::Now)
    });
    let outcomes = join_all(rotations).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let found = examine(&app).await;
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    assert_eq!(found.version, before + 8);
    let retiring = found
        .keys
        .iter()
        .filter(|key| key.public.state() == KeyState::Retiring);
    assert_eq!(retiring.count(), 8);
    // Of those who publish, one does.
    let publishing = (0..4).map(|_| rotate(&app, KeyPurpose::Document, Start::After(None)));
    let outcomes = join_all(publishing).await;
    let refused = outcomes.iter().filter(|outcome| {
        matches!(
            outcome,
            Err(ChangeError::Refused(Refused::AlreadyPublished { .. }))
        )
    });
    assert_eq!(refused.count(), 3, "{outcomes:?}");
    second.stop().await;
    app.stop().await;
}

both!(a_key_that_does_not_open_never_becomes_the_one_that_signs);
async fn a_key_that_does_not_open_never_becomes_the_one_that_signs(kind: Kind) {
    let app = TestApp::start(kind).await;
    let document = active(&app, KeyPurpose::Document).await;
    rotate(&app, KeyPurpose::Document, Start::After(None))
        .await
        .unwrap();
    execute(
        &app.app.db,
        &["UPDATE signing_keys SET private_key = public_key WHERE state = 'published'"],
    )
    .await;
    let license_key = active(&app, KeyPurpose::LicenseKey).await;
    rotate(&app, KeyPurpose::LicenseKey, Start::After(None))
        .await
        .unwrap();
    refresh(&app.app).await.unwrap();
    app.clock.advance(DAY);
    let refusal = upkeep(&app.app).await.unwrap_err().to_string();
    assert!(refusal.contains("does not open"), "{refusal}");
    let refusal = rotate(&app, KeyPurpose::Document, Start::Now)
        .await
        .unwrap_err();
    assert!(refusal.to_string().contains("does not open"), "{refusal}");
    let found = examine(&app).await;
    assert_eq!(found.problems.len(), 1, "{:?}", found.problems);
    assert_eq!(
        state(&app, &license_key).await,
        KeyState::Retiring,
        "others go on"
    );
    assert_eq!(kid_of(&verdict(&app.anonymous()).await), document);
    let lost = found
        .keys
        .iter()
        .find(|key| key.public.state() == KeyState::Published)
        .unwrap();
    key_ring::retire(&app.app.custody(), &by_operator(), lost.kid(), false)
        .await
        .unwrap();
    rotate(&app, KeyPurpose::Document, Start::Now)
        .await
        .unwrap();
    assert_ne!(active(&app, KeyPurpose::Document).await, document);
    app.stop().await;
}
