use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use super::*;

mod bounds;
mod random_trees;

type Files = BTreeMap<Vec<u8>, (Mode, Vec<u8>)>;

const LIMITS: Limits = Limits {
    patch_bytes: 16 << 20,
    names_bytes: 18 << 20,
    files: 5_000,
};

fn file(text: impl Into<Vec<u8>>) -> (Mode, Vec<u8>) {
    (Mode::File, text.into())
}

fn files<const N: usize>(all: [(&str, (Mode, Vec<u8>)); N]) -> Files {
    let all = all.into_iter();
    all.map(|(path, file)| (path.as_bytes().to_vec(), file))
        .collect()
}

fn tree(files: &Files) -> (Tree, std::collections::HashMap<usize, Vec<u8>>) {
    let mut contents = std::collections::HashMap::new();
    let mut tree = Tree::new();
    for (place, (path, (mode, content))) in files.iter().enumerate() {
        let entry = Entry {
            mode: *mode,
            size: content.len() as u64,
            id: ObjectId::of(content),
            place,
        };
        tree.insert(path.clone(), entry);
        contents.insert(place, content.clone());
    }
    (tree, contents)
}

fn compare(old: &Files, new: &Files, limits: &Limits) -> (Vec<u8>, Summary) {
    let ((before, old), (after, new)) = (tree(old), tree(new));
    let pairing = Pairing::new(&before, &after);
    let listings = strip(before, after);
    write(&listings, pairing, &Contents { old, new }, limits, &|| {
        false
    })
}

fn put(folder: &Path, files: &Files) {
    for (path, (mode, content)) in files {
        let path = folder.join(std::ffi::OsStr::from_bytes(path));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match mode {
            Mode::Link => symlink(std::ffi::OsStr::from_bytes(content), &path).unwrap(),
            Mode::File | Mode::Executable => {
                fs::write(&path, content).unwrap();
                let bits = if *mode == Mode::File { 0o644 } else { 0o755 };
                fs::set_permissions(&path, fs::Permissions::from_mode(bits)).unwrap();
            }
        }
    }
}

fn get(folder: &Path, prefix: &[u8], found: &mut Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = [prefix, entry.file_name().as_bytes()].concat();
        let kind = entry.file_type().unwrap();
        let file = if kind.is_dir() {
            get(&entry.path(), &[&name[..], b"/"].concat(), found);
            continue;
        } else if kind.is_symlink() {
            let target = fs::read_link(entry.path()).unwrap();
            (Mode::Link, target.as_os_str().as_bytes().to_vec())
        } else {
            let bits = entry.metadata().unwrap().permissions().mode();
            (Mode::of(bits), fs::read(entry.path()).unwrap())
        };
        found.insert(name, file);
    }
}

/// What git makes of `old` with this patch; what it complains of, if it does not take it.
fn apply(old: &Files, patch: &[u8], more: &[&str]) -> Result<Files, String> {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("kit");
    fs::create_dir(&inside).unwrap();
    put(&inside, old);
    let mut git = Command::new("git")
        .arg("apply")
        .args(more)
        .current_dir(&inside)
        .env("GIT_CEILING_DIRECTORIES", folder.path())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", folder.path())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Git may stop reading what it does not take.
    let _ = git.stdin.take().unwrap().write_all(patch);
    let done = git.wait_with_output().unwrap();
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).into_owned());
    }
    let mut found = Files::new();
    get(&inside, b"", &mut found);
    Ok(found)
}

#[track_caller]
fn assert_applies(old: &Files, new: &Files) -> Summary {
    let (patch, summary) = compare(old, new, &LIMITS);
    assert!(summary.complete);
    if patch.is_empty() {
        assert_eq!(old, new);
        return summary;
    }
    let shown = String::from_utf8_lossy(&patch);
    assert_eq!(apply(old, &patch, &[]).as_ref(), Ok(new), "{shown}");
    // And it can be taken back. Git itself forgets then that a removed empty file was run.
    let bytes = |files: &Files| -> BTreeMap<Vec<u8>, Vec<u8>> {
        let files = files.iter();
        files
            .map(|(path, (_, content))| (path.clone(), content.clone()))
            .collect()
    };
    let back = apply(new, &patch, &["-R"]).map(|back| bytes(&back));
    assert_eq!(back, Ok(bytes(old)), "{shown}");
    summary
}

fn numbered(count: u32) -> String {
    {
        let lines: Vec<String> = (0..count)
            .map(|number| format!("line {number}\n"))
            .collect();
        lines.concat()
    }
}

#[test]
fn git_applies_every_kind_of_change() {
    let long = numbered(100);
    let edited = long
        .replace("line 7\n", "line seven\n")
        .replace("line 90\n", "");
    let binary = |seed: u8| -> Vec<u8> { (0..5_000_u32).map(|n| (n % 251) as u8 ^ seed).collect() };
    let old = files([
        ("same.txt", file("same\n")),
        ("edited.txt", file(long.clone())),
        ("gone.txt", file("gone\n")),
        ("moved/old name.txt", file(numbered(20))),
        ("moved/edited.txt", file(long.clone())),
        ("logo.png", file(binary(0))),
        ("old.bin", file(binary(1))),
        ("moved.bin", file(binary(7))),
        ("empty", file("")),
        ("becomes-empty", file("x")),
        ("crlf.txt", file("a\r\nb\r\nc\r\n")),
        ("no-end.txt", file("a\nb")),
        ("grows-end.txt", file("a\nb")),
        ("Größe \"x\"\\\t.txt", file("ü\n")),
        ("run.sh", file("#!/bin/sh\n")),
        ("link", (Mode::Link, b"same.txt".to_vec())),
        ("link-to-file", (Mode::Link, b"same.txt".to_vec())),
        ("file-to-link", file("same.txt")),
        ("thing", file("a file\n")),
        ("latin1.txt", file(&b"caf\xe9\nb\n"[..])),
    ]);
    let new = files([
        ("same.txt", file("same\n")),
        ("edited.txt", file(edited.clone())),
        ("new/fresh.txt", file("fresh\n")),
        ("moved/new näme.txt", file(numbered(20))),
        ("elsewhere/edited.txt", file(edited)),
        ("logo.png", file(binary(3))),
        ("new.bin", file([&b"\0"[..], b"new"].concat())),
        ("assets/moved.bin", file(binary(7))),
        ("filled", file("")),
        ("becomes-empty", file("")),
        ("crlf.txt", file("a\r\nB\r\nc\n")),
        ("no-end.txt", file("a\nc")),
        ("grows-end.txt", file("a\nb\n")),
        ("Größe \"x\"\\\t.txt", file("ö\n")),
        ("run.sh", (Mode::Executable, b"#!/bin/sh\n".to_vec())),
        ("link", (Mode::Link, b"edited.txt".to_vec())),
        ("link-to-file", file("same.txt")),
        ("file-to-link", (Mode::Link, b"same.txt".to_vec())),
        ("thing/inside.txt", file("a folder\n")),
        ("latin1.txt", file(&b"caf\xe8\nb\n"[..])),
    ]);
    let summary = assert_applies(&old, &new);
    let status = |path: &str| {
        let row = summary.files.iter().find(|row| row.path == path).unwrap();
        (row.status, row.similarity, row.binary)
    };
    assert_eq!(status("new/fresh.txt"), (ChangeStatus::Added, None, false));
    assert_eq!(status("gone.txt"), (ChangeStatus::Removed, None, false));
    assert_eq!(status("edited.txt"), (ChangeStatus::Modified, None, false));
    assert_eq!(
        status("moved/new näme.txt"),
        (ChangeStatus::Renamed, Some(100), false)
    );
    assert_eq!(
        status("assets/moved.bin"),
        (ChangeStatus::Renamed, Some(100), false)
    );
    let (moved, similarity, _) = status("elsewhere/edited.txt");
    assert!(moved == ChangeStatus::Renamed && similarity.unwrap() > 90);
    assert_eq!(status("logo.png"), (ChangeStatus::Modified, None, true));
    let edited = summary
        .files
        .iter()
        .find(|row| row.path == "edited.txt")
        .unwrap();
    assert_eq!(
        (edited.lines_added, edited.lines_removed, edited.hunks),
        (1, 2, 2)
    );
}

#[test]
fn nothing_changed_is_nothing_to_say() {
    let kit = files([("a", file("a")), ("b", file(""))]);
    let (patch, summary) = compare(&kit, &kit, &LIMITS);
    assert_eq!((patch, summary), (Vec::new(), Summary::nothing()));
}

#[test]
fn the_one_folder_of_each_archive_is_taken_off_both_or_none() {
    let named = |paths: &[&str]| -> Tree {
        let all = paths.iter().map(|path| ((*path).to_owned(), file("x")));
        let all = all.map(|(path, file)| (path.into_bytes(), file)).collect();
        tree(&all).0
    };
    let (old, new) = strip(named(&["kit-1/a", "kit-1/b/c"]), named(&["kit-2/a"]));
    assert_eq!(old.folder.as_deref(), Some(&b"kit-1"[..]));
    assert_eq!(new.folder.as_deref(), Some(&b"kit-2"[..]));
    assert_eq!(
        old.tree.keys().cloned().collect::<Vec<_>>(),
        [b"a".to_vec(), b"b/c".to_vec()]
    );
    for (old, new) in [
        (named(&["kit-1/a", "b"]), named(&["kit-2/a"])),
        (named(&["kit-1/a"]), named(&["a"])),
        (named(&[]), named(&["kit-2/a"])),
    ] {
        let (before, after) = strip(old.clone(), new.clone());
        assert_eq!((before.folder, after.folder), (None, None));
        assert_eq!((before.tree, after.tree), (old, new));
    }
}

#[test]
fn paths_that_lead_elsewhere_are_refused() {
    for bad in ["/etc/passwd", "a/../../b", "..", "a/..", "a\0b"] {
        assert_eq!(clean_path(bad.as_bytes()), Err(PathFault::Escapes), "{bad}");
    }
    assert_eq!(clean_path(&[b'a'; 4_097]), Err(PathFault::TooLong));
    assert_eq!(clean_path(b"./a//b/./c/"), Ok(b"a/b/c".to_vec()));
    assert_eq!(clean_path(b"./"), Ok(Vec::new()));
}
