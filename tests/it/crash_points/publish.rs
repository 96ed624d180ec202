//! Killed while files come in parts, become artifacts and their release goes out.

use std::path::Path;

use kitward_tests::{Actor, Child, Kind, both, command};
use reqwest::Method;
use serde_json::{Value, json};

use super::world::World;
use super::{Scenario, run};
use crate::uploads::{PART, file_of, sha256};

#[derive(Default)]
struct Publish {
    round: u32,
    version: String,
    file: Vec<u8>,
    release: String,
    upload: Option<String>,
    /// Parts, names of files and the end that were acknowledged.
    parts: Vec<u64>,
    artifacts: Vec<&'static str>,
    is_out: bool,
    acknowledged: usize,
}

/// What was answered; `None` where no answer came, or one that says it cannot be done just now.
async fn call(actor: &Actor, method: Method, path: &str, body: Value) -> Option<Value> {
    let request = actor
        .request(method, &format!("/v1/admin/{path}"))
        .json(&body);
    let reply = actor.try_send(request).await.ok()?;
    (reply.status < 300).then(|| reply.json())
}

async fn put(actor: &Actor, path: &str, bytes: &[u8]) -> Option<()> {
    let request = actor.request(Method::PUT, &format!("/v1/admin/{path}"));
    let reply = actor.try_send(request.body(bytes.to_vec())).await.ok()?;
    (reply.status < 300).then_some(())
}

impl Publish {
    fn plain(&self) -> Vec<u8> {
        format!("notes of {}", self.version).into_bytes()
    }

    /// Ends at the first call that is not answered.
    async fn publish(&mut self, actor: &Actor) -> Option<()> {
        let body = json!({
            "name": "kit.bin", "size": self.file.len(), "sha256": sha256(&self.file),
        });
        let path = format!("releases/{}/uploads", self.release);
        let begun = call(actor, Method::POST, &path, body).await?;
        let upload = begun["id"].as_str()?.to_owned();
        self.upload = Some(upload.clone());
        for (number, part) in (1..).zip(self.file.chunks(PART)) {
            put(actor, &format!("uploads/{upload}/parts/{number}"), part).await?;
            self.parts.push(number);
        }
        let path = format!("uploads/{upload}/complete");
        call(actor, Method::POST, &path, json!({})).await?;
        self.artifacts.push("kit.bin");
        let path = format!("releases/{}/artifacts/notes.txt", self.release);
        put(actor, &path, &self.plain()).await?;
        self.artifacts.push("notes.txt");
        let path = format!("releases/{}/publish", self.release);
        call(actor, Method::POST, &path, json!({})).await?;
        self.is_out = true;
        Some(())
    }

    /// What was acknowledged is there, as a whole.
    async fn nothing_is_lost(&self, world: &World, actor: &Actor) {
        let path = format!("/v1/admin/releases/{}", self.release);
        let release = actor.get(&path).await.expect_status(200).json();
        let files = release["artifacts"].as_array().unwrap();
        for name in &self.artifacts {
            assert!(
                files.iter().any(|file| file["name"] == *name),
                "{name} is lost"
            );
        }
        for file in files {
            let stored = stored(&world.settings.folder, file["sha256"].as_str().unwrap());
            assert_eq!(file["size"], stored.len());
            assert_eq!(file["sha256"], sha256(&stored), "a file with other bytes");
        }
        assert!(
            !self.is_out || release["status"] == "published",
            "the release is lost"
        );
        if release["status"] == "published" {
            assert_eq!(files.len(), 2, "half a release is out");
        }
        let Some(upload) = &self.upload else { return };
        let shown = actor.get(&format!("/v1/admin/uploads/{upload}")).await;
        if shown.status == 200 {
            let held = shown.json()["received"].clone();
            for part in &self.parts {
                assert!(
                    held.as_array().unwrap().contains(&json!(part)),
                    "part {part} is lost"
                );
            }
        } else {
            assert!(
                files.iter().any(|file| file["name"] == "kit.bin"),
                "the upload is lost"
            );
        }
    }
}

fn stored(folder: &Path, sha256: &str) -> Vec<u8> {
    let place = folder
        .join("data/blobs/sha256")
        .join(&sha256[..2])
        .join(&sha256[2..]);
    std::fs::read(place).unwrap()
}

impl Scenario for Publish {
    async fn prepare(&mut self, world: &World, child: &Child) {
        self.round += 1;
        self.version = format!("1.0.{}", self.round);
        self.file = file_of(2 * PART + 1_000, self.round);
        (self.upload, self.is_out) = (None, false);
        self.parts.clear();
        self.artifacts.clear();
        let admin = child.actor().with("authorization", &world.admin);
        let body = json!({ "kit": "feedback-widget", "version": self.version });
        let made = admin.post("/v1/admin/releases", &body).await;
        self.release = made.expect_status(201).str("/id");
    }

    async fn drive(&mut self, world: &World, child: &mut Child) {
        let admin = child.actor().with("authorization", &world.admin);
        let _ = self.publish(&admin).await;
        let is_out = usize::from(self.is_out);
        self.acknowledged += self.parts.len() + self.artifacts.len() + is_out;
        eprintln!("{} answers so far", self.acknowledged);
    }

    async fn check(&mut self, world: &World, child: &Child) {
        let admin = child.actor().with("authorization", &world.admin);
        self.nothing_is_lost(world, &admin).await;
        // A later run finishes what was begun.
        let folder = world.settings.folder.clone();
        std::fs::write(folder.join("kit.bin"), &self.file).unwrap();
        std::fs::write(folder.join("notes.txt"), self.plain()).unwrap();
        let origin = world.settings.origin();
        let token = world.admin.replace("Bearer ", "");
        let version = self.version.clone();
        let work = tokio::task::spawn_blocking(move || {
            let variables = [("KITWARD_URL", origin.as_str()), ("KITWARD_TOKEN", &token)];
            let words = [
                "publish",
                "feedback-widget",
                &version,
                "kit.bin",
                "notes.txt",
            ];
            command(&folder, &variables, &words)
        });
        let ended = work.await.unwrap();
        assert_eq!(ended.status, 0, "{ended:?}");
        let path = format!("/v1/admin/releases/{}", self.release);
        let release = admin.get(&path).await.expect_status(200).json();
        assert_eq!(release["status"], "published");
        for file in release["artifacts"].as_array().unwrap() {
            stored(&world.settings.folder, file["sha256"].as_str().unwrap());
        }
        let left = admin.get("/v1/admin/storage").await.expect_status(200);
        assert_eq!(left.json()["uploads"], 0, "an upload is left");
    }
}

impl Drop for Publish {
    fn drop(&mut self) {
        if !std::thread::panicking() && super::is_possible() {
            assert!(self.acknowledged > 0, "nothing was ever acknowledged");
        }
    }
}

both!(killed_while_a_release_is_published);
async fn killed_while_a_release_is_published(kind: Kind) {
    let usual: &[u32] = match kind {
        Kind::Sqlite => &[2, 4, 6, 8],
        Kind::Postgres => &[32, 45, 60],
    };
    run(kind, usual, Publish::default()).await;
}
