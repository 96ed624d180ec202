//! What a mail says.

use kitward_portal::mail::{
    AdvisoryMail, KitNews, NewVersionsMail, Rendered, Urgency, VersionNews, WayOut,
};

use super::hearing::Stand;
use super::model::{Hearer, NoticeKind};
use super::unsubscribe::address;
use crate::app::App;
use crate::kits::store::Kit;
use crate::licenses::model::VerdictCode;
use crate::mail::Letter;
use crate::releases::model::{Refusal, Severity};
use crate::releases::store::Release;

/// What one mail tells whom.
#[derive(Debug, Clone)]
pub struct Contents {
    /// Who gets it.
    pub hearer: Hearer,
    /// Where.
    pub address: String,
    /// Releases; at least one.
    pub told: Vec<Told>,
}

/// One release, and how it stands for the person.
#[derive(Debug, Clone)]
pub struct Told {
    /// What is told.
    pub kind: NoticeKind,
    /// The release.
    pub release: Release,
    /// Its kit.
    pub kit: Kit,
    /// Open, or locked.
    pub stand: Stand,
}

/// The mail; `None` where nothing is left to tell.
pub fn letter(app: &App, contents: &Contents) -> Option<Letter> {
    let (rendered, unsubscribe) = render(app, contents)?;
    Some(Letter {
        to: contents.address.clone(),
        subject: rendered.subject,
        text: rendered.text,
        html: rendered.html,
        unsubscribe: Some(unsubscribe),
    })
}

/// The mail's parts, and where one click switches such mails off.
pub fn render(app: &App, contents: &Contents) -> Option<(Rendered, String)> {
    let first = contents.told.first()?;
    Some(match first.kind {
        NoticeKind::NewVersion => {
            let kits = kits(contents);
            let only = match kits.as_slice() {
                [(kit, _)] => Some(&kit.id),
                _ => None,
            };
            let off = address(app, &contents.hearer, only, NoticeKind::NewVersion);
            (new_versions(app, contents, &kits, off.clone()), off)
        }
        NoticeKind::Advisory => {
            let kit = Some(&first.kit.id);
            let off = address(app, &contents.hearer, kit, NoticeKind::Advisory);
            (advisory(app, contents, first, off.clone())?, off)
        }
    })
}

/// By kit, the newest version first.
fn kits(contents: &Contents) -> Vec<(&Kit, Vec<&Told>)> {
    let mut kits: Vec<(&Kit, Vec<&Told>)> = Vec::new();
    for told in &contents.told {
        match kits.iter_mut().find(|(kit, _)| kit.id == told.kit.id) {
            Some((_, of_kit)) => of_kit.push(told),
            None => kits.push((&told.kit, vec![told])),
        }
    }
    for (_, of_kit) in &mut kits {
        highest_first(of_kit);
    }
    kits.sort_by(|(a, _), (b, _)| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    kits
}

fn highest_first(told: &mut [&Told]) {
    told.sort_by(|a, b| match (b.release.semver(), a.release.semver()) {
        (Ok(b), Ok(a)) => b.cmp_precedence(&a),
        (Ok(_), Err(_)) | (Err(_), Ok(_) | Err(_)) => b.release.id.cmp(&a.release.id),
    });
}

fn news(told: &Told) -> VersionNews {
    VersionNews {
        version: told.release.version.clone(),
        notes: told.release.notes.clone(),
    }
}

fn new_versions(
    app: &App,
    contents: &Contents,
    kits: &[(&Kit, Vec<&Told>)],
    unsubscribe: String,
) -> Rendered {
    let one = |(kit, told): &(&Kit, Vec<&Told>)| KitNews {
        kit_name: kit.name.clone(),
        versions: told.iter().map(|told| news(told)).collect(),
        unsubscribe_url: address(app, &contents.hearer, Some(&kit.id), NoticeKind::NewVersion),
    };
    NewVersionsMail {
        vendor_name: app.config.vendor.name.clone(),
        kits: kits.iter().map(one).collect(),
        updates_url: app.link("/updates"),
        unsubscribe_url: unsubscribe,
        support_email: app.config.vendor.support_email.clone(),
    }
    .render()
}

fn advisory(app: &App, contents: &Contents, first: &Told, unsubscribe: String) -> Option<Rendered> {
    let mut told: Vec<&Told> = contents.told.iter().collect();
    highest_first(&mut told);
    let is_critical = |told: &&Told| told.release.severity == Severity::Critical;
    let urgency = if told.iter().any(is_critical) {
        Urgency::Critical
    } else {
        Urgency::Security
    };
    let mail = AdvisoryMail {
        vendor_name: app.config.vendor.name.clone(),
        kit_name: first.kit.name.clone(),
        urgency,
        versions: told.iter().map(|told| news(told)).collect(),
        way_out: way_out(app, &told)?,
        unsubscribe_url: unsubscribe,
        updates_url: app.link("/updates"),
        support_email: app.config.vendor.support_email.clone(),
    };
    Some(mail.render())
}

/// What to do: take the highest one that is open, else what stands in the way of the highest.
fn way_out(app: &App, told: &[&Told]) -> Option<WayOut> {
    let mut open = told.iter().filter(|told| told.stand == Stand::Open);
    let told = open.next().or_else(|| told.first())?;
    let version = told.release.version.clone();
    Some(match &told.stand {
        Stand::Open => WayOut::Update {
            version,
            url: app.link(&format!("/downloads#kit-{}", told.kit.slug)),
        },
        Stand::Locked { refusal, renewal } => WayOut::Renew {
            version,
            reason: reason(refusal),
            url: renewal.url(app),
        },
    })
}

fn reason(refusal: &Refusal) -> String {
    let fixed = match refusal {
        Refusal::EntitlementMissing(feature) => {
            return format!("your license does not include \"{feature}\"");
        }
        Refusal::VersionNotCovered => "it came out after the updates of your license ended",
        Refusal::License(VerdictCode::Expired) => "your license has expired",
        Refusal::License(_) | Refusal::NotPublished | Refusal::Withdrawn => {
            "your license does not include it"
        }
    };
    fixed.to_owned()
}
