//! The header beside an entry's data, and what may stand behind the data.

use std::io::Read;

use super::super::fault::Reason;
use super::directory::{DESCRIBED_BEHIND, Entry, ZIP64, check_unicode_name};
use super::fields::{Fields, extra_fields};

const HEADER: u32 = 0x0403_4b50;
const HEADER_SIZE: usize = 30;
const DESCRIPTOR: u32 = 0x0807_4b50;
/// Encrypted, sizes behind the data, name in UTF-8: the others tell how hard the packer tried.
const COMPARED_FLAGS: u16 = 1 | DESCRIBED_BEHIND | (1 << 11);

/// Checks that the header says what the directory says. Gives its length.
pub(super) fn check<S: Read>(source: &mut S, entry: &Entry) -> Result<u64, Reason> {
    let mut header = [0; HEADER_SIZE];
    let broken = |_error| Reason::Malformed;
    source.read_exact(&mut header).map_err(broken)?;
    let local = Local::parse(&header).ok_or(Reason::Malformed)?;
    let mut rest = vec![0; local.name_size + local.extra_size];
    source.read_exact(&mut rest).map_err(broken)?;
    let (name, extra) = rest
        .split_at_checked(local.name_size)
        .ok_or(Reason::Malformed)?;
    let fields = extra_fields(extra).ok_or(Reason::Malformed)?;
    check_unicode_name(&fields, name)?;
    let flags = (local.flags ^ entry.flags) & COMPARED_FLAGS;
    let is_same = name == entry.name && flags == 0 && local.agrees(entry, &fields);
    if is_same {
        Ok((HEADER_SIZE + rest.len()) as u64)
    } else {
        Err(Reason::HeadersDisagree)
    }
}

struct Local {
    flags: u16,
    method: u16,
    crc32: u32,
    packed: u64,
    size: u64,
    name_size: usize,
    extra_size: usize,
}

impl Local {
    fn parse(header: &[u8]) -> Option<Self> {
        let mut fields = Fields(header);
        if fields.u32()? != HEADER {
            return None;
        }
        let _needed = fields.u16()?;
        let (flags, method) = (fields.u16()?, fields.u16()?);
        let (_changed, crc32) = (fields.u32()?, fields.u32()?);
        let (packed, size) = (fields.u32()?, fields.u32()?);
        Some(Self {
            flags,
            method,
            crc32,
            packed: packed.into(),
            size: size.into(),
            name_size: fields.u16()?.into(),
            extra_size: fields.u16()?.into(),
        })
    }

    fn agrees(&self, entry: &Entry, fields: &[(u16, &[u8])]) -> bool {
        let method = if entry.is_deflated { 8 } else { 0 };
        let large = fields.iter().find(|(id, _)| *id == ZIP64);
        let mut numbers = Fields(large.map_or(&[], |(_, bytes)| *bytes));
        let (mut size, mut packed) = (self.size, self.packed);
        for number in [&mut size, &mut packed] {
            if *number == 0xffff_ffff {
                *number = numbers.u64().unwrap_or(*number);
            }
        }
        let told = (self.crc32, packed, size);
        let same = told == (entry.crc32, entry.packed, entry.size);
        let later = entry.flags & DESCRIBED_BEHIND != 0 && told == (0, 0, 0);
        self.method == method && (same || later)
    }
}

/// Checks what stands between an entry's data and the next: nothing, or the sizes once more.
pub(super) fn check_descriptor<S: Read>(
    source: &mut S,
    entry: &Entry,
    between: u64,
) -> Result<(), Reason> {
    if entry.flags & DESCRIBED_BEHIND == 0 {
        return if between == 0 {
            Ok(())
        } else {
            Err(Reason::Gap)
        };
    }
    let mut bytes = [0; 24];
    let size = usize::try_from(between).unwrap_or(usize::MAX);
    let bytes = bytes.get_mut(..size).ok_or(Reason::Gap)?;
    source
        .read_exact(bytes)
        .map_err(|_broken| Reason::Malformed)?;
    let is_large = matches!(size, 20 | 24);
    let expected = descriptor(entry, is_large);
    match size {
        12 | 20 if *bytes == expected => Ok(()),
        16 | 24 if bytes.strip_prefix(&DESCRIPTOR.to_le_bytes()) == Some(&expected) => Ok(()),
        12 | 16 | 20 | 24 => Err(Reason::HeadersDisagree),
        _ => Err(Reason::Gap),
    }
}

fn descriptor(entry: &Entry, is_large: bool) -> Vec<u8> {
    let mut bytes = entry.crc32.to_le_bytes().to_vec();
    for number in [entry.packed, entry.size] {
        if is_large {
            bytes.extend(number.to_le_bytes());
        } else {
            bytes.extend(u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
        }
    }
    bytes
}
