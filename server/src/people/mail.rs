//! The sign-in mail.

use std::sync::Arc;

use kitward_portal::mail::SignInMail;

use super::model::{SIGN_IN_MINUTES, SignInId};
use super::start_sign_in::link_url;
use super::store;
use crate::app::App;
use crate::mail::Letter;
use crate::outbox::{Failure, OutboxId};

/// Sends link and code of a pending sign-in. One that is used or over is not worth a mail.
pub async fn send(
    app: &Arc<App>,
    row: &OutboxId,
    sign_in: &SignInId,
    link: &str,
    code: &str,
) -> Result<(), Failure> {
    let id = sign_in.clone();
    let found = app
        .db
        .read(move |conn| store::find_sign_in(conn, &id))
        .await;
    let found = found.map_err(|error| Failure::retry(&error))?;
    let Some(pending) = found.filter(|found| found.is_pending(app.clock.now())) else {
        return Ok(());
    };
    let Some(mailer) = &app.mailer else {
        return Err(Failure::Retry("no mail server is configured".to_owned()));
    };
    let mail = SignInMail {
        vendor_name: app.config.vendor.name.clone(),
        link: link_url(app, link),
        code: code.to_owned(),
        minutes: SIGN_IN_MINUTES,
    };
    let rendered = mail.render();
    let letter = Letter {
        // The normalized address, never what was typed: look-alikes normalize alike.
        to: pending.address,
        subject: rendered.subject,
        text: rendered.text,
        html: rendered.html,
        unsubscribe: None,
    };
    mailer.send(row, letter).await
}
