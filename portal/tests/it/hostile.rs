//! Hostile values in every field stay values.

use chrono::{DateTime, Utc};
use kitward_portal::pages::reference::{Answer, CodeRow, Content, Field, Group, Operation};
use kitward_portal::pages::{
    ArtifactRow, ChangeKind, ChangedFile, CheckMailPage, ComparePage, ConfirmSignInPage,
    DownloadsPage, ErrorPage, KitDownloads, LicenseCard, LicensePage, LicenseTextPage,
    LicensesPage, Locked, MailChoice, NewsRow, PageLink, PrimaryAction, ReferenceCodesPage,
    ReferenceGroupPage, ReferencePage, ReleaseRow, SeatRow, SignInPage, TokenLine, TokenMadePage,
    TokenUse, TokensPage, UnsubscribePage, UpdatesPage,
};
use kitward_portal::{
    Flash, FlashKind, Frame, NavItem, Notes, SeatKind, Seats, Status, Theme, UndoAction,
};

use crate::markup::tags;

const HOSTILE: &str =
    "\"'><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}&lt;\u{202E}\0";
const SCRIPT: &str = "javascript:alert(3)";

fn evil() -> String {
    HOSTILE.to_owned()
}

fn now() -> DateTime<Utc> {
    Frame::sample().now
}

fn frame() -> Frame {
    Frame {
        vendor_name: evil(),
        support_email: Some(evil()),
        theme: Theme::Dark,
        signed_in_email: Some(evil()),
        now: now(),
        current: NavItem::None,
        brand_hue: u16::MAX,
        request_id: Some(evil()),
        path: "//evil.example".to_owned(),
    }
}

fn flash() -> Flash {
    Flash {
        kind: FlashKind::Failed,
        text: evil(),
        undo: Some(UndoAction {
            action: "https://evil.example/".to_owned(),
            label: evil(),
        }),
    }
}

fn seats() -> Seats {
    Seats {
        kind: SeatKind::User,
        used: i64::MAX,
        limit: Some(i64::MIN),
    }
}

fn licenses() -> String {
    let card = LicenseCard {
        id: evil(),
        kit_names: vec![evil(), evil()],
        edition: evil(),
        status: Status::Merged,
        key_hint: evil(),
        newest_version: Some(evil()),
        updates_until: Some(DateTime::<Utc>::MAX_UTC),
        seats: seats(),
        primary: PrimaryAction {
            label: evil(),
            href: SCRIPT.to_owned(),
        },
    };
    LicensesPage {
        frame: frame(),
        cards: vec![card],
        flash: Some(flash()),
    }
    .render()
}

fn license(revealed_key: Option<String>) -> String {
    let row = SeatRow {
        id: evil(),
        name: evil(),
        kind: SeatKind::Site,
        identity: evil(),
        version: Some(evil()),
        platform: Some(evil()),
        created_at: DateTime::<Utc>::MIN_UTC,
        last_seen_at: Some(now()),
    };
    LicensePage {
        frame: frame(),
        id: evil(),
        kit_names: vec![evil()],
        edition: evil(),
        status: Status::Revoked,
        key_hint: evil(),
        revealed_key,
        order_ref: evil(),
        purchased_at: now(),
        license_text: Some(evil()),
        terms_in_words: vec![evil()],
        valid_until: Some(now()),
        updates_until: None,
        seats: seats(),
        activations: vec![row],
        flash: Some(flash()),
    }
    .render()
}

fn link() -> PageLink {
    PageLink {
        label: evil(),
        href: "https://evil.example/".to_owned(),
        is_current: true,
    }
}

fn compare() -> String {
    let file = ChangedFile {
        kind: ChangeKind::Renamed,
        path: evil(),
        old_path: Some(evil()),
        note: Some(evil()),
        lines_added: u64::MAX / 2,
        lines_removed: 1,
        diff: format!("@@ {HOSTILE}\n+{HOSTILE}\n-{HOSTILE}\n {HOSTILE}\n"),
    };
    ComparePage {
        frame: frame(),
        kit_name: evil(),
        kit: evil(),
        from: evil(),
        to: evil(),
        total: u64::MAX,
        lines_added: u64::MAX,
        lines_removed: 0,
        complete: true,
        patch_bytes: u64::MAX,
        folder: Some(evil()),
        others: vec![evil()],
        files: vec![file],
    }
    .render()
}

fn downloads() -> String {
    let artifact = ArtifactRow {
        id: evil(),
        name: evil(),
        size_bytes: u64::MAX,
        sha256: evil(),
        stamped: false,
    };
    let open = ReleaseRow {
        version: evil(),
        channel: evil(),
        published_at: now(),
        notes: Some(Notes::new(&evil(), Notes::BRIEF)),
        locked: None,
        artifacts: vec![artifact],
        curl: Some(evil()),
        signature: Some(evil()),
        whole_notes: Some(link()),
        changes: Some(link()),
    };
    let locked = Locked {
        reason: evil(),
        way_out_label: evil(),
        way_out_href: Some(SCRIPT.to_owned()),
    };
    let shut = ReleaseRow {
        locked: Some(locked),
        ..open.clone()
    };
    let kit = KitDownloads {
        name: evil(),
        slug: evil(),
        majors: vec![link()],
        channels: vec![link()],
        more: Some(link()),
        releases: vec![open, shut],
    };
    let other = KitDownloads {
        slug: "x".to_owned(),
        ..kit.clone()
    };
    DownloadsPage {
        frame: frame(),
        kits: vec![kit, other],
    }
    .render()
}

fn tokens() -> String {
    let line = TokenLine {
        id: evil(),
        usage: TokenUse::Publishable,
        name: evil(),
        hint: evil(),
        created_at: now(),
        expires_at: Some(DateTime::<Utc>::MAX_UTC),
    };
    TokensPage {
        frame: frame(),
        license: evil(),
        kit_names: vec![evil()],
        tokens: vec![line],
        ci_use: true,
        name: evil(),
        error: Some(evil()),
        flash: Some(flash()),
    }
    .render()
}

fn token_made() -> String {
    TokenMadePage {
        frame: frame(),
        license: evil(),
        usage: TokenUse::Ci,
        name: evil(),
        secret: evil(),
    }
    .render()
}

fn license_text() -> String {
    LicenseTextPage {
        frame: frame(),
        license: evil(),
        name: evil(),
        number: i32::MIN,
        body: evil(),
    }
    .render()
}

fn updates() -> String {
    let row = NewsRow {
        kit_name: evil(),
        kit_slug: evil(),
        version: evil(),
        urgency: Some(evil()),
        published_at: DateTime::<Utc>::MAX_UTC,
        notes: Some(Notes::new(&evil(), UpdatesPage::NOTES)),
        locked: None,
    };
    let locked = NewsRow {
        locked: Some(evil()),
        ..row.clone()
    };
    let choice = MailChoice {
        kit_name: evil(),
        kit_slug: evil(),
        new_versions: true,
        advisories: false,
    };
    UpdatesPage {
        frame: frame(),
        flash: Some(flash()),
        news: vec![row, locked],
        mails: vec![choice],
        new_versions: true,
    }
    .render()
}

fn unsubscribe() -> String {
    UnsubscribePage {
        frame: frame(),
        token: evil(),
        is_done: false,
    }
    .render()
}

fn error() -> String {
    ErrorPage {
        frame: frame(),
        status: u16::MAX,
        title: evil(),
        what_happened: evil(),
        what_to_do: evil(),
        code: evil(),
        request_id: evil(),
    }
    .render()
}

fn reference() -> [String; 3] {
    let field = Field {
        name: evil(),
        kind: evil(),
        meaning: format!("`{HOSTILE}` {HOSTILE}"),
        is_required: true,
    };
    let body = Content {
        media_type: evil(),
        fields: vec![field.clone()],
    };
    let answer = Answer {
        status: evil(),
        meaning: vec![evil()],
        body: Some(body.clone()),
    };
    let operation = Operation {
        id: evil(),
        method: evil(),
        path: evil(),
        summary: evil(),
        notes: vec![evil()],
        credential: Some(evil()),
        parameters: vec![field],
        body: Some(body),
        answers: vec![answer],
    };
    let group = Group {
        name: evil(),
        meaning: evil(),
        operations: vec![operation],
    };
    let code = CodeRow {
        code: evil(),
        status: u16::MAX,
        title: evil(),
        meaning: evil(),
    };
    let front = ReferencePage {
        frame: frame(),
        version: evil(),
        intro: vec![evil()],
        groups: vec![group.clone()],
    };
    let whole = ReferenceGroupPage {
        frame: frame(),
        group,
    };
    let codes = ReferenceCodesPage {
        frame: frame(),
        codes: vec![code],
    };
    [front.render(), whole.render(), codes.render()]
}

fn every_page() -> Vec<(&'static str, String)> {
    let sign_in = SignInPage {
        frame: frame(),
        email: evil(),
        error: Some(evil()),
        return_to: Some(evil()),
    };
    let check = CheckMailPage {
        frame: frame(),
        email: evil(),
        error: Some(evil()),
    };
    let confirm = ConfirmSignInPage {
        frame: frame(),
        token: evil(),
        email_hint: evil(),
        error: None,
    };
    let failed = ConfirmSignInPage {
        error: Some(evil()),
        ..confirm.clone()
    };
    let [reference, group, codes] = reference();
    vec![
        ("reference", reference),
        ("reference, group", group),
        ("reference, codes", codes),
        ("sign in", sign_in.render()),
        ("check mail", check.render()),
        ("confirm", confirm.render()),
        ("confirm, failed", failed.render()),
        ("error", error()),
        ("licenses", licenses()),
        ("license", license(None)),
        ("license, revealed", license(Some(evil()))),
        ("downloads", downloads()),
        ("compare", compare()),
        ("tokens", tokens()),
        ("token made", token_made()),
        ("license text", license_text()),
        ("updates", updates()),
        ("unsubscribe", unsubscribe()),
    ]
}

#[test]
fn hostile_values_add_no_element_and_no_attribute() {
    for (name, html) in every_page() {
        assert!(
            html.contains("&#60;script&#62;"),
            "{name} shows no hostile value"
        );
        let all = tags(&html);
        let scripts = all.iter().filter(|tag| tag.name == "script").count();
        assert_eq!(scripts, 1, "{name}");
        for tag in &all {
            assert!(tag.name != "img", "{name}");
            for (key, _) in &tag.attributes {
                assert!(!key.starts_with("on") && *key != "style", "{key} of {name}");
                let drawing = ["viewBox", "preserveAspectRatio"].contains(key);
                let plain = key.chars().all(|c| c.is_ascii_lowercase() || c == '-');
                assert!(drawing || plain, "{key} of {name}");
            }
        }
    }
}

#[test]
fn hostile_addresses_are_left_out() {
    for (name, html) in every_page() {
        for tag in tags(&html) {
            for key in ["href", "src", "action"] {
                let Some(address) = tag.get(key) else {
                    continue;
                };
                let own = address.starts_with('#') || address.starts_with("mailto:");
                let path = address.starts_with('/') && !address.starts_with("//");
                assert!(own || path, "{address} of {name}");
            }
        }
        assert!(!html.contains("evil.example"), "{name}");
    }
}
