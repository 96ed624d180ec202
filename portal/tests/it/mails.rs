//! Both parts of a mail say the same and lead to the same place.

use kitward_portal::mail::{
    AdvisoryMail, IssuedItem, KitNews, LicenseIssuedMail, NewVersionsMail, Rendered, SignInMail,
    VersionNews, WayOut,
};

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
fn both_parts_of_the_mail_about_new_versions_hold_every_version_and_every_way_to_stop_it() {
    for values in [NewVersionsMail::sample(), NewVersionsMail::sample_several()] {
        let mail = values.render();
        for kit in &values.kits {
            agree(&mail, &[&kit.kit_name]);
            for news in &kit.versions {
                agree(&mail, &[&news.version]);
            }
        }
        let mut expected = vec![values.updates_url.clone()];
        expected.extend(values.kits.iter().map(|kit| kit.unsubscribe_url.clone()));
        if values.kits.len() > 1 {
            expected.push(values.unsubscribe_url.clone());
        }
        assert_eq!(links(&mail.html), expected);
        for link in &expected {
            assert!(mail.text.lines().any(|line| line == link), "{}", mail.text);
        }
    }
    let one = NewVersionsMail::sample().render();
    assert_eq!(one.subject, "Feedback Widget Kit 4.3.0 is out");
    let several = NewVersionsMail::sample_several().render();
    assert_eq!(several.subject, "3 new versions from Example Kits");
}

#[test]
fn both_parts_of_an_advisory_hold_what_to_do_and_say_what_stopping_it_means() {
    for values in [AdvisoryMail::sample(), AdvisoryMail::sample_locked()] {
        let mail = values.render();
        let (url, version) = match &values.way_out {
            WayOut::Update { url, version } => (url, version),
            WayOut::Renew {
                url,
                version,
                reason,
            } => {
                agree(&mail, &[reason]);
                (url, version)
            }
        };
        agree(
            &mail,
            &[version, &values.kit_name, "nobody will tell you of holes"],
        );
        let links = links(&mail.html);
        assert_eq!(links.first(), Some(url));
        for link in [url, &values.unsubscribe_url, &values.updates_url] {
            assert!(links.contains(link));
            assert!(mail.text.lines().any(|line| line == link), "{}", mail.text);
        }
        assert!(mail.subject.ends_with(version.as_str()), "{}", mail.subject);
    }
}

#[test]
fn a_version_stays_whole_in_the_subject_however_long_the_kits_name_is() {
    let name = "An Exceedingly Long Name ".repeat(20);
    let mut news = NewVersionsMail::sample();
    if let Some(kit) = news.kits.first_mut() {
        kit.kit_name.clone_from(&name);
    }
    let subject = news.render().subject;
    assert!(
        subject.ends_with("4.3.0 is out") && subject.chars().count() <= 60,
        "{subject}"
    );
    let advisory = AdvisoryMail {
        kit_name: name,
        ..AdvisoryMail::sample_locked()
    };
    let subject = advisory.render().subject;
    assert!(
        subject.ends_with(" 4.2.2") && subject.chars().count() <= 60,
        "{subject}"
    );
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
    let news = VersionNews {
        version: evil.clone(),
        notes: evil.repeat(50),
    };
    let new_versions = NewVersionsMail {
        vendor_name: evil.clone(),
        kits: vec![KitNews {
            kit_name: evil.clone(),
            versions: vec![news.clone()],
            unsubscribe_url: "https://licenses.example.com/unsubscribe/x".to_owned(),
        }],
        updates_url: "https://licenses.example.com/updates".to_owned(),
        unsubscribe_url: "https://licenses.example.com/unsubscribe/x".to_owned(),
        support_email: Some(evil.clone()),
    };
    let advisory = AdvisoryMail {
        vendor_name: evil.clone(),
        kit_name: evil.clone(),
        versions: vec![news],
        way_out: WayOut::Renew {
            version: evil.clone(),
            reason: evil.clone(),
            url: "https://licenses.example.com/licenses/x".to_owned(),
        },
        ..AdvisoryMail::sample()
    };
    let sign_in = SignInMail {
        vendor_name: evil.clone(),
        link: "https://licenses.example.com/sign-in/link?token=x".to_owned(),
        code: evil,
        minutes: 1,
    };
    for mail in [
        license.render(),
        several.render(),
        sign_in.render(),
        new_versions.render(),
        advisory.render(),
    ] {
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
        ("new_version", NewVersionsMail::sample().render()),
        ("new_versions", NewVersionsMail::sample_several().render()),
        ("advisory", AdvisoryMail::sample().render()),
        ("advisory_locked", AdvisoryMail::sample_locked().render()),
    ];
    for (name, mail) in mails {
        insta::assert_snapshot!(
            format!("{name}_text"),
            format!("Subject: {}\n\n{}", mail.subject, mail.text)
        );
        insta::assert_snapshot!(format!("{name}_html"), mail.html);
    }
}
