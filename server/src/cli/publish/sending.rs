//! Sending files in parts, several at once, each as often as it takes.

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::super::client::{Client, Unanswered, persist};
use super::super::output::Failed;
use super::files::LocalFile;
use super::progress::{FileProgress, Progress};
use super::way_out;
use crate::releases::model::Cut;

/// Parts on their way at once, over all files.
const AT_ONCE: usize = 4;
/// How often a file is put together before it is given up: each time the server said what it lacks.
const ROUNDS: usize = 4;

/// A file the server does not have as a whole.
struct Sending<'a> {
    file: &'a LocalFile,
    upload: String,
    cut: Cut,
    missing: Vec<u64>,
    progress: FileProgress,
}

/// Sends what the draft lacks.
pub(super) async fn send(
    client: &Client,
    release: &str,
    files: &[LocalFile],
    progress: &Progress,
) -> Result<(), Failed> {
    let mut waiting = Vec::new();
    for file in files {
        waiting.extend(begin(client, release, file, progress).await?);
    }
    let parts = waiting
        .iter()
        .flat_map(|sending| sending.missing.iter().map(move |number| (sending, *number)));
    send_parts(client, parts.collect()).await?;
    for sending in waiting {
        complete(client, release, sending, progress).await?;
    }
    Ok(())
}

/// Says which file is coming; nothing where the release has it.
async fn begin<'a>(
    client: &Client,
    release: &str,
    file: &'a LocalFile,
    progress: &Progress,
) -> Result<Option<Sending<'a>>, Failed> {
    let body = file.body();
    let path = ["releases", release, "uploads"];
    let begun = persist(|| client.try_post(&path, &body)).await;
    let begun = begun.map_err(|error| refused(release, file, error))?;
    let Some(upload) = begun.get("id").and_then(Value::as_str) else {
        progress.present(&file.name);
        return Ok(None);
    };
    let part_size = begun.get("part_size").and_then(Value::as_i64);
    let cut = Cut::kept(
        i64::try_from(file.size).unwrap_or(i64::MAX),
        part_size.unwrap_or_default(),
    );
    let missing = cut.missing(&received(&begun));
    let to_send: u64 = missing
        .iter()
        .filter_map(|number| cut.length(*number))
        .sum();
    Ok(Some(Sending {
        file,
        upload: upload.to_owned(),
        cut,
        progress: progress.sending(&file.name, file.size, file.size.saturating_sub(to_send)),
        missing,
    }))
}

fn received(begun: &Value) -> Vec<i32> {
    let numbers = begun.get("received").and_then(Value::as_array);
    let numbers = numbers.into_iter().flatten().filter_map(Value::as_i64);
    numbers
        .filter_map(|number| i32::try_from(number).ok())
        .collect()
}

async fn send_parts(client: &Client, parts: Vec<(&Sending<'_>, u64)>) -> Result<(), Failed> {
    stream::iter(parts)
        .map(|(sending, number)| send_part(client, sending, number))
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await
}

async fn send_part(client: &Client, sending: &Sending<'_>, number: u64) -> Result<(), Failed> {
    let Some(length) = sending.cut.length(number) else {
        return Ok(());
    };
    let start = (number - 1).saturating_mul(sending.cut.part_size());
    let (part, sha256) = sending.file.part(start, length).await?;
    let number = number.to_string();
    let place = (sending.upload.as_str(), number.as_str());
    let sent = persist(|| client.put_part(place, part.clone(), &sha256)).await;
    sent.map_err(|error| Failed::from(error).in_front(&sending.file.name))?;
    sending.progress.sent(length);
    Ok(())
}

/// Puts a file together, and sends again what the server finds it lacks.
async fn complete(
    client: &Client,
    release: &str,
    mut sending: Sending<'_>,
    progress: &Progress,
) -> Result<(), Failed> {
    for _ in 0..ROUNDS {
        let (path, nothing) = (["uploads", &sending.upload, "complete"], json!({}));
        let error = match persist(|| client.try_post(&path, &nothing)).await {
            Ok(_artifact) => {
                sending.progress.done();
                return Ok(());
            }
            Err(error) => error,
        };
        if let Some(missing) = error.member("missing").and_then(Value::as_array) {
            sending.missing = missing.iter().filter_map(Value::as_u64).collect();
        } else if error.is(404) {
            // Complete already, by an answer that was lost; or swept, because it was left for a day.
            match begin(client, release, sending.file, progress).await? {
                None => return Ok(()),
                Some(anew) => sending = anew,
            }
        } else {
            return Err(refused(release, sending.file, error));
        }
        let missing = sending.missing.clone();
        let parts = missing.into_iter().map(|number| (&sending, number));
        send_parts(client, parts.collect()).await?;
    }
    Err(Failed::new(format!(
        "{}: the server lost parts again and again",
        sending.file.name
    )))
}

/// A refusal is one of a file.
fn refused(release: &str, file: &LocalFile, error: Unanswered) -> Failed {
    way_out::told(release, &file.name, error).in_front(&file.name)
}
