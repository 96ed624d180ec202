use data_encoding::HEXLOWER;
use futures_util::TryStreamExt;
use sha2::{Digest, Sha256};

use super::*;
use crate::config::StorageConfig;
use crate::entropy::SeededEntropy;

struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("kitward-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn left_over(&self) -> usize {
        let uploads = std::fs::read_dir(self.0.join("blobs/uploads"));
        uploads.map_or(0, Iterator::count)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn store(storage: &Storage, seed: u64, body: &[u8]) -> Result<Stored, StorageError> {
    let mut upload = storage
        .begin_upload(&SeededEntropy::new(seed), 4 << 20)
        .await?;
    for chunk in body.chunks(70_000) {
        upload.write(chunk).await?;
    }
    upload.finish(None).await
}

async fn read(storage: &Storage, sha256: &str, range: std::ops::Range<u64>) -> Vec<u8> {
    let file = storage.open_for_reading(sha256).await.unwrap();
    let chunks: Vec<_> = file.stream(range).try_collect().await.unwrap();
    chunks.concat()
}

#[tokio::test]
async fn a_file_is_found_by_its_hash_and_stored_once() {
    let folder = Folder::new("stored-once");
    let storage = Storage::open(&StorageConfig::default(), &folder.0).unwrap();
    let body: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let first = store(&storage, 1, &body).await.unwrap();
    assert_eq!(store(&storage, 2, &body).await.unwrap(), first);
    assert_eq!(first.size, 3_000_000);
    assert_eq!(read(&storage, &first.sha256, 0..first.size).await, body);
    assert_eq!(
        read(&storage, &first.sha256, 999..600_000).await,
        body[999..600_000]
    );
    assert_eq!(folder.left_over(), 0);
}

#[tokio::test]
async fn a_file_that_was_cut_or_grew_is_put_back_and_its_readers_read_on() {
    let folder = Folder::new("put-back");
    let storage = Storage::open(&StorageConfig::default(), &folder.0).unwrap();
    let stored = store(&storage, 1, b"the file").await.unwrap();
    let place = folder.0.join("blobs").join(&stored.key);
    for (seed, damaged) in [(2, &b"the"[..]), (3, b"the file and more"), (4, b"")] {
        std::fs::write(&place, damaged).unwrap();
        let opened = storage.open_for_reading(&stored.sha256).await.unwrap();
        assert_eq!(store(&storage, seed, b"the file").await.unwrap(), stored);
        assert_eq!(read(&storage, &stored.sha256, 0..8).await, b"the file");
        let before: Vec<Bytes> = opened.stream(0..opened.size()).try_collect().await.unwrap();
        assert_eq!(before.concat(), damaged);
        assert_eq!(folder.left_over(), 0);
    }
}

#[tokio::test]
async fn the_hashes_are_those_of_the_standard() {
    let folder = Folder::new("hashes");
    let storage = Storage::open(&StorageConfig::default(), &folder.0).unwrap();
    let empty = store(&storage, 1, b"").await.unwrap();
    assert!(empty.sha256.starts_with("e3b0c44298fc1c149afbf4c8996fb924"));
    assert!(empty.sha512.starts_with("cf83e1357eefb8bdf1542850d66d8007"));
    assert_eq!(read(&storage, &empty.sha256, 0..0).await, b"");
}

#[tokio::test]
async fn what_is_too_large_or_altered_leaves_nothing_behind() {
    let folder = Folder::new("refused");
    let storage = Storage::open(&StorageConfig::default(), &folder.0).unwrap();
    let mut upload = storage
        .begin_upload(&SeededEntropy::new(1), 10)
        .await
        .unwrap();
    let refused = upload.write(b"12345678901").await;
    assert!(matches!(refused, Err(StorageError::TooLarge { limit: 10 })));
    upload.abort().await.unwrap();
    let mut upload = storage
        .begin_upload(&SeededEntropy::new(2), 10)
        .await
        .unwrap();
    upload.write(b"1234").await.unwrap();
    let refused = upload.finish(Some(&"0".repeat(64))).await;
    assert!(matches!(refused, Err(StorageError::Mismatch { .. })));
    assert_eq!(folder.left_over(), 0);
}

#[tokio::test]
async fn what_is_no_hash_opens_nothing() {
    let folder = Folder::new("no-hash");
    let storage = Storage::open(&StorageConfig::default(), &folder.0).unwrap();
    for bad in ["", "../../etc/passwd", &"0".repeat(64), &"G".repeat(64)] {
        let opened = storage.open_for_reading(bad).await;
        assert!(matches!(opened, Err(StorageError::Missing)), "{bad}");
    }
}

#[tokio::test]
async fn a_sound_store_passes_its_check_and_keeps_nothing_of_it() {
    let folder = Folder::new("check");
    let storage = Storage::open(&StorageConfig::default(), &folder.0).unwrap();
    storage.check().await.unwrap();
    assert_eq!(folder.left_over(), 0);
}

#[tokio::test]
async fn a_part_that_comes_back_with_other_bytes_is_told() {
    let folder = Folder::new("other-part");
    let storage = Storage::open(&StorageConfig::default(), &folder.0).unwrap();
    let sha256 = HEXLOWER.encode(&Sha256::digest(b"part"));
    let name = PartName {
        upload: "upload",
        number: 1,
        sha256: &sha256,
    };
    let (sent, other) = (Bytes::from_static(b"part"), Bytes::from_static(b"trap"));
    storage.put_part(name, sent.clone()).await.unwrap();
    assert_eq!(storage.read_part(name).await.unwrap(), sent);
    storage.put_part(name, other).await.unwrap();
    let read = storage.read_part(name).await;
    assert!(matches!(read, Err(StorageError::OtherBytes)), "{read:?}");
}

#[tokio::test]
async fn what_lies_in_the_place_of_a_file_is_hashed_only_where_it_is_that_file() {
    let folder = Folder::new("other-file");
    let storage = Storage::open(&StorageConfig::default(), &folder.0).unwrap();
    let stored = store(&storage, 1, b"the file").await.unwrap();
    let hash = storage.prehash_of(&stored.sha256, stored.size).await;
    assert_eq!(Some(hash.unwrap()), stored.blake2b);
    let place = folder.0.join("blobs").join(&stored.key);
    for damaged in [&b"the pile"[..], b"the", b"the file and more"] {
        std::fs::write(&place, damaged).unwrap();
        let hash = storage.prehash_of(&stored.sha256, stored.size).await;
        assert!(matches!(hash, Err(StorageError::OtherBytes)), "{hash:?}");
    }
}
