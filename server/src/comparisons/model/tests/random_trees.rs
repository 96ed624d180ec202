//! What git makes of patches between random trees.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

fn content() -> impl Strategy<Value = Vec<u8>> {
    let line = select(vec![
        "a",
        "b",
        "c",
        "",
        "x y",
        "ü",
        "\t",
        "z\r",
        "--- a/x",
        "@@ -1 +1 @@",
        "\\ No",
    ]);
    let text = (prop::collection::vec(line, 0..30), any::<bool>()).prop_map(|(lines, ended)| {
        let text = lines.join("\n");
        if ended && !text.is_empty() {
            format!("{text}\n")
        } else {
            text
        }
        .into_bytes()
    });
    let bytes = prop::collection::vec(any::<u8>(), 0..200);
    prop_oneof![4 => text, 1 => bytes]
}

fn path() -> impl Strategy<Value = String> {
    let part = select(vec![
        "a", "b", "c d", "é", "\"q\"", "x.ts", " lead", "trail ", "-n", "\\",
    ]);
    prop::collection::vec(part, 1..4).prop_map(|parts| parts.join("/"))
}

fn any_file() -> impl Strategy<Value = (Mode, Vec<u8>)> {
    prop_oneof![
        5 => content().prop_map(|content| (Mode::File, content)),
        1 => content().prop_map(|content| (Mode::Executable, content)),
        1 => "[a-z./]{1,12}".prop_map(|target| (Mode::Link, target.into_bytes())),
    ]
}

/// Adds a file where none of its folders is a file, and no file is its folder.
fn add(files: &mut Files, path: &str, file: (Mode, Vec<u8>)) {
    let path = path.as_bytes();
    let within = |a: &[u8], b: &[u8]| a.starts_with(b) && a.get(b.len()) == Some(&b'/');
    if !files
        .keys()
        .any(|other| within(other, path) || within(path, other))
    {
        files.insert(path.to_vec(), file);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Add(String, (Mode, Vec<u8>)),
    Remove(Index),
    Move(Index, String),
    Edit(Index, Index, Vec<u8>),
    Flip(Index),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (path(), any_file()).prop_map(|(path, file)| Step::Add(path, file)),
        any::<Index>().prop_map(Step::Remove),
        (any::<Index>(), path()).prop_map(|(from, to)| Step::Move(from, to)),
        (any::<Index>(), any::<Index>(), content())
            .prop_map(|(file, at, new)| Step::Edit(file, at, new)),
        any::<Index>().prop_map(Step::Flip),
    ]
}

fn take(files: &mut Files, step: Step) {
    let nth = |files: &Files, index: Index| -> Option<Vec<u8>> {
        let paths: Vec<&Vec<u8>> = files.keys().collect();
        (!paths.is_empty()).then(|| (*index.get(&paths)).clone())
    };
    match step {
        Step::Add(path, file) => add(files, &path, file),
        Step::Remove(index) => {
            nth(files, index).map(|path| files.remove(&path));
        }
        Step::Move(index, to) => {
            if let Some(file) = nth(files, index).and_then(|path| files.remove(&path)) {
                add(files, &to, file);
            }
        }
        Step::Edit(index, at, new) => {
            let Some(path) = nth(files, index) else {
                return;
            };
            let (mode, content) = files.get_mut(&path).unwrap();
            if *mode != Mode::Link {
                let at = at.index(content.len() + 1);
                content.splice(at..at, new);
            }
        }
        Step::Flip(index) => {
            let Some(path) = nth(files, index) else {
                return;
            };
            let (mode, content) = files.get_mut(&path).unwrap();
            *mode = match mode {
                Mode::File => Mode::Executable,
                Mode::Executable
                    if !content.is_empty() && !content.contains(&0) && content.len() < 200 =>
                {
                    Mode::Link
                }
                Mode::Executable | Mode::Link => Mode::File,
            };
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn git_makes_the_new_files_of_the_old_ones(
        start in prop::collection::vec((path(), any_file()), 0..8),
        steps in prop::collection::vec(step(), 1..8),
    ) {
        let mut old = Files::new();
        for (path, file) in start {
            add(&mut old, &path, file);
        }
        let mut new = old.clone();
        for step in steps {
            take(&mut new, step);
        }
        assert_applies(&old, &new);
    }
}
