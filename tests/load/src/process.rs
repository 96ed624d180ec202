//! What a process used, as the kernel counts it.

use crate::Outcome;

/// Clock ticks a second in `/proc/PID/stat`; Linux shows the same number on every machine.
const TICKS: f64 = 100.0;

/// Processor time of a process so far, all its threads, in microseconds.
pub(crate) fn cpu_micros(pid: u32) -> Outcome<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let ticks = cpu_ticks(&text).ok_or_else(|| format!("/proc/{pid}/stat reads {text:?}"))?;
    Ok(ticks as f64 * 1_000_000.0 / TICKS)
}

/// `utime + stime`. The name of the program, in parentheses, may hold anything.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    // Field 3 is the first after the name; utime and stime are 14 and 15.
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    user.checked_add(system)
}

/// Memory of a process, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// All that is resident, mapped files included.
    pub(crate) resident: u64,
    /// Resident and this process's alone.
    pub(crate) private: u64,
}

impl Memory {
    /// What the kernel says now.
    pub(crate) fn of(pid: u32) -> Outcome<Self> {
        Ok(Self::parse(&std::fs::read_to_string(format!(
            "/proc/{pid}/smaps_rollup"
        ))?))
    }

    fn parse(rollup: &str) -> Self {
        let sum = |start: &str| {
            let lines = rollup.lines().filter(|line| line.starts_with(start));
            let kilobytes =
                lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
            kilobytes.sum::<u64>() * 1024
        };
        Self {
            resident: sum("Rss:"),
            private: sum("Private_"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_behind_any_program_name() {
        let stat = "812 (a) b) (c) S 1 812 812 0 -1 4194560 905 0 0 0 137 46 7 9 20 0 12 0 5 6 7";
        assert_eq!(cpu_ticks(stat), Some(183));
        assert_eq!(cpu_ticks("812 (name) S 1 2"), None);
        assert_eq!(cpu_ticks(""), None);
    }

    #[test]
    fn the_time_of_this_process_grows() {
        let before = cpu_micros(std::process::id()).unwrap();
        let mut sum = 0_u64;
        while cpu_micros(std::process::id()).unwrap() < before + 20_000.0 {
            sum = (0..100_000).fold(sum, |sum, n| sum.wrapping_mul(31).wrapping_add(n));
        }
        assert!(sum != 1);
    }

    #[test]
    fn private_memory_is_the_sum_of_its_kinds() {
        let rollup = "00400000-7ffd 00000000 [rollup]\nRss:              5000 kB\n\
            Pss:               900 kB\nShared_Clean:     4000 kB\nPrivate_Clean:     300 kB\n\
            Private_Dirty:     700 kB\nPrivate_Hugetlb:     0 kB\n";
        let memory = Memory::parse(rollup);
        assert_eq!(memory.resident, 5000 * 1024);
        assert_eq!(memory.private, 1000 * 1024);
        assert!(Memory::of(std::process::id()).unwrap().private > 0);
    }
}
