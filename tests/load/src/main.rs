//! `cargo run --release -p kitward-load`: how fast a real `kitward serve` is, as one table.
//!
//! Server and load share the machine, so figures are compared with each other in one run: the
//! phases take turns in rounds, forward and backward, and every line is a median over the rounds.
//! The exit status is 1 where a line misses what it must reach.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a program for people who measure; nothing here serves"
)]
#![expect(
    clippy::cast_precision_loss,
    reason = "counts of one run are far below 2^52"
)]

mod arguments;
mod bare;
mod bench;
mod client;
mod downloads;
mod keys;
mod lines;
mod phases;
mod postgres;
mod process;
mod publish;
mod releases;
mod requests;
mod seed;
mod server;
mod stamped;
mod statistics;
mod table;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::Arguments;

/// Whatever ends a run early; the sentence is for whoever started it.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    // One thread: the load has to leave the cores to the server.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let arguments = Arguments::parse();
    if let Some(file) = &arguments.serve_file {
        return match actix_web::rt::System::new().block_on(bare::serve(file)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::from(2)
            }
        };
    }
    let outcome = runtime
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(bench::run(&arguments)));
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("the run ended early: {error}");
            ExitCode::from(2)
        }
    }
}
