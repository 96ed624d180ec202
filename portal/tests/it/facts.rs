//! What each page says and which forms it offers.

use kitward_portal::Status;
use kitward_portal::pages::{
    CheckMailPage, ConfirmSignInPage, DownloadsPage, ErrorPage, LicensePage, LicensesPage,
    SignInPage, TokenMadePage, TokensPage,
};

use crate::markup::{forms, tags, text};

#[test]
fn navigation_and_sign_out_are_shown_to_whoever_is_signed_in_only() {
    let inside = LicensesPage::sample().render();
    let all = tags(&inside);
    assert!(forms(&all).contains(&("post", "/sign-out")));
    let current: Vec<_> = all
        .iter()
        .filter(|tag| tag.get("aria-current").is_some())
        .collect();
    assert_eq!(current.len(), 1);
    assert_eq!(current.first().and_then(|tag| tag.get("href")), Some("/"));
    let outside = SignInPage::sample().render();
    assert!(!outside.contains("/sign-out") && !outside.contains("\"/downloads\">Downloads"));
}

#[test]
fn the_sign_in_pages_ask_for_one_thing_each() {
    let html = SignInPage::sample().render();
    let all = tags(&html);
    let email = all
        .iter()
        .find(|tag| tag.get("name") == Some("email"))
        .expect("a field");
    assert_eq!(
        (email.get("type"), email.get("autocomplete")),
        (Some("email"), Some("email"))
    );
    assert!(forms(&all).contains(&("post", "/sign-in")));
    assert!(html.contains(r#"name="return_to" value="/downloads""#));

    let html = CheckMailPage::sample().render();
    let all = tags(&html);
    let code = all
        .iter()
        .find(|tag| tag.get("name") == Some("code"))
        .expect("a field");
    assert_eq!(
        (code.get("autocomplete"), code.get("inputmode")),
        (Some("one-time-code"), Some("text"))
    );
    assert!(code.get("onpaste").is_none() && code.get("pattern").is_none());
    assert!(forms(&all).contains(&("post", "/sign-in/code")));
    assert!(
        all.iter()
            .any(|tag| tag.name == "a" && tag.get("href") == Some("/sign-in"))
    );
}

#[test]
fn an_error_is_tied_to_its_field() {
    for html in [
        SignInPage::sample_error().render(),
        CheckMailPage::sample_error().render(),
    ] {
        let all = tags(&html);
        let field = all
            .iter()
            .find(|tag| tag.get("aria-invalid") == Some("true"))
            .expect("marked");
        assert!(
            field
                .get("aria-describedby")
                .is_some_and(|ids| ids.starts_with("problem "))
        );
        assert!(
            all.iter()
                .any(|tag| tag.get("id") == Some("problem") && tag.get("role") == Some("alert"))
        );
    }
}

#[test]
fn the_mailed_link_shows_a_button_and_changes_nothing_by_itself() {
    let html = ConfirmSignInPage::sample().render();
    assert!(forms(&tags(&html)).contains(&("post", "/sign-in/link")));
    assert!(html.contains(r#"<input type="hidden" name="token" value="sample-token">"#));
    let failed = ConfirmSignInPage::sample_error().render();
    assert!(!failed.contains("/sign-in/link") && !failed.contains("sample-token"));
    assert!(failed.contains(r#"href="/sign-in""#));
}

#[test]
fn a_card_shows_status_version_updates_seats_and_one_action() {
    let html = LicensesPage::sample().render();
    let words = text(&html);
    for fact in [
        "Active",
        "4.2.1",
        "until 1 May 2027",
        "3 of 5 devices in use",
        "Download 4.2.1",
        "9QKX2M",
        "Updates ended",
        "For good",
    ] {
        assert!(words.contains(fact), "{fact}: {words}");
    }
    assert_eq!(
        tags(&html)
            .iter()
            .filter(|tag| tag.get("class") == Some("button main"))
            .count(),
        3
    );
    assert!(html.contains(r#"href="/licenses/lic_01jd2m0000e8brmz3v6h5t9k2a""#));
    assert!(text(&LicensesPage::sample_empty().render()).contains("No licenses yet"));
}

#[test]
fn every_status_is_an_icon_a_word_and_a_color() {
    for status in Status::ALL {
        let html = LicensePage {
            status,
            ..LicensePage::sample()
        }
        .render();
        let all = tags(&html);
        let badge = all
            .iter()
            .position(|tag| {
                tag.get("class")
                    .is_some_and(|class| class.starts_with("badge "))
            })
            .expect("a badge");
        let icon = all
            .get(badge + 2)
            .and_then(|tag| tag.get("href"))
            .expect("an icon");
        assert!(
            html.contains(&format!(r#"id="{}""#, icon.trim_start_matches('#'))),
            "{icon}"
        );
        assert!(text(&html).contains(status.word()));
    }
}

#[test]
fn the_whole_key_is_on_the_answer_to_a_reveal_only() {
    let masked = LicensePage::sample().render();
    assert!(masked.contains("kwl_••••…9QKX2M"));
    assert!(
        forms(&tags(&masked))
            .contains(&("post", "/licenses/lic_01jd2m0000e8brmz3v6h5t9k2a/reveal"))
    );
    let revealed = LicensePage::sample_revealed();
    let key = revealed.revealed_key.clone().expect("revealed");
    assert!(!masked.contains(&key));
    let html = revealed.render();
    assert_eq!(html.matches(&key).count(), 1);
    assert!(html.contains("Copy the license key") && !html.contains("/reveal"));
}

#[test]
fn a_seat_is_freed_by_a_button_that_names_it() {
    let html = LicensePage::sample().render();
    assert!(html.contains(r#"action="/licenses/lic_01jd2m0000e8brmz3v6h5t9k2a/seats/act_1/free""#));
    let words = text(&html);
    assert!(
        words.contains("Free the seat of MacBook Pro")
            && words.contains("Free the seat of staging-eu-west-2"),
        "{words}"
    );
    assert!(words.contains("The seat of Old laptop is free. Undo"));
    assert!(
        text(&LicensePage::sample_empty().render())
            .contains("when the kit starts with this license key")
    );
}

#[test]
fn a_locked_release_says_why_and_offers_no_download() {
    let html = DownloadsPage::sample().render();
    assert!(html.contains(r#"action="/downloads/art_feature-flags_2.4.0""#));
    assert!(!html.contains("art_feature-flags_2.5.0"));
    assert!(!html.contains("feature-flags-2.5.0.zip"));
    let words = text(&html);
    assert!(
        words.contains(
            "Locked. It came out after your updates ended on 17 September 2026. Renew updates"
        ),
        "{words}"
    );
    assert!(words.contains("Version 4 3 releases") && words.contains("Version 3 1 release"));
    assert!(words.contains("| sha256sum --check") && words.contains("curl -fLO"));
    assert!(words.contains("Download feedback-widget-4.2.1.zip") && words.contains("1.5 MB"));
}

#[test]
fn an_error_page_says_what_happened_what_to_do_and_the_code() {
    let page = ErrorPage::sample();
    let words = text(&page.render());
    for fact in [
        &page.title,
        &page.what_happened,
        &page.what_to_do,
        &page.code,
        &page.request_id,
    ] {
        assert!(words.contains(fact.as_str()), "{fact}");
    }
    assert!(words.contains("Error 404"));
    assert!(
        ErrorPage::sample_signed_out()
            .render()
            .contains(r#"href="/sign-in""#)
    );
}

#[test]
fn a_token_is_made_by_a_named_button_and_shown_on_a_page_of_its_own() {
    let page = TokensPage::sample();
    let html = page.render();
    let all = tags(&html);
    assert!(forms(&all).contains(&("post", "/licenses/lic_01jd2m0000e8brmz3v6h5t9k2a/tokens")));
    assert!(forms(&all).contains(&(
        "post",
        "/licenses/lic_01jd2m0000e8brmz3v6h5t9k2a/tokens/ltk_1/revoke"
    )));
    let words = text(&html);
    for fact in [
        "Revoke Main pipeline",
        "Make a CI token",
        "Make a download token",
        "k3m9qa",
    ] {
        assert!(words.contains(fact), "{fact}: {words}");
    }
    let without = TokensPage {
        ci_use: false,
        ..page
    };
    assert!(!text(&without.render()).contains("Make a CI token"));
    let made = TokenMadePage::sample();
    assert_eq!(made.render().matches(&made.secret).count(), 1);
    assert!(text(&made.render()).contains("Copy the token"));
}
