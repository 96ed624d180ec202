//! The structure every page must have, with and without content.

use std::collections::HashSet;

use kitward_portal::pages::{ErrorPage, LicensePage, gallery};
use kitward_portal::{Frame, Theme, find_asset};

use crate::markup::{Tag, forms, tags, text};

fn each_page(check: impl Fn(&str, &str, &[Tag<'_>])) {
    for theme in Theme::ALL {
        for (name, html) in gallery(theme) {
            check(name, &html, &tags(&html));
        }
    }
}

fn count(all: &[Tag<'_>], name: &str) -> usize {
    all.iter().filter(|tag| tag.name == name).count()
}

#[test]
fn every_page_is_one_document_with_one_heading_a_skip_link_and_help() {
    each_page(|name, html, all| {
        assert!(html.trim_start().starts_with("<!doctype html>"), "{name}");
        assert!(html.trim_end().ends_with("</html>"), "{name}");
        for once in ["html", "title", "h1", "main", "footer", "header"] {
            assert_eq!(count(all, once), 1, "{once} of {name}");
        }
        assert_eq!(
            all.iter()
                .find(|tag| tag.name == "a")
                .and_then(|a| a.get("href")),
            Some("#main"),
            "{name}"
        );
        assert!(
            all.iter()
                .any(|tag| tag.get("href") == Some("mailto:support@example.com")),
            "{name}"
        );
        assert!(
            all.iter()
                .any(|tag| tag.get("role") == Some("status") && tag.get("id") == Some("announce"))
        );
        let html_tag = all
            .first()
            .filter(|tag| tag.name == "html")
            .expect("html first");
        assert_eq!(html_tag.get("lang"), Some("en"));
    });
}

#[test]
fn every_address_of_a_page_is_its_own_or_was_given() {
    each_page(|name, _, all| {
        for tag in all {
            for address in [tag.get("src"), tag.get("href"), tag.get("action")]
                .into_iter()
                .flatten()
            {
                let own = address.starts_with('#')
                    || (address.starts_with('/') && !address.starts_with("//"));
                let given = tag.name == "a"
                    && (address.starts_with("https://example.com/")
                        || address.starts_with("mailto:"));
                assert!(own || given, "{address} of {name}");
                if address.starts_with("/static/") {
                    assert!(find_asset(address).is_some(), "{address} of {name}");
                }
            }
        }
        assert_eq!(count(all, "script"), 1, "{name}");
        assert_eq!(count(all, "style"), 0, "{name}");
        assert_eq!(count(all, "img"), 0, "{name}");
    });
}

#[test]
fn ids_are_unique_and_references_lead_somewhere() {
    each_page(|name, _, all| {
        let mut ids = HashSet::new();
        for id in all.iter().filter_map(|tag| tag.get("id")) {
            assert!(ids.insert(id), "{id} twice in {name}");
        }
        for tag in all {
            let references = [
                tag.get("aria-labelledby"),
                tag.get("aria-describedby"),
                tag.get("for"),
                tag.get("data-copy"),
            ];
            for id in references
                .into_iter()
                .flatten()
                .flat_map(str::split_whitespace)
            {
                assert!(ids.contains(id), "{id} is missing in {name}");
            }
            if let Some(id) = tag.get("href").and_then(|href| href.strip_prefix('#')) {
                assert!(ids.contains(id), "#{id} is missing in {name}");
            }
        }
    });
}

#[test]
fn what_changes_something_is_a_form_that_posts() {
    each_page(|name, _, all| {
        for (method, action) in forms(all) {
            assert_eq!(method, "post", "{action} of {name}");
        }
        assert!(forms(all).contains(&("post", "/theme")), "{name}");
    });
}

#[test]
fn dates_are_relative_and_absolute_in_time_elements() {
    let html = LicensePage::sample().render();
    assert!(html.contains(r#"<time datetime="2027-05-01T12:00:00Z" title="1 May 2027, 12:00 UTC">1 May 2027</time>"#), "{html}");
    assert!(
        text(&html).contains("until 1 May 2027 in 5 months"),
        "{}",
        text(&html)
    );
    each_page(|name, _, all| {
        for time in all.iter().filter(|tag| tag.name == "time") {
            let at = time.get("datetime").expect("a datetime");
            assert!(at.len() == 20 && at.ends_with('Z'), "{at} of {name}");
        }
    });
}

#[test]
fn the_theme_is_on_the_document_before_any_script() {
    for theme in Theme::ALL {
        for (name, html) in gallery(theme) {
            let all = tags(&html);
            assert_eq!(
                all.first().and_then(|tag| tag.get("data-theme")),
                Some(theme.value()),
                "{name}"
            );
            let pressed: Vec<_> = all
                .iter()
                .filter(|tag| tag.get("aria-pressed") == Some("true"))
                .collect();
            assert_eq!(pressed.len(), 1, "{name}");
            assert_eq!(
                pressed.first().and_then(|tag| tag.get("value")),
                Some(theme.value())
            );
        }
    }
}

#[test]
fn help_stays_in_place_without_a_support_address() {
    let mut page = ErrorPage::sample();
    page.frame = Frame {
        support_email: None,
        request_id: Some("req_1".to_owned()),
        ..page.frame
    };
    let words = text(&page.render());
    assert!(
        words.contains("Questions? Reply to any mail from Example Kits."),
        "{words}"
    );
    assert!(words.contains("Request req_1"));
}
