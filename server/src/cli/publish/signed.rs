//! Signatures that the vendor's own key made of the files.

use serde_json::Value;

use super::super::arguments::Publish;
use super::super::client::{Client, persist};
use super::super::output::Failed;
use super::super::signatures;
use super::files::LocalFile;
use super::text;

/// A signature file, and the name of the file it is of.
pub(super) struct Signature {
    name: String,
    minisig: String,
}

/// Reads them all; each must be of one of the files.
pub(super) fn read(publish: &Publish, files: &[LocalFile]) -> Result<Vec<Signature>, Failed> {
    let mut found = Vec::new();
    for path in &publish.signature {
        let (name, minisig) = signatures::read(path)?;
        if !files.iter().any(|file| file.name == name) {
            let shown = path.display();
            let line = format!("{shown} is a signature of {name}, which is not among the files");
            return Err(Failed::new(line));
        }
        found.push(Signature { name, minisig });
    }
    Ok(found)
}

/// Supplies those that the release does not have; whether there was one.
pub(super) async fn supply(
    client: &Client,
    release: &Value,
    signatures: &[Signature],
) -> Result<bool, Failed> {
    let mut any = false;
    for signature in signatures {
        let Signature { name, minisig } = signature;
        if signature.is_in(release) {
            continue;
        }
        let id = text(release, "id");
        let path = ["releases", id, "artifacts", name, "signature"];
        let put = persist(|| client.try_put_text(&path, minisig.clone())).await;
        put.map_err(|error| Failed::from(error).in_front(name))?;
        any = true;
    }
    Ok(any)
}

impl Signature {
    fn is_in(&self, release: &Value) -> bool {
        let files = release.get("artifacts").and_then(Value::as_array);
        let mut files = files.into_iter().flatten();
        files.any(|file| text(file, "name") == self.name && text(file, "signature") == self.minisig)
    }
}
