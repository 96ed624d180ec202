//! `kitward publish`: draft, upload, publish; run again with equal files, it changes nothing, and
//! what the server holds is not sent again.

mod fields;
mod files;
mod progress;
mod sending;
mod signed;
mod way_out;

use serde_json::{Value, json};

use super::arguments::Publish;
use super::client::{Client, persist};
use super::output::{Failed, Output, lines};
use fields::Asked;
use files::LocalFile;

pub(super) use progress::Progress;

pub(super) async fn run(publish: Publish, output: Output) -> Result<(), Failed> {
    let client = Client::from_environment()?;
    let release = upload(&client, &publish, Progress::new(output)).await?;
    output.show(&lines(&release), &release);
    Ok(())
}

/// All of it; the release afterwards.
pub(super) async fn upload(
    client: &Client,
    publish: &Publish,
    progress: Progress,
) -> Result<Value, Failed> {
    // Everything that can fail here does so before a draft exists.
    let asked = Asked::read(publish)?;
    let files = files::examine(publish, &progress).await?;
    let signatures = signed::read(publish, &files)?;
    let release = draft(client, publish, &asked).await?;
    let id = text(&release, "id");
    if text(&release, "status") == "published" {
        for file in &files {
            file.must_be_in(&release, &publish.version)?;
        }
        if publish.rollout.is_some() {
            progress.note("it is out: its rollout stays as it is");
        }
        if signed::supply(client, &release, &signatures).await? {
            return client.get(&["releases", id]).await;
        }
        return Ok(release);
    }
    sending::send(client, id, &files, &progress).await?;
    signed::supply(client, &release, &signatures).await?;
    if let Some(percent) = publish.rollout {
        let (path, share) = (["releases", id, "rollout"], json!({ "percent": percent }));
        persist(|| client.try_post(&path, &share)).await?;
    }
    if publish.draft {
        return client.get(&["releases", id]).await;
    }
    let (path, nothing) = (["releases", id, "publish"], json!({}));
    let silent = [("notify", "false")];
    let query = if publish.no_notify { &silent[..] } else { &[] };
    let published = persist(|| client.try_post_asking(&path, query, &nothing)).await;
    published.map_err(|error| way_out::told(id, "", error))
}

/// The draft of this version, or the release that an earlier run left.
async fn draft(client: &Client, publish: &Publish, asked: &Asked) -> Result<Value, Failed> {
    if let Some(known) = known(client, publish).await? {
        asked.refuse_difference(&known, &publish.version)?;
        return Ok(known);
    }
    let body = asked.body(publish);
    let made = persist(|| client.try_post(&["releases"], &body)).await;
    match made {
        // Another run was faster, or this one before its answer was lost.
        Err(error) if error.is(409) => {
            let known = known(client, publish).await?;
            let known = known.ok_or_else(|| Failed::from(error))?;
            asked.refuse_difference(&known, &publish.version)?;
            Ok(known)
        }
        made => Ok(made?),
    }
}

async fn known(client: &Client, publish: &Publish) -> Result<Option<Value>, Failed> {
    let known = client.list(&["releases"], &[("kit", &publish.kit)]).await?;
    let mut known = known.into_iter();
    Ok(known.find(|row| text(row, "version") == publish.version))
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value
        .get(member)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

impl LocalFile {
    /// A release that is out never gets this file any more.
    fn must_be_in(&self, release: &Value, version: &str) -> Result<(), Failed> {
        let files = release.get("artifacts").and_then(Value::as_array);
        let mut files = files.into_iter().flatten();
        let why = match files.find(|file| text(file, "name") == self.name) {
            Some(file) if text(file, "sha256") != self.sha256 => "has other bytes there".to_owned(),
            Some(file) => match self.other_word(file) {
                Some(word) => format!("has another {word} there"),
                None => return Ok(()),
            },
            None => "is not in it".to_owned(),
        };
        let line = format!("release {version} is published, and {} {why}", self.name);
        Err(Failed::new(line).with_detail("what is published never changes: make a new version"))
    }
}
