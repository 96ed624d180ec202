use std::io::{Cursor, Write as _};

use proptest::prelude::*;

use super::*;
use crate::releases::archive::{Bounds, STAMP_NAME, list};
use crate::releases::model::ArchiveFormat;

const FORMATS: [ArchiveFormat; 4] = [
    ArchiveFormat::Zip,
    ArchiveFormat::Tar,
    ArchiveFormat::TarGz,
    ArchiveFormat::TarZst,
];

fn archive(format: ArchiveFormat, files: &[(String, Vec<u8>)], comment: &str) -> Vec<u8> {
    if format == ArchiveFormat::Zip {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer.set_comment(comment).unwrap();
        let options = zip::write::SimpleFileOptions::default();
        for (name, bytes) in files {
            let large = options.large_file(name.len() % 2 == 0);
            writer.start_file(name.as_str(), large).unwrap();
            writer.write_all(bytes).unwrap();
        }
        return writer.finish().unwrap().into_inner();
    }
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, name, bytes.as_slice())
            .unwrap();
    }
    let plain = builder.into_inner().unwrap();
    match format {
        ArchiveFormat::TarGz => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&plain).unwrap();
            encoder.finish().unwrap()
        }
        ArchiveFormat::TarZst => ruzstd::encoding::compress_to_vec(
            plain.as_slice(),
            ruzstd::encoding::CompressionLevel::Fastest,
        ),
        ArchiveFormat::Tar | ArchiveFormat::Zip => plain,
    }
}

fn joined(source: &[u8], pieces: &[Piece]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Original(range) => {
                let range =
                    usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
                bytes.extend(&source[range]);
            }
            Piece::Made(made) => bytes.extend(made),
        }
    }
    bytes
}

fn stamped(format: ArchiveFormat, original: &[u8], stamp: &[u8]) -> Vec<u8> {
    let mut source = Cursor::new(original);
    let listing = list(format, &mut source, &Bounds::default(), &|| true).unwrap();
    let end = listing.zip_end.as_deref();
    let pieces = splice(format, original.len() as u64, end, stamp).unwrap();
    joined(original, &pieces)
}

fn files() -> Vec<(String, Vec<u8>)> {
    vec![
        ("kit/README.md".to_owned(), vec![b'a'; 3000]),
        ("kit/src/index.ts".to_owned(), b"export {}".to_vec()),
    ]
}

proptest! {
    #[test]
    fn stripping_undoes_stamping_for_every_archive(
        contents in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..2000), 1..12),
        comment in "[a-z]{0,40}",
        stamp in proptest::collection::vec(any::<u8>(), 0..5000),
        which in 0_usize..4,
    ) {
        let format = FORMATS[which];
        let files: Vec<_> = contents
            .into_iter()
            .enumerate()
            .map(|(n, bytes)| (format!("kit/{}{n}", "x".repeat(n % 7)), bytes))
            .collect();
        let original = archive(format, &files, &comment);
        let stamped = stamped(format, &original, &stamp);
        let stripped = strip(&mut Cursor::new(&stamped)).unwrap().unwrap();
        prop_assert_eq!(&stripped.stamp, &stamp);
        prop_assert_eq!(joined(&stamped, &stripped.original), original);
        // The stamped archive is a sound one, with one entry more.
        let listing = list(format, Cursor::new(&stamped), &Bounds::default(), &|| true).unwrap();
        prop_assert!(listing.has_stamp);
        prop_assert_eq!(listing.entries, files.len() as u64 + 1);
    }
}

#[test]
fn what_was_never_stamped_has_no_stamp() {
    for format in FORMATS {
        let original = archive(format, &files(), "hello");
        assert_eq!(strip(&mut Cursor::new(&original)).unwrap(), None);
    }
    for other in [
        &b""[..],
        b"text",
        b"PK\x05\x06",
        &[0x1f, 0x8b],
        &[0x28, 0xb5, 0x2f, 0xfd],
    ] {
        assert_eq!(strip(&mut Cursor::new(other)).unwrap(), None);
    }
    // An entry of the stamp's name that is not ours.
    let forged = [(STAMP_NAME.to_owned(), b"{}".to_vec())];
    let zip = archive(ArchiveFormat::Zip, &forged, "");
    assert_eq!(strip(&mut Cursor::new(&zip)).unwrap(), None);
}

#[test]
fn a_stamp_that_was_changed_is_never_taken_for_the_whole_archive() {
    for format in FORMATS {
        let original = archive(format, &files(), "");
        let stamped = stamped(format, &original, b"{\"stamp\":1}");
        for at in 0..stamped.len() {
            let mut other = stamped.clone();
            other[at] ^= 0x55;
            // Whatever is found, the bytes differ: the hash in the signed stamp tells.
            let found = strip(&mut Cursor::new(&other)).unwrap();
            if let Some(found) = found {
                let same =
                    found.stamp == b"{\"stamp\":1}" && joined(&other, &found.original) == original;
                assert!(!same, "{format:?} at {at}");
            }
            let _ = strip(&mut Cursor::new(&stamped[..at]));
        }
    }
}

#[test]
fn large_zips_get_the_records_of_zip64() {
    use crate::releases::archive::{End, end_records, parse_records};

    let mut end = End {
        directory_offset: 5 << 30,
        directory_size: 1000,
        entries: 70_000,
        comment_size: 0,
        is_zip64: false,
        records: Vec::new(),
    };
    end.records = end_records(&end);
    assert_eq!(end.records.len(), 98);
    let read = parse_records(&end.records).unwrap();
    assert_eq!((read.directory_offset, read.entries), (5 << 30, 70_000));
    let size = (5 << 30) + 1000 + 98;
    let pieces = splice(ArchiveFormat::Zip, size, Some(&end.records), b"{}").unwrap();
    let Some(Piece::Made(tail)) = pieces.last() else {
        panic!("{pieces:?}");
    };
    let after = parse_records(&tail[tail.len() - 98..]).unwrap();
    assert_eq!(after.entries, 70_001);
    assert_eq!(after.directory_size, 1000 + 46 + 20 + 12);
    // A zip that is just small enough needs them once it is stamped.
    let small = End {
        entries: 65_534,
        directory_offset: 9,
        ..end
    };
    let records = end_records(&small);
    assert_eq!(records.len(), 22);
    let size = 9 + 1000 + 22;
    let pieces = splice(ArchiveFormat::Zip, size, Some(&records), b"{}").unwrap();
    let Some(Piece::Made(tail)) = pieces.last() else {
        panic!("{pieces:?}");
    };
    assert!(parse_records(&tail[tail.len() - 98..]).unwrap().is_zip64);
}

#[test]
fn a_zip_of_twelve_thousand_entries_is_stamped_without_its_directory_in_memory() {
    let files: Vec<_> = (0..12_000)
        .map(|n| (format!("kit/folder{}/file{n}.txt", n % 100), vec![b'x'; 40]))
        .collect();
    let original = archive(ArchiveFormat::Zip, &files, "");
    let mut source = Cursor::new(&original);
    let listing = list(ArchiveFormat::Zip, &mut source, &Bounds::default(), &|| {
        true
    })
    .unwrap();
    let end = listing.zip_end.unwrap();
    let pieces = splice(
        ArchiveFormat::Zip,
        original.len() as u64,
        Some(&end),
        &[b'x'; 1000],
    );
    let made = |piece: &Piece| match piece {
        Piece::Made(bytes) => bytes.len(),
        Piece::Original(_) => 0,
    };
    // Made bytes are the stamp, its two headers and the end; all else stays where it is.
    let made: usize = pieces.unwrap().iter().map(made).sum();
    assert!(made < 1300, "{made}");
}
