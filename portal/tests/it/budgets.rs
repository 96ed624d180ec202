//! Weights of what is sent, compressed.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use kitward_portal::pages::{ChangeKind, ChangedFile, ComparePage, gallery};
use kitward_portal::{Asset, Theme, assets};

fn weight(bytes: &[u8]) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it").len()
}

fn asset(content_type: &str) -> &'static Asset {
    let found = assets()
        .iter()
        .find(|asset| asset.content_type.starts_with(content_type));
    found.expect("embedded")
}

#[test]
fn every_page_weighs_at_most_14_kilobytes() {
    for (name, html) in gallery(Theme::System) {
        let weight = weight(html.as_bytes());
        assert!(weight <= 14 * 1024, "{name}: {weight} bytes");
    }
}

#[test]
fn the_style_sheet_weighs_at_most_10_kilobytes_and_the_script_5() {
    let css = weight(asset("text/css").bytes);
    assert!(css <= 10 * 1024, "{css} bytes");
    let js = weight(asset("text/javascript").bytes);
    assert!(js <= 5 * 1024, "{js} bytes");
    assert!(asset("image/svg+xml").bytes.len() <= 1024);
}

/// Text that no compression makes smaller.
fn noise(length: usize, seed: u32) -> String {
    let mut state = seed | 1;
    let letters = (0..length).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'!' + u8::try_from((state >> 16) % 94).expect("less than 94"))
    });
    letters.collect()
}

#[test]
fn a_comparison_of_many_files_and_long_lines_is_cut_and_leads_to_the_patch() {
    let file = |number: u32, path: usize, line: usize, lines: u32| ChangedFile {
        kind: ChangeKind::Modified,
        path: noise(path, number),
        old_path: None,
        note: None,
        lines_added: 1,
        lines_removed: 1,
        diff: (0..lines)
            .map(|at| format!("+{}\n", noise(line, number + at)))
            .collect::<Vec<_>>()
            .concat(),
    };
    for (name, files) in [
        (
            "many files",
            (0..5_000).map(|at| file(at, 100, 80, 3)).collect(),
        ),
        (
            "short names",
            (0..5_000).map(|at| file(at, 3, 1, 3)).collect(),
        ),
        (
            "long lines",
            vec![file(1, 10, 1 << 20, 3), file(2, 10, 50_000, 9)],
        ),
        ("many lines", vec![file(1, 10, 60, 50_000)]),
        ("empty lines", vec![file(1, 10, 0, 50_000)]),
    ] {
        let total = Vec::len(&files) as u64;
        let page = ComparePage {
            files,
            total,
            ..ComparePage::sample()
        };
        let html = page.render();
        let weight = weight(html.as_bytes());
        assert!(weight <= 14 * 1024, "{name}: {weight} bytes");
        assert!(html.contains("4.2.0...4.2.1.patch\""), "{name}");
        assert!(html.contains("More ") || name == "long lines", "{name}");
    }
}

#[test]
fn lines_show_what_would_be_hidden() {
    let mut page = ComparePage::sample();
    page.files[0].diff = "@@ -1 +1 @@\n-if admin {\n+if \u{202e}admin\u{2066} \u{1b}{\n".to_owned();
    let html = page.render();
    assert!(
        html.contains("<ins>+if \u{fffd}admin\u{fffd} \u{fffd}{</ins>"),
        "{html}"
    );
    assert!(html.contains("<del>-if admin {</del>"));
}
