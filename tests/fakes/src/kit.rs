//! A sample of what Kitward sells: a small source kit that works.

use std::io::{Cursor, Write as _};

use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// The files of the kit, in the order of the archive.
const FILES: [(&str, &str); 7] = [
    ("README.md", include_str!("kit/README.md")),
    ("LICENSE.txt", include_str!("kit/LICENSE.txt")),
    ("package.json", include_str!("kit/package.json")),
    ("tsconfig.json", include_str!("kit/tsconfig.json")),
    ("src/widget.ts", include_str!("kit/src/widget.ts")),
    ("src/widget.css", include_str!("kit/src/widget.css")),
    ("example/index.html", include_str!("kit/example/index.html")),
];

/// "Feedback Widget Kit" 1.0.0 as a zip. The bytes are the same each time.
#[expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "constant files are written to memory"
)]
pub fn sample_kit_zip() -> Vec<u8> {
    archive().expect("constant files are written to memory")
}

fn archive() -> ZipResult<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in FILES {
        zip.start_file(name, options)?;
        zip.write_all(text.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}
