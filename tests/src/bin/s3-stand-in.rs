//! The stand-in for a storage service as a process, for tests that are not in Rust: prints the variables
//! of a server that uses it, one a line, and serves until its input ends.

#![expect(clippy::print_stdout, reason = "a program for tests")]

use std::io::Read;

fn main() -> std::io::Result<()> {
    let s3 = kitward_tests::S3::start();
    for (name, value) in s3.variables() {
        println!("{name}={value}");
    }
    println!();
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
