//! Update checks: what a caller is offered, and manifests that no kit may take.

use kitward_keys::{Expected, PublicKeys, UpdateClaims, VerifyError, verify_update};
use kitward_tests::{Kind, Reply, both};
use serde_json::{Value, json};

use super::{DAY, KIT, check, stage};

both!(a_caller_too_old_for_a_release_gets_the_step_in_between);
async fn a_caller_too_old_for_a_release_gets_the_step_in_between(kind: Kind) {
    let stage = stage(kind).await;
    for version in ["1.0.0", "1.5.0", "2.0.0"] {
        stage.release(version).await;
    }
    let id = stage.release("3.0.0").await;
    let minimum = json!({ "minimum_version": "2.0.0" });
    stage.edit(&id, &minimum).await.expect_status(200);
    assert_eq!(
        stage.offered("version=1.0.0").await.as_deref(),
        Some("2.0.0")
    );
    let next = check(&stage.kit(), "version=2.0.0").await;
    assert_eq!(next.str("/release/version"), "3.0.0");
    assert_eq!(next.str("/release/minimum_version"), "2.0.0");
    let compared = next.str("/compare_url");
    let ends = format!("/v1/kits/{KIT}/compare/2.0.0...3.0.0");
    assert!(compared.ends_with(&ends), "{compared}");
    let unknown = check(&stage.kit(), "version=1.2.3").await;
    assert_eq!(unknown.json()["compare_url"], Value::Null);
    assert_eq!(stage.offered("version=3.0.0").await, None);
    assert_eq!(
        stage.offered("version=3.1.0&channel=alpha").await,
        None,
        "no way back"
    );
    stage.app.stop().await;
}

both!(a_comparison_is_named_only_where_there_is_one);
async fn a_comparison_is_named_only_where_there_is_one(kind: Kind) {
    let stage = stage(kind).await;
    for version in ["1.0.0", "1.1.0"] {
        stage.release(version).await;
    }
    let kit = stage.kit();
    let named = async |present: &str, offered: &str| {
        let answer = check(&kit, &format!("version={present}")).await;
        assert_eq!(answer.str("/release/version"), offered, "{present}");
        answer.json()["compare_url"].as_str().map(str::to_owned)
    };
    let ends = |address: Option<String>, range: &str| {
        let end = format!("/v1/kits/{KIT}/compare/{range}");
        address.is_some_and(|address| address.ends_with(&end))
    };
    // What a build adds to its version makes no other release of it.
    for present in ["1.0.0", "1.0.0%2Bacme.1"] {
        let address = named(present, "1.1.0").await;
        assert!(ends(address, "1.0.0...1.1.0"), "{present}");
    }
    // A release without source.
    let admin = &stage.shop.admin;
    let draft = json!({ "kit": KIT, "version": "1.2.0" });
    let made = admin.post("/v1/admin/releases", &draft).await;
    let id = made.expect_status(201).str("/id");
    let put = format!("/v1/admin/releases/{id}/artifacts/manual.bin?kind=docs");
    admin.put(&put, b"m".to_vec()).await.expect_status(201);
    stage.acted(&id, "publish", &json!({})).await;
    assert_eq!(named("1.1.0", "1.2.0").await, None);
    stage.release("1.3.0").await;
    assert_eq!(named("1.2.0", "1.3.0").await, None);
    let address = named("1.1.0", "1.3.0").await;
    assert!(ends(address, "1.1.0...1.3.0"));
    stage.app.stop().await;
}

both!(only_files_for_the_callers_machine_are_offered);
async fn only_files_for_the_callers_machine_are_offered(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.0.0").await;
    let admin = &stage.shop.admin;
    let files = [
        ("1.1.0", "a.bin", "?platform=linux&arch=x86_64"),
        ("1.1.0", "b.bin", "?platform=windows"),
        ("1.2.0", "c.bin", "?platform=windows"),
    ];
    let mut ids = std::collections::BTreeMap::new();
    for (version, name, query) in files {
        if !ids.contains_key(version) {
            let draft = json!({ "kit": KIT, "version": version });
            let made = admin.post("/v1/admin/releases", &draft).await;
            ids.insert(version, made.expect_status(201).str("/id"));
        }
        let path = format!(
            "/v1/admin/releases/{}/artifacts/{name}{query}",
            ids[version]
        );
        admin.put(&path, name.into()).await.expect_status(201);
    }
    for id in ids.values() {
        stage.acted(id, "publish", &json!({})).await;
    }
    let names = |reply: &Reply| {
        let reply = reply.json();
        let files = reply["release"]["artifacts"].as_array().cloned();
        let files = files.unwrap_or_default().into_iter();
        files
            .map(|file| file["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let kit = stage.kit();
    for (query, version, expected) in [
        ("", Some("1.2.0"), vec!["c.bin"]),
        ("&platform=windows&arch=arm64", Some("1.2.0"), vec!["c.bin"]),
        ("&platform=linux&arch=x86_64", Some("1.1.0"), vec!["a.bin"]),
        ("&platform=linux&arch=arm64", None, vec![]),
        ("&platform=macos", None, vec![]),
    ] {
        let answer = check(&kit, &format!("version=1.0.0{query}")).await;
        let found = answer.json()["release"]["version"]
            .as_str()
            .map(str::to_owned);
        assert_eq!(found.as_deref(), version, "{query}");
        assert_eq!(names(&answer), expected, "{query}");
    }
    let everywhere = check(&kit, "version=0.1.0&platform=macos").await;
    assert_eq!(
        everywhere.str("/release/version"),
        "1.0.0",
        "a file for all machines"
    );
    for bad in [
        "?platform=Linux",
        "?arch=x%00",
        "?platform=",
        "?arch=%C3%A9",
    ] {
        let path = format!("/v1/admin/releases/{}/artifacts/d.bin{bad}", ids["1.1.0"]);
        let refused = admin.put(&path, b"d".to_vec()).await;
        refused.expect_problem(422, "invalid_field");
    }
    stage.app.stop().await;
}

both!(a_list_follows_a_channel_where_one_is_named);
async fn a_list_follows_a_channel_where_one_is_named(kind: Kind) {
    let stage = stage(kind).await;
    let all = [
        "2.0.0-dev.1",
        "1.3.0-alpha.1",
        "1.2.0-beta.1",
        "1.1.0-rc.1",
        "1.0.0",
    ];
    for version in all {
        stage.release(version).await;
    }
    let kit = stage.kit();
    for (named, expected) in [
        ("", &all[..]),
        ("&channel=stable", &all[4..]),
        ("&channel=rc", &all[3..]),
        ("&channel=beta", &all[2..]),
        ("&channel=alpha", &all[1..]),
        ("&channel=dev", &all[..1]),
    ] {
        let mut found: Vec<String> = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = format!("/v1/kits/{KIT}/releases?limit=2{named}{cursor}");
            let page = kit.get(&page).await.expect_status(200).json();
            let items = page["items"].as_array().unwrap().iter();
            found.extend(items.map(|it| it["version"].as_str().unwrap().to_owned()));
            let Some(next) = page["next_cursor"].as_str() else {
                break;
            };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(found, expected, "{named}");
    }
    for bad in ["nightly", "Stable", ""] {
        let refused = format!("/v1/kits/{KIT}/releases?channel={bad}");
        let refused = kit.get(&refused).await;
        let refused = refused.expect_problem(422, "invalid_field");
        assert_eq!(refused.str("/field"), "channel", "{bad}");
    }
    stage.app.stop().await;
}

both!(bad_questions_for_updates_are_refused_and_named);
async fn bad_questions_for_updates_are_refused_and_named(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.0.0").await;
    let kit = stage.kit();
    let long = "x".repeat(257);
    for (query, field) in [
        ("version=1".to_owned(), "version"),
        (format!("version=1.0.0-{long}"), "version"),
        ("version=1.0.0&channel=nightly".to_owned(), "channel"),
        ("version=1.0.0&platform=Win".to_owned(), "platform"),
        ("version=1.0.0&platform=".to_owned(), "platform"),
        (format!("version=1.0.0&arch={long}"), "arch"),
        ("version=1.0.0&arch=a%00".to_owned(), "arch"),
        ("version=1.0.0&install=".to_owned(), "install"),
        ("version=1.0.0&install=a%0Ab".to_owned(), "install"),
        (format!("version=1.0.0&install={long}"), "install"),
        (format!("version=1.0.0&nonce={long}"), "nonce"),
        ("version=1.0.0&manual=perhaps".to_owned(), "query"),
    ] {
        let path = format!("/v1/kits/{KIT}/updates?{query}");
        let refused = kit.get(&path).await.expect_problem(422, "invalid_field");
        assert_eq!(refused.str("/field"), field, "{query}");
    }
    stage.app.stop().await;
}

/// What a kit does with a manifest: what `docs/key-format.md` asks for.
fn take(
    manifest: &str,
    keys: &PublicKeys,
    expected: &Expected<'_>,
    (license, highest_seen): (&str, &str),
) -> Result<UpdateClaims, String> {
    let claims = verify_update(manifest, keys, expected).map_err(|error| error.to_string())?;
    if claims.sub != license {
        return Err("for another license".to_owned());
    }
    let parse = |text: &str| kitward::releases::model::parse_version(text).unwrap();
    let offered = claims
        .release
        .as_ref()
        .map(|release| parse(&release.version));
    if offered.is_some_and(|offered| offered <= parse(highest_seen)) {
        return Err("not newer than what was seen".to_owned());
    }
    Ok(claims)
}

both!(a_replayed_old_manifest_is_refused);
async fn a_replayed_old_manifest_is_refused(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.1.0").await;
    let (keys, license) = (stage.keys().await, stage.license().await);
    let old = check(&stage.kit(), "version=1.0.0&nonce=first")
        .await
        .str("/manifest");
    let take = |expected: &Expected<'_>, seen: &str| {
        take(&old, &keys, expected, (&license, seen)).map(|_claims| ())
    };
    assert_eq!(take(&stage.expected(Some("first")), "1.0.0"), Ok(()));
    let other = take(&stage.expected(Some("second")), "1.0.0");
    assert_eq!(
        other,
        Err(VerifyError::WrongNonce.to_string()),
        "another question's"
    );
    let lower = take(&stage.expected(None), "1.1.0");
    assert_eq!(lower, Err("not newer than what was seen".to_owned()));
    stage.app.clock.advance(DAY);
    let late = take(&stage.expected(Some("first")), "1.0.0");
    assert_eq!(late, Err(VerifyError::Expired.to_string()));
    stage.app.stop().await;
}

both!(a_manifest_for_another_license_or_kit_is_refused);
async fn a_manifest_for_another_license_or_kit_is_refused(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.1.0").await;
    let (keys, first) = (stage.keys().await, stage.license().await);
    let other = stage.shop.buy(&stage.app).await;
    let theirs = check(&stage.app.kit(&other.key), "version=1.0.0").await;
    let theirs = theirs.str("/manifest");
    let expected = stage.expected(None);
    let refused = take(&theirs, &keys, &expected, (&first, "1.0.0"));
    assert_eq!(refused, Err("for another license".to_owned()));
    let elsewhere = Expected {
        audience: "rate-limiter",
        ..expected
    };
    let refused = verify_update(&theirs, &keys, &elsewhere);
    assert_eq!(refused, Err(VerifyError::WrongAudience));
    stage.app.stop().await;
}

both!(a_manifest_with_a_swapped_signature_is_refused);
async fn a_manifest_with_a_swapped_signature_is_refused(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.1.0").await;
    let keys = stage.keys().await;
    let (kit, expected) = (stage.kit(), stage.expected(None));
    let offer = check(&kit, "version=1.0.0").await.str("/manifest");
    let none = check(&kit, "version=1.1.0").await.str("/manifest");
    let split = |token: &str| {
        let (signed, signature) = token.rsplit_once('.').unwrap();
        (signed.to_owned(), signature.to_owned())
    };
    let swapped = format!("{}.{}", split(&offer).0, split(&none).1);
    let refused = verify_update(&swapped, &keys, &expected);
    assert_eq!(refused, Err(VerifyError::BadSignature));
    assert!(verify_update(&offer, &keys, &expected).is_ok());
    stage.app.stop().await;
}
