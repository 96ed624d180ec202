use std::io::Write as _;

use super::*;

/// An entry with every field to be lied about.
#[derive(Clone)]
pub(super) struct Part {
    name: Vec<u8>,
    local_name: Option<Vec<u8>>,
    data: Vec<u8>,
    deflate: bool,
    mode: u32,
    flags: u16,
    method: Option<u16>,
    told_size: Option<u32>,
    told_crc: Option<u32>,
    local_size: Option<u32>,
    extra: Vec<u8>,
    behind: Vec<u8>,
    /// Points to the header of an earlier entry.
    at: Option<u32>,
}

impl Part {
    pub(super) fn file(name: &str, data: &[u8]) -> Self {
        Self {
            name: name.into(),
            local_name: None,
            data: data.into(),
            deflate: false,
            mode: 0o100_644,
            flags: 0,
            method: None,
            told_size: None,
            told_crc: None,
            local_size: None,
            extra: Vec::new(),
            behind: Vec::new(),
            at: None,
        }
    }

    pub(super) fn deflated(name: &str, data: &[u8]) -> Self {
        Self {
            deflate: true,
            ..Self::file(name, data)
        }
    }

    fn link(name: &str, target: &str) -> Self {
        Self {
            mode: 0o120_777,
            ..Self::file(name, target.as_bytes())
        }
    }

    fn packed(&self) -> Vec<u8> {
        if !self.deflate {
            return self.data.clone();
        }
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&self.data).unwrap();
        encoder.finish().unwrap()
    }
}

pub(super) fn zip(parts: &[Part]) -> Vec<u8> {
    let (mut body, mut directory) = (Vec::new(), Vec::new());
    for part in parts {
        let offset = part.at.unwrap_or(u32::try_from(body.len()).unwrap());
        let packed = part.packed();
        let crc = part.told_crc.unwrap_or(crc32fast::hash(&part.data));
        let size = part
            .told_size
            .unwrap_or(u32::try_from(part.data.len()).unwrap());
        let method = part.method.unwrap_or(if part.deflate { 8 } else { 0 });
        let numbers = |size: u32| {
            let packed = u32::try_from(packed.len()).unwrap();
            [crc, packed, size].map(u32::to_le_bytes).concat()
        };
        let head = [part.flags, method, 0, 0x21].map(u16::to_le_bytes).concat();
        let length = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap().to_le_bytes();
        if part.at.is_none() {
            let name = part.local_name.as_ref().unwrap_or(&part.name);
            body.extend(b"PK\x03\x04\x14\0");
            body.extend(&head);
            let local = part.local_size.unwrap_or(size);
            body.extend(if part.flags & 8 == 0 {
                numbers(local)
            } else {
                vec![0; 12]
            });
            body.extend([length(name), [0, 0]].concat());
            body.extend(name);
            body.extend(&packed);
            if part.flags & 8 != 0 {
                body.extend([&b"PK\x07\x08"[..], &numbers(size)].concat());
            }
            body.extend(&part.behind);
        }
        directory.extend(b"PK\x01\x02\x14\x03\x14\0");
        directory.extend(&head);
        directory.extend(numbers(size));
        directory.extend(
            [
                length(&part.name),
                length(&part.extra),
                [0; 2],
                [0; 2],
                [0; 2],
            ]
            .concat(),
        );
        directory.extend((part.mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(&part.name);
        directory.extend(&part.extra);
    }
    let offset = u32::try_from(body.len()).unwrap();
    let size = u32::try_from(directory.len()).unwrap();
    let count = u16::try_from(parts.len()).unwrap().to_le_bytes();
    body.extend(directory);
    body.extend([&b"PK\x05\x06\0\0\0\0"[..], &count, &count].concat());
    body.extend([size.to_le_bytes(), offset.to_le_bytes()].concat());
    body.extend([0; 2]);
    body
}

#[track_caller]
fn refuse(parts: &[Part], reason: Reason, entry: &str) {
    refused(ArchiveFormat::Zip, &zip(parts), reason, Some(entry));
}

#[track_caller]
fn refuse_whole(bytes: &[u8], reason: Reason) {
    refused(ArchiveFormat::Zip, bytes, reason, None);
}

#[test]
fn an_ordinary_zip_is_listed() {
    let parts = [
        Part::file("kit/", b""),
        Part::deflated("kit/README.md", &[b'a'; 5000]),
        Part::file("kit/über/[id].tsx", b"text"),
        Part::link("kit/über/readme", "../README.md"),
        Part {
            flags: 8,
            ..Part::deflated("kit/streamed", b"later")
        },
    ];
    let listing = listed(ArchiveFormat::Zip, &zip(&parts)).unwrap();
    assert_eq!((listing.entries, listing.bytes), (5, 5000 + 4 + 12 + 5));
    assert!(!listing.has_stamp);
    let stamp = zip(&[Part::file("license-kitward.JSON", b"")]);
    assert!(listed(ArchiveFormat::Zip, &stamp).unwrap().has_stamp);
    assert_eq!(listed(ArchiveFormat::Zip, &zip(&[])).unwrap().entries, 0);
}

#[test]
fn zips_of_the_zip_crate_are_listed_zip64_too() {
    let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = ::zip::write::SimpleFileOptions::default().large_file(true);
    writer.start_file("a.txt", options).unwrap();
    writer.write_all(b"text").unwrap();
    let bytes = writer.finish().unwrap().into_inner();
    assert_eq!(listed(ArchiveFormat::Zip, &bytes).unwrap().entries, 1);
}

#[test]
fn names_that_leave_the_folder_or_lie_are_refused() {
    for (name, reason) in [
        ("/etc/passwd", Reason::AbsoluteName),
        ("../evil", Reason::ParentName),
        ("a/../../evil", Reason::ParentName),
        ("a/..", Reason::ParentName),
        ("..\\evil", Reason::Backslash),
        ("C:/evil", Reason::Drive),
        ("a.txt:stream", Reason::Drive),
        ("a\0b", Reason::Character),
        ("a\nb", Reason::Character),
        ("kit\u{202E}gpj.exe", Reason::Character),
        ("a?", Reason::Character),
        ("", Reason::NameLength),
        ("a//b", Reason::NameLength),
        ("a/CON", Reason::DeviceName),
        ("aux.ts", Reason::DeviceName),
        ("a./b", Reason::NameEnd),
        ("a/b ", Reason::NameEnd),
    ] {
        refuse(&[Part::file(name, b"x")], reason, name);
    }
    let deep = "a/".repeat(70) + "b";
    refuse(&[Part::file(&deep, b"x")], Reason::Depth, &deep);
    let long = "a".repeat(256);
    refuse(
        &[Part::file(&long, b"x")],
        Reason::NameLength,
        &"a".repeat(200),
    );
    let mut latin = Part::file("x", b"x");
    latin.name = b"\xfcber".to_vec();
    refuse(&[latin], Reason::NameEncoding, "\u{FFFD}ber");
}

#[test]
fn two_entries_are_never_one_file() {
    let two = |one: &str, other: &str, reason| {
        refuse(
            &[Part::file(one, b"1"), Part::file(other, b"2")],
            reason,
            other,
        );
    };
    two("a", "a", Reason::Duplicate);
    two("a", "./a", Reason::Duplicate);
    two("Read.me", "READ.ME", Reason::Twin);
    two("\u{FC}", "u\u{308}", Reason::Twin);
    two("Src/a", "src/b", Reason::Twin);
    two("a", "a/b", Reason::FileAsFolder);
    two("a/b", "a", Reason::FileAsFolder);
    refuse(
        &[Part::link("a", "b"), Part::file("a/c", b"x")],
        Reason::FileAsFolder,
        "a/c",
    );
}

#[test]
fn links_stay_in_the_folder_by_every_way() {
    for (name, target) in [
        ("a", "/etc/passwd"),
        ("a", "../b"),
        ("a/b", "../../c"),
        ("a", "b/.."),
        ("a/b/c", "../d/../e"),
        ("a", "C:/x"),
        ("a", "..\\x"),
        ("a", ""),
    ] {
        refuse(&[Part::link(name, target)], Reason::LinkEscapes, name);
    }
    for (name, target) in [
        ("a", "b"),
        ("a/b", "../c/d"),
        ("a/b/c", "../.."),
        ("a", "."),
    ] {
        let bytes = zip(&[Part::link(name, target)]);
        assert!(
            listed(ArchiveFormat::Zip, &bytes).is_ok(),
            "{name} {target}"
        );
    }
    for mode in [0o020_666, 0o060_666, 0o010_644, 0o140_644] {
        let device = Part {
            mode,
            ..Part::file("dev", b"")
        };
        refuse(&[device], Reason::SpecialFile, "dev");
    }
}

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
        matches!(fault.reason, Reason::Overlap | Reason::HeadersDisagree),
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
