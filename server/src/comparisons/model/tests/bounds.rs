//! What stays out, and what is cut.

use std::time::{Duration, Instant};

use super::*;

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
