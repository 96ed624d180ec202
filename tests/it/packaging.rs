//! The image and the compose file fit the workspace. An engine may be absent where the suite runs.

use std::path::Path;

fn read(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    std::fs::read_to_string(root.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_image_copies_every_member_and_uses_features_that_exist() {
    let dockerfile = read("Dockerfile");
    let workspace = read("Cargo.toml");
    let server = read("server/Cargo.toml");
    for feature in ["postgres-tls", "postgres-bundled", "demo"] {
        assert!(server.contains(&format!("{feature} =")), "{feature}");
    }
    assert!(dockerfile.contains("--no-default-features") && dockerfile.contains("postgres-tls"));
    assert!(dockerfile.contains("--profile dist") && workspace.contains("[profile.dist]"));
    assert!(dockerfile.contains("target/dist/kitward"));
    let copied: Vec<&str> = dockerfile
        .lines()
        .filter(|line| line.starts_with("COPY ") && !line.contains("--from"))
        .flat_map(|line| line.split_whitespace().skip(1))
        .collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for path in copied
        .iter()
        .filter(|path| !path.starts_with("--") && !path.ends_with("./"))
    {
        let path = path.trim_start_matches("./").trim_end_matches('/');
        assert!(
            path.is_empty() || root.join(path).exists(),
            "the image copies {path}"
        );
    }
    let flags = read(".cargo/config.toml");
    let value = flags
        .lines()
        .find_map(|line| line.strip_prefix("LIBSQLITE3_FLAGS = "))
        .unwrap();
    assert!(
        dockerfile.contains(value.trim_matches('"')),
        "SQLite is built with other switches"
    );
    assert!(dockerfile.contains("USER ") && dockerfile.contains("HEALTHCHECK"));
}

#[test]
fn the_compose_file_uses_settings_that_exist() {
    let compose = read("compose.yaml");
    let reference = kitward::config::markdown();
    for word in compose.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
        if let Some(name) = word.strip_prefix("KITWARD_") {
            let name = format!("KITWARD_{}", name.trim_end_matches("_FILE"));
            assert!(
                reference.contains(&format!("`{name}`")),
                "{name} is no setting"
            );
        }
    }
    assert!(compose.contains("read_only: true") && compose.contains("postgres"));
}
