//! Any bytes as a stamped file: what is recognized is exactly what stamping makes.
#![no_main]

use std::io::Cursor;

use kitward::downloads::stamp::{Piece, strip};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(Some(stripped)) = strip(&mut Cursor::new(input)) else {
        return;
    };
    let kept: u64 = stripped.original.iter().map(Piece::len).sum();
    assert!(kept < input.len() as u64);
    for piece in &stripped.original {
        if let Piece::Original(range) = piece {
            assert!(range.start <= range.end && range.end <= input.len() as u64);
        }
    }
});
