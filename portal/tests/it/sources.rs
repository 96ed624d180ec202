//! What must not stand in templates, style sheet and script.

use std::fs;
use std::path::{Path, PathBuf};

use kitward_portal::assets;

fn templates(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join(folder)).expect("a folder of templates") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            let source = fs::read_to_string(&path).expect("text");
            found.push((path, source));
        }
    }
    assert!(!found.is_empty());
    found
}

fn pages() -> Vec<(PathBuf, String)> {
    let mut all = templates("");
    all.extend(templates("pages"));
    all
}

/// Whether an attribute such as `onclick=` stands in `source`.
fn has_handler(source: &str) -> bool {
    source.split([' ', '\n', '\t', '"']).any(|word| {
        let name = word.split('=').next().unwrap_or_default();
        word.contains('=') && name.starts_with("on") && name.chars().all(|c| c.is_ascii_lowercase())
    })
}

#[test]
fn no_page_template_holds_inline_style_script_or_handler() {
    for (path, source) in pages() {
        let path = path.display();
        assert!(!source.contains("style="), "{path}");
        assert!(!source.contains("<style"), "{path}");
        assert!(!source.contains("javascript:"), "{path}");
        assert!(!has_handler(&source), "{path}");
        assert_eq!(
            source.matches("<script").count(),
            source.matches(r#"<script type="module" src=""#).count(),
            "{path}"
        );
    }
    assert!(has_handler(r#"<a onclick="x">"#));
}

#[test]
fn no_template_switches_escaping_off() {
    for (path, source) in [pages(), templates("mail")].concat() {
        assert!(
            !source.contains("|safe") && !source.contains("| safe"),
            "{}",
            path.display()
        );
        assert!(!source.contains("escape"), "{}", path.display());
    }
}

#[test]
fn mail_templates_load_nothing() {
    for (path, source) in templates("mail") {
        for refused in [
            "<img", "src=", "url(", "@import", "<script", "<link", "http",
        ] {
            assert!(!source.contains(refused), "{refused} in {}", path.display());
        }
        assert!(!has_handler(&source), "{}", path.display());
    }
}

#[test]
fn the_style_sheet_and_the_script_load_nothing_and_run_no_text() {
    for asset in assets() {
        let source = std::str::from_utf8(asset.bytes).expect("text");
        for refused in [
            "url(",
            "@import",
            "eval(",
            "new Function",
            "innerHTML",
            "https://",
            "document.write",
        ] {
            assert!(!source.contains(refused), "{refused} in {}", asset.path);
        }
    }
}

#[test]
fn the_style_sheet_knows_every_hue() {
    let css = assets()
        .iter()
        .find(|asset| asset.content_type.starts_with("text/css"))
        .expect("embedded");
    let css = std::str::from_utf8(css.bytes).expect("text");
    for hue in (0..360).step_by(10) {
        assert!(
            css.contains(&format!("[data-hue=\"{hue}\"]{{--hue:{hue}}}")),
            "{hue}"
        );
    }
}
