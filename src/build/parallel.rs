//! Runs work over many visits at once and hands the results on in the order of the export.

use rayon::prelude::*;
use std::ops::{ControlFlow, Range};

/// Visits that one thread takes at a time: enough to make the hand-over cheap, few enough to keep little in
/// memory while a slow reader holds things up.
pub const CHUNK: usize = 256;

/// Chunks for each thread that are begun together where nobody else wants the processors: enough that the threads seldom
/// wait for the last of them, and for who takes the results.
pub const CHUNKS_PER_THREAD: usize = 8;

/// Maps stretches of `0..count` on all threads; `each` gets the results one by one, in order, on this thread. `together`:
/// how many chunks for each thread are begun together, and may be ahead of `each`, at least one.
pub fn in_order<T: Send>(
    count: usize,
    together: usize,
    map: impl Fn(Range<usize>) -> T + Sync,
    mut each: impl FnMut(T) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let window = CHUNK * together.max(1) * rayon::current_num_threads();
    let mut start = 0;
    while start < count {
        let end = (start + window).min(count);
        let chunks: Vec<Range<usize>> = (start..end).step_by(CHUNK).map(|from| from..(from + CHUNK).min(end)).collect();
        let done: Vec<T> = chunks.into_par_iter().map(&map).collect();
        for result in done {
            each(result)?;
        }
        start = end;
    }
    ControlFlow::Continue(())
}

/// Maps stretches of `0..count`, of at most `longest`, on all threads, and returns all results, in order: for results
/// that are small.
pub fn at_once<T: Send>(count: usize, longest: usize, map: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    // Some for each thread, so that none waits long for the last one.
    let each = count.div_ceil(4 * rayon::current_num_threads());
    let chunk = each.clamp(CHUNK.min(longest), longest.max(1));
    (0..count.div_ceil(chunk)).into_par_iter().map(|at| map(at * chunk..((at + 1) * chunk).min(count))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_at_once_leaves_nothing_out() {
        for (count, longest) in [(0, 1), (1, usize::MAX), (1_000, 7), (100_000, 4_096), (100_000, usize::MAX)] {
            let ranges = at_once(count, longest, |range| range);
            assert!(ranges.iter().all(|range| !range.is_empty() && range.len() <= longest));
            assert!(ranges.into_iter().flatten().eq(0..count), "{count} by {longest}");
        }
    }

    #[test]
    fn results_come_in_order_and_may_be_stopped() {
        let mut seen = Vec::new();
        let done = in_order(
            10_000,
            CHUNKS_PER_THREAD,
            |range| range,
            |range| {
                seen.extend(range);
                ControlFlow::Continue(())
            },
        );
        assert!(done.is_continue() && seen.iter().copied().eq(0..10_000));
        let mut chunks = 0;
        let stopped = in_order(
            10_000,
            CHUNKS_PER_THREAD,
            |range| range,
            |_| {
                chunks += 1;
                if chunks == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        assert!(stopped.is_break() && chunks == 3);
    }
}
