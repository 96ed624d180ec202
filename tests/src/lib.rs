//! The harness of the suite: a real installation per test, on either database, with a clock that
//! is moved by hand, seeded chance, a stand-in Stripe and a mail server on loopback.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::missing_panics_doc,
    clippy::disallowed_methods,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "a harness fails the test it serves"
)]

mod actors;
mod app;
mod child;
mod database;
mod issued;
mod s3;
mod shop;

pub use actors::{Actor, Reply};
pub use app::{Builder, TestApp};
pub use app::{MASTER_KEY, START, WEBHOOK_SECRETS};
pub use child::{
    Child, ChildSettings, Death, Ended, command, doomed_command, run_command_if_asked,
    serve_if_asked,
};
pub use database::{Database, Kind, OwnCluster, free_port};
pub use issued::Issued;
pub use s3::{Asked, Fault, S3};
pub use shop::{BUYER, Purchase, Shop, key_in};

/// Runs a test's future on a runtime of its own.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(future)
}

/// Runs `test` on this kind of database, or prints why it was skipped.
pub fn run_on<F: Future<Output = ()>>(kind: Kind, test: impl FnOnce(Kind) -> F) {
    if kind == Kind::Postgres && !database::postgres_is_there() {
        assert!(
            std::env::var_os("CI").is_none(),
            "PostgreSQL's programs are missing, and this is CI"
        );
        eprintln!("skipped: PostgreSQL's programs (initdb, pg_ctl) are not installed");
        return;
    }
    block_on(test(kind));
}

/// Makes two tests of one function that takes a [`Kind`]: `NAME::sqlite` and `NAME::postgres`.
#[macro_export]
macro_rules! both {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[test]
            fn sqlite() {
                $crate::run_on($crate::Kind::Sqlite, super::$name);
            }
            #[test]
            fn postgres() {
                $crate::run_on($crate::Kind::Postgres, super::$name);
            }
        }
    )+};
}
