//! The form in which scenes are kept: one record behind the other, in blocks that are text as a whole.
//!
//! A record is the group's place in its stretch and the scene's number, the length of each cell, the cells. It is written
//! eight million times and read in another order, so a few operations more or less are seconds of a night. What groups,
//! stretches and orders are, it does not know. On the way through temporary files a record has the key as its first cell,
//! and another number.

use super::KEY;
use crate::scan::Rows;
use crate::short;
use arrow::array::{Array, AsArray, StringArray};
use arrow::buffer::NullBuffer;
use arrow::error::ArrowError;
use std::ops::Range;

/// The scenes of a stretch in the order of the export. They lie in blocks, so that nothing is moved as they grow.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    blocks: Vec<Vec<u8>>,
}

/// The same when all are there: every block is text, for numbers are written with seven bits a byte.
#[derive(Debug)]
pub(super) struct Texts {
    blocks: Vec<String>,
}

/// Bytes of a block, unless a single record needs more.
const BLOCK: usize = 1 << OFFSET_BITS;
/// The place of a record is the number of its block and, in so many bits, its offset there.
const OFFSET_BITS: u32 = 15;
const MOST_BLOCKS: usize = 1 << (u32::BITS - OFFSET_BITS);

/// Group and number, 48 bits.
const HEAD: usize = 7;
const HEAD_MASK: u64 = (1 << (8 * HEAD)) - 1;
/// A length that is not less than this stands in five bytes behind it.
const LONG: u8 = 0x7f;

/// So many lengths fit behind the head into what is copied at once.
const FEW_COLUMNS: usize = size_of::<u128>() - HEAD;

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

/// Writes a record with a number of at most 48 bits to the block that `room` finds for so many bytes.
#[inline]
fn write<'b>(number: u64, columns: &[Column<'_>], row: usize, room: impl FnOnce(usize) -> &'b mut Vec<u8>) {
    let head = head_of(number);
    // In a register: what is written in small pieces to memory and read again at once as a whole is waited for.
    let mut start = u128::from(head);
    let (mut text, mut lengths) = (0, 0);
    for (place, column) in (HEAD..size_of::<u128>()).zip(columns) {
        let length = column.cell(row).len();
        start |= (length as u128) << (8 * place);
        text += length;
        lengths |= length;
    }
    if lengths >= usize::from(LONG) || columns.len() > FEW_COLUMNS {
        let bytes = HEAD + columns.iter().map(|column| column.cell(row).len() + 6).sum::<usize>();
        return write_long(&head.to_le_bytes()[..HEAD], columns, row, room(bytes));
    }
    let block = room(HEAD + columns.len() + text);
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
fn write_long(head: &[u8], columns: &[Column<'_>], row: usize, block: &mut Vec<u8>) {
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

/// Appends a record with a number of at most 48 bits to a block, which [`Whole::all_in`] takes apart again.
#[inline]
pub(super) fn append(block: &mut Vec<u8>, number: u64, columns: &[Column<'_>], row: usize) {
    write(number, columns, row, |_| block);
}

/// A record as [`append`] wrote it: its first cell apart from the others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole<'b> {
    pub(super) number: u64,
    pub(super) first: &'b [u8],
    /// The lengths of the other cells as they are written, and those cells.
    lengths: &'b [u8],
    cells: &'b [u8],
}

impl<'b> Whole<'b> {
    /// All records of a block, each with so many cells; `None` if it holds anything else.
    pub(super) fn all_in(mut block: &'b [u8], cells: usize) -> Option<Vec<Whole<'b>>> {
        let mut all = Vec::new();
        while !block.is_empty() {
            let (whole, rest) = Whole::split(block, cells)?;
            all.push(whole);
            block = rest;
        }
        Some(all)
    }

    #[inline]
    fn split(block: &'b [u8], cells: usize) -> Option<(Whole<'b>, &'b [u8])> {
        let head = match block.first_chunk() {
            Some(&head) => u64::from_le_bytes(head) & HEAD_MASK,
            None => return None,
        };
        let (mut at, mut text) = (HEAD, 0usize);
        let (mut first, mut others) = (0, HEAD);
        for cell in 0..cells {
            let length = match *block.get(at)? {
                LONG => {
                    let length = number(block.get(at + 1..at + 6)?) as usize;
                    at += 5;
                    length
                }
                short => usize::from(short),
            };
            at += 1;
            text += length;
            if cell == 0 {
                (first, others) = (length, at);
            }
        }
        let (record, rest) = block.split_at_checked(at + text)?;
        let (lengths, text) = (&record[others..at], &record[at..]);
        let (first, cells) = text.split_at(first);
        Some((Whole { number: number_of(head), first, lengths, cells }, rest))
    }
}

impl Records {
    #[inline]
    pub(super) fn push(&mut self, group: u16, scene: u32, columns: &[Column<'_>], row: usize) {
        write(u64::from(group) << 32 | u64::from(scene), columns, row, |bytes| self.with_room_for(bytes));
    }

    /// Takes a record over without its first cell.
    #[inline]
    pub(super) fn push_others(&mut self, group: u16, scene: u32, Whole { lengths, cells, .. }: Whole<'_>) {
        let head = head_of(u64::from(group) << 32 | u64::from(scene));
        let block = self.with_room_for(HEAD + lengths.len() + cells.len());
        let end = block.len() + HEAD;
        block.extend_from_slice(&head.to_le_bytes());
        block.truncate(end);
        short::append_all(block, lengths);
        short::append_all(block, cells);
    }

    /// Whether cells of so many bytes can be taken in as well.
    pub(super) fn has_room_for(&self, bytes: usize) -> bool {
        // Each block is at least half full.
        self.blocks.len() + 2 * (bytes / BLOCK) + 2 < MOST_BLOCKS
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

    pub(super) fn finish(self) -> Result<Texts, ArrowError> {
        // Columns of text and small numbers: if that were no text, scenes would be lost, and the run must not go on.
        let texts = self.blocks.into_iter().map(String::from_utf8).collect::<Result<_, _>>();
        Ok(Texts { blocks: texts.map_err(ArrowError::from)? })
    }
}

impl Texts {
    #[inline]
    pub(super) fn at(&self, place: u32) -> Record<'_> {
        Record { text: &self.blocks[(place >> OFFSET_BITS) as usize][place as usize % BLOCK..] }
    }

    /// The places of all records, in their order.
    pub(super) fn places(&self, width: usize) -> impl Iterator<Item = u32> {
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
pub(super) struct Record<'r> {
    text: &'r str,
}

impl<'r> Record<'r> {
    #[inline]
    fn head(self) -> u64 {
        let bytes = self.text.as_bytes();
        match bytes.first_chunk() {
            Some(&head) => number_of(u64::from_le_bytes(head) & HEAD_MASK),
            None => number(&bytes[..HEAD]),
        }
    }

    #[inline]
    pub(super) fn group(self) -> usize {
        (self.head() >> 32) as usize
    }

    #[inline]
    pub(super) fn scene(self) -> u32 {
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
    pub(super) fn some<const N: usize>(self, width: usize, columns: [usize; N]) -> [&'r str; N] {
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

/// A column of a batch; without offsets where its file lacks it.
#[derive(Clone, Copy)]
pub(super) struct Column<'a> {
    text: &'a [u8],
    offsets: &'a [i32],
    nulls: Option<&'a NullBuffer>,
}

impl<'a> Column<'a> {
    fn new(cells: &'a StringArray) -> Column<'a> {
        Column { text: cells.value_data(), offsets: cells.value_offsets(), nulls: cells.nulls() }
    }

    #[inline]
    fn cell(&self, row: usize) -> Range<usize> {
        match self.offsets.get(row..row + 2) {
            Some(&[start, end]) if self.nulls.is_none_or(|nulls| nulls.is_valid(row)) => start as usize..end as usize,
            _ => 0..0,
        }
    }
}

/// The key's column, then the others. All columns of scenes are picked as text.
pub(super) fn columns(rows: &Rows) -> Vec<Column<'_>> {
    const { assert!(KEY == 0, "the key is the first cell") };
    let absent = Column { text: &[], offsets: &[], nulls: None };
    let columns = rows.batch.columns().iter();
    columns.map(|column| column.as_string_opt::<i32>().map_or(absent, Column::new)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn records_come_out_as_they_went_in(
            width in 0..12usize,
            scenes in proptest::collection::vec((any::<u16>(), any::<u32>(), 0..4usize), 0..60),
            lengths in proptest::collection::vec(prop_oneof![0..20usize, 120..135usize, Just(300), Just(40_000)], 48),
        ) {
            // Four rows of cells, which the scenes take in turn.
            let cell = |row: usize, column: usize| "é".repeat(lengths[row * 12 + column] / 2);
            let arrays: Vec<StringArray> =
                (0..width).map(|column| (0..4).map(|row| Some(cell(row, column))).collect()).collect();
            let columns: Vec<Column<'_>> = arrays.iter().map(Column::new).collect();
            let mut records = Records::default();
            for &(group, scene, row) in &scenes {
                records.push(group, scene, &columns, row);
            }
            let texts = records.finish().expect("text");
            let places: Vec<u32> = texts.places(width).collect();
            prop_assert_eq!(places.len(), scenes.len());
            for (place, (group, scene, row)) in places.into_iter().zip(scenes) {
                let record = texts.at(place);
                prop_assert_eq!((record.group(), record.scene()), (usize::from(group), scene));
                for column in 0..width {
                    let expected = cell(row, column);
                    prop_assert_eq!(record.some(width, [column, usize::MAX]), [expected.as_str(), ""]);
                }
            }
        }

        #[test]
        fn records_with_a_key_are_taken_over_without_it(
            cells in 1..12usize,
            scenes in proptest::collection::vec((any::<u16>(), any::<u32>(), 0..4usize), 0..60),
            lengths in proptest::collection::vec(prop_oneof![0..40usize, 120..135usize, Just(40_000)], 48),
            cut in 0..100usize,
        ) {
            let cell = |row: usize, column: usize| "é".repeat(lengths[row * 12 + column] / 2);
            let arrays: Vec<StringArray> =
                (0..cells).map(|column| (0..4).map(|row| Some(cell(row, column))).collect()).collect();
            let columns: Vec<Column<'_>> = arrays.iter().map(Column::new).collect();
            let (mut block, mut expected) = (Vec::new(), Records::default());
            for &(group, scene, row) in &scenes {
                append(&mut block, u64::from(scene), &columns, row);
                expected.push(group, scene, &columns[1..], row);
            }
            let whole = Whole::all_in(&block, cells).expect("as it was written");
            prop_assert_eq!(whole.len(), scenes.len());
            let mut records = Records::default();
            for (whole, &(group, scene, row)) in whole.into_iter().zip(&scenes) {
                let key = cell(row, 0);
                prop_assert_eq!((whole.number, whole.first), (u64::from(scene), key.as_bytes()));
                records.push_others(group, scene, whole);
            }
            prop_assert_eq!(records.blocks.concat(), expected.blocks.concat());
            // A file that something has cut is told, unless it is cut between two records, and not read beyond its end.
            let cut = block.len().saturating_sub(cut);
            let left = (0..=scenes.len()).find(|&left| {
                let mut whole = Vec::new();
                scenes[..left].iter().for_each(|&(_, scene, row)| append(&mut whole, scene.into(), &columns, row));
                whole.len() == cut
            });
            prop_assert_eq!(Whole::all_in(&block[..cut], cells).map(|whole| whole.len()), left);
        }

        #[test]
        fn a_head_is_its_number_in_sevens_of_bits(group: u16, scene: u32) {
            let head = u64::from(group) << 32 | u64::from(scene);
            let bytes = seven_bits::<HEAD>(head);
            prop_assert_eq!(&head_of(head).to_le_bytes()[..HEAD], &bytes);
            prop_assert_eq!((number_of(head_of(head)), number(&bytes)), (head, head));
        }
    }
}
