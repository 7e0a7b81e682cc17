//! What a shuffle comes to: visits with their scenes, in memory or partition by partition.

use super::error::ShuffleError;
use super::grouped::Grouped;
use super::spill::Partitions;
use super::tally::Tally;
use std::collections::VecDeque;

/// How many partitions are read while another one is in use.
const PARTITIONS_AHEAD: usize = 2;

/// All visits with their scenes, in one partition or several. All rows of a key are in the same one.
#[derive(Debug)]
pub(crate) struct Shuffled {
    pub(super) store: GroupedStore,
    pub(super) tally: Tally,
}

#[derive(Debug)]
pub(super) enum GroupedStore {
    Memory(Box<Grouped>),
    Disk(Box<Partitions>),
}

impl Shuffled {
    /// Hands out one partition after the other, while the next ones are read. It may be called again.
    ///
    /// # Errors
    /// If temporary files cannot be read, and the first error of `work`.
    pub(crate) fn each<E: From<ShuffleError>>(&self, mut work: impl FnMut(&Grouped) -> Result<(), E>) -> Result<(), E> {
        let partitions = match &self.store {
            GroupedStore::Memory(grouped) => return work(grouped),
            GroupedStore::Disk(partitions) => partitions,
        };
        std::thread::scope(|scope| {
            let load = |at| (at < partitions.len()).then(|| scope.spawn(move || partitions.load(at)));
            let mut loading: VecDeque<_> = (0..PARTITIONS_AHEAD).filter_map(load).collect();
            let mut next = PARTITIONS_AHEAD;
            while let Some(partition) = loading.pop_front() {
                let grouped = partition.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
                loading.extend(load(next));
                next += 1;
                work(&grouped)?;
            }
            Ok(())
        })
    }

    /// What was counted before rows were grouped. Each [`Grouped`] has counts of its own.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// How many partitions there are: one in memory, several in temporary files.
    pub(crate) fn partitions(&self) -> usize {
        match &self.store {
            GroupedStore::Memory(_) => 1,
            GroupedStore::Disk(partitions) => partitions.len(),
        }
    }
}
