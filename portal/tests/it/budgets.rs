//! Weights of what is sent, compressed.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use kitward_portal::pages::gallery;
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
