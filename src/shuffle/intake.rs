//! Takes rows in, sorts out those that cannot be grouped, and decides when memory is not enough.

use super::error::ShuffleError;
use super::key_column::{KEY, all_have_keys};
use super::left_out::RowFilter;
use super::memory::MemoryStore;
use super::orphans::Orphans;
use super::shuffled::{GroupedStore, Shuffled};
use super::spill::PartitionWriter;
use super::tally::Tally;
use crate::near_key::Folding;
use crate::scan::Rows;
use arrow::array::BooleanArray;
use arrow::error::ArrowError;
use hashbrown::DefaultHashBuilder;

/// What a row costs while it is grouped, beside the bytes of its columns.
const BYTES_PER_ROW: u64 = 64;
/// Exports that seem to need so many times the memory go to temporary files from the start. What they seem to need is a
/// guess on the safe side: they may have many columns that the job does not map.
const SPILL_AT_ONCE_FACTOR: u64 = 8;

/// Takes rows in: first all visits, then all scenes.
#[derive(Debug)]
pub(crate) struct Shuffle {
    /// Visits and scenes are the same rows. A row with no cells but the key is then a visit without scenes.
    flat: bool,
    /// Whether the caller wants to see orphans.
    keeps_orphans: bool,
    /// The bytes that may be held in memory.
    memory: u64,
    /// The bytes that the exports need in memory, about.
    expected: u64,
    store: RowStore,
    /// The bytes that were taken in.
    held: u64,
    /// The bytes that others need for each visit.
    beside: u64,
    /// What is counted before rows are stored.
    tally: Tally,
}

#[derive(Debug)]
enum RowStore {
    Memory(Box<MemoryStore>),
    Disk(Box<PartitionWriter>),
}

impl Shuffle {
    /// `flat`: visits and scenes are the same rows of the same files. `memory`: how many bytes may be held before temporary
    /// files are used. `expected`: how many bytes the exports need in memory, about. `folding`: which keys are nearly the
    /// same.
    pub(crate) fn new(flat: bool, memory: u64, expected: u64, folding: Folding) -> Self {
        let store = if expected > memory.saturating_mul(SPILL_AT_ONCE_FACTOR) {
            RowStore::Disk(Box::new(PartitionWriter::new(folding, DefaultHashBuilder::default(), memory, expected)))
        } else {
            RowStore::Memory(Box::new(MemoryStore::new(folding)))
        };
        Shuffle { flat, keeps_orphans: false, memory, expected, store, held: 0, beside: 0, tally: Tally::default() }
    }

    /// Leaves room in the memory for what others keep of each visit, in bytes.
    pub(crate) fn leave_room(&mut self, beside: u64) {
        self.beside = beside;
    }

    /// Keeps the cells of orphans, to be asked for. To be called before anything is taken.
    pub(crate) fn keep_orphans(&mut self) {
        self.keeps_orphans = true;
        match &mut self.store {
            RowStore::Memory(store) => store.orphans = Some(Orphans::default()),
            RowStore::Disk(writer) => writer.keep_orphans(),
        }
    }

    /// Takes a batch of visits. Rows that the filter does not keep are left out: they do not count as rows read, and their
    /// scenes are not orphans.
    ///
    /// # Errors
    /// If a batch cannot be grouped or written to a temporary file.
    pub(crate) fn add_visits(&mut self, rows: Rows, filter: Option<&RowFilter>) -> Result<(), ShuffleError> {
        self.held += rows.batch.num_rows() as u64 * self.beside;
        self.make_room(std::slice::from_ref(&rows))?;
        match &mut self.store {
            RowStore::Memory(store) => Ok(store.add_visits(rows, filter)?),
            RowStore::Disk(writer) => writer.add_visits(rows, filter),
        }
    }

    /// Takes batches of scenes that follow each other in the export. All visits must have been taken before.
    ///
    /// # Errors
    /// If a batch cannot be grouped or written to a temporary file.
    pub(crate) fn add_scenes(&mut self, batches: Vec<Rows>) -> Result<(), ShuffleError> {
        let mut scenes = batches.into_iter().map(|rows| self.assignable(rows)).collect::<Result<Vec<_>, _>>()?;
        scenes.retain(|rows| rows.batch.num_rows() > 0);
        self.tally.scenes_taken += scenes.iter().map(|rows| rows.batch.num_rows() as u64).sum::<u64>();
        self.make_room(&scenes)?;
        match &mut self.store {
            RowStore::Memory(store) => store.add_scenes(scenes),
            RowStore::Disk(writer) => scenes.into_iter().try_for_each(|rows| writer.add_scenes(rows)),
        }
    }

    /// The rows that are scenes and can be assigned to a visit.
    fn assignable(&mut self, mut rows: Rows) -> Result<Rows, ArrowError> {
        if let Some(keep) = rows.keep.take() {
            rows = rows.filtered(&keep)?;
        }
        if !self.flat && rows.faults.is_empty() && all_have_keys(&rows) {
            return Ok(rows);
        }
        let keep: Vec<bool> = (0..rows.batch.num_rows()).map(|row| self.is_assignable(&rows, row)).collect();
        if keep.contains(&false) { rows.filtered(&BooleanArray::from(keep)) } else { Ok(rows) }
    }

    /// Whether a row is a scene that can be looked up among the visits. One that cannot is counted.
    fn is_assignable(&mut self, rows: &Rows, row: usize) -> bool {
        let faults = rows.faults_of(row);
        if self.flat && faults.is_empty() && has_only_a_key(rows, row) {
            return false;
        }
        let broken = faults.iter().find(|fault| fault.column.is_none_or(|column| usize::from(column) == KEY));
        match broken {
            Some(fault) => self.tally.add_unreadable(rows.location(row), fault.what.to_string()),
            // No visit has an empty key, so that such a scene is an orphan in any case.
            None if rows.text(KEY, row).is_empty() && !self.keeps_orphans => {
                self.tally.add_keyless_scene(rows.location(row))
            }
            None => return true,
        }
        false
    }

    /// Continues with temporary files if these rows do not fit into memory.
    fn make_room(&mut self, batches: &[Rows]) -> Result<(), ShuffleError> {
        let RowStore::Memory(store) = &mut self.store else { return Ok(()) };
        let bytes = |rows: &Rows| rows.memory_size() as u64 + rows.batch.num_rows() as u64 * BYTES_PER_ROW;
        self.held += batches.iter().map(bytes).sum::<u64>();
        if self.held <= self.memory && store.has_room_for(batches) {
            return Ok(());
        }
        let store = std::mem::take(store.as_mut());
        let writer = PartitionWriter::take_over(store, self.memory, self.expected.max(self.held))?;
        self.store = RowStore::Disk(Box::new(writer));
        Ok(())
    }

    /// What was taken in, grouped.
    ///
    /// # Errors
    /// If temporary files cannot be written.
    pub(crate) fn finish(self) -> Result<Shuffled, ShuffleError> {
        let mut tally = self.tally;
        let store = match self.store {
            RowStore::Memory(store) => GroupedStore::Memory(Box::new(store.finish_whole()?)),
            RowStore::Disk(writer) => {
                let partitions = writer.finish()?;
                tally.add(partitions.tally());
                GroupedStore::Disk(Box::new(partitions))
            }
        };
        Ok(Shuffled { store, tally })
    }
}

fn has_only_a_key(rows: &Rows, row: usize) -> bool {
    (0..rows.batch.num_columns()).filter(|&column| column != KEY).all(|column| rows.text(column, row).is_empty())
}
