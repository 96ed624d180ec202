use std::io::{Cursor, Write as _};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

fn limits() -> Limits {
    Limits {
        files: 1_000,
        bytes: 1 << 20,
        until: Instant::now() + Duration::from_mins(1),
    }
}

fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_directory("kit", SimpleFileOptions::default())
        .unwrap();
    for (path, content) in files {
        let mode = if path.contains("run") { 0o755 } else { 0o644 };
        let options = SimpleFileOptions::default().unix_permissions(mode);
        zip.start_file(*path, options).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.add_symlink("kit/link", "a.txt", SimpleFileOptions::default())
        .unwrap();
    zip.finish().unwrap().into_inner()
}

fn header(kind: tar::EntryType, size: usize, mode: u32) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size as u64);
    header.set_mode(mode);
    header
}

fn tarred(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_data(
        &mut header(tar::EntryType::Directory, 0, 0o755),
        "kit/",
        &b""[..],
    )
    .unwrap();
    for (path, content) in files {
        let mode = if path.contains("run") { 0o755 } else { 0o644 };
        let mut header = header(tar::EntryType::Regular, content.len(), mode);
        tar.append_data(&mut header, path, content.as_bytes())
            .unwrap();
    }
    let mut link = header(tar::EntryType::Symlink, 0, 0o777);
    tar.append_link(&mut link, "kit/link", "a.txt").unwrap();
    tar.into_inner().unwrap()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstandard(bytes: &[u8]) -> Vec<u8> {
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    ruzstd::encoding::compress_to_vec(bytes, level)
}

fn all_forms(files: &[(&str, &str)]) -> Vec<(&'static str, Vec<u8>)> {
    let tar = tarred(files);
    // Several members and frames, and one to skip.
    let (first, second) = tar.split_at(700);
    let skipped = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc";
    vec![
        ("zip", zipped(files)),
        ("tar.gz", gzipped(&tar)),
        (
            "tar.gz of two members",
            [gzipped(first), gzipped(second)].concat(),
        ),
        ("tar.zst", zstandard(&tar)),
        (
            "tar.zst of frames",
            [&zstandard(first)[..], skipped, &zstandard(second)].concat(),
        ),
        ("tar", tar),
    ]
}

#[test]
fn every_form_of_archive_lists_the_same_files_and_contents() {
    let long = "x".repeat(200);
    let deep = format!("kit/{long}/{long}.txt");
    let files = [
        ("kit/a.txt", "one\n"),
        ("kit/run.sh", "two"),
        ("kit/ü", ""),
        (&*deep, "deep"),
    ];
    for (name, bytes) in all_forms(&files) {
        let tree = list(Cursor::new(&bytes), &limits()).unwrap();
        assert_eq!(tree.len(), 5, "{name}");
        for (path, content) in files {
            let entry = tree[path.as_bytes()];
            let mode = if path.contains("run") {
                Mode::Executable
            } else {
                Mode::File
            };
            assert_eq!(
                (entry.mode, entry.size),
                (mode, content.len() as u64),
                "{name}"
            );
            assert_eq!(entry.id, ObjectId::of(content.as_bytes()), "{name}");
            let wanted = BTreeMap::from([(entry.place, entry.size)]);
            let contents = read(Cursor::new(&bytes), &limits(), &wanted).unwrap();
            assert_eq!(contents.len(), 1);
            assert_eq!(contents[&entry.place], content.as_bytes(), "{name}");
        }
        let link = tree[&b"kit/link"[..]];
        assert_eq!(
            (link.mode, link.id),
            (Mode::Link, ObjectId::of(b"a.txt")),
            "{name}"
        );
    }
}

#[test]
fn a_hard_link_is_the_file_it_leads_to() {
    let mut tar = tar::Builder::new(Vec::new());
    let mut first = header(tar::EntryType::Regular, 3, 0o755);
    tar.append_data(&mut first, "a", &b"abc"[..]).unwrap();
    let mut link = header(tar::EntryType::Link, 0, 0o644);
    tar.append_link(&mut link, "b", "a").unwrap();
    let mut broken = tar::Builder::new(Vec::new());
    broken.append_link(&mut link, "b", "c").unwrap();
    let bytes = tar.into_inner().unwrap();
    let tree = list(Cursor::new(&bytes), &limits()).unwrap();
    assert_eq!(tree[&b"a"[..]], tree[&b"b"[..]]);
    let broken = broken.into_inner().unwrap();
    let error = list(Cursor::new(&broken), &limits()).unwrap_err();
    assert!(matches!(error, ArchiveError::Damaged(_)));
}

#[test]
fn limits_end_the_reading_of_every_form() {
    let large = "x".repeat(2 << 20);
    for (name, bytes) in all_forms(&[("kit/large", &large)]) {
        let error = list(Cursor::new(&bytes), &limits()).unwrap_err();
        assert!(matches!(error, ArchiveError::TooLarge), "{name}: {error}");
        let late = Limits {
            until: Instant::now()
                .checked_sub(Duration::from_millis(1))
                .unwrap(),
            ..limits()
        };
        let error = list(Cursor::new(&bytes), &late).unwrap_err();
        assert!(matches!(error, ArchiveError::TooSlow), "{name}: {error}");
    }
    let names: Vec<String> = (0..50).map(|number| format!("kit/{number}")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    for (name, bytes) in all_forms(&files) {
        for most in [10, 40] {
            let few = Limits {
                files: most,
                ..limits()
            };
            let error = list(Cursor::new(&bytes), &few).unwrap_err();
            assert!(
                matches!(error, ArchiveError::TooManyFiles),
                "{name}: {error}"
            );
        }
    }
}

#[test]
fn a_window_as_large_as_may_be_published_is_read() {
    let tar = tarred(&[("kit/a.txt", "abc\n")]);
    // A window of 2 to the power of 10 + 17, and the last block, stored.
    let block = (u32::try_from(tar.len()).unwrap() << 3) | 1;
    let head: [u8; 6] = [0x28, 0xb5, 0x2f, 0xfd, 0, 17 << 3];
    let zst = [&head[..], &block.to_le_bytes()[..3], &tar].concat();
    let tree = list(Cursor::new(&zst), &limits()).unwrap();
    assert_eq!(tree[&b"kit/a.txt"[..]].id, ObjectId::of(b"abc\n"));
}

#[test]
fn what_is_no_archive_or_a_damaged_one_is_told() {
    let read = |bytes: &[u8]| list(Cursor::new(bytes), &limits());
    for other in [&b""[..], b"hello", b"PK", &[0; 2_000], b"\x1f"] {
        assert!(matches!(read(other), Err(ArchiveError::Unknown)));
    }
    for (name, bytes) in all_forms(&[("kit/a.txt", &"abc\n".repeat(2_000))]) {
        let cut = read(&bytes[..bytes.len() * 2 / 3]);
        assert!(
            matches!(cut, Err(ArchiveError::Damaged(_))),
            "{name}: {cut:?}"
        );
    }
    let error = read(&zipped(&[("kit/../../b", "x")])).unwrap_err();
    assert!(matches!(error, ArchiveError::Name(..)), "{error}");
    assert_eq!(
        error.to_string(),
        "the name \"kit/../../b\" leads out of the archive"
    );
}

#[test]
fn no_flipped_byte_is_a_panic() {
    for (_, bytes) in all_forms(&[("kit/a.txt", "abc\nabc\nabc\n"), ("kit/b", "")]) {
        for at in 0..bytes.len() {
            let mut bent = bytes.clone();
            bent[at] ^= 0x41;
            let _ = list(Cursor::new(&bent), &limits());
        }
    }
}
