//! The commands of the one binary.
//!
//! `demo, serve, migrate, check-config, doctor, keys, token create, audit verify` open the data folder themselves; all
//! others speak HTTP to a server (`KITWARD_URL`, `KITWARD_TOKEN`), so that they work from CI.
//! Exit status: 0 done, 1 refused or failed (one line, then detail), 2 usage.

mod arguments;
mod artifact;
mod audit;
mod catalog;
mod check;
mod client;
#[cfg(feature = "demo")]
mod demo;
mod export;
mod keys;
mod license_tokens;
mod local;
mod output;
mod policies;
mod publish;
mod releases;
mod reports;
mod serve;
mod signatures;
mod support;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command, TokenCommand};
use output::{Failed, Output};

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let words = std::env::args_os();
    run_words(words)
}

/// Runs a command line; the first word is the program's name.
pub fn run_words(words: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(usage) => {
            // Help and version are no mistakes; nothing can be done about a closed terminal.
            let _ = usage.print();
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2));
        }
    };
    let output = Output::new(arguments.json);
    // One TLS stack, one provider; a second installation in a process is harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = actix_web::rt::System::new();
    match runtime.block_on(run(arguments, output)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            output.failure(&failed);
            ExitCode::from(1)
        }
    }
}

async fn run(arguments: Arguments, output: Output) -> Result<(), Failed> {
    let config = arguments.config.as_deref();
    match arguments.command {
        #[cfg(feature = "demo")]
        Command::Demo { port } => demo::run(port, output).await,
        Command::Serve => serve::run(config).await,
        Command::Migrate => local::migrate(config, output),
        Command::CheckConfig => local::check_config(config, output),
        Command::Doctor { ping: true } => check::ping(config, output).await,
        Command::Doctor { ping: false } => check::run(config, output).await,
        Command::Token { command } => match command {
            TokenCommand::Create(new) => local::create(config, new, output).await,
            TokenCommand::List => catalog::tokens(output).await,
            TokenCommand::Revoke { token } => catalog::revoke_token(&token, output).await,
        },
        Command::Audit { command } => audit::audit(config, command, output).await,
        Command::Keys { command } => keys::run(config, command, output).await,
        Command::Kit { command } => catalog::kit(command, output).await,
        Command::Policy { command } => policies::policy(command, output).await,
        Command::LicenseText { command } => policies::license_text(command, output).await,
        Command::Price { command } => catalog::price(command, output).await,
        Command::Order { command } => catalog::order(command, output).await,
        Command::Event { command } => catalog::event(command, output).await,
        Command::Release { command } => releases::release(command, output).await,
        Command::License { command } => support::license(*command, output).await,
        Command::Customer { command } => support::customer(command, output).await,
        Command::Seat { command } => support::seat(command, output).await,
        Command::Find { text } => support::find(&text, output).await,
        Command::Publish(publish) => publish::run(*publish, output).await,
        Command::Storage => catalog::storage(output).await,
        Command::Report { command } => reports::report(command, output).await,
        Command::Artifact { command } => artifact::run(command, output).await,
    }
}
