# `just` lists what can be run. Everything here is also plain cargo.

export RUSTDOCFLAGS := "-D warnings"

_default:
    @just --list --unsorted

# compile everything, run nothing
check:
    cargo check --workspace --all-targets

# every test that needs no browser and no other language
test *ARGS:
    cargo test --workspace {{ARGS}}

# format, clippy, dependencies, documentation
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo deny --locked check bans licenses sources
    cargo doc --workspace --no-deps

# what a change has to pass
ci *ARGS:
    .ci/run {{ARGS}}

# a complete sample vendor in a temporary folder
demo *ARGS:
    cargo run -- demo {{ARGS}}

# the documentation of the code, and the generated pages under docs/
docs:
    cargo doc --workspace --no-deps
    UPDATE_DOCS=1 cargo test --workspace
    git status --short docs

# accept the snapshots as they are now; read the difference before it is committed
snapshots:
    INSTA_UPDATE=always INSTA_FORCE_PASS=1 cargo test --workspace
    git status --short
