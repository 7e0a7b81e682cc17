//! How long things took, as counts in steps that grow with the time: little memory, and right to about two per cent.

/// Up to here every millisecond has a step of its own.
const EXACT: u64 = 64;
/// From there on each doubling has this many.
const STEPS: u64 = 32;

/// Times in milliseconds, of which quantiles can be told.
#[derive(Clone, Debug, Default)]
pub(super) struct Spread {
    steps: Vec<u32>,
    count: u64,
    longest: u64,
}

impl Spread {
    pub(super) fn add(&mut self, ms: u64) {
        let at = step(ms);
        if at >= self.steps.len() {
            self.steps.resize(at + 1, 0);
        }
        self.steps[at] = self.steps[at].saturating_add(1);
        self.count += 1;
        self.longest = self.longest.max(ms);
    }

    pub(super) fn merge(&mut self, other: &Spread) {
        if other.steps.len() > self.steps.len() {
            self.steps.resize(other.steps.len(), 0);
        }
        for (ours, theirs) in self.steps.iter_mut().zip(&other.steps) {
            *ours = ours.saturating_add(*theirs);
        }
        self.count += other.count;
        self.longest = self.longest.max(other.longest);
    }

    pub(super) fn longest(&self) -> Option<u64> {
        (self.count > 0).then_some(self.longest)
    }

    /// The time within which this share of them was done.
    pub(super) fn quantile(&self, share: f64) -> Option<u64> {
        let wanted = ((self.count as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        let at = self.steps.iter().position(|count| {
            seen += u64::from(*count);
            seen >= wanted
        })?;
        Some(middle(at as u64).min(self.longest))
    }
}

fn step(ms: u64) -> usize {
    if ms < EXACT {
        return ms as usize;
    }
    // A day and a month are all the same to a reader of latencies; the steps end there.
    let ms = ms.min(1 << 31);
    let doubling = u64::from(ms.ilog2()) - u64::from(STEPS.ilog2());
    (EXACT + (doubling - 1) * STEPS + (ms >> doubling) - STEPS) as usize
}

fn middle(step: u64) -> u64 {
    if step < EXACT {
        return step;
    }
    let doubling = (step - EXACT) / STEPS + 1;
    let start = ((step - EXACT) % STEPS + STEPS) << doubling;
    start + (1 << doubling) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_each_other_and_hold_their_times() {
        assert_eq!((step(0), step(63), step(64), step(65), step(66)), (0, 63, 64, 64, 65));
        for ms in (0..100_000).chain([1 << 20, (1 << 31) - 1]) {
            let told = middle(step(ms) as u64);
            assert!(told.abs_diff(ms) <= ms / 32 + 1, "{ms} is told as {told}");
            assert!(step(ms + 1) <= step(ms) + 1);
        }
    }

    #[test]
    fn quantiles_of_a_hundred_times() {
        let mut spread = Spread::default();
        assert_eq!(spread.quantile(0.5), None);
        (1..=50).for_each(|ms| spread.add(ms));
        let mut more = Spread::default();
        (51..=100).for_each(|ms| more.add(ms * 1000));
        spread.merge(&more);
        assert_eq!((spread.quantile(0.5), spread.longest()), (Some(50), Some(100_000)));
        assert!(spread.quantile(0.95).is_some_and(|ms| ms.abs_diff(95_000) < 3_000));
    }
}
