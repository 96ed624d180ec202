//! Sign-in and sign-out pages.

use actix_web::http::Method;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use kitward_portal::pages::{CheckMailPage, ConfirmSignInPage, SignInPage};
use kitward_portal::{Frame, NavItem};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::complete_sign_in::{
    CompleteSignIn, CompleteSignInError, Completed, Proof, complete_sign_in, look_at_link,
};
use super::model::{address_hint, new_secret};
use super::session::sign_out;
use super::start_sign_in::{StartSignIn, StartSignInError, start_sign_in};
use crate::app::App;
use crate::http::cookies::SecretCookie;
use crate::http::error::{ApiError, PageError};
use crate::http::extract::{AppData, Query};
use crate::http::form::Form;
use crate::http::pages::{frame, html, html_with, see_other};
use crate::http::return_to::local_path;
use crate::http::routes::resource;

/// Routes of this file.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            resource("/sign-in")
                .get(get_sign_in)
                .on(Method::POST, post_sign_in),
        )
        .service(resource("/sign-in/code").on(Method::POST, post_code))
        .service(resource("/sign-in/link").on(Method::POST, post_link))
        .service(resource("/sign-in/link/{token}").get(get_link))
        .service(resource("/sign-out").on(Method::POST, post_sign_out));
}

#[derive(Debug, Deserialize)]
struct Asked {
    return_to: Option<String>,
}

#[derive(Debug, Deserialize)]
struct AddressForm {
    email: String,
    return_to: Option<String>,
}

#[derive(Debug, Deserialize)]
struct CodeForm {
    code: SecretString,
}

#[derive(Debug, Deserialize)]
struct LinkForm {
    token: SecretString,
}

const INCOMPLETE: &str = "That is not a complete mail address. Check the part after the @.";
const NO_PENDING: &str = "The code has been used already, its ten minutes are over, or it was tried \
                          too often. Ask for a new mail.";
const WRONG_CODE: &str = "That is not the code from the mail. Check it, or ask for a new mail.";
const DEAD_LINK: &str = "It was used already, or its ten minutes are over.";
const OTHER_BROWSER: &str = "It was asked for in another browser. Open it there, or type the code \
                             from the mail there.";

impl From<StartSignInError> for ApiError {
    fn from(error: StartSignInError) -> Self {
        match error {
            StartSignInError::Address => Self::field("email", INCOMPLETE),
            StartSignInError::Seal(error) => Self::internal(error),
            StartSignInError::Db(error) => error.into(),
        }
    }
}

/// Forms are answered under the address of the form.
fn sign_in_frame(app: &App, request: &HttpRequest) -> Frame {
    Frame {
        path: "/sign-in".to_owned(),
        ..frame(app, request, NavItem::None)
    }
}

fn sign_in_page(app: &App, request: &HttpRequest) -> SignInPage {
    SignInPage {
        frame: sign_in_frame(app, request),
        email: String::new(),
        error: None,
        return_to: None,
    }
}

async fn get_sign_in(
    app: AppData,
    request: HttpRequest,
    asked: Query<Asked>,
) -> Result<HttpResponse, PageError> {
    let return_to = asked
        .0
        .return_to
        .and_then(|path| local_path(app.public_url(), &path));
    let page = SignInPage {
        return_to,
        ..sign_in_page(&app, &request)
    };
    Ok(html(page.render()))
}

async fn post_sign_in(
    app: AppData,
    request: HttpRequest,
    form: Form<AddressForm>,
) -> Result<HttpResponse, PageError> {
    let AddressForm { email, return_to } = form.0;
    let return_to = return_to.and_then(|path| local_path(app.public_url(), &path));
    let known = SecretCookie::Browser.read(&app, &request);
    let browser = known.unwrap_or_else(|| new_secret(app.entropy.as_ref()));
    let cookie = SecretCookie::Browser.set(&app, &browser);
    let input = StartSignIn {
        address: email.clone(),
        browser,
        return_to: return_to.clone(),
    };
    match start_sign_in(&app, input).await {
        Ok(()) => {}
        Err(StartSignInError::Address) => {
            let error = Some(INCOMPLETE.to_owned());
            let page = SignInPage {
                email,
                error,
                return_to,
                ..sign_in_page(&app, &request)
            };
            return Ok(html_with(StatusCode::UNPROCESSABLE_ENTITY, page.render()));
        }
        Err(error) => return Err(ApiError::from(error).into()),
    }
    let page = CheckMailPage {
        frame: sign_in_frame(&app, &request),
        email,
        error: None,
    };
    let mut response = html(page.render());
    response.add_cookie(&cookie).map_err(ApiError::internal)?;
    Ok(response)
}

async fn post_code(
    app: AppData,
    request: HttpRequest,
    form: Form<CodeForm>,
) -> Result<HttpResponse, PageError> {
    let proof = Proof::Code(form.0.code);
    let error = match complete_sign_in(&app, input(&app, &request, proof)).await {
        Ok(completed) => return signed_in(&app, &completed),
        Err(error) => error,
    };
    let body = match error {
        CompleteSignInError::Db(error) => return Err(error.into()),
        CompleteSignInError::WrongCode { address } => CheckMailPage {
            frame: sign_in_frame(&app, &request),
            email: address,
            error: Some(WRONG_CODE.to_owned()),
        }
        .render(),
        CompleteSignInError::NotPending | CompleteSignInError::OtherBrowser => {
            let error = Some(NO_PENDING.to_owned());
            SignInPage {
                error,
                ..sign_in_page(&app, &request)
            }
            .render()
        }
    };
    Ok(html_with(StatusCode::UNPROCESSABLE_ENTITY, body))
}

/// Changes nothing: mail scanners open links. The button on the page does.
async fn get_link(
    app: AppData,
    request: HttpRequest,
    token: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    let token = SecretString::from(token.into_inner());
    let browser = SecretCookie::Browser.read(&app, &request);
    match look_at_link(&app, &token, browser.as_ref()).await {
        Ok(address) => {
            let page = ConfirmSignInPage {
                token: token.expose_secret().to_owned(),
                email_hint: address_hint(&address),
                ..confirm_page(&app, &request)
            };
            Ok(html(page.render()))
        }
        // Another browser is no mistake of whoever opens the link: scanners, a phone.
        Err(CompleteSignInError::OtherBrowser) => {
            let error = Some(OTHER_BROWSER.to_owned());
            let page = ConfirmSignInPage {
                error,
                ..confirm_page(&app, &request)
            };
            Ok(html(page.render()))
        }
        Err(error) => refused_link(&app, &request, error),
    }
}

async fn post_link(
    app: AppData,
    request: HttpRequest,
    form: Form<LinkForm>,
) -> Result<HttpResponse, PageError> {
    let proof = Proof::Link(form.0.token);
    match complete_sign_in(&app, input(&app, &request, proof)).await {
        Ok(completed) => signed_in(&app, &completed),
        Err(error) => refused_link(&app, &request, error),
    }
}

async fn post_sign_out(app: AppData, request: HttpRequest) -> Result<HttpResponse, PageError> {
    if let Some(session) = SecretCookie::Session.read(&app, &request) {
        sign_out(&app, &session).await?;
    }
    let mut response = see_other("/sign-in");
    let gone = SecretCookie::Session.remove(&app);
    response.add_cookie(&gone).map_err(ApiError::internal)?;
    Ok(response)
}

fn confirm_page(app: &App, request: &HttpRequest) -> ConfirmSignInPage {
    ConfirmSignInPage {
        frame: sign_in_frame(app, request),
        token: String::new(),
        email_hint: String::new(),
        error: None,
    }
}

fn refused_link(
    app: &App,
    request: &HttpRequest,
    error: CompleteSignInError,
) -> Result<HttpResponse, PageError> {
    let (status, text) = match error {
        CompleteSignInError::Db(error) => return Err(error.into()),
        CompleteSignInError::OtherBrowser => (StatusCode::FORBIDDEN, OTHER_BROWSER),
        CompleteSignInError::NotPending | CompleteSignInError::WrongCode { .. } => {
            (StatusCode::GONE, DEAD_LINK)
        }
    };
    let error = Some(text.to_owned());
    let page = ConfirmSignInPage {
        error,
        ..confirm_page(app, request)
    };
    Ok(html_with(status, page.render()))
}

fn input(app: &App, request: &HttpRequest, proof: Proof) -> CompleteSignIn {
    CompleteSignIn {
        proof,
        browser: SecretCookie::Browser.read(app, request),
        replaces: SecretCookie::Session.read(app, request),
    }
}

fn signed_in(app: &App, completed: &Completed) -> Result<HttpResponse, PageError> {
    let remembered = completed.return_to.as_deref();
    let to = remembered.and_then(|path| local_path(app.public_url(), path));
    let mut response = see_other(to.as_deref().unwrap_or("/"));
    let cookie = SecretCookie::Session.set(app, &completed.session);
    response.add_cookie(&cookie).map_err(ApiError::internal)?;
    Ok(response)
}
