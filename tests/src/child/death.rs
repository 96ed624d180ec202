//! Processes that are killed at a point chosen before.

use std::path::Path;
use std::process::Command;

/// The system call at whose beginning a child is killed.
#[derive(Debug, Clone, Copy)]
pub struct Death {
    /// Names of system calls, as strace knows them.
    pub calls: &'static str,
    /// At which of them, from 1; each thread counts its own.
    pub nth: u32,
}

impl Death {
    /// Whether this machine lets one process trace another.
    pub fn is_possible() -> bool {
        let words = ["-D", "-f", "-qq", "-e", "trace=fsync", "true"];
        let traced = Command::new("strace").args(words).output();
        traced.is_ok_and(|output| output.status.success())
    }

    /// `program` under strace, which stands aside (`-D`): the process that starts is the program's.
    pub(super) fn program(self, program: &Path) -> Command {
        let Self { calls, nth } = self;
        let mut command = Command::new("strace");
        command
            .args(["-D", "-f", "-qq", "-o", "/dev/null"])
            .args(["-e", &format!("trace={calls}")])
            .args(["-e", &format!("inject={calls}:signal=SIGKILL:when={nth}")])
            .arg("--")
            .arg(program);
        command
    }
}
