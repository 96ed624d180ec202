//! Zips that say one thing and hold another.

use super::*;

#[test]
fn both_headers_of_an_entry_say_the_same() {
    let part = || Part::file("a", b"text");
    let named = Part {
        local_name: Some(b"b".to_vec()),
        ..part()
    };
    refuse(&[named], Reason::HeadersDisagree, "a");
    let sized = Part {
        local_size: Some(9),
        ..part()
    };
    refuse(&[sized], Reason::HeadersDisagree, "a");
    // A name that only programs with Unicode read.
    let hidden = Part {
        extra: b"\x75\x70\x09\0\x01\0\0\0\0evil".to_vec(),
        ..part()
    };
    refuse(&[hidden], Reason::HeadersDisagree, "a");
    let twice = Part {
        told_size: Some(u32::MAX),
        extra: b"\x01\0\x08\0\x04\0\0\0\0\0\0\0".repeat(2),
        ..part()
    };
    refuse(&[twice], Reason::HeadersDisagree, "a");
}

#[test]
fn the_data_is_what_was_announced() {
    let crc = Part {
        told_crc: Some(1),
        ..Part::file("a", b"text")
    };
    refuse(&[crc], Reason::Checksum, "a");
    for told in [3, 5] {
        let size = Part {
            told_size: Some(told),
            ..Part::deflated("a", b"text")
        };
        refuse(&[size], Reason::Size, "a");
    }
    let folder = Part::file("a/", b"text");
    refuse(&[folder], Reason::Size, "a/");
    for (flags, method, reason) in [
        (1, None, Reason::Encrypted),
        (0, Some(12), Reason::Method),
        (0, Some(93), Reason::Method),
    ] {
        let part = Part {
            flags,
            method,
            ..Part::file("a", b"text")
        };
        refuse(&[part], reason, "a");
    }
}

#[test]
fn nothing_lies_before_between_or_behind() {
    let good = zip(&[Part::file("a", b"text")]);
    refuse_whole(
        &[b"MZ self-extracting", &good[..]].concat(),
        Reason::Prepended,
    );
    refuse_whole(&[&good[..], b"more"].concat(), Reason::Trailing);
    let gap = Part {
        behind: b"hidden".to_vec(),
        ..Part::file("a", b"text")
    };
    refuse(&[gap.clone(), Part::file("b", b"x")], Reason::Gap, "a");
    refuse(&[gap], Reason::Gap, "a");
    // A comment that is an end of its own: two programs, two archives.
    let mut double = good.clone();
    let end = good[good.len() - 22..].to_vec();
    let at = double.len() - 2;
    double[at] = 22;
    double.extend(end);
    refuse_whole(&double, Reason::Malformed);
    refuse_whole(b"not a zip at all", Reason::NotAnArchive);
    refuse_whole(&good[..good.len() - 1], Reason::Malformed);
    let mut count = good.clone();
    let at = count.len() - 12;
    count[at - 2] = 2;
    count[at] = 2;
    assert_eq!(
        listed(ArchiveFormat::Zip, &count).unwrap_err().reason,
        Reason::Malformed
    );
    let mut comment = good.clone();
    let at = comment.len() - 2;
    comment[at] = 5;
    comment.extend(b"hello");
    assert!(listed(ArchiveFormat::Zip, &comment).is_ok());
}

#[test]
fn a_locator_leads_to_no_directory_that_is_not_looked_into() {
    let good = zip(&[Part::file("a", b"text")]);
    let (body, end) = good.split_at(good.len() - 22);
    let number = |at: usize| u32::from_le_bytes(end[at..at + 4].try_into().unwrap());
    let (size, offset) = (number(12), usize::try_from(number(16)).unwrap());
    // The comment of the last entry: other records, in a form of which only some programs read more.
    let with_comment = |comment: &[u8]| {
        let length = u16::try_from(comment.len()).unwrap();
        let mut bytes = [body, comment, end].concat();
        bytes[offset + 32..offset + 34].copy_from_slice(&length.to_le_bytes());
        let size_at = body.len() + comment.len() + 12;
        let size = size + u32::from(length);
        bytes[size_at..size_at + 4].copy_from_slice(&size.to_le_bytes());
        bytes
    };
    let record = [&b"PK\x06\x06\x2d\0\0\0\0\0\0\0"[..], &[0_u8; 45]].concat();
    let at = u64::try_from(body.len()).unwrap();
    let place = [&[0_u8; 4][..], &at.to_le_bytes(), &1_u32.to_le_bytes()].concat();
    let located = [&record[..], b"PK\x06\x07", &place].concat();
    refuse_whole(&with_comment(&located), Reason::Malformed);
    let plain = [&record[..], b"none", &place].concat();
    assert!(listed(ArchiveFormat::Zip, &with_comment(&plain)).is_ok());
}

#[test]
fn entries_that_share_bytes_are_a_bomb() {
    // All entries point to the one kernel, as in the full overlap of 2019.
    let kernel = Part::deflated("0", &vec![0; 100_000]);
    let copies = (1..50).map(|n: u32| Part {
        name: n.to_string().into_bytes(),
        at: Some(0),
        ..kernel.clone()
    });
    let parts: Vec<Part> = std::iter::once(kernel.clone()).chain(copies).collect();
    let fault = listed(ArchiveFormat::Zip, &zip(&parts)).unwrap_err();
    assert!(
        matches!(
            fault.reason,
            Reason::Overlap | Reason::HeadersDisagree | Reason::Ratio
        ),
        "{fault}"
    );
    // The header of the second entry is quoted within the data of the first.
    let inner = zip(&[Part::file("b", b"text")]);
    let quoted = &inner[..30 + 1 + 4];
    let outer = Part::file("a", quoted);
    let second = Part {
        at: Some(31),
        ..Part::file("b", b"text")
    };
    refuse(&[outer, second], Reason::Overlap, "a");
}

#[test]
fn what_grows_beyond_measure_is_refused() {
    let bomb = Part::deflated("zeros", &vec![0; 8 << 20]);
    refuse(&[bomb], Reason::Ratio, "zeros");
    // Each of these is small enough to be let through, all of them are not.
    let names = ["a", "b", "c"];
    let small = names.map(|name| Part::deflated(name, &vec![0; 3 << 20]));
    let fault = listed(ArchiveFormat::Zip, &zip(&small)).unwrap_err();
    assert_eq!(fault.reason, Reason::Ratio, "{fault}");
    // One that lies about its size is read no further than it says.
    let lying = Part {
        told_size: Some(1000),
        ..Part::deflated("zeros", &vec![0; 8 << 20])
    };
    refuse(&[lying], Reason::Size, "zeros");
    // 42.zip: each layer is harmless, the packed archives in it shrink as no archive does.
    let layer = zip(&[Part::file("0.dll", &vec![0; 40_000])]);
    refuse(
        &[Part::deflated("lib 0.zip", &layer)],
        Reason::Ratio,
        "lib 0.zip",
    );
    let many: Vec<Part> = (0..1001).map(|n| Part::file(&n.to_string(), b"")).collect();
    refuse_whole(&zip(&many), Reason::TooManyEntries);
    let noise: Vec<u8> = (0..33_u32 << 20)
        .map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[2])
        .collect();
    refuse(&[Part::file("large", &noise)], Reason::TooLarge, "large");
}
