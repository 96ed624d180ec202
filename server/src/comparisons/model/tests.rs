use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::*;

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

#[test]
fn what_is_gits_own_stays_out_of_the_patch_and_is_told() {
    let old = files([("a", file("1\n")), (".git/config", file("1\n"))]);
    for own in [
        ".git/hooks/x",
        "b/.GIT/x",
        "git~1/x",
        ".git./x",
        ".g\u{200c}it/x",
        ".git:x/y",
    ] {
        let new = files([
            ("a", file("2\n")),
            (".git/config", file("1\n")),
            (own, file("2\n")),
        ]);
        let (patch, summary) = compare(&old, &new, &LIMITS);
        assert!(!summary.complete, "{own}");
        let row = summary.files.iter().find(|row| row.path == own).unwrap();
        assert!(!row.in_patch && row.patch_length == 0);
        let applied = apply(&files([("a", file("1\n"))]), &patch, &[]).unwrap();
        assert_eq!(applied, files([("a", file("2\n"))]));
    }
}

#[test]
fn what_does_not_fit_is_named_and_git_refuses_the_whole() {
    let limits = Limits {
        patch_bytes: 2_000,
        ..LIMITS
    };
    let noise: Vec<u8> = (0..4_000_u32)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes())
        .collect();
    let old = files([("a", file("1\n")), ("big", file("\0"))]);
    let new = files([("a", file("2\n")), ("big", file(noise))]);
    let (patch, summary) = compare(&old, &new, &limits);
    assert!(!summary.complete && patch.len() < 2_500);
    let text = String::from_utf8(patch.clone()).unwrap();
    assert!(
        text.ends_with("Binary files a/big and b/big differ\n"),
        "{text}"
    );
    assert!(
        apply(&old, &patch, &[])
            .unwrap_err()
            .contains("binary patch")
    );
    let limits = Limits { files: 1, ..LIMITS };
    let (_, summary) = compare(&old, &new, &limits);
    assert_eq!((summary.files.len(), summary.files_left_out), (1, 1));
    assert_eq!(summary.counts.modified, 2);
}

#[test]
fn a_move_is_known_by_what_is_alike_and_only_then() {
    let (text, other) = (numbered(40), "other\n".repeat(40));
    let old = files([
        ("a/x.ts", file(text.clone())),
        ("a/y.ts", file(other.clone())),
    ]);
    let near = text.replace("line 3\n", "line three\n");
    let new = files([("b/x.ts", file(near)), ("b/z.ts", file("quite\nelse\n"))]);
    let summary = assert_applies(&old, &new);
    assert_eq!(summary.counts.renamed, 1);
    assert_eq!((summary.counts.added, summary.counts.removed), (1, 1));
    let row = summary
        .files
        .iter()
        .find(|row| row.old_path.is_some())
        .unwrap();
    assert_eq!(row.old_path.as_deref(), Some("a/x.ts"));
    // Of two equal files the one with the same name is taken; empty ones are nobody's.
    let old = files([
        ("1/a", file("same\n")),
        ("1/b", file("same\n")),
        ("1/e", file("")),
    ]);
    let new = files([("2/b", file("same\n")), ("2/e", file(""))]);
    let summary = assert_applies(&old, &new);
    let row = summary.files.iter().find(|row| row.path == "2/b").unwrap();
    assert_eq!(row.old_path.as_deref(), Some("1/b"));
    assert_eq!(summary.counts.renamed, 1);
}

/// Seconds are those of an unoptimized build on a busy machine.
#[test]
fn texts_made_to_be_slow_are_compared_in_time() {
    let long_line = |byte: u8| vec![byte; 4 << 20];
    let equal = |count: usize| b"}\n".repeat(count);
    let shuffled = |step: u32| -> Vec<u8> {
        let lines = (0..150_000_u32).map(|n| format!("{}\n", n.wrapping_mul(step) % 1_000));
        lines.collect::<String>().into_bytes()
    };
    for (name, old, new) in [
        ("one long line", long_line(b'a'), long_line(b'b')),
        ("equal lines", equal(150_000), equal(199_000)),
        (
            "more lines than are compared",
            equal(1 << 20),
            equal((1 << 20) + 1),
        ),
        (
            "lines in another order",
            shuffled(7),
            shuffled(2_654_435_761),
        ),
        ("no line in common", shuffled(7), equal(150_000)),
    ] {
        let started = Instant::now();
        let old = files([("a", file(old))]);
        let new = files([("a", file(new))]);
        let (patch, summary) = compare(&old, &new, &LIMITS);
        assert!(summary.complete, "{name}");
        let took = started.elapsed();
        assert!(took < Duration::from_secs(20), "{name}: {took:?}");
        assert_eq!(apply(&old, &patch, &[]).as_ref(), Ok(&new), "{name}");
    }
}
