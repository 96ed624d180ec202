//! The layers hold, budgets hold, and the pages about the program tell the truth.

use std::path::{Path, PathBuf};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = entry.file_name().into_string().unwrap();
        if path.is_dir() && !["target", "node_modules", ".git", "fuzz"].contains(&name.as_str()) {
            found.extend(files(&path, ending));
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A file without its unit tests.
pub(crate) fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    text.split("#[cfg(test)]").next().unwrap().to_owned()
}

#[test]
fn diesel_and_actix_stay_in_their_rooms() {
    let source = root().join("server/src");
    for path in files(&source, ".rs") {
        let place = path
            .strip_prefix(&source)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let name = path.file_name().unwrap().to_str().unwrap();
        let text = code(&path);
        let in_database =
            place.starts_with("db") || name == "store.rs" || place.contains("/store/");
        assert!(
            in_database || !text.contains("diesel::"),
            "diesel in {place}"
        );
        let in_http = place.starts_with("http")
            || [
                "api.rs", "admin.rs", "pages.rs", "app.rs", "run.rs", "cli.rs",
            ]
            .contains(&name)
            || ["/api/", "/admin/", "/pages/"]
                .iter()
                .any(|room| place.contains(room));
        assert!(
            in_http || !text.contains("actix_web::"),
            "actix_web in {place}"
        );
        if name == "model.rs" {
            assert!(!text.contains("Clock"), "a clock in {place}");
        }
    }
    for (pure, refused) in [("keys", "tokio"), ("portal", "actix")] {
        let manifest = std::fs::read_to_string(root().join(pure).join("Cargo.toml")).unwrap();
        assert!(!manifest.contains(refused), "{refused} in {pure}");
        assert!(!manifest.contains("kitward-") || manifest.matches("kitward-").count() == 1);
    }
}

#[test]
fn no_file_is_over_its_budget() {
    for (folder, most) in [
        ("keys/src", 300),
        ("migrations/src", 300),
        ("portal/src", 300),
        ("server/src", 300),
        ("tests/src", 300),
        ("tests/fakes/src", 300),
        ("tests/load/src", 300),
        ("tests/it", 500),
    ] {
        for path in files(&root().join(folder), ".rs") {
            let text = code(&path);
            let is_code = |line: &&str| !line.is_empty() && !line.starts_with("//");
            let lines = text.lines().map(str::trim).filter(is_code).count();
            let is_table = path.ends_with("db/schema.rs");
            assert!(
                lines <= most || is_table,
                "{} has {lines} lines",
                path.display()
            );
        }
    }
}

#[test]
fn every_file_of_tests_is_compiled() {
    let tests = root().join("tests/it");
    for path in files(&tests, ".rs") {
        let (stem, folder) = (path.file_stem().unwrap(), path.parent().unwrap());
        let declared = format!("mod {};", stem.to_str().unwrap());
        let above = if folder == tests {
            tests.join("main.rs")
        } else {
            folder.with_extension("rs")
        };
        let text = std::fs::read_to_string(&above).unwrap();
        assert!(
            stem == "main" || text.contains(&declared),
            "{} lacks {declared}",
            above.display()
        );
    }
}

#[test]
fn names_that_could_hold_anything_are_refused() {
    for path in files(&root(), ".rs") {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let refused = [
            "utils", "helpers", "common", "misc", "manager", "data", "info", "mod",
        ];
        assert!(!refused.contains(&stem), "{}", path.display());
    }
}

#[test]
fn the_architecture_page_names_paths_that_exist() {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    assert!(page.lines().count() <= 200);
    let named = page.split('`').skip(1).step_by(2).filter(|word| {
        word.contains('/')
            && !word.contains(' ')
            && !word.starts_with('/')
            && !word.contains("::")
            && !word.contains('{')
    });
    let mut count = 0;
    for path in named {
        count += 1;
        assert!(root().join(path).exists(), "{path} does not exist");
    }
    assert!(count >= 20, "only {count} paths were found");
}

fn generated(name: &str, text: &str) {
    let path = root().join("docs").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "docs/{name} is stale: UPDATE_DOCS=1 cargo test -p kitward-tests"
    );
}

#[test]
fn the_generated_pages_are_current() {
    generated("errors.md", &kitward::http::error::markdown());
    generated("configuration.md", &kitward::config::markdown());
    generated("openapi.json", kitward::http::openapi::text());
}

#[test]
fn links_between_the_pages_lead_somewhere() {
    for path in files(&root(), ".md") {
        let text = std::fs::read_to_string(&path).unwrap();
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let target = target.split('#').next().unwrap();
            if target.is_empty() || target.contains("://") || target.contains(' ') {
                continue;
            }
            let found = path.parent().unwrap().join(target);
            assert!(found.exists(), "{} links to {target}", path.display());
        }
    }
}

#[test]
fn every_declared_dependency_is_used() {
    for member in [
        "keys",
        "migrations",
        "portal",
        "server",
        "tests",
        "tests/fakes",
        "tests/load",
    ] {
        let folder = root().join(member);
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let sources: String = files(&folder, ".rs")
            .iter()
            .filter(|path| {
                let others = ["tests/fakes", "tests/load"].map(|other| root().join(other));
                member != "tests" || !others.iter().any(|other| path.starts_with(other))
            })
            .map(|path| std::fs::read_to_string(path).unwrap())
            .collect();
        let declared = manifest
            .lines()
            .skip_while(|line| *line != "[dependencies]");
        for line in declared.take_while(|line| *line != "[features]") {
            let Some((name, _)) = line.split_once(['.', ' ']) else {
                continue;
            };
            // Taken for their features: they choose how the C libraries are built.
            if ["libsqlite3-sys", "pq-sys", "path", "name"].contains(&name) || name.starts_with('[')
            {
                continue;
            }
            let used = match name {
                "async-stripe" => "stripe::".to_owned(),
                "async-stripe-checkout" => "stripe_checkout".to_owned(),
                name => name.replace('-', "_"),
            };
            assert!(
                sources.contains(&used),
                "{member} declares {name} and does not use it"
            );
        }
    }
}
