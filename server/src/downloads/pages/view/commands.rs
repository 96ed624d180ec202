//! Commands to copy: they fetch the files of a release and check them.

use kitward_keys::FileSignature;

use crate::app::App;
use crate::downloads::listing::{KitListing, ReleaseListing};
use crate::downloads::model::shell_word;
use crate::downloads::stamp::is_stamped;
use crate::downloads::view::artifact_url;
use crate::releases::sign::file_keys;

/// Fetches the files; `None` where there are none.
pub(super) fn fetch(app: &App, listing: &KitListing, own: &ReleaseListing) -> Option<String> {
    let files = own.artifacts.iter();
    let commands = files.map(|file| curl(app, listing, own, &file.name));
    joined(&commands.collect::<Vec<_>>())
}

/// Fetches the signatures and checks the files against them, each by the key that signed it; `None`
/// where none is signed by a key that is trusted.
pub(super) fn check(app: &App, listing: &KitListing, own: &ReleaseListing) -> Option<String> {
    let keys = file_keys(app);
    let commands = own.artifacts.iter().filter_map(|file| {
        let signature = FileSignature::parse(file.signature.as_deref()?).ok()?;
        let key = keys.iter().find(|key| key.id() == signature.key_id())?;
        let fetch = curl(app, listing, own, &format!("{}.minisig", file.name));
        let name = shell_word(&file.name);
        // The signature is that of the file without the stamp.
        let check = if is_stamped(&listing.kit, file) {
            format!("kitward artifact verify {name} --url {}", app.origin())
        } else {
            format!("minisign -Vm {name} -P {key}")
        };
        Some(format!("{fetch}\n{check}"))
    });
    joined(&commands.collect::<Vec<_>>())
}

fn joined(commands: &[String]) -> Option<String> {
    (!commands.is_empty()).then(|| commands.join("\n"))
}

/// The key comes from a variable, so that it stands in no page and no history of commands.
fn curl(app: &App, listing: &KitListing, own: &ReleaseListing, name: &str) -> String {
    let url = artifact_url(app, &listing.kit.slug, &own.release.version, name);
    let name = shell_word(name);
    // Addresses of files are percent-encoded, so they hold no quote.
    format!(
        "curl --fail --location --output {name} --header \"Authorization: License $LICENSE_KEY\" '{url}'"
    )
}
