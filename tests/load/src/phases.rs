//! What is measured in every round, and the readings that come of it.

use std::collections::BTreeMap;

use crate::arguments::Case;
use crate::client::Driven;

/// One thing measured for some seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Forged keys: signed answers without the database.
    Signing,
    /// `validate`, 100 000 licenses.
    Validate,
    /// Update checks, 100 000 licenses.
    Updates,
    /// `validate`, 1 000 000 licenses.
    Million,
    /// `activate`, as configured.
    Activate,
    /// `activate`, one transaction for each request.
    OneByOne,
    /// `validate` where seats were taken before.
    Quiet,
    /// `validate` while seats are taken.
    Mixed,
    /// `validate` on PostgreSQL.
    Postgres,
    /// `pgbench -S` with as many connections as the load has.
    BenchLoad,
    /// `pgbench -S` with as many connections as the server reads through.
    BenchServer,
}

impl Phase {
    const ALL: [Self; 11] = [
        Self::Signing,
        Self::Validate,
        Self::Updates,
        Self::Million,
        Self::Activate,
        Self::OneByOne,
        Self::Quiet,
        Self::Mixed,
        Self::Postgres,
        Self::BenchLoad,
        Self::BenchServer,
    ];

    /// The cases that need it.
    fn cases(self) -> &'static [Case] {
        match self {
            Self::Signing => &[Case::Validate],
            Self::Validate => &[
                Case::Validate,
                Case::Updates,
                Case::Million,
                Case::Activate,
                Case::Memory,
            ],
            Self::Updates => &[Case::Updates],
            Self::Million => &[Case::Million],
            Self::Activate => &[Case::Activate, Case::Memory],
            Self::OneByOne => &[Case::Activate],
            Self::Quiet | Self::Mixed => &[Case::Mixed],
            Self::Postgres | Self::BenchLoad | Self::BenchServer => &[Case::Postgres],
        }
    }

    /// Those that the wanted cases need, in order.
    pub(crate) fn wanted(wants: impl Fn(Case) -> bool) -> Vec<Self> {
        let needed = |phase: &Self| phase.cases().iter().any(|case| wants(*case));
        Self::ALL.into_iter().filter(needed).collect()
    }
}

/// What a phase of one round found.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Reading {
    /// Requests a second.
    pub(crate) rate: f64,
    /// Processor time of the server for each, in microseconds.
    pub(crate) cpu: f64,
    /// That of the load.
    pub(crate) own_cpu: f64,
    /// Milliseconds.
    pub(crate) p50: f64,
    /// Milliseconds.
    pub(crate) p99: f64,
    /// Requests a second of the second group.
    pub(crate) beside: f64,
    /// Private memory of the server, in bytes.
    pub(crate) private: u64,
}

impl Reading {
    /// Of the first group; processor time is shared out over all.
    pub(crate) fn of(mut driven: Driven) -> Self {
        let counts: Vec<f64> = driven
            .tallies
            .iter()
            .map(|tally| tally.latencies.count() as f64)
            .collect();
        let all = counts.iter().sum::<f64>().max(1.0);
        let mut reading = Self {
            rate: counts.first().copied().unwrap_or_default() / driven.seconds,
            beside: counts.get(1).copied().unwrap_or_default() / driven.seconds,
            cpu: driven.server_cpu / all,
            own_cpu: driven.own_cpu / all,
            private: driven.memory.private,
            ..Self::default()
        };
        if let Some(tally) = driven.tallies.first_mut() {
            reading.p50 = tally.latencies.percentile(0.50);
            reading.p99 = tally.latencies.percentile(0.99);
        }
        reading
    }
}

/// All readings, by phase, in the order of the rounds.
#[derive(Debug, Default)]
pub(crate) struct Readings(BTreeMap<Phase, Vec<Reading>>);

impl Readings {
    pub(crate) fn add(&mut self, phase: Phase, reading: Reading) {
        self.0.entry(phase).or_default().push(reading);
    }

    /// Of one phase.
    pub(crate) fn of(&self, phase: Phase) -> &[Reading] {
        self.0.get(&phase).map_or(&[], Vec::as_slice)
    }

    /// The largest private memory of a server on SQLite with the usual number of licenses.
    pub(crate) fn private(&self) -> u64 {
        let usual = self.0.iter().filter(|(phase, _)| **phase != Phase::Million);
        let all = usual.flat_map(|(_, readings)| readings);
        all.map(|reading| reading.private).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::client::Tally;
    use crate::process::Memory;

    #[test]
    fn a_case_brings_the_phases_it_is_compared_with() {
        let of = |case: Case| Phase::wanted(|wanted| wanted == case);
        assert_eq!(of(Case::Validate), [Phase::Signing, Phase::Validate]);
        assert_eq!(of(Case::Memory), [Phase::Validate, Phase::Activate]);
        assert_eq!(Phase::wanted(|_| true), Phase::ALL);
    }

    #[test]
    fn processor_time_is_shared_out_over_all_requests() {
        let mut tallies = vec![Tally::default(), Tally::default()];
        for (tally, count) in tallies.iter_mut().zip([300, 100]) {
            for _ in 0..count {
                tally.latencies.add(Duration::from_millis(2));
            }
        }
        let reading = Reading::of(Driven {
            tallies,
            seconds: 2.0,
            server_cpu: 20_000.0,
            own_cpu: 4_000.0,
            memory: Memory::default(),
        });
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(close(reading.rate, 150.0) && close(reading.beside, 50.0));
        assert!(close(reading.cpu, 50.0) && close(reading.own_cpu, 10.0));
        assert!(close(reading.p99, 2.0));
    }
}
