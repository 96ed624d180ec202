//! The customer's page of tokens, and of the license text.

use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use kitward_portal::pages::{LicenseTextPage, TokenLine, TokenMadePage, TokenUse, TokensPage};
use kitward_portal::{Flash, FlashKind, NavItem};
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::create::{CreateLicenseToken, CreateLicenseTokenError, create_license_token};
use super::model::{DerivedKind, LicenseTokenId};
use super::revoke::{RevokeLicenseToken, revoke_license_token};
use super::store::{self, TokenRow};
use crate::app::App;
use crate::customers::model::{Action, Role, may};
use crate::http::error::{ApiError, Code, PageError};
use crate::http::extract::{AppData, Query};
use crate::http::form::Form;
use crate::http::pages::{frame, html, html_with, not_found, see_other};
use crate::http::routes::resource;
use crate::http::session::SignedIn;
use crate::idempotency::Claim;
use crate::licenses::overview::Detail;
use crate::licenses::pages::{kit_names, own_license};
use crate::people::model::PersonId;
use crate::people::session::Viewer;

/// Tokens shown at most: more than of one license work at a time.
const SHOWN: i64 = 1_000;
/// The word of an address that tells what was just done.
const REVOKED: &str = "token-revoked";

/// Routes of this file.
pub fn routes(config: &mut web::ServiceConfig) {
    let list = resource("/licenses/{license}/tokens").get(get_tokens);
    let revoke = resource("/licenses/{license}/tokens/{token}/revoke");
    config
        .service(list.on(Method::POST, post_token))
        .service(revoke.on(Method::POST, post_revoke))
        .service(resource("/licenses/{license}/text").get(get_text));
}

#[derive(Debug, Deserialize)]
struct Asked {
    done: Option<String>,
}

#[derive(Debug, Deserialize)]
struct NewToken {
    name: String,
    kind: DerivedKind,
}

async fn get_tokens(
    app: AppData,
    request: HttpRequest,
    person: SignedIn,
    license: web::Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse, PageError> {
    let detail = own_license(&app, &person.0, &license).await?;
    let mut page = page(&app, &request, &person.0, &detail).await?;
    page.flash = (asked.0.done.as_deref() == Some(REVOKED)).then(|| Flash {
        kind: FlashKind::Done,
        text: "The token is revoked. Whatever used it is refused from now on.".to_owned(),
        undo: None,
    });
    Ok(html(page.render()))
}

/// The answer holds the token: no cache keeps it, and no address leads to it.
async fn post_token(
    app: AppData,
    request: HttpRequest,
    person: SignedIn,
    license: web::Path<String>,
    form: Form<NewToken>,
) -> Result<HttpResponse, PageError> {
    let detail = own_license(&app, &person.0, &license).await?;
    allowed(&person.0, &detail)?;
    let Form(NewToken { name, kind }) = form;
    if kind == DerivedKind::Publishable {
        return Err(not_found());
    }
    let input = CreateLicenseToken {
        license: detail.overview.holding.license.id.clone(),
        kind,
        name: name.clone(),
        origins: Vec::new(),
        expires_at: None,
        owner: Some(detail.overview.holding.license.customer_id.clone()),
        person: Some(person.0.person.clone()),
        actor: person.0.actor(),
    };
    let made = match create_license_token(&app, input, Claim::default()).await {
        Ok(made) => made,
        Err(error) => {
            let mut shown = page(&app, &request, &person.0, &detail).await?;
            shown.error = Some(sentence(error)?);
            shown.name = name;
            return Ok(html_with(StatusCode::UNPROCESSABLE_ENTITY, shown.render()));
        }
    };
    let shown = TokenMadePage {
        frame: frame(&app, &request, NavItem::Licenses),
        license: license.into_inner(),
        usage: usage(kind),
        name: name.trim().to_owned(),
        secret: made.secret.expose_secret().to_owned(),
    };
    let mut response = html(shown.render());
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn post_revoke(
    app: AppData,
    person: SignedIn,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let (license, token) = path.into_inner();
    let detail = own_license(&app, &person.0, &license).await?;
    allowed(&person.0, &detail)?;
    let input = RevokeLicenseToken {
        license: detail.overview.holding.license.id.clone(),
        token: LicenseTokenId::parse(&token).ok_or_else(not_found)?,
        own: only_own(&person.0, &detail),
        actor: person.0.actor(),
    };
    let revoked = revoke_license_token(&app, input).await?;
    revoked.ok_or_else(not_found)?;
    Ok(see_other(&format!(
        "/licenses/{license}/tokens?done={REVOKED}"
    )))
}

async fn get_text(
    app: AppData,
    request: HttpRequest,
    person: SignedIn,
    license: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    let detail = own_license(&app, &person.0, &license).await?;
    let text = detail.text.ok_or_else(not_found)?;
    let page = LicenseTextPage {
        frame: frame(&app, &request, NavItem::Licenses),
        license: license.into_inner(),
        name: text.version.name,
        number: text.version.number,
        body: text.body,
    };
    Ok(html(page.render()))
}

async fn page(
    app: &App,
    request: &HttpRequest,
    person: &Viewer,
    detail: &Detail,
) -> Result<TokensPage, PageError> {
    let holding = &detail.overview.holding;
    let license = holding.license.id.clone();
    let mut frame = frame(app, request, NavItem::Licenses);
    frame.path = format!("/licenses/{license}/tokens");
    let (id, now) = (license.clone(), app.clock.now());
    let rows = app
        .db
        .read_slow(move |conn| store::live_of_license(conn, &id, now, SHOWN))
        .await?;
    let own = only_own(person, detail);
    let shown = |row: &TokenRow| own.is_none() || row.person_id == own;
    Ok(TokensPage {
        frame,
        license: license.to_string(),
        kit_names: kit_names(&detail.overview),
        tokens: rows.iter().filter(|row| shown(row)).map(line).collect(),
        ci_use: holding.terms.ci_use,
        name: String::new(),
        error: None,
        flash: None,
    })
}

fn line(row: &TokenRow) -> TokenLine {
    TokenLine {
        id: row.id.to_string(),
        usage: usage(row.kind),
        name: row.name.clone(),
        hint: row.hint.clone(),
        created_at: row.created_at.utc(),
        expires_at: row.expires_at.map(crate::clock::Timestamp::utc),
    }
}

fn usage(kind: DerivedKind) -> TokenUse {
    match kind {
        DerivedKind::Ci => TokenUse::Ci,
        DerivedKind::Download => TokenUse::Download,
        DerivedKind::Publishable => TokenUse::Publishable,
    }
}

fn role(person: &Viewer, detail: &Detail) -> Option<Role> {
    person.role_in(&detail.overview.holding.license.customer_id)
}

fn allowed(person: &Viewer, detail: &Detail) -> Result<(), PageError> {
    if role(person, detail).is_some_and(|role| may(role, Action::MakeToken)) {
        return Ok(());
    }
    let detail = "Your role does not include this.";
    Err(ApiError::new(Code::Forbidden, detail).into())
}

/// Owners see and revoke every token of the license, others their own.
fn only_own(person: &Viewer, detail: &Detail) -> Option<PersonId> {
    let is_owner = role(person, detail) == Some(Role::Owner);
    (!is_owner).then(|| person.person.clone())
}

/// What somebody can mend, as a sentence under the form; the rest is a failure.
fn sentence(error: CreateLicenseTokenError) -> Result<String, PageError> {
    match error {
        CreateLicenseTokenError::Field(_) => {
            Ok("A name has 1 to 100 visible characters.".to_owned())
        }
        CreateLicenseTokenError::Refused(code) => Ok(code.detail().to_owned()),
        error @ (CreateLicenseTokenError::NoCiUse | CreateLicenseTokenError::TooMany) => {
            Ok(ApiError::from(error).detail().to_owned())
        }
        CreateLicenseTokenError::NotFound => Err(not_found()),
        error @ (CreateLicenseTokenError::Db(_) | CreateLicenseTokenError::Seal(_)) => {
            Err(ApiError::from(error).into())
        }
    }
}
