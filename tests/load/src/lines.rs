//! The lines of the table: what was measured, and what it must reach.

use crate::arguments::Case;
use crate::phases::{Phase, Reading, Readings};
use crate::process::Memory;
use crate::statistics::median;

/// What a figure must reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
    Below(f64),
}

/// How a figure is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Percent,
    Times,
    Micros,
    Megabytes,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) case: Case,
    pub(crate) name: &'static str,
    pub(crate) figure: f64,
    /// The least and the most of the rounds, where there are rounds.
    pub(crate) range: Option<(f64, f64)>,
    pub(crate) unit: Unit,
    pub(crate) bound: Bound,
    /// What it was computed from.
    pub(crate) from: String,
}

impl Line {
    /// Whether it reaches what it must.
    pub(crate) fn holds(&self) -> bool {
        match self.bound {
            Bound::AtLeast(least) => self.figure >= least,
            Bound::AtMost(most) => self.figure <= most,
            Bound::Below(end) => self.figure < end,
        }
    }
}

/// Figures of the rounds, as a line.
struct Rounds {
    figures: Vec<f64>,
}

impl Rounds {
    /// One reading against another of the same round: what disturbs the machine for longer than a
    /// round disturbs both.
    fn compare(one: &[Reading], other: &[Reading], of: fn(&Reading) -> f64) -> Self {
        let pairs = one.iter().zip(other);
        Self {
            figures: pairs.map(|(one, other)| of(one) / of(other)).collect(),
        }
    }

    fn line(
        self,
        (case, name): (Case, &'static str),
        unit: Unit,
        bound: Bound,
        from: String,
    ) -> Option<Line> {
        let least = self.figures.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.figures.iter().copied().fold(0.0, f64::max);
        Some(Line {
            case,
            name,
            figure: median(&self.figures)?,
            range: Some((least, most)),
            unit,
            bound,
            from,
        })
    }
}

fn rate(reading: &Reading) -> f64 {
    reading.rate
}

fn cpu(reading: &Reading) -> f64 {
    reading.cpu
}

fn p99(reading: &Reading) -> f64 {
    reading.p99
}

/// Median over the rounds, in words.
fn typical(readings: &[Reading], of: fn(&Reading) -> f64, digits: usize) -> String {
    let figures: Vec<f64> = readings.iter().map(of).collect();
    format!("{:.digits$}", median(&figures).unwrap_or_default())
}

/// Every line that the readings allow. `idle`: of a server that has just started.
pub(crate) fn lines(readings: &Readings, idle: Option<Memory>) -> Vec<Line> {
    let mut lines = validate(readings);
    lines.extend(updates(readings));
    lines.extend(activate(readings));
    lines.extend(mixed(readings));
    lines.extend(postgres(readings));
    lines.extend(memory(readings, idle));
    lines
}

fn validate(readings: &Readings) -> Vec<Line> {
    let (signing, hundred, million) = (
        readings.of(Phase::Signing),
        readings.of(Phase::Validate),
        readings.of(Phase::Million),
    );
    let own = Rounds {
        figures: hundred.iter().map(cpu).collect(),
    };
    [
        Rounds::compare(hundred, signing, rate).line(
            (
                Case::Validate,
                "`validate` on SQLite / signing route without database, req/s",
            ),
            Unit::Percent,
            Bound::AtLeast(0.65),
            format!(
                "{} of {} req/s; server CPU {} and {} µs",
                typical(hundred, rate, 0),
                typical(signing, rate, 0),
                typical(hundred, cpu, 1),
                typical(signing, cpu, 1),
            ),
        ),
        own.line(
            (
                Case::Validate,
                "`validate` on SQLite, server CPU per request",
            ),
            Unit::Micros,
            Bound::AtMost(55.0),
            format!(
                "p50 {} ms, p99 {} ms; the load's own {} µs",
                typical(hundred, |reading| reading.p50, 2),
                typical(hundred, p99, 2),
                typical(hundred, |reading| reading.own_cpu, 1),
            ),
        ),
        Rounds::compare(million, hundred, cpu).line(
            (
                Case::Million,
                "`validate` at 1 000 000 licenses / at 100 000, server CPU",
            ),
            Unit::Times,
            Bound::AtMost(1.15),
            format!(
                "{} and {} µs; {} and {} req/s",
                typical(million, cpu, 1),
                typical(hundred, cpu, 1),
                typical(million, rate, 0),
                typical(hundred, rate, 0),
            ),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn updates(readings: &Readings) -> Option<Line> {
    let (updates, looking) = (readings.of(Phase::Updates), readings.of(Phase::Validate));
    Rounds::compare(updates, looking, rate).line(
        (Case::Updates, "update check with a key / `validate`, req/s"),
        Unit::Percent,
        Bound::AtLeast(0.5),
        format!(
            "{} of {} req/s; server CPU {} µs, p99 {} ms",
            typical(updates, rate, 0),
            typical(looking, rate, 0),
            typical(updates, cpu, 1),
            typical(updates, p99, 2),
        ),
    )
}

fn activate(readings: &Readings) -> Vec<Line> {
    let (activate, alone, looking) = (
        readings.of(Phase::Activate),
        readings.of(Phase::OneByOne),
        readings.of(Phase::Validate),
    );
    [
        Rounds::compare(activate, alone, rate).line(
            (
                Case::Activate,
                "`activate` on SQLite, durable / one transaction per request, req/s",
            ),
            Unit::Times,
            Bound::AtLeast(3.0),
            format!(
                "{} and {} req/s; server CPU {} and {} µs",
                typical(activate, rate, 0),
                typical(alone, rate, 0),
                typical(activate, cpu, 1),
                typical(alone, cpu, 1),
            ),
        ),
        Rounds::compare(activate, looking, rate).line(
            (
                Case::Activate,
                "`activate` on SQLite, durable / `validate`, req/s",
            ),
            Unit::Percent,
            Bound::AtLeast(0.25),
            format!(
                "{} of {} req/s; p50 {} ms, p99 {} ms",
                typical(activate, rate, 0),
                typical(looking, rate, 0),
                typical(activate, |reading| reading.p50, 2),
                typical(activate, p99, 2),
            ),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn mixed(readings: &Readings) -> Option<Line> {
    let (mixed, quiet) = (readings.of(Phase::Mixed), readings.of(Phase::Quiet));
    Rounds::compare(mixed, quiet, p99).line(
        (
            Case::Mixed,
            "`validate` during continuous activation / quiet, p99",
        ),
        Unit::Times,
        Bound::AtMost(3.0),
        format!(
            "{} and {} ms; beside {} activations a second",
            typical(mixed, p99, 2),
            typical(quiet, p99, 2),
            typical(mixed, |reading| reading.beside, 0),
        ),
    )
}

fn postgres(readings: &Readings) -> Option<Line> {
    let (postgres, by_load, by_server) = (
        readings.of(Phase::Postgres),
        readings.of(Phase::BenchLoad),
        readings.of(Phase::BenchServer),
    );
    // "The same connections" may be those of the load or those of the server: the better counts.
    let best: Vec<Reading> = by_load
        .iter()
        .zip(by_server)
        .map(|(one, other)| if one.rate > other.rate { *one } else { *other })
        .collect();
    Rounds::compare(postgres, &best, rate).line(
        (
            Case::Postgres,
            "`validate` on PostgreSQL / `pgbench -S`, a second",
        ),
        Unit::Percent,
        Bound::AtLeast(0.45),
        format!(
            "{} of {} (8 connections: {}, 64: {}); server CPU {} µs, p99 {} ms",
            typical(postgres, rate, 0),
            typical(&best, rate, 0),
            typical(by_server, rate, 0),
            typical(by_load, rate, 0),
            typical(postgres, cpu, 1),
            typical(postgres, p99, 2),
        ),
    )
}

fn memory(readings: &Readings, idle: Option<Memory>) -> Vec<Line> {
    let Some(idle) = idle else { return Vec::new() };
    let megabytes = |bytes: u64| bytes as f64 / 1_000_000.0;
    let line = |name, bytes, bound, from| Line {
        case: Case::Memory,
        name,
        figure: megabytes(bytes),
        range: None,
        unit: Unit::Megabytes,
        bound: Bound::Below(bound),
        from,
    };
    vec![
        line(
            "memory, idle (resident)",
            idle.resident,
            60.0,
            format!("{:.1} MB of it private", megabytes(idle.private)),
        ),
        line(
            "private memory under load",
            readings.private(),
            150.0,
            "the most of any server in any phase".to_owned(),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(phase: Phase, rates: &[f64], into: &mut Readings) {
        for rate in rates {
            let reading = Reading {
                rate: *rate,
                cpu: 1_000.0 / rate,
                p99: *rate,
                ..Reading::default()
            };
            into.add(phase, reading);
        }
    }

    #[test]
    fn a_ratio_is_taken_in_each_round_before_the_median() {
        let mut all = Readings::default();
        readings(Phase::Signing, &[100.0, 200.0, 50.0], &mut all);
        readings(Phase::Validate, &[70.0, 100.0, 40.0], &mut all);
        let lines = lines(&all, None);
        let names: Vec<_> = lines.iter().map(|line| line.unit).collect();
        assert_eq!(names, [Unit::Percent, Unit::Micros]);
        assert!((lines[0].figure - 0.7).abs() < 1e-9);
        assert_eq!(lines[0].range, Some((0.5, 0.8)));
        assert!(lines[0].holds());
        assert!((lines[1].figure - 1_000.0 / 70.0).abs() < 1e-9);
    }

    #[test]
    fn a_line_misses_on_the_wrong_side_of_its_bound() {
        let mut all = Readings::default();
        readings(Phase::Quiet, &[4.0], &mut all);
        readings(Phase::Mixed, &[12.1], &mut all);
        readings(Phase::Validate, &[100.0], &mut all);
        readings(Phase::Activate, &[25.0], &mut all);
        readings(Phase::OneByOne, &[9.0], &mut all);
        let idle = Memory {
            resident: 60_000_000,
            private: 1,
        };
        let holds: Vec<bool> = lines(&all, Some(idle)).iter().map(Line::holds).collect();
        // CPU, activate thrice, activate of validate, p99, idle, private.
        assert_eq!(holds, [true, false, true, false, false, true]);
    }

    #[test]
    fn pgbench_counts_with_the_better_of_its_rates() {
        let mut all = Readings::default();
        readings(Phase::Postgres, &[45.0], &mut all);
        readings(Phase::BenchLoad, &[90.0], &mut all);
        readings(Phase::BenchServer, &[100.0], &mut all);
        assert!((lines(&all, None)[0].figure - 0.45).abs() < 1e-9);
    }
}
