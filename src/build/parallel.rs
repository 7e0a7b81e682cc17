//! Runs work over many visits at once and hands the results on in the order of the export.

use rayon::prelude::*;
use std::ops::{ControlFlow, Range};

/// Visits that one thread takes at a time: enough to make the hand-over cheap, few enough to keep little in
/// memory while a slow reader holds things up.
pub const CHUNK: usize = 256;

/// Chunks for each thread that are begun together; then the threads wait for the last of them, and for `each`.
const AHEAD: usize = 8;

/// Maps stretches of `0..count` on all threads; `each` gets the results one by one, in order, on this thread. At
/// most eight chunks for each thread are ever ahead of `each`.
pub fn in_order<T: Send>(
    count: usize,
    map: impl Fn(Range<usize>) -> T + Sync,
    mut each: impl FnMut(T) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let window = CHUNK * AHEAD * rayon::current_num_threads();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_may_be_stopped() {
        let mut seen = Vec::new();
        let done = in_order(
            10_000,
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
            |range| range,
            |_| {
                chunks += 1;
                if chunks == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        assert!(stopped.is_break() && chunks == 3);
    }
}
