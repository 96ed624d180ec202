//! Master keys: made once, needed for ever, refused when wrong.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kitward::app::{App, Parts, StartError};
use kitward::config::Config;
use kitward::http::error::chain;
use kitward_tests::{Database, Kind, MASTER_KEY, both};
use secrecy::SecretString;
use tempfile::TempDir;

fn config(folder: &Path, database: &Database, key: Option<&str>) -> Config {
    Config {
        public_url: url::Url::parse("http://localhost:1/").ok(),
        data_dir: folder.join("data"),
        database_url: Some(SecretString::from(database.url.clone())),
        master_key: key.map(SecretString::from),
        ..Config::default()
    }
}

async fn start(config: Config) -> Result<String, StartError> {
    let app = App::build(config, Parts::default()).await?;
    let id = app.installation_id.clone();
    let db = app.db.clone();
    tokio::task::spawn_blocking(move || db.close())
        .await
        .unwrap();
    Ok(id)
}

fn refused(outcome: Result<String, StartError>) -> String {
    chain(&outcome.expect_err("a refusal"))
}

both!(a_wrong_or_missing_master_key_is_refused_with_the_reason);
async fn a_wrong_or_missing_master_key_is_refused_with_the_reason(kind: Kind) {
    let folder = TempDir::new().unwrap();
    let database = Database::create(kind, folder.path());
    let first = start(config(folder.path(), &database, Some(MASTER_KEY)))
        .await
        .unwrap();
    let again = start(config(folder.path(), &database, Some(MASTER_KEY)))
        .await
        .unwrap();
    assert_eq!(first, again);
    let other = MASTER_KEY.replace('5', "6");
    let reason = refused(start(config(folder.path(), &database, Some(&other))).await);
    assert!(reason.contains("does not fit this database"), "{reason}");
    let reason = refused(start(config(folder.path(), &database, None)).await);
    let expected = match kind {
        Kind::Sqlite => "the master key is missing",
        Kind::Postgres => "a master key must be given",
    };
    assert!(reason.contains(expected), "{reason}");
    let reason = refused(start(config(folder.path(), &database, Some("abc"))).await);
    assert!(reason.contains("64 hexadecimal digits"), "{reason}");
}

#[test]
fn a_new_local_installation_makes_its_key_readable_by_its_owner_only() {
    kitward_tests::block_on(async {
        let folder = TempDir::new().unwrap();
        let database = Database::create(Kind::Sqlite, folder.path());
        let id = start(config(folder.path(), &database, None)).await.unwrap();
        let path = folder.path().join("data/master.key");
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(
            start(config(folder.path(), &database, None)).await.unwrap(),
            id
        );
        std::fs::remove_file(&path).unwrap();
        let reason = refused(start(config(folder.path(), &database, None)).await);
        assert!(reason.contains("the master key is missing"), "{reason}");
        assert!(!path.exists(), "a lost key is never replaced by another");
    });
}

both!(processes_that_start_together_agree_on_their_keys);
async fn processes_that_start_together_agree_on_their_keys(kind: Kind) {
    let folder = TempDir::new().unwrap();
    let database = Database::create(kind, folder.path());
    let starts = (0..4).map(|_| {
        let config = config(folder.path(), &database, Some(MASTER_KEY));
        tokio::spawn(async move {
            let app = App::build(config, Parts::default()).await.unwrap();
            let keys: Vec<String> = app
                .keys
                .load()
                .public
                .iter()
                .map(|key| key.kid().to_string())
                .collect();
            let ids = (app.installation_id.clone(), keys);
            let db = app.db.clone();
            tokio::task::spawn_blocking(move || db.close())
                .await
                .unwrap();
            ids
        })
    });
    let found = futures_util::future::join_all(starts).await;
    let found: Vec<_> = found.into_iter().map(Result::unwrap).collect();
    assert!(found.iter().all(|ids| ids == &found[0]), "{found:?}");
    assert_eq!(found[0].1.len(), 4, "one a purpose");
}

#[test]
fn of_first_starts_in_one_new_folder_all_use_the_key_that_lies_there() {
    kitward_tests::block_on(async {
        for _ in 0..8 {
            let folder = TempDir::new().unwrap();
            let database = Database::create(Kind::Sqlite, folder.path());
            let starts = (0..6).map(|_| {
                let config = config(folder.path(), &database, None);
                tokio::spawn(start(config))
            });
            let ids: Vec<String> = futures_util::future::join_all(starts)
                .await
                .into_iter()
                .map(|outcome| outcome.unwrap().unwrap())
                .collect();
            assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
            assert_eq!(
                start(config(folder.path(), &database, None)).await.unwrap(),
                ids[0]
            );
            let files = std::fs::read_dir(folder.path().join("data")).unwrap();
            let names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
            assert!(
                !names
                    .iter()
                    .any(|name| name.to_str().unwrap().contains("draft")),
                "{names:?}"
            );
        }
    });
}
