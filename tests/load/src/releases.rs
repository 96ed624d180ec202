//! Releases of the kit, as a kit has them after two years.

use kitward::app::App;
use kitward::audit::Actor;
use kitward::idempotency::{Claim, Once};
use kitward::releases::change::Change;
use kitward::releases::create_release::{CreateRelease, create_release};
use kitward::releases::model::Severity;
use kitward::releases::publish_release::publish_release;
use kitward::releases::store::Figures;
use kitward::releases::upload_artifact::{NewArtifact, begin, finish};

use crate::Outcome;
use crate::seed::KIT;

/// How many.
const RELEASES: usize = 24;
/// What changed, about as long as such notes are.
const NOTES: &str = "### Fixed\n\n- A request that ended while its answer was written left a row behind.\n\
    - Times were shown in the server's zone.\n\n### Added\n\n- A setting for the size of a page, documented \
    beside the others.\n- An example for servers behind a proxy.\n";

/// Publishes `1.0.0` to `1.23.0`, two files each.
pub(crate) async fn publish(app: &App) -> Outcome<()> {
    for minor in 0..RELEASES {
        let version = format!("1.{minor}.0");
        let draft = CreateRelease {
            kit: KIT.to_owned(),
            version: version.clone(),
            channel: None,
            severity: Severity::Normal,
            notes: NOTES.to_owned(),
            entitled_at: None,
            minimum_version: None,
            required_entitlements: Vec::new(),
            figures: Figures::default(),
            actor: Actor::Operator,
        };
        let created = create_release(app, draft, Claim::default()).await?;
        let Once::New(release) = created else {
            return Err("a release was there already".into());
        };
        for kind in ["source", "docs"] {
            let file = NewArtifact {
                release: release.clone(),
                name: format!("{KIT}-{version}-{kind}.txt"),
                kind: kind.to_owned(),
                platform: None,
                arch: None,
                actor: Actor::Operator,
            };
            let mut upload = begin(app, &file).await?;
            upload.write(file.name.as_bytes()).await?;
            finish(app, file, upload, None).await?;
        }
        let of = Change {
            release,
            expected_revision: None,
            actor: Actor::Operator,
            now: app.clock.now(),
        };
        publish_release(app, of, Some(false)).await?;
    }
    Ok(())
}
