//! Distributes rows to many targets (buckets, partitions) on all cores.

use super::error::ShuffleError;
use rayon::prelude::*;

/// Gives each row of each batch to its target with `put`. The rows of a target arrive in their order.
///
/// `labels` has a label for each row of a batch, and `target_of` the number of the target for a label; [`usize::MAX`] stands
/// for none. Every thread goes over all rows and takes those of its own targets: then no thread waits for another.
///
/// # Errors
/// The first of `put`.
pub(super) fn scatter<T: Send, B: Sync, N: Copy>(
    targets: &mut [T],
    batches: &[B],
    labels: impl Fn(&B) -> &[N] + Sync,
    target_of: impl Fn(N) -> usize + Sync,
    put: impl Fn(&mut T, &B, usize) -> Result<(), ShuffleError> + Sync,
) -> Result<(), ShuffleError> {
    let targets_per_thread = targets.len().div_ceil(rayon::current_num_threads()).max(1);
    targets.par_chunks_mut(targets_per_thread).enumerate().try_for_each(|(thread, targets)| {
        let first = thread * targets_per_thread;
        for batch in batches {
            for (row, &label) in labels(batch).iter().enumerate() {
                if let Some(target) = targets.get_mut(target_of(label).wrapping_sub(first)) {
                    put(target, batch, row)?;
                }
            }
        }
        Ok(())
    })
}
