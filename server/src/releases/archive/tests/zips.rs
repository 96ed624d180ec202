mod lies;

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

    /// Deflated data of an empty file, as given.
    pub(super) fn hollow(name: &str, packed: &[u8]) -> Self {
        Self {
            method: Some(8),
            told_size: Some(0),
            told_crc: Some(0),
            ..Self::file(name, packed)
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
