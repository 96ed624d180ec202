//! Both parts of a mail say the same and lead to the same place.

use kitward_portal::mail::{IssuedItem, LicenseIssuedMail, Rendered, SignInMail};

use crate::markup::{tags, text};

fn links(html: &str) -> Vec<String> {
    let all = tags(html);
    let links = all.iter().filter(|tag| tag.name == "a");
    links
        .filter_map(|tag| tag.get("href"))
        .map(str::to_owned)
        .collect()
}

fn agree(mail: &Rendered, facts: &[&str]) {
    let html = text(&mail.html);
    for fact in facts {
        assert!(
            mail.text.contains(fact),
            "{fact} is not in the text: {}",
            mail.text
        );
        assert!(html.contains(fact), "{fact} is not in the HTML: {html}");
    }
}

#[test]
fn both_parts_of_the_sign_in_mail_hold_code_and_lifetime_and_the_same_link() {
    let values = SignInMail::sample();
    let mail = values.render();
    assert_eq!(mail.subject, "Sign in to Example Kits");
    agree(&mail, &[&values.code, "10 minutes", &values.vendor_name]);
    assert_eq!(links(&mail.html), [values.link.as_str()]);
    assert!(mail.text.lines().any(|line| line == values.link));
    assert!(!mail.subject.contains(&values.code));
}

#[test]
fn both_parts_of_the_license_mail_hold_every_key_and_lead_to_the_portal() {
    for values in [
        LicenseIssuedMail::sample(),
        LicenseIssuedMail::sample_several(),
    ] {
        let mail = values.render();
        agree(&mail, &[&values.order_ref, &values.vendor_name]);
        for item in &values.items {
            agree(&mail, &[&item.key, &item.edition]);
        }
        assert_eq!(links(&mail.html), [values.portal_url.as_str()]);
        assert!(mail.text.lines().any(|line| line == values.portal_url));
        assert!(mail.subject.chars().count() <= 60, "{}", mail.subject);
    }
}

#[test]
fn hostile_values_reach_neither_the_subject_nor_the_markup() {
    let evil = "x\r\nBcc: someone@example.com\r\n\r\n<script>alert(1)</script>".to_owned();
    let license = LicenseIssuedMail {
        vendor_name: evil.clone(),
        customer_name: Some(evil.clone()),
        items: vec![IssuedItem {
            kit_names: vec![evil.clone()],
            edition: evil.clone(),
            key: evil.clone(),
        }],
        portal_url: "https://licenses.example.com/".to_owned(),
        order_ref: evil.clone(),
        first_steps: Vec::new(),
        support_email: Some(evil.clone()),
    };
    let several = LicenseIssuedMail {
        items: Vec::new(),
        ..license.clone()
    };
    let sign_in = SignInMail {
        vendor_name: evil.clone(),
        link: "https://licenses.example.com/sign-in/link?token=x".to_owned(),
        code: evil,
        minutes: 1,
    };
    for mail in [license.render(), several.render(), sign_in.render()] {
        assert!(!mail.subject.contains(['\r', '\n']), "{}", mail.subject);
        assert!(mail.subject.chars().count() <= 60);
        assert!(
            !mail.text.lines().any(|line| line.starts_with("Bcc:")),
            "{}",
            mail.text
        );
        assert!(!tags(&mail.html).iter().any(|tag| tag.name == "script"));
    }
}

#[test]
fn the_mails_read_as_before() {
    let mails = [
        ("sign_in", SignInMail::sample().render()),
        ("license_issued", LicenseIssuedMail::sample().render()),
        (
            "licenses_issued",
            LicenseIssuedMail::sample_several().render(),
        ),
    ];
    for (name, mail) in mails {
        insta::assert_snapshot!(
            format!("{name}_text"),
            format!("Subject: {}\n\n{}", mail.subject, mail.text)
        );
        insta::assert_snapshot!(format!("{name}_html"), mail.html);
    }
}
