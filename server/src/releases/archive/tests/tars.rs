use std::io::Write as _;

use ::tar::{EntryType, Header};

use super::*;

pub(super) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let entries: Vec<Vec<u8>> = files
        .iter()
        .map(|(name, data)| entry(EntryType::Regular, name, "", data))
        .collect();
    ended(&entries)
}

/// One header and its data, as they were asked for.
fn entry(kind: EntryType, name: &str, link: &str, data: &[u8]) -> Vec<u8> {
    sized(kind, name, link, data, data.len() as u64)
}

fn sized(kind: EntryType, name: &str, link: &str, data: &[u8], size: u64) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    let bytes = header.as_mut_bytes();
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    bytes[157..157 + link.len()].copy_from_slice(link.as_bytes());
    header.set_cksum();
    let mut entry = header.as_bytes().to_vec();
    entry.extend(data);
    entry.resize(entry.len().next_multiple_of(512), 0);
    entry
}

fn ended(entries: &[Vec<u8>]) -> Vec<u8> {
    [&entries.concat()[..], &[0; 1024]].concat()
}

pub(super) fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zstandard(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

#[track_caller]
fn refuse(entries: &[Vec<u8>], reason: Reason, name: Option<&str>) {
    refused(ArchiveFormat::Tar, &ended(entries), reason, name);
    refused(
        ArchiveFormat::TarGz,
        &gzipped(&ended(entries)),
        reason,
        name,
    );
    refused(
        ArchiveFormat::TarZst,
        &zstandard(&ended(entries)),
        reason,
        name,
    );
}

fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let mut text = String::new();
    for (name, value) in records {
        let rest = format!(" {name}={value}\n");
        let mut length = rest.len() + 1;
        while length.to_string().len() + rest.len() != length {
            length += 1;
        }
        text.push_str(&length.to_string());
        text.push_str(&rest);
    }
    entry(EntryType::XHeader, "pax", "", text.as_bytes())
}

#[test]
fn ordinary_tars_are_listed_packed_or_not() {
    let long = "long/".repeat(30) + "name";
    let entries = [
        entry(
            EntryType::XGlobalHeader,
            "pax_global_header",
            "",
            b"19 comment=abcdefg\n",
        ),
        entry(EntryType::Directory, "./", "", b""),
        entry(EntryType::Directory, "kit/", "", b""),
        entry(EntryType::Regular, "kit/a", "", b"text"),
        entry(EntryType::Symlink, "kit/b", "a", b""),
        entry(EntryType::Link, "kit/c", "kit/a", b""),
        pax(&[("path", "kit/\u{FC}"), ("mtime", "1.5")]),
        entry(EntryType::Regular, "kit/short", "", &[1; 600]),
        entry(
            EntryType::GNULongName,
            "././@LongLink",
            "",
            format!("{long}\0").as_bytes(),
        ),
        entry(EntryType::Regular, "long/cut", "", b"x"),
    ];
    let tar = ended(&entries);
    for (format, bytes) in [
        (ArchiveFormat::Tar, tar.clone()),
        (ArchiveFormat::TarGz, gzipped(&tar)),
        (ArchiveFormat::TarZst, zstandard(&tar)),
        // Several members are one archive.
        (
            ArchiveFormat::TarGz,
            [gzipped(&tar[..1536]), gzipped(&tar[1536..])].concat(),
        ),
        (
            ArchiveFormat::TarZst,
            [
                &b"\x50\x2a\x4d\x18\x03\0\0\0abc"[..],
                &zstandard(&tar[..1536]),
                &zstandard(&tar[1536..]),
            ]
            .concat(),
        ),
    ] {
        let listing = listed(format, &bytes).unwrap();
        assert_eq!((listing.format, listing.entries), (format, 7));
        assert_eq!(listing.bytes, tar.len() as u64);
    }
    let stamp = tar_of_stamp();
    assert!(listed(ArchiveFormat::Tar, &stamp).unwrap().has_stamp);
}

fn tar_of_stamp() -> Vec<u8> {
    tar(&[(STAMP_NAME, b"{}")])
}

#[test]
fn hostile_entries_are_refused_by_name() {
    for (kind, name, link, reason) in [
        (EntryType::Regular, "/etc/passwd", "", Reason::AbsoluteName),
        (EntryType::Regular, "a/../../b", "", Reason::ParentName),
        (EntryType::Symlink, "a", "/etc", Reason::LinkEscapes),
        (EntryType::Symlink, "a/b", "../../c", Reason::LinkEscapes),
        (EntryType::Link, "a", "b", Reason::HardLink),
        (EntryType::Link, "a", "/etc/passwd", Reason::HardLink),
        (EntryType::Link, "a", "../x", Reason::HardLink),
        (EntryType::Char, "a", "", Reason::SpecialFile),
        (EntryType::Block, "a", "", Reason::SpecialFile),
        (EntryType::Fifo, "a", "", Reason::SpecialFile),
        (EntryType::new(b'M'), "a", "", Reason::SpecialFile),
        (EntryType::GNUSparse, "a", "", Reason::Sparse),
    ] {
        refuse(&[entry(kind, name, link, b"")], reason, Some(name));
    }
    let twice = [
        entry(EntryType::Regular, "a", "", b"1"),
        entry(EntryType::Regular, "A", "", b"2"),
    ];
    refuse(&twice, Reason::Twin, Some("A"));
    let through = [
        entry(EntryType::Symlink, "a", "b", b""),
        entry(EntryType::Regular, "a/c", "", b"2"),
    ];
    refuse(&through, Reason::FileAsFolder, Some("a/c"));
    let data = entry(EntryType::Directory, "a", "", &[1; 512]);
    refuse(&[data], Reason::Size, Some("a"));
}

#[test]
fn extended_headers_play_no_tricks() {
    let file = || entry(EntryType::Regular, "innocent", "", b"x");
    refuse(
        &[pax(&[("path", "../evil")]), file()],
        Reason::ParentName,
        Some("../evil"),
    );
    let link = entry(EntryType::Symlink, "a", "b", b"");
    refuse(
        &[pax(&[("linkpath", "/etc")]), link],
        Reason::LinkEscapes,
        Some("a"),
    );
    let long = entry(EntryType::GNULongName, "L", "", b"/evil\0");
    refuse(&[long.clone(), file()], Reason::AbsoluteName, Some("/evil"));
    for headers in [
        vec![pax(&[("size", "9")])],
        vec![pax(&[("path", "a"), ("path", "b")])],
        vec![pax(&[("mtime", "1")]), pax(&[("mtime", "1")])],
        vec![pax(&[("path", "a")]), long.clone()],
        vec![entry(EntryType::XGlobalHeader, "g", "", b"10 path=a\n")],
        vec![entry(EntryType::XHeader, "x", "", &[b' '; 70_000])],
        vec![sized(EntryType::GNULongName, "L", "", b"", 1 << 40)],
    ] {
        let mut entries = headers;
        entries.push(file());
        refuse(&entries, Reason::ExtendedHeader, None);
    }
    refuse(
        &[pax(&[("GNU.sparse.major", "1")]), file()],
        Reason::Sparse,
        None,
    );
    refuse(&[file(), pax(&[("mtime", "1")])], Reason::Malformed, None);
    let broken = entry(EntryType::XHeader, "x", "", b"9999 path=a\n");
    refuse(&[broken, file()], Reason::Malformed, None);
}

#[test]
fn bombs_and_broken_tars_are_refused() {
    let zeros = entry(EntryType::Regular, "zeros", "", &vec![0; 16 << 20]);
    let bomb = gzipped(&ended(&[zeros]));
    refused(ArchiveFormat::TarGz, &bomb, Reason::Ratio, Some("zeros"));
    let many: Vec<Vec<u8>> = (0..1001)
        .map(|n| entry(EntryType::Regular, &n.to_string(), "", b""))
        .collect();
    refused(
        ArchiveFormat::Tar,
        &ended(&many),
        Reason::TooManyEntries,
        None,
    );
    let large = sized(EntryType::Regular, "large", "", b"", 1 << 40);
    let fault = listed(ArchiveFormat::Tar, &large).unwrap_err();
    assert_eq!(fault.reason, Reason::Malformed, "cut off");
    for (format, bytes) in [
        (ArchiveFormat::Tar, &b"text"[..]),
        (ArchiveFormat::Tar, b""),
        (ArchiveFormat::TarGz, b"text"),
        (ArchiveFormat::TarZst, b"text"),
        (ArchiveFormat::TarGz, b""),
    ] {
        refused(format, bytes, Reason::NotAnArchive, None);
    }
    let good = tar(&[("a", b"text")]);
    let behind = [&good[..], &good].concat();
    refused(ArchiveFormat::Tar, &behind, Reason::Trailing, None);
    let packed = gzipped(&good);
    let mut sum = packed.clone();
    let at = sum.len() - 6;
    sum[at] ^= 1;
    let fault = listed(ArchiveFormat::TarGz, &sum).unwrap_err();
    assert_eq!(fault.reason, Reason::Malformed);
    let garbage = [&packed[..], b"garbage"].concat();
    let fault = listed(ArchiveFormat::TarGz, &garbage).unwrap_err();
    assert_eq!(fault.reason, Reason::Malformed);
}
