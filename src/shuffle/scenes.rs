//! The scenes of groups in memory, packed: a few bytes beside its cells for each, and nothing of its own on the heap.
//!
//! The scenes of an export come in any order, and eight million of them must find one of a million places. Written
//! or read one by one, each would wait for memory. So groups that follow each other form a stretch: while scenes come
//! in, each is appended to the records of its stretch, of which there are some hundred. When all are there, a stretch
//! is put in order as its first visit is asked for, and is small enough to stay in the processor's cache until its last.

use super::KEY;
use super::groups::NO_GROUP;
use crate::scan::{BATCH_ROWS, Fault, Lines, Place, Rows};
use crate::short;
use arrow::array::{Array, AsArray, StringArray};
use arrow::buffer::NullBuffer;
use arrow::error::ArrowError;
use rayon::prelude::*;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Groups of a stretch, at least: with eight scenes each, their records fill about half a megabyte.
const FEWEST_GROUPS: usize = 1 << 11;
/// At most: a group's place in its stretch has two bytes.
const MOST_GROUPS: usize = 1 << 16;
/// Stretches, if that many are enough.
const STRETCHES: usize = 1 << 9;

/// A batch of scenes with the group of each, or [`NO_GROUP`].
#[derive(Debug)]
pub(super) struct Assigned {
    pub(super) rows: Rows,
    pub(super) groups: Vec<u32>,
}

/// Takes scenes in, in the order of the export.
#[derive(Debug)]
pub(super) struct Packing {
    groups: usize,
    /// Groups of a stretch.
    reach: usize,
    /// Columns beside the key.
    width: usize,
    stretches: Vec<Records>,
    origins: Origins,
    scenes: u32,
}

/// Where scenes stood, by their number in the order of the export, and what is wrong with them.
#[derive(Debug, Default)]
struct Origins {
    batches: Vec<Batch>,
    /// Their `row` is the scene's number.
    faults: Vec<Fault>,
}

#[derive(Debug)]
struct Batch {
    /// The number of its first scene.
    first: u32,
    file: Arc<str>,
    lines: Lines,
}

impl Origins {
    fn place(&self, scene: u32) -> Place {
        let at = self.batches.partition_point(|batch| batch.first <= scene).saturating_sub(1);
        let batch = &self.batches[at];
        batch.lines.place((scene - batch.first) as usize, &batch.file)
    }

    fn faults(&self, scene: u32) -> &[Fault] {
        let start = self.faults.partition_point(|fault| fault.row < scene);
        let end = self.faults.partition_point(|fault| fault.row <= scene);
        &self.faults[start..end]
    }
}

/// The scenes of a stretch in the order of the export, one record behind the other: the group's place in the stretch
/// and the scene's number, the length of each cell, the cells. They lie in blocks, so that nothing is moved as they
/// grow.
#[derive(Clone, Debug, Default)]
struct Records {
    blocks: Vec<Vec<u8>>,
}

/// The same when all are there: every block is text, for numbers are written with seven bits a byte.
#[derive(Debug)]
struct Texts {
    blocks: Vec<String>,
}

/// Bytes of a block, unless a single record needs more.
const BLOCK: usize = 1 << OFFSET_BITS;
/// The place of a record is the number of its block and, in so many bits, its offset there.
const OFFSET_BITS: u32 = 15;
const MOST_BLOCKS: usize = 1 << (u32::BITS - OFFSET_BITS);

/// Group and number, 48 bits.
const HEAD: usize = 7;
/// A length that is not less than this stands in five bytes behind it.
const LONG: u8 = 0x7f;

/// So many lengths fit behind the head into the block that is copied at once.
const FEW_COLUMNS: usize = short::BLOCK - HEAD;

#[inline]
fn seven_bits<const N: usize>(number: u64) -> [u8; N] {
    std::array::from_fn(|at| (number >> (7 * at)) as u8 & 0x7f)
}

#[inline]
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 7 | u64::from(byte))
}

/// `seven_bits` of a number of at most 49 bits: it is halved, and the halves are moved apart, three times.
#[inline]
fn head_of(number: u64) -> u64 {
    let number = number & 0x0fff_ffff | (number & 0x00ff_ffff_f000_0000) << 4;
    let number = number & 0x3fff_0000_3fff | (number & 0x0fff_c000_0fff_c000) << 2;
    number & 0x007f_007f_007f_007f | (number & 0x3f80_3f80_3f80_3f80) << 1
}

/// The number again.
#[inline]
fn number_of(head: u64) -> u64 {
    let number = head & 0x007f_007f_007f_007f | (head & 0x7f00_7f00_7f00_7f00) >> 1;
    let number = number & 0x3fff_0000_3fff | (number & 0x3fff_0000_3fff_0000) >> 2;
    number & 0x0fff_ffff | (number & 0x0fff_ffff_0000_0000) >> 4
}

impl Records {
    #[inline]
    fn push(&mut self, group: u16, scene: u32, columns: &[Column<'_>], row: usize) {
        let head = head_of(u64::from(group) << 32 | u64::from(scene));
        // In a register: what is written in small pieces to memory and read again at once as a whole is waited for.
        let mut start = u128::from(head);
        let (mut text, mut lengths) = (0, 0);
        for (place, column) in (HEAD..short::BLOCK).zip(columns) {
            let length = column.cell(row).len();
            start |= (length as u128) << (8 * place);
            text += length;
            lengths |= length;
        }
        if lengths >= usize::from(LONG) || columns.len() > FEW_COLUMNS {
            return self.push_long(&head.to_le_bytes()[..HEAD], columns, row);
        }
        let block = self.with_room_for(HEAD + columns.len() + text);
        let end = block.len() + HEAD + columns.len();
        block.extend_from_slice(&start.to_le_bytes());
        block.truncate(end);
        for column in columns {
            let cell = column.cell(row);
            short::append(block, column.text, cell.start, cell.end);
        }
    }

    /// A record of any lengths.
    #[cold]
    fn push_long(&mut self, head: &[u8], columns: &[Column<'_>], row: usize) {
        let block = self.with_room_for(HEAD + columns.iter().map(|column| column.cell(row).len() + 6).sum::<usize>());
        block.extend_from_slice(head);
        for column in columns {
            let cell = column.cell(row);
            match u8::try_from(cell.len()) {
                Ok(short) if short < LONG => block.push(short),
                _ => {
                    block.push(LONG);
                    block.extend_from_slice(&seven_bits::<5>(cell.len() as u64));
                }
            }
        }
        for column in columns {
            let cell = column.cell(row);
            block.extend_from_slice(&column.text[cell]);
        }
    }

    /// The block for a record of so many bytes, and room for more to be copied than is meant.
    #[inline]
    fn with_room_for(&mut self, bytes: usize) -> &mut Vec<u8> {
        let needed = bytes + short::BLOCK;
        match self.blocks.last() {
            Some(block) if block.len() + needed <= BLOCK => {}
            _ => self.blocks.push(Vec::with_capacity(needed.max(BLOCK))),
        }
        let last = self.blocks.len() - 1;
        &mut self.blocks[last]
    }

    fn finish(self) -> Result<Texts, ArrowError> {
        // Columns of text and small numbers: if that were no text, scenes would be lost, and the run must not go on.
        let texts = self.blocks.into_iter().map(String::from_utf8).collect::<Result<_, _>>();
        Ok(Texts { blocks: texts.map_err(ArrowError::from)? })
    }
}

impl Texts {
    #[inline]
    fn at(&self, place: u32) -> Record<'_> {
        Record { text: &self.blocks[(place >> OFFSET_BITS) as usize][place as usize % BLOCK..] }
    }

    /// The places of all records, in their order.
    fn places(&self, width: usize) -> impl Iterator<Item = u32> {
        self.blocks.iter().zip(0u32..).flat_map(move |(block, number)| {
            let mut offset = 0;
            std::iter::from_fn(move || {
                let text = block.get(offset..).filter(|rest| !rest.is_empty())?;
                let place = number << OFFSET_BITS | offset as u32;
                offset += Record { text }.cells(width).end;
                Some(place)
            })
        })
    }
}

/// One record, and whatever lies behind it.
#[derive(Clone, Copy, Debug)]
struct Record<'r> {
    text: &'r str,
}

impl<'r> Record<'r> {
    #[inline]
    fn head(self) -> u64 {
        let bytes = self.text.as_bytes();
        match bytes.first_chunk() {
            Some(&head) => number_of(u64::from_le_bytes(head) & ((1 << (8 * HEAD)) - 1)),
            None => number(&bytes[..HEAD]),
        }
    }

    #[inline]
    fn group(self) -> usize {
        (self.head() >> 32) as usize
    }

    #[inline]
    fn scene(self) -> u32 {
        self.head() as u32
    }

    /// The length of a cell, and where the next length stands.
    #[inline]
    fn length(self, at: usize) -> (usize, usize) {
        let bytes = self.text.as_bytes();
        match bytes[at] {
            LONG => (number(&bytes[at + 1..at + 6]) as usize, at + 6),
            short => (usize::from(short), at + 1),
        }
    }

    /// Where all of its cells lie.
    #[inline]
    fn cells(self, width: usize) -> Range<usize> {
        let (mut at, mut text) = (HEAD, 0);
        for _ in 0..width {
            let (length, next) = self.length(at);
            text += length;
            at = next;
        }
        at..at + text
    }

    /// Some of its cells, by their places among those beside the key; empty where there is none.
    #[inline]
    fn some<const N: usize>(self, width: usize, columns: [usize; N]) -> [&'r str; N] {
        let (mut starts, mut lengths) = ([0; N], [0; N]);
        let (mut at, mut text) = (HEAD, 0);
        for place in 0..width {
            let (length, next) = self.length(at);
            for cell in 0..N {
                if columns[cell] == place {
                    (starts[cell], lengths[cell]) = (text, length);
                }
            }
            text += length;
            at = next;
        }
        std::array::from_fn(|cell| &self.text[at + starts[cell]..at + starts[cell] + lengths[cell]])
    }
}

impl Packing {
    /// For the scenes of so many groups, with so many columns beside the key.
    pub(super) fn new(groups: usize, width: usize) -> Packing {
        let reach = groups.div_ceil(STRETCHES).next_power_of_two().clamp(FEWEST_GROUPS, MOST_GROUPS);
        let stretches = vec![Records::default(); groups.div_ceil(reach)];
        Packing { groups, reach, width, stretches, origins: Origins::default(), scenes: 0 }
    }

    /// Whether a batch of so many scenes can be taken in as well.
    pub(super) fn has_room_for(&self, scenes: usize, bytes: usize) -> bool {
        // Each block is at least half full.
        let blocks = 2 * (bytes / BLOCK) + 2;
        u32::try_from(scenes).is_ok_and(|scenes| self.scenes.checked_add(scenes).is_some())
            && self.stretches.iter().all(|records| records.blocks.len() + blocks < MOST_BLOCKS)
    }

    /// Takes batches that follow each other in the export.
    pub(super) fn add(&mut self, batches: Vec<Assigned>) {
        let mut firsts = Vec::with_capacity(batches.len());
        for Assigned { rows, .. } in &batches {
            firsts.push(self.scenes);
            let numbered = |fault: &Fault| Fault { row: self.scenes + fault.row, ..fault.clone() };
            self.origins.faults.extend(rows.faults.iter().map(numbered));
            self.scenes += rows.batch.num_rows() as u32;
        }
        let columns: Vec<Vec<Column<'_>>> = batches.iter().map(|batch| columns(&batch.rows)).collect();
        // Every thread goes over all scenes and takes those of its own stretches.
        let each = self.stretches.len().div_ceil(rayon::current_num_threads()).max(1);
        let reach = self.reach.trailing_zeros();
        let mask = self.reach as u32 - 1;
        self.stretches.par_chunks_mut(each).enumerate().for_each(|(at, stretches)| {
            let before = (at * each) as u32;
            let mut own = Vec::new();
            for ((batch, first), columns) in batches.iter().zip(&firsts).zip(&columns) {
                own.resize(batch.groups.len(), 0);
                let mut count = 0;
                // Without a decision for each: which thread's the next one is, nobody can guess.
                for (row, &group) in (0..).zip(&batch.groups) {
                    own[count] = row;
                    let stretch = (group >> reach).wrapping_sub(before) as usize;
                    count += usize::from((group != NO_GROUP) & (stretch < stretches.len()));
                }
                for &row in &own[..count] {
                    let group = batch.groups[row as usize];
                    let records = &mut stretches[((group >> reach) - before) as usize];
                    records.push((group & mask) as u16, first + row, columns, row as usize);
                }
            }
        });
        for (Assigned { rows, .. }, first) in batches.into_iter().zip(firsts) {
            self.origins.batches.push(Batch { first, file: rows.file, lines: rows.lines });
        }
    }

    /// All scenes, to be asked for by their groups.
    ///
    /// # Errors
    /// Never, unless cells that should be text are none.
    pub(super) fn finish(self) -> Result<Packed, ArrowError> {
        let Packing { groups, reach, width, stretches, origins, .. } = self;
        let stretches = stretches.into_par_iter().enumerate().map(|(at, records)| {
            let groups = (groups - at * reach).min(reach);
            Ok(Stretch { texts: records.finish()?, groups, sorted: OnceLock::new() })
        });
        Ok(Packed { reach, width, stretches: stretches.collect::<Result<_, ArrowError>>()?, origins })
    }

    /// Hands out all scenes again as rows of text, batch by batch, with the key of each group.
    pub(super) fn unpack<'k, E: From<ArrowError>>(
        self,
        key: impl Fn(u32) -> &'k str,
        mut take: impl FnMut(Vec<StringArray>, Vec<Place>, Vec<Fault>) -> Result<(), E>,
    ) -> Result<(), E> {
        for (at, records) in self.stretches.into_iter().enumerate() {
            let texts = records.finish()?;
            let all: Vec<Record<'_>> = texts.places(self.width).map(|place| texts.at(place)).collect();
            for some in all.chunks(BATCH_ROWS) {
                let (mut places, mut faults) = (Vec::new(), Vec::new());
                for record in some {
                    let own = self.origins.faults(record.scene()).iter();
                    faults.extend(own.map(|fault| Fault { row: places.len() as u32, ..fault.clone() }));
                    places.push(self.origins.place(record.scene()));
                }
                let keys = some.iter().map(|record| key((at * self.reach + record.group()) as u32));
                let mut columns = vec![StringArray::from_iter_values(keys)];
                for column in 0..self.width {
                    let cells = some.iter().map(|record| record.some(self.width, [column])[0]);
                    columns.push(StringArray::from_iter_values(cells));
                }
                take(columns, places, faults)?;
            }
        }
        Ok(())
    }
}

/// A column of a batch; without offsets where its file lacks it.
struct Column<'a> {
    text: &'a [u8],
    offsets: &'a [i32],
    nulls: Option<&'a NullBuffer>,
}

impl Column<'_> {
    #[inline]
    fn cell(&self, row: usize) -> Range<usize> {
        match self.offsets.get(row..row + 2) {
            Some(&[start, end]) if self.nulls.is_none_or(|nulls| nulls.is_valid(row)) => start as usize..end as usize,
            _ => 0..0,
        }
    }
}

/// The columns beside the key. All columns of scenes are picked as text.
fn columns(rows: &Rows) -> Vec<Column<'_>> {
    let columns = rows.batch.columns().iter().enumerate().filter(|(at, _)| *at != KEY);
    let columns = columns.map(|(_, column)| match column.as_string_opt::<i32>() {
        Some(cells) => Column { text: cells.value_data(), offsets: cells.value_offsets(), nulls: cells.nulls() },
        None => Column { text: &[], offsets: &[], nulls: None },
    });
    columns.collect()
}

/// All scenes, by group.
#[derive(Debug)]
pub(super) struct Packed {
    reach: usize,
    width: usize,
    stretches: Vec<Stretch>,
    origins: Origins,
}

/// The scenes of a stretch.
#[derive(Debug)]
struct Stretch {
    texts: Texts,
    groups: usize,
    /// Put in order by whoever asks first: then its records are in the processor's cache when they are asked for.
    sorted: OnceLock<Sorted>,
}

/// In which order the scenes of a group are next to each other; those of a group stay in the order of the export.
#[derive(Debug)]
struct Sorted {
    /// The places of the records, by group.
    order: Vec<u32>,
    /// For each group where its records begin in `order`, and where the last one's end.
    groups: Vec<u32>,
}

impl Sorted {
    fn new(texts: &Texts, count: usize, width: usize) -> Sorted {
        let mut groups = vec![0; count + 1];
        let mut all = Vec::new();
        for place in texts.places(width) {
            let group = texts.at(place).group();
            groups[group + 1] += 1;
            all.push((place, group as u16));
        }
        for group in 0..count {
            groups[group + 1] += groups[group];
        }
        let mut order = vec![0; all.len()];
        let mut next = groups.clone();
        for (place, group) in all {
            let next = &mut next[usize::from(group)];
            order[*next as usize] = place;
            *next += 1;
        }
        Sorted { order, groups }
    }
}

impl Packed {
    /// Groups whose scenes are put in order together.
    pub(super) fn reach(&self) -> usize {
        self.reach
    }

    /// The scenes of a group, in the order of the export.
    #[inline]
    pub(super) fn of(&self, group: u32) -> Scenes<'_> {
        let (stretch, group) = (group as usize / self.reach, group as usize % self.reach);
        let Some(Stretch { texts, groups, sorted }) = self.stretches.get(stretch) else { return Scenes::default() };
        let Sorted { order, groups } = sorted.get_or_init(|| Sorted::new(texts, *groups, self.width));
        Scenes {
            within: Some(Within { origins: &self.origins, texts, width: self.width }),
            order: &order[groups[group] as usize..groups[group + 1] as usize],
        }
    }
}

/// The scenes of a visit, in the order of the export.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scenes<'a> {
    within: Option<Within<'a>>,
    order: &'a [u32],
}

#[derive(Clone, Copy, Debug)]
struct Within<'a> {
    origins: &'a Origins,
    texts: &'a Texts,
    width: usize,
}

/// One scene: a view of its cells.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    within: Within<'a>,
    record: Record<'a>,
}

impl<'a> Scenes<'a> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// One of them, by its place among them.
    #[inline]
    pub fn get(&self, at: usize) -> Option<Scene<'a>> {
        let within = self.within?;
        self.order.get(at).map(|&place| Scene { within, record: within.texts.at(place) })
    }

    /// Some of them, by their places among them, as far as there are any.
    pub(crate) fn slice(&self, range: Range<usize>) -> Scenes<'a> {
        let end = range.end.min(self.len());
        Scenes { within: self.within, order: &self.order[range.start.min(end)..end] }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Scene<'a>> + use<'a> {
        let scenes = *self;
        (0..self.len()).filter_map(move |at| scenes.get(at))
    }
}

impl<'a> Scene<'a> {
    /// A cell, by the place of its column among the picks; empty for a null, and for the key.
    pub fn text(&self, column: usize) -> &'a str {
        let [text] = self.texts([column]);
        text
    }

    /// Some of its cells, likewise: the scene is taken apart once.
    #[inline]
    pub(crate) fn texts<const N: usize>(&self, columns: [usize; N]) -> [&'a str; N] {
        // The key is not among the cells of a record.
        self.record.some(self.within.width, std::array::from_fn(|cell| columns[cell].wrapping_sub(KEY + 1)))
    }

    /// What is wrong with its row.
    #[inline]
    pub fn faults(&self) -> &'a [Fault] {
        let origins = self.within.origins;
        if origins.faults.is_empty() { &[] } else { origins.faults(self.record.scene()) }
    }

    /// Where it stands.
    pub fn place(&self) -> Place {
        self.within.origins.place(self.record.scene())
    }
}
