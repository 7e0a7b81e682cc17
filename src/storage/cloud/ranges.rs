//! An object in any order, for files that are read in columns: whoever knows which stretches it will read says so, and
//! each is then fetched in windows, those that lie together in one request.

use super::{Object, StorageError};
use bytes::Bytes;
use object_store::{OBJECT_STORE_COALESCE_DEFAULT, coalesce_ranges};
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Read at once from the end, where the footer is.
const TAIL: u64 = 64 << 10;
/// All windows together.
const WINDOWS: u64 = 32 << 20;
/// A window of one stretch.
const WINDOW: std::ops::RangeInclusive<u64> = (256 << 10)..=(8 << 20);

/// Reads an object by ranges. All clones share what was fetched.
#[derive(Clone, Debug)]
pub(crate) struct Ranges(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    object: Object,
    state: Mutex<State>,
    failure: OnceLock<StorageError>,
}

#[derive(Debug, Default)]
struct State {
    tail: Option<Window>,
    groups: Vec<Group>,
    window: u64,
}

/// Stretches that are begun together.
#[derive(Debug)]
struct Group {
    begun: bool,
    stretches: Vec<Stretch>,
}

/// A part of the object that is read from its beginning to its end.
#[derive(Debug)]
struct Stretch {
    range: Range<u64>,
    window: Option<Window>,
}

/// Bytes at hand, and where they begin.
#[derive(Clone, Debug)]
struct Window {
    start: u64,
    bytes: Bytes,
}

impl Window {
    fn from(&self, start: u64) -> Option<Bytes> {
        let skip = usize::try_from(start.checked_sub(self.start)?).ok()?;
        (skip < self.bytes.len()).then(|| self.bytes.slice(skip..))
    }
}

impl Ranges {
    pub(super) fn new(object: Object) -> Ranges {
        Ranges(Arc::new(Shared { object, state: Mutex::default(), failure: OnceLock::new() }))
    }

    /// Of the whole object.
    pub(crate) fn size(&self) -> u64 {
        self.0.object.stamp.bytes
    }

    /// What will be read: the stretches of a group side by side. One of the next group is begun when the one at the same
    /// place of the group before is done.
    pub(crate) fn plan(&self, groups: Vec<Vec<Range<u64>>>) {
        let widest = groups.iter().map(Vec::len).max().unwrap_or(0).max(1) as u64;
        let stretch = |range| Stretch { range, window: None };
        let group = |ranges: Vec<_>| Group { begun: false, stretches: ranges.into_iter().map(stretch).collect() };
        let groups = groups.into_iter().map(group).collect();
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.groups = groups;
        state.window = (WINDOWS / widest).clamp(*WINDOW.start(), *WINDOW.end());
    }

    /// Bytes from there on, as many as are at hand after at most one fetch; none behind the end.
    pub(crate) fn at(&self, start: u64) -> Result<Bytes, StorageError> {
        if start >= self.size() {
            return Ok(Bytes::new());
        }
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let found = self.look(&mut state, start);
        found.inspect_err(|error| drop(self.0.failure.set(error.clone())))
    }

    /// These bytes.
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

    /// The first thing that went wrong with the storage, whatever became of it on its way through others' errors.
    pub(crate) fn failure(&self) -> Option<StorageError> {
        self.0.failure.get().cloned()
    }

    fn look(&self, state: &mut State, start: u64) -> Result<Bytes, StorageError> {
        let place = state.groups.iter().enumerate().find_map(|(at, group)| {
            group.stretches.iter().position(|stretch| stretch.range.contains(&start)).map(|stretch| (at, stretch))
        });
        let Some((at, place)) = place else { return self.unplanned(state, start) };
        // What is behind is not read again.
        for group in &mut state.groups[..at] {
            if let Some(stretch) = group.stretches.get_mut(place) {
                stretch.window = None;
            }
        }
        let window = state.window;
        let ahead = |from: u64, stretch: &Stretch| from..(from + window).min(stretch.range.end);
        let group = &mut state.groups[at];
        if !std::mem::replace(&mut group.begun, true) {
            // What its stretches begin with is often one piece of the object.
            let begin = |stretch: &Stretch| ahead(stretch.range.start, stretch);
            let ranges: Vec<Range<u64>> = group.stretches.iter().map(begin).collect();
            let fetched = self.fetch(ranges.clone())?;
            for ((stretch, range), bytes) in group.stretches.iter_mut().zip(ranges).zip(fetched) {
                stretch.window = Some(Window { start: range.start, bytes });
            }
        }
        let stretch = &mut group.stretches[place];
        if let Some(bytes) = stretch.window.as_ref().and_then(|window| window.from(start)) {
            return Ok(bytes);
        }
        let bytes = self.0.object.ask_for(ahead(start, stretch)).wait()?;
        stretch.window = Some(Window { start, bytes: bytes.clone() });
        Ok(bytes)
    }

    fn fetch(&self, ranges: Vec<Range<u64>>) -> Result<Vec<Bytes>, StorageError> {
        let object = self.0.object.clone();
        let asked = self.0.object.bucket.ask(async move {
            let get = |range| {
                let object = object.clone();
                async move { object.get(range).await }
            };
            let pieces = coalesce_ranges(&ranges, get, OBJECT_STORE_COALESCE_DEFAULT).await?;
            // A window keeps its own bytes alone: a piece would stay whole as long as any of its windows.
            Ok(match pieces.len() {
                0 | 1 => pieces,
                _ => pieces.iter().map(|piece| Bytes::copy_from_slice(piece)).collect(),
            })
        });
        asked.wait()
    }

    /// The footer, and whatever else nobody spoke of.
    fn unplanned(&self, state: &mut State, start: u64) -> Result<Bytes, StorageError> {
        if let Some(bytes) = state.tail.as_ref().and_then(|tail| tail.from(start)) {
            return Ok(bytes);
        }
        let size = self.size();
        let tail = size.saturating_sub(TAIL);
        if start >= tail {
            let bytes = self.0.object.ask_for(tail..size).wait()?;
            let window = Window { start: tail, bytes };
            let found = window.from(start).unwrap_or_default();
            state.tail = Some(window);
            return Ok(found);
        }
        // A large footer begins before the tail.
        self.0.object.ask_for(start..(start + *WINDOW.end()).min(size)).wait()
    }
}
