//! Any bytes as an archive of each kind: the reader never panics, and never reads on without end.
#![no_main]

use std::io::Cursor;

use kitward::releases::archive::{Bounds, list};
use kitward::releases::model::ArchiveFormat;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((kind, bytes)) = input.split_first() else {
        return;
    };
    let formats = ArchiveFormat::ALL;
    let format = formats[usize::from(*kind) % formats.len()];
    let bounds = Bounds {
        bytes: 1 << 20,
        ..Bounds::default()
    };
    if let Ok(listing) = list(format, Cursor::new(bytes), &bounds, &|| true) {
        assert!(listing.bytes <= bounds.bytes && listing.entries <= bounds.entries);
    }
});
