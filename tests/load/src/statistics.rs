//! Medians and percentiles.

use std::time::Duration;

/// The middle of some figures; the mean of the two in the middle where their number is even, and
/// `None` where there are none.
pub(crate) fn median(figures: &[f64]) -> Option<f64> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(*upper);
    }
    let lower = sorted.get(middle.checked_sub(1)?)?;
    Some(f64::midpoint(*lower, *upper))
}

/// Times to answer, in microseconds.
#[derive(Debug, Default)]
pub(crate) struct Latencies(Vec<u32>);

impl Latencies {
    /// Adds one.
    pub(crate) fn add(&mut self, took: Duration) {
        self.0
            .push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The smallest time that `share` of all (0 to 1) do not exceed, in milliseconds: nearest
    /// rank. 0 where there are none.
    pub(crate) fn percentile(&mut self, share: f64) -> f64 {
        self.0.sort_unstable();
        let count = self.0.len();
        let rank = (1..=count).find(|rank| *rank as f64 >= share * count as f64);
        let micros = rank.and_then(|rank| self.0.get(rank - 1));
        f64::from(micros.copied().unwrap_or_default()) / 1_000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle_and_not_the_mean() {
        assert_eq!(median(&[9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 100.0, 2.0]), Some(3.0));
        assert_eq!(median(&[7.5]), Some(7.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let mut times = Latencies::default();
        for millis in (1..=200).rev() {
            times.add(Duration::from_millis(millis));
        }
        assert_eq!(times.count(), 200);
        let at = |times: &mut Latencies, share| times.percentile(share);
        assert!((at(&mut times, 0.5) - 100.0).abs() < 1e-9);
        assert!((at(&mut times, 0.99) - 198.0).abs() < 1e-9);
        assert!((at(&mut times, 1.0) - 200.0).abs() < 1e-9);
        assert!(Latencies::default().percentile(0.99).abs() < 1e-9);
    }
}
