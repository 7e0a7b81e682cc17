//! Runs work over many visits on all threads, and gives back the results in the order of the export.
//!
//! It does not know what a visit is: the work is a function of a range of indices.

use rayon::prelude::*;
use std::ops::{ControlFlow, Range};

/// Visits that one thread takes at a time: enough to make handing over results cheap, few enough to keep memory small
/// while a slow caller holds things up.
pub(crate) const CHUNK: usize = 256;

/// How many chunks per thread [`in_order`] begins together where no other work wants the processors: threads then rarely
/// wait for the last chunk or for the caller.
pub(crate) const CHUNKS_PER_THREAD: usize = 8;

/// Calls `map` with ranges of up to [`CHUNK`] indices that cover `0..count`, on all threads. Calls `each` with the results,
/// one at a time and in order, on the caller's thread.
///
/// `chunks_per_thread`, at least one: how many chunks are begun together, and so how many results may wait in memory for
/// `each`. Stops where `each` breaks.
pub(crate) fn in_order<T: Send>(
    count: usize,
    chunks_per_thread: usize,
    map: impl Fn(Range<usize>) -> T + Sync,
    mut each: impl FnMut(T) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let window = CHUNK * chunks_per_thread.max(1) * rayon::current_num_threads();
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

/// Calls `map` with ranges of up to `longest` indices that cover `0..count`, on all threads. Returns all results together,
/// in order, so they should be small.
pub(crate) fn at_once<T: Send>(count: usize, longest: usize, map: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    // Several ranges per thread, so that no thread waits long for the last one.
    let each = count.div_ceil(4 * rayon::current_num_threads());
    let chunk = each.clamp(CHUNK.min(longest), longest.max(1));
    (0..count.div_ceil(chunk)).into_par_iter().map(|at| map(at * chunk..((at + 1) * chunk).min(count))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_once_leaves_nothing_out() {
        for (count, longest) in [(0, 1), (1, usize::MAX), (1_000, 7), (100_000, 4_096), (100_000, usize::MAX)] {
            let ranges = at_once(count, longest, |range| range);
            assert!(ranges.iter().all(|range| !range.is_empty() && range.len() <= longest));
            assert!(ranges.into_iter().flatten().eq(0..count), "{count} by {longest}");
        }
    }

    #[test]
    fn results_come_in_order_and_the_caller_may_stop() {
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
