//! The pages of the customer portal, one struct each.
//!
//! A page's fields are its values; `render` gives the whole HTML document. `sample` and its variants
//! hold neutral values for tests and previews, and [`gallery`] is all of them at once.

mod check_mail;
pub(crate) mod compare;
mod confirm_sign_in;
mod downloads;
mod error;
mod license;
mod licenses;
pub mod reference;
mod sign_in;
mod tokens;
mod unsubscribe;
mod updates;

pub use check_mail::CheckMailPage;
pub use compare::{ChangeKind, ChangedFile, ComparePage};
pub use confirm_sign_in::ConfirmSignInPage;
pub use downloads::{ArtifactRow, DownloadsPage, KitDownloads, Locked, PageLink, ReleaseRow};
pub use error::ErrorPage;
pub use license::{LicensePage, SeatRow};
pub use licenses::{LicenseCard, LicensesPage, PrimaryAction};
pub use reference::{ReferenceCodesPage, ReferenceGroupPage, ReferencePage};
pub use sign_in::SignInPage;
pub use tokens::{LicenseTextPage, TokenLine, TokenMadePage, TokenUse, TokensPage};
pub use unsubscribe::UnsubscribePage;
pub use updates::{MailChoice, NewsRow, UpdatesPage};

use crate::frame::Theme;

/// Every page with every sample, as `(name, html)`, in one theme.
pub fn gallery(theme: Theme) -> Vec<(&'static str, String)> {
    macro_rules! rendered {
        ($($name:literal => $page:expr,)*) => {
            vec![$({
                let mut page = $page;
                page.frame.theme = theme;
                ($name, page.render())
            }),*]
        };
    }
    rendered![
        "sign-in" => SignInPage::sample(),
        "sign-in-error" => SignInPage::sample_error(),
        "check-mail" => CheckMailPage::sample(),
        "check-mail-error" => CheckMailPage::sample_error(),
        "confirm-sign-in" => ConfirmSignInPage::sample(),
        "confirm-sign-in-error" => ConfirmSignInPage::sample_error(),
        "licenses" => LicensesPage::sample(),
        "licenses-empty" => LicensesPage::sample_empty(),
        "license" => LicensePage::sample(),
        "license-empty" => LicensePage::sample_empty(),
        "license-revealed" => LicensePage::sample_revealed(),
        "tokens" => TokensPage::sample(),
        "tokens-error" => TokensPage::sample_error(),
        "token-made" => TokenMadePage::sample(),
        "license-text" => LicenseTextPage::sample(),
        "downloads" => DownloadsPage::sample(),
        "compare" => ComparePage::sample(),
        "compare-empty" => ComparePage::sample_empty(),
        "downloads-empty" => DownloadsPage::sample_empty(),
        "updates" => UpdatesPage::sample(),
        "updates-silent" => UpdatesPage::sample_silent(),
        "updates-empty" => UpdatesPage::sample_empty(),
        "unsubscribe" => UnsubscribePage::sample(),
        "unsubscribe-done" => UnsubscribePage::sample_done(),
        "error" => ErrorPage::sample(),
        "error-signed-out" => ErrorPage::sample_signed_out(),
        "reference" => ReferencePage::sample(),
        "reference-group" => ReferenceGroupPage::sample(),
        "reference-codes" => ReferenceCodesPage::sample(),
    ]
}

/// The document, or, should a template ever fail, a plain sentence instead of a panic.
fn document(rendered: askama::Result<String>) -> String {
    rendered.unwrap_or_else(|_| {
        "<!doctype html><html lang=\"en\"><title>Error</title><p>This page could not be built. \
         Please try again."
            .to_owned()
    })
}
