//! The page of updates, and the switches for mails.

pub mod one_click;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use kitward_portal::pages::{MailChoice, NewsRow, UpdatesPage};
use kitward_portal::{Flash, FlashKind, NavItem, Notes, UndoAction};
use serde::Deserialize;

use super::choose::{choose, choose_all};
use super::model::{Choice, NoticeKind};
use super::store::{self, Off};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::DbError;
use crate::downloads::listing::{KitListing, ReleaseListing};
use crate::downloads::pages::open_to;
use crate::http::error::PageError;
use crate::http::extract::{AppData, Query};
use crate::http::pages::{frame, html, not_found, see_other};
use crate::http::routes::resource;
use crate::http::session::SignedIn;
use crate::kits::store::Kit;
use crate::people::model::PersonId;
use crate::people::session::Viewer;
use crate::releases::model::Severity;

/// Releases shown at most.
const SHOWN: usize = 20;

/// Routes of this file.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/updates").get(get_updates))
        .service(resource("/notices/{kind}/{choice}").on(Method::POST, post_all))
        .service(resource("/notices/{kit}/{kind}/{choice}").on(Method::POST, post_kit));
}

/// What was just done.
#[derive(Debug, Deserialize)]
struct Asked {
    done: Option<String>,
    kind: Option<String>,
    kit: Option<String>,
}

async fn get_updates(
    app: AppData,
    request: HttpRequest,
    person: SignedIn,
    asked: Query<Asked>,
) -> Result<HttpResponse, PageError> {
    let kits = open_to(&app, &person.0).await?;
    let who = person.0.person.clone();
    let off = choices(&app, who.clone()).await?;
    let page = UpdatesPage {
        frame: frame(&app, &request, NavItem::Updates),
        flash: flash(&asked.0, &kits),
        news: news(&kits),
        mails: kits
            .iter()
            .map(|it| choice_row(&it.kit, &who, &off))
            .collect(),
        new_versions: !off.is_silent(&who),
    };
    Ok(html(page.render()))
}

/// Mails about new versions of everything.
async fn post_all(
    app: AppData,
    person: SignedIn,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let (kind, choice) = path.into_inner();
    let (kind, choice) = words(&kind, &choice)?;
    if kind != NoticeKind::NewVersion {
        return Err(not_found());
    }
    choose_all(&app, person.0.person, choice).await?;
    Ok(see_other(&format!("/updates?done={choice}&kind={kind}")))
}

/// Mails of one kind about one kit that the person's licenses cover.
async fn post_kit(
    app: AppData,
    person: SignedIn,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, PageError> {
    let (slug, kind, choice) = path.into_inner();
    let (kind, choice) = words(&kind, &choice)?;
    let kit = covered(&app, &person.0, &slug).await?;
    choose(&app, person.0.person, kit.id, kind, choice).await?;
    let slug = kit.slug;
    let back = format!("/updates?done={choice}&kind={kind}&kit={slug}");
    Ok(see_other(&back))
}

fn words(kind: &str, choice: &str) -> Result<(NoticeKind, Choice), PageError> {
    let kind = NoticeKind::parse(kind).ok_or_else(not_found)?;
    let choice = Choice::parse(choice).ok_or_else(not_found)?;
    Ok((kind, choice))
}

async fn covered(app: &App, person: &Viewer, slug: &str) -> Result<Kit, PageError> {
    let kits = open_to(app, person).await?;
    let mut kits = kits.into_iter().map(|listing| listing.kit);
    kits.find(|kit| kit.slug == slug).ok_or_else(not_found)
}

async fn choices(app: &App, person: PersonId) -> Result<Off, DbError> {
    app.db
        .read(move |conn| store::choices_of(conn, std::slice::from_ref(&person)))
        .await
}

fn choice_row(kit: &Kit, person: &PersonId, off: &Off) -> MailChoice {
    let wanted = |kind| !off.is_off_for(person, &kit.id, kind);
    MailChoice {
        kit_name: kit.name.clone(),
        kit_slug: kit.slug.clone(),
        new_versions: wanted(NoticeKind::NewVersion),
        advisories: wanted(NoticeKind::Advisory),
    }
}

/// The newest releases of all kits.
fn news(kits: &[KitListing]) -> Vec<NewsRow> {
    let mut all: Vec<(Timestamp, &Kit, &ReleaseListing)> = Vec::new();
    for KitListing { kit, releases, .. } in kits {
        for listed in releases {
            let out = listed.release.published_at;
            all.push((out.unwrap_or(listed.release.created_at), kit, listed));
        }
    }
    all.sort_by(|a, b| (b.0, &b.2.release.id).cmp(&(a.0, &a.2.release.id)));
    let newest = all.into_iter().take(SHOWN);
    newest
        .map(|(out, kit, listed)| news_row(out, kit, listed))
        .collect()
}

fn news_row(out: Timestamp, kit: &Kit, listed: &ReleaseListing) -> NewsRow {
    let release = &listed.release;
    let urgency = match release.severity {
        Severity::Normal => None,
        Severity::Security => Some("Security".to_owned()),
        Severity::Critical => Some("Critical".to_owned()),
    };
    NewsRow {
        kit_name: kit.name.clone(),
        kit_slug: kit.slug.clone(),
        version: release.version.clone(),
        urgency,
        published_at: out.utc(),
        notes: Some(Notes::new(&release.notes, UpdatesPage::NOTES))
            .filter(|notes| !notes.is_empty()),
        locked: listed
            .refusal
            .as_ref()
            .map(|blocked| format!("Because {}.", blocked.refusal)),
    }
}

/// What was just done, and how to take it back.
fn flash(asked: &Asked, kits: &[KitListing]) -> Option<Flash> {
    let choice = Choice::parse(asked.done.as_deref()?)?;
    let kind = NoticeKind::parse(asked.kind.as_deref()?)?;
    let kit = match asked.kit.as_deref() {
        None => None,
        Some(slug) => Some(&kits.iter().find(|it| it.kit.slug == slug)?.kit),
    };
    let about = match kind {
        NoticeKind::NewVersion => "new versions",
        NoticeKind::Advisory => "security releases",
    };
    let of = kit.map_or_else(String::new, |kit| format!(" of {}", kit.name));
    let (now, back) = match choice {
        Choice::On => ("sent again", Choice::Off),
        Choice::Off => ("not sent any more", Choice::On),
    };
    let place = kit.map_or_else(String::new, |kit| format!("/{}", kit.slug));
    Some(Flash {
        kind: FlashKind::Done,
        text: format!("Mails about {about}{of} are {now}."),
        undo: Some(UndoAction {
            action: format!("/notices{place}/{kind}/{back}"),
            label: "Undo".to_owned(),
        }),
    })
}
