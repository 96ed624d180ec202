mod tars;
mod zips;

use std::io::Cursor;

use super::*;

/// Bounds small enough for tests to reach.
fn bounds() -> Bounds {
    Bounds {
        entries: 1000,
        bytes: 32 << 20,
        ..Bounds::default()
    }
}

fn listed(format: ArchiveFormat, bytes: &[u8]) -> Result<Listing, Fault> {
    match list(format, Cursor::new(bytes), &bounds(), &|| true) {
        Ok(listing) => Ok(listing),
        Err(ArchiveError::Refused(fault)) => Err(fault),
        Err(ArchiveError::Source(error)) => panic!("{error}"),
    }
}

#[track_caller]
fn refused(format: ArchiveFormat, bytes: &[u8], reason: Reason, entry: Option<&str>) {
    let fault = listed(format, bytes).unwrap_err();
    assert_eq!(fault.reason, reason, "{fault}");
    assert_eq!(fault.entry.as_deref(), entry, "{fault}");
}

#[test]
fn the_kind_is_told_by_the_name_then_by_the_bytes() {
    for (name, head, format) in [
        ("a.ZIP", &b"no"[..], Some(ArchiveFormat::Zip)),
        ("a.bin", b"PK\x03\x04", Some(ArchiveFormat::Zip)),
        ("a.tgz", b"", Some(ArchiveFormat::TarGz)),
        ("a.tar.gz", b"", Some(ArchiveFormat::TarGz)),
        ("a.tar.zst", b"", Some(ArchiveFormat::TarZst)),
        ("a.tar", b"", Some(ArchiveFormat::Tar)),
        ("a.gz", b"\x1f\x8b", None),
        ("a.whl", b"text", None),
    ] {
        assert_eq!(format_of(name, head), format, "{name}");
    }
    let mut head = vec![0; 512];
    head[257..262].copy_from_slice(b"ustar");
    assert_eq!(format_of("a.crate-like", &head), Some(ArchiveFormat::Tar));
}

/// A tar from before headers had a word to tell them by.
fn old_tar() -> Vec<u8> {
    let mut header = ::tar::Header::new_old();
    header.set_path("a").unwrap();
    header.set_size(4);
    header.set_mode(0o644);
    header.set_cksum();
    [&header.as_bytes()[..], b"text", &[0; 508 + 1024]].concat()
}

#[test]
fn a_packed_tar_is_told_by_what_is_in_it() {
    let (tar, old) = (tars::tar(&[("a", b"text".as_slice())]), old_tar());
    let skipped = b"\x50\x2a\x4d\x18\x03\0\0\0abc";
    let (gz, zst) = (tars::gzipped(&tar), tars::zstandard(&tar));
    for (bytes, format) in [
        (tar.clone(), Some(ArchiveFormat::Tar)),
        (old.clone(), Some(ArchiveFormat::Tar)),
        (gz.clone(), Some(ArchiveFormat::TarGz)),
        (tars::gzipped(&old), Some(ArchiveFormat::TarGz)),
        // Nothing, or what is to be skipped, may come first.
        (
            [tars::gzipped(b""), gz.clone()].concat(),
            Some(ArchiveFormat::TarGz),
        ),
        (zst.clone(), Some(ArchiveFormat::TarZst)),
        (
            [&skipped[..], &tars::zstandard(&old)].concat(),
            Some(ArchiveFormat::TarZst),
        ),
        // What else is packed, or cut off, is a file like any other.
        (tars::gzipped(b"text"), None),
        (tars::gzipped(&[b'x'; 5_000]), None),
        (tars::zstandard(&[0; 5_000]), None),
        (gz[..20].to_vec(), None),
        (zst[..20].to_vec(), None),
        (b"\x1f\x8b".to_vec(), None),
        (b"\x28\xb5\x2f\xfd".to_vec(), None),
        (vec![0; 512], None),
        (Vec::new(), None),
    ] {
        let found = find_format("kit-1.0.0.crate", Cursor::new(&bytes), &|| true);
        assert_eq!(found.unwrap(), format, "{bytes:?}");
        if let Some(format) = format {
            assert!(listed(format, &bytes).is_ok(), "{format:?}");
        }
    }
    let named = find_format("kit.zip", Cursor::new(&gz), &|| true);
    assert_eq!(named.unwrap(), Some(ArchiveFormat::Zip));
    let late = find_format("kit.gz", Cursor::new(&gz), &|| false);
    let Err(ArchiveError::Refused(fault)) = late else {
        panic!("{late:?}");
    };
    assert_eq!(fault.reason, Reason::TooSlow);
}

#[test]
fn a_source_that_fails_is_no_fault_of_the_archive() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _buffer: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("unplugged"))
        }
    }
    impl Seek for Broken {
        fn seek(&mut self, _to: std::io::SeekFrom) -> std::io::Result<u64> {
            Ok(0)
        }
    }
    for format in [
        ArchiveFormat::Zip,
        ArchiveFormat::Tar,
        ArchiveFormat::TarGz,
        ArchiveFormat::TarZst,
    ] {
        let outcome = list(format, Broken, &bounds(), &|| true);
        let Err(ArchiveError::Source(error)) = outcome else {
            panic!("{format:?}: {outcome:?}");
        };
        assert_eq!(error.to_string(), "unplugged");
    }
    let outcome = find_format("kit", Broken, &|| true);
    assert!(matches!(outcome, Err(ArchiveError::Source(_))));
}

#[test]
fn an_archive_that_takes_too_long_is_given_up() {
    let zip = zips::zip(&[zips::Part::file("a", b"text")]);
    let outcome = list(ArchiveFormat::Zip, Cursor::new(zip), &bounds(), &|| false);
    let Err(ArchiveError::Refused(fault)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(fault.reason, Reason::TooSlow);
}

/// Bytes that are read for long and unpack to nothing.
fn nothing_at_length() -> Vec<(ArchiveFormat, Vec<u8>)> {
    let many = |one: &[u8], end: &[u8]| [one.repeat(200_000), end.to_vec()].concat();
    let tar = tars::tar(&[("a", b"text".as_slice())]);
    let member = tars::gzipped(b"");
    let skipped = [0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0];
    // A frame of one empty block, of which there may be another, and the last, in a window of 1 KiB.
    let blocks = [
        &[0x28, 0xb5, 0x2f, 0xfd, 0, 0][..],
        &[0, 0, 0].repeat(200_000),
        &[1, 0, 0],
    ];
    let empty_blocks = many(&[0, 0, 0, 0xff, 0xff], &[1, 0, 0, 0xff, 0xff]);
    vec![
        (ArchiveFormat::TarGz, many(&member, &tars::gzipped(&tar))),
        (
            ArchiveFormat::TarZst,
            many(&skipped, &tars::zstandard(&tar)),
        ),
        (
            ArchiveFormat::TarZst,
            [&blocks.concat(), &tars::zstandard(&tar)[..]].concat(),
        ),
        (
            ArchiveFormat::Zip,
            zips::zip(&[zips::Part::hollow("a", &empty_blocks)]),
        ),
    ]
}

#[test]
fn an_archive_that_is_read_for_long_and_gives_nothing_is_given_up() {
    for (format, bytes) in nothing_at_length() {
        assert!(
            listed(format, &bytes).is_ok(),
            "{format:?} is fine otherwise"
        );
        let asked = std::cell::Cell::new(0);
        let may_go_on = || {
            asked.set(asked.get() + 1);
            asked.get() < 8
        };
        let outcome = list(format, Cursor::new(&bytes), &bounds(), &may_go_on);
        let Err(ArchiveError::Refused(fault)) = outcome else {
            panic!("{format:?}: {outcome:?}");
        };
        assert_eq!(fault.reason, Reason::TooSlow, "{format:?}");
        assert!(asked.get() < 20, "{format:?}: it went on");
    }
}

#[test]
fn every_reason_has_a_word_of_its_own() {
    let mut words: Vec<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Reason::ALL.len());
}

#[test]
fn no_cut_and_no_flipped_byte_makes_the_reader_panic() {
    let zip = zips::zip(&[
        zips::Part::deflated("src/a.txt", &[b'a'; 500]),
        zips::Part::file("b", b"text"),
    ]);
    let tar = tars::tar(&[("src/a.txt", b"text".as_slice())]);
    let gz = tars::gzipped(&tar);
    let zst = tars::zstandard(&tar);
    for (format, bytes) in [
        (ArchiveFormat::Zip, zip),
        (ArchiveFormat::Tar, tar),
        (ArchiveFormat::TarGz, gz),
        (ArchiveFormat::TarZst, zst),
    ] {
        assert!(listed(format, &bytes).is_ok(), "{format:?}");
        for at in 0..bytes.len() {
            let _ = listed(format, &bytes[..at]);
            for flip in [0x01, 0x80, 0xff] {
                let mut other = bytes.clone();
                other[at] ^= flip;
                let _ = listed(format, &other);
                let _ = find_format("kit", Cursor::new(&other), &|| true);
            }
        }
    }
}
