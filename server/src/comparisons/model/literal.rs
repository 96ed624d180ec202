//! Whole files in a patch, as git writes what has no lines.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

const ALPHABET: &[u8; 85] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
/// Bytes on one line.
const LINE: usize = 52;

/// Both contents, so that the patch can be taken back.
pub(super) fn write(old: &[u8], new: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"GIT binary patch\n");
    one(new, out);
    one(old, out);
}

fn one(content: &[u8], out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail.
    let _ = writeln!(out, "literal {}", content.len());
    for line in deflated(content).chunks(LINE) {
        out.push(length_letter(line.len()));
        for four in line.chunks(4) {
            digits(four, out);
        }
        out.push(b'\n');
    }
    out.push(b'\n');
}

fn deflated(content: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Memory takes everything.
    let _ = encoder.write_all(content);
    encoder.finish().unwrap_or_default()
}

/// `A` to `Z` for 1 to 26, `a` to `z` for 27 to 52.
fn length_letter(length: usize) -> u8 {
    let length = u8::try_from(length).unwrap_or_default();
    if length <= 26 {
        b'A' + length.saturating_sub(1)
    } else {
        b'a' + (length - 27)
    }
}

fn digits(four: &[u8], out: &mut Vec<u8>) {
    let mut number = 0_u32;
    for at in 0..4 {
        number = number << 8 | u32::from(four.get(at).copied().unwrap_or_default());
    }
    let mut text = [0_u8; 5];
    for digit in text.iter_mut().rev() {
        *digit = ALPHABET
            .get((number % 85) as usize)
            .copied()
            .unwrap_or_default();
        number /= 85;
    }
    out.extend_from_slice(&text);
}
