//! Reads an object in any order, for files that are read in columns. The caller says which ranges it will read. Each of
//! them is then fetched in windows, and windows that lie side by side in one request.

use super::object::Object;
use crate::storage::error::StorageError;
use bytes::Bytes;
use object_store::{OBJECT_STORE_COALESCE_DEFAULT, coalesce_ranges};
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// How much is read at once from the end, where the footer is, in bytes.
const TAIL: u64 = 64 << 10;
/// How much all windows together hold, in bytes.
const WINDOWS: u64 = 32 << 20;
/// How much a window of one range holds, in bytes.
const WINDOW: std::ops::RangeInclusive<u64> = (256 << 10)..=(8 << 20);

/// Reads an object in any order. All clones share what was fetched.
#[derive(Clone, Debug)]
pub(crate) struct Ranges(Arc<SharedRanges>);

#[derive(Debug)]
struct SharedRanges {
    object: Object,
    fetched: Mutex<Fetched>,
    /// The first error.
    failure: OnceLock<StorageError>,
}

#[derive(Debug, Default)]
struct Fetched {
    /// The last bytes of the object.
    tail: Option<Piece>,
    groups: Vec<RangeGroup>,
    /// The size of a window, in bytes.
    window: u64,
}

/// Ranges that are begun together.
#[derive(Debug)]
struct RangeGroup {
    begun: bool,
    ranges: Vec<PlannedRange>,
}

/// A part of the object that is read from its beginning to its end.
#[derive(Debug)]
struct PlannedRange {
    range: Range<u64>,
    window: Option<Piece>,
}

/// Bytes at hand, and where they begin in the object.
#[derive(Clone, Debug)]
struct Piece {
    start: u64,
    bytes: Bytes,
}

impl Piece {
    /// The bytes from `start` on, if the piece has any of them.
    fn from(&self, start: u64) -> Option<Bytes> {
        let skip = usize::try_from(start.checked_sub(self.start)?).ok()?;
        (skip < self.bytes.len()).then(|| self.bytes.slice(skip..))
    }
}

impl Ranges {
    /// Reads an object. Nothing is asked for yet.
    pub(crate) fn new(object: Object) -> Ranges {
        Ranges(Arc::new(SharedRanges { object, fetched: Mutex::default(), failure: OnceLock::new() }))
    }

    /// The size of the whole object, in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.0.object.size()
    }

    /// Says what will be read: in each group, ranges side by side. A range of the next group is begun when the range at the
    /// same index of the group before is done.
    pub(crate) fn plan(&self, groups: Vec<Vec<Range<u64>>>) {
        let widest = groups.iter().map(Vec::len).max().unwrap_or(0).max(1) as u64;
        let planned = |range| PlannedRange { range, window: None };
        let group = |ranges: Vec<_>| RangeGroup { begun: false, ranges: ranges.into_iter().map(planned).collect() };
        let groups = groups.into_iter().map(group).collect();
        let mut fetched = self.0.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        fetched.groups = groups;
        fetched.window = (WINDOWS / widest).clamp(*WINDOW.start(), *WINDOW.end());
    }

    /// Bytes from `start` on, as many as are at hand after at most one fetch. None, at the end of the object.
    ///
    /// # Errors
    /// Where the storage does not give them.
    pub(crate) fn at(&self, start: u64) -> Result<Bytes, StorageError> {
        if start >= self.size() {
            return Ok(Bytes::new());
        }
        let mut fetched = self.0.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        let found = self.look(&mut fetched, start);
        found.inspect_err(|error| drop(self.0.failure.set(error.clone())))
    }

    /// The bytes of a range, all of them.
    ///
    /// # Errors
    /// Where the storage does not give them, or the object ends before.
    pub(crate) fn exactly(&self, range: Range<u64>) -> Result<Bytes, StorageError> {
        let wanted = (range.end - range.start) as usize;
        let first = self.at(range.start)?;
        if first.len() >= wanted {
            return Ok(first.slice(..wanted));
        }
        let mut all = Vec::with_capacity(wanted);
        all.extend_from_slice(&first);
        while all.len() < wanted {
            let more = self.at(range.start + all.len() as u64)?;
            if more.is_empty() {
                return Err(StorageError::Other("it ends before the bytes that its footer names".to_owned()));
            }
            all.extend_from_slice(&more[..more.len().min(wanted - all.len())]);
        }
        Ok(all.into())
    }

    /// The first error of the storage. Crates that read through this may hide it in errors of their own.
    pub(crate) fn failure(&self) -> Option<StorageError> {
        self.0.failure.get().cloned()
    }

    fn look(&self, fetched: &mut Fetched, start: u64) -> Result<Bytes, StorageError> {
        let found = fetched.groups.iter().enumerate().find_map(|(group, planned)| {
            planned.ranges.iter().position(|planned| planned.range.contains(&start)).map(|index| (group, index))
        });
        let Some((group, index)) = found else { return self.unplanned(fetched, start) };
        // What the reader has passed is not read again.
        for passed in &mut fetched.groups[..group] {
            if let Some(planned) = passed.ranges.get_mut(index) {
                planned.window = None;
            }
        }
        let window = fetched.window;
        let ahead = |from: u64, planned: &PlannedRange| from..(from + window).min(planned.range.end);
        let group = &mut fetched.groups[group];
        if !std::mem::replace(&mut group.begun, true) {
            // The first windows of a group often lie side by side.
            let begin = |planned: &PlannedRange| ahead(planned.range.start, planned);
            let windows: Vec<Range<u64>> = group.ranges.iter().map(begin).collect();
            let pieces = self.fetch(windows.clone())?;
            for ((planned, window), bytes) in group.ranges.iter_mut().zip(windows).zip(pieces) {
                planned.window = Some(Piece { start: window.start, bytes });
            }
        }
        let planned = &mut group.ranges[index];
        if let Some(bytes) = planned.window.as_ref().and_then(|window| window.from(start)) {
            return Ok(bytes);
        }
        let bytes = self.0.object.ask_for(ahead(start, planned)).wait()?;
        planned.window = Some(Piece { start, bytes: bytes.clone() });
        Ok(bytes)
    }

    fn fetch(&self, ranges: Vec<Range<u64>>) -> Result<Vec<Bytes>, StorageError> {
        let object = self.0.object.clone();
        let asked = self.0.object.ask(async move {
            let get = |range| {
                let object = object.clone();
                async move { object.get(range).await }
            };
            let pieces = coalesce_ranges(&ranges, get, OBJECT_STORE_COALESCE_DEFAULT).await?;
            // Each window gets a copy of its own bytes: a slice would keep all that came with it in memory.
            Ok(match pieces.len() {
                0 | 1 => pieces,
                _ => pieces.iter().map(|piece| Bytes::copy_from_slice(piece)).collect(),
            })
        });
        asked.wait()
    }

    /// Bytes outside of all planned ranges, such as the footer.
    fn unplanned(&self, fetched: &mut Fetched, start: u64) -> Result<Bytes, StorageError> {
        if let Some(bytes) = fetched.tail.as_ref().and_then(|tail| tail.from(start)) {
            return Ok(bytes);
        }
        let size = self.size();
        let tail = size.saturating_sub(TAIL);
        if start >= tail {
            let bytes = self.0.object.ask_for(tail..size).wait()?;
            let piece = Piece { start: tail, bytes };
            let found = piece.from(start).unwrap_or_default();
            fetched.tail = Some(piece);
            return Ok(found);
        }
        // A large footer begins before the tail.
        self.0.object.ask_for(start..(start + *WINDOW.end()).min(size)).wait()
    }
}
