//! Readers that follow the ring, with the root key on the server and without it.

use kitward::audit::Actor as AuditActor;
use kitward::key_ring::model::{LONGEST_FILE_DAYS, OFFLINE_RING_LIFE, RING_LIFE, Refused, Start};
use kitward::key_ring::{self, ChangeError, Order, refresh, upkeep};
use kitward::kits::store::Terms;
use kitward_keys::{
    DocumentType, Expected, KeyPrefix, KeyPurpose, KnownRing, LicenseKey, PublicKeys, SigningKey,
    VerifyError, verify_document,
};
use kitward_tests::{Kind, Shop, TestApp, both};
use serde_json::json;

use super::{
    DAY, active, by_operator, examine, follow, kid_of, list, read, recorded, ring, rotate, verdict,
};

fn with_root(root: &SigningKey) -> Order {
    Order {
        root: Some(SigningKey::from_bytes(KeyPurpose::Root, &root.to_bytes())),
        ..by_operator()
    }
}

both!(a_compromised_license_key_signer_is_refused_offline_and_honored_online);
async fn a_compromised_license_key_signer_is_refused_offline_and_honored_online(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let early = shop.buy(&app).await.key;
    let stolen = active(&app, KeyPurpose::LicenseKey).await;
    let kit = app.anonymous();
    let shipped = KnownRing::new(0, list(&kit).await);
    key_ring::compromise(&app.app.custody(), &by_operator(), &stolen)
        .await
        .unwrap();
    refresh(&app.app).await.unwrap();
    let late = shop.buy(&app).await.key;

    let offline = |key: &str, keys: &PublicKeys| {
        let key = LicenseKey::parse(key, &KeyPrefix::default()).unwrap();
        key.verify(keys)
    };
    let known = follow(&shipped, &app, &ring(&kit).await).unwrap();
    for keys in [known.keys().clone(), list(&kit).await] {
        assert_eq!(offline(&early, &keys), Err(VerifyError::KeyCompromised));
        assert_eq!(offline(&late, &keys), Ok(()));
    }
    assert_eq!(offline(&early, shipped.keys()), Ok(()), "who has not heard");
    for key in [&early, &late] {
        let body = json!({ "key": key, "kit": "feedback-widget", "device": "machine-1" });
        let answer = kit
            .post("/v1/licenses/activate", &body)
            .await
            .expect_status(200);
        assert_eq!(answer.str("/code"), "VALID");
        assert_eq!(
            read(&answer.str("/verdict"), known.keys(), app.now()),
            Ok(())
        );
    }
    let found = examine(&app).await;
    let key = found.keys.iter().find(|key| key.kid() == stolen).unwrap();
    assert!(!key.is_here(), "its private half is gone");
    assert_eq!(
        recorded(&app.app.db, &stolen).await,
        ["signing_key.created", "signing_key.compromised"]
    );
    app.stop().await;
}

both!(a_reader_that_follows_the_ring_is_not_taken_back_to_an_older_one);
async fn a_reader_that_follows_the_ring_is_not_taken_back_to_an_older_one(kind: Kind) {
    let app = TestApp::start(kind).await;
    let kit = app.anonymous();
    let (before, early) = (ring(&kit).await, verdict(&kit).await);
    let shipped = KnownRing::new(0, list(&kit).await);
    let stolen = active(&app, KeyPurpose::Document).await;
    key_ring::compromise(&app.app.custody(), &by_operator(), &stolen)
        .await
        .unwrap();
    let known = follow(&shipped, &app, &ring(&kit).await).unwrap();
    assert_eq!(
        read(&early, known.keys(), app.now()),
        Err(VerifyError::KeyCompromised)
    );
    assert_eq!(read(&verdict(&kit).await, known.keys(), app.now()), Ok(()));
    assert_eq!(
        follow(&known, &app, &before).err(),
        Some(VerifyError::OlderVersion)
    );
    app.clock.advance(RING_LIFE);
    assert_eq!(
        follow(&shipped, &app, &before).err(),
        Some(VerifyError::Expired)
    );
    app.stop().await;
}

both!(a_ten_year_file_is_good_to_its_last_second_for_who_follows_the_ring);
async fn a_ten_year_file_is_good_to_its_last_second_for_who_follows_the_ring(kind: Kind) {
    let app = TestApp::start(kind).await;
    let terms = Terms {
        offline_file_days: Some(LONGEST_FILE_DAYS),
        ..Terms::default()
    };
    let license = Shop::open(&app).await.issue(&app, terms).await;
    let kit = app.anonymous();
    let shipped = KnownRing::new(0, list(&kit).await);
    let body = json!({ "key": license.key, "kit": "feedback-widget" });
    let reply = kit.post("/v1/licenses/file", &body).await;
    let file = reply.expect_status(200).str("/license_file");
    let signer = kid_of(&file);
    rotate(&app, KeyPurpose::Document, Start::Now)
        .await
        .unwrap();

    app.clock.advance(3_000 * DAY);
    let refused = key_ring::retire(&app.app.custody(), &by_operator(), &signer, false).await;
    assert!(
        matches!(
            refused,
            Err(ChangeError::Refused(Refused::StillValid { .. }))
        ),
        "{refused:?}"
    );
    key_ring::retire(&app.app.custody(), &by_operator(), &signer, true)
        .await
        .unwrap();
    let left = i64::from(LONGEST_FILE_DAYS) - 3_000;
    app.clock.advance(left * DAY - 1);
    refresh(&app.app).await.unwrap();
    upkeep(&app.app).await.unwrap();
    let known = follow(&shipped, &app, &ring(&kit).await).unwrap();
    let judged = |now| {
        let expected = Expected {
            issuer: None,
            audience: "feedback-widget",
            now,
            leeway: 0,
            nonce: None,
        };
        let claims = verify_document(&file, DocumentType::License, known.keys(), &expected);
        claims.map(|claims| claims.exp)
    };
    let ends = app.now() + 1;
    assert_eq!(judged(app.now()), Ok(ends));
    assert_eq!(judged(ends), Err(VerifyError::Expired));
    app.stop().await;
}

both!(the_server_renews_the_ring_while_it_holds_the_root_key);
async fn the_server_renews_the_ring_while_it_holds_the_root_key(kind: Kind) {
    let app = TestApp::start(kind).await;
    let first = ring(&app.anonymous()).await;
    app.clock.advance(RING_LIFE / 2 - 1);
    upkeep(&app.app).await.unwrap();
    assert_eq!(ring(&app.anonymous()).await, first);
    app.clock.advance(1);
    upkeep(&app.app).await.unwrap();
    let renewed = ring(&app.anonymous()).await;
    let known = KnownRing::new(1, list(&app.anonymous()).await);
    assert_eq!(follow(&known, &app, &renewed).unwrap().version(), 2);
    let ends_at = examine(&app).await.standing.ends_at.unwrap();
    assert_eq!(ends_at.unix(), app.now() + RING_LIFE);
    upkeep(&app.app).await.unwrap();
    assert_eq!(ring(&app.anonymous()).await, renewed, "once is enough");
    app.stop().await;
}

async fn take_root_away(app: &TestApp) -> SigningKey {
    let custody = app.app.custody();
    let root = key_ring::export_root(&custody, AuditActor::Operator)
        .await
        .unwrap();
    key_ring::remove_root(&custody, &AuditActor::Operator, root.kid().as_str())
        .await
        .unwrap();
    root
}

both!(without_the_root_key_the_ring_is_changed_only_with_its_file);
async fn without_the_root_key_the_ring_is_changed_only_with_its_file(kind: Kind) {
    let app = TestApp::start(kind).await;
    let kit = app.anonymous();
    let known = KnownRing::new(0, list(&kit).await);
    let root = take_root_away(&app).await;
    assert_eq!(
        recorded(&app.app.db, root.kid().as_str()).await,
        [
            "signing_key.created",
            "root_key.exported",
            "root_key.removed"
        ]
    );
    let ends_at = examine(&app).await.standing.ends_at.unwrap();
    assert_eq!(ends_at.unix(), app.now() + OFFLINE_RING_LIFE);
    let version = examine(&app).await.version;

    let custody = app.app.custody();
    let document = active(&app, KeyPurpose::Document).await;
    let again = key_ring::export_root(&custody, AuditActor::Operator).await;
    let refusals = [
        again.map(|_root| ()),
        rotate(&app, KeyPurpose::Document, Start::Now).await,
        key_ring::compromise(&custody, &by_operator(), &document).await,
        key_ring::sign_ring(&custody, &by_operator()).await,
    ];
    for refusal in refusals {
        let refusal = refusal.unwrap_err().to_string();
        assert!(refusal.contains("not on this server"), "{refusal}");
    }
    let stranger = with_root(&SigningKey::from_bytes(KeyPurpose::Root, &[7; 32]));
    let refusal = key_ring::sign_ring(&custody, &stranger).await;
    assert!(
        matches!(refusal, Err(ChangeError::WrongRoot { .. })),
        "{refusal:?}"
    );
    assert_eq!(examine(&app).await.version, version, "nothing was changed");

    let notice = Start::After(None);
    key_ring::rotate(&custody, &with_root(&root), KeyPurpose::Document, notice)
        .await
        .unwrap();
    let signed = ring(&kit).await;
    let known = follow(&known, &app, &signed).unwrap();
    app.clock.advance(DAY);
    upkeep(&app.app).await.unwrap();
    let late = verdict(&kit).await;
    assert_ne!(kid_of(&late), document, "it took over by itself");
    assert_eq!(ring(&kit).await, signed, "and nobody had to sign");
    assert_eq!(read(&late, known.keys(), app.now()), Ok(()));

    app.clock.advance(80 * DAY);
    upkeep(&app.app).await.unwrap();
    assert_eq!(ring(&kit).await, signed, "only the file renews it");
    key_ring::sign_ring(&app.app.custody(), &with_root(&root))
        .await
        .unwrap();
    assert!(follow(&known, &app, &ring(&kit).await).unwrap().version() > known.version());
    app.stop().await;
}

both!(readers_learn_of_a_root_key_from_the_one_before);
async fn readers_learn_of_a_root_key_from_the_one_before(kind: Kind) {
    let app = TestApp::start(kind).await;
    let kit = app.anonymous();
    let away = KnownRing::new(0, list(&kit).await);
    rotate(&app, KeyPurpose::Root, Start::After(None))
        .await
        .unwrap();
    let known = follow(&away, &app, &ring(&kit).await).unwrap();
    app.clock.advance(OFFLINE_RING_LIFE);
    upkeep(&app.app).await.unwrap();
    let by_the_next = ring(&kit).await;
    assert_eq!(kid_of(&by_the_next), active(&app, KeyPurpose::Root).await);
    assert!(follow(&known, &app, &by_the_next).is_ok());
    assert_eq!(
        follow(&away, &app, &by_the_next).err(),
        Some(VerifyError::UnknownKey)
    );
    // A stolen one is replaced at once; nothing the thief signs is followed by who has the new list.
    let stolen = active(&app, KeyPurpose::Root).await;
    key_ring::compromise(&app.app.custody(), &by_operator(), &stolen)
        .await
        .unwrap();
    assert_eq!(
        follow(&known, &app, &ring(&kit).await).err(),
        Some(VerifyError::UnknownKey)
    );
    let shipped_anew = KnownRing::new(0, list(&kit).await);
    assert!(follow(&shipped_anew, &app, &ring(&kit).await).is_ok());
    assert_eq!(
        follow(&shipped_anew, &app, &by_the_next).err(),
        Some(VerifyError::KeyCompromised)
    );
    app.stop().await;
}
