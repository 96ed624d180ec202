//! Two versions of a real kit, as archives and as folders.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum File {
    Plain(Vec<u8>),
    Run(Vec<u8>),
    Link(String),
}

pub(super) type Files = BTreeMap<String, File>;

fn plain(text: impl Into<Vec<u8>>) -> File {
    File::Plain(text.into())
}

fn picture(seed: u32) -> Vec<u8> {
    let noise = (0..3_000_u32).flat_map(|n| (n * seed).wrapping_mul(2_654_435_761).to_le_bytes());
    [&b"\x89PNG\r\n\x1a\n\0"[..], &noise.collect::<Vec<u8>>()].concat()
}

/// The kit that the demo sells, with some of everything.
pub(super) fn old_kit() -> Files {
    let mut files = Files::new();
    let bytes = kitward_fakes::sample_kit_zip();
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        files.insert(entry.name().unwrap().into_owned(), plain(content));
    }
    for (path, file) in [
        ("assets/logo.png", plain(picture(1))),
        ("assets/old.png", plain(picture(2))),
        ("assets/icon.png", plain(picture(3))),
        ("src/gone.ts", plain("export {};\n")),
        ("src/empty.ts", plain("")),
        ("src/windows.ts", plain("a\r\nb\r\nc\r\n")),
        ("src/no-end.ts", plain("a\nb")),
        (
            "docs/Übersicht.md",
            plain("# Übersicht\n\neins\nzwei\ndrei\n"),
        ),
        ("docs/a file.md", plain("with a space\n")),
        ("bin/build", plain("#!/bin/sh\nexit 0\n")),
        ("bin/start", File::Run(b"#!/bin/sh\n".to_vec())),
        ("current", File::Link("src".to_owned())),
    ] {
        files.insert(path.to_owned(), file);
    }
    files
}

/// The next version: edited, added, removed, moved, moved and edited, and run.
pub(super) fn new_kit() -> Files {
    let mut files = old_kit();
    let File::Plain(widget) = files.remove("src/widget.ts").unwrap() else {
        panic!("the kit has another form");
    };
    let widget = String::from_utf8(widget).unwrap();
    files.insert(
        "src/ui/widget.ts".to_owned(),
        plain(format!("// Moved.\n{widget}// Ended.\n")),
    );
    let style = files.remove("src/widget.css").unwrap();
    files.insert("src/ui/style.css".to_owned(), style);
    let icon = files.remove("assets/icon.png").unwrap();
    files.insert("assets/ícon 'new'.png".to_owned(), icon);
    for gone in ["assets/old.png", "src/gone.ts"] {
        files.remove(gone);
    }
    for (path, file) in [
        ("assets/logo.png", plain(picture(4))),
        ("assets/new.png", plain(picture(5))),
        ("src/fresh.ts", plain("export const fresh = true;\n")),
        ("src/empty-too.ts", plain("")),
        ("src/windows.ts", plain("a\r\nB\r\nc\r\n")),
        ("src/no-end.ts", plain("a\nB")),
        (
            "docs/Übersicht.md",
            plain("# Übersicht\n\neins\nzwo\ndrei\n"),
        ),
        ("docs/a file.md", plain("with two spaces\n")),
        ("bin/build", File::Run(b"#!/bin/sh\nexit 0\n".to_vec())),
        ("current", File::Link("src/ui".to_owned())),
    ] {
        files.insert(path.to_owned(), file);
    }
    files
}

pub(crate) fn zip_of(folder: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let files = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), plain(*text)));
    zip(folder, &files.collect())
}

pub(super) fn zip(folder: &str, files: &Files) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, file) in files {
        let path = format!("{folder}/{path}");
        let (content, mode) = match file {
            File::Plain(content) => (content, 0o644),
            File::Run(content) => (content, 0o755),
            File::Link(target) => {
                zip.add_symlink(path, target, SimpleFileOptions::default())
                    .unwrap();
                continue;
            }
        };
        zip.start_file(path, SimpleFileOptions::default().unix_permissions(mode))
            .unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

pub(super) fn tar_gz(folder: &str, files: &Files) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, file) in files {
        let path = format!("{folder}/{path}");
        let mut header = tar::Header::new_gnu();
        let (content, mode) = match file {
            File::Plain(content) => (content, 0o644),
            File::Run(content) => (content, 0o755),
            File::Link(target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_size(0);
                header.set_mode(0o777);
                tar.append_link(&mut header, path, target).unwrap();
                continue;
            }
        };
        header.set_size(content.len() as u64);
        header.set_mode(mode);
        tar.append_data(&mut header, path, content.as_slice())
            .unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

pub(super) fn unpack(bytes: &[u8], ending: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    if ending == "zip" {
        let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
        archive.extract(folder.path()).unwrap();
    } else {
        tar::Archive::new(GzDecoder::new(bytes))
            .unpack(folder.path())
            .unwrap();
    }
    folder
}

pub(super) fn read(folder: &Path) -> Files {
    let mut found = Files::new();
    read_into(folder, "", &mut found);
    found
}

fn read_into(folder: &Path, prefix: &str, found: &mut Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().into_string().unwrap());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            read_into(&entry.path(), &format!("{name}/"), found);
        } else if kind.is_symlink() {
            let target = fs::read_link(entry.path()).unwrap();
            found.insert(
                name,
                File::Link(target.into_os_string().into_string().unwrap()),
            );
        } else {
            let content = fs::read(entry.path()).unwrap();
            let runs = entry.metadata().unwrap().permissions().mode() & 0o111 != 0;
            found.insert(
                name,
                if runs {
                    File::Run(content)
                } else {
                    File::Plain(content)
                },
            );
        }
    }
}
