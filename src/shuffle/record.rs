//! How one scene is kept: as a short piece of text, the same in memory and in temporary files.
//!
//! ```text
//! head     | length cell | length cell | ...
//! 7 bytes  | 1 or 6 bytes and the cell's text
//! ```
//!
//! In memory the cells are those beside the key, since the visit knows the key. In a temporary file the key is the first
//! cell. So a record is taken over by a new head and a copy of what stands behind the head or behind the key.
//!
//! All of it is valid UTF-8, for numbers are written with seven bits to a byte: a cell is lent as `&str` and never
//! checked or copied. What the numbers of a head mean is the business of `buckets` and `spill`.

use crate::scan::Rows;
use arrow::array::{Array, AsArray, StringArray};

/// The bytes of a head: a group of 16 bits and a number of 32 bits, seven bits to a byte.
pub(super) const HEAD: usize = 7;
/// In place of a length: the cell is at least this long, and its length follows in [`LONG_LENGTH`] bytes.
const LONG: u8 = 0x7f;
const LONG_LENGTH: usize = 5;

/// The most bytes that the records of some rows take. `text` is the bytes of all their cells, `width` the cells of a row.
pub(super) fn most_bytes(rows: usize, width: usize, text: usize) -> usize {
    rows.saturating_mul(HEAD + width * (1 + LONG_LENGTH)).saturating_add(text)
}

/// A column of scenes, which is always text; `None` where the file lacks it, which is as if all of its cells were empty.
pub(super) type TextColumn<'r> = Option<&'r StringArray>;

/// The columns of a batch of scenes, the key's among them.
pub(super) fn text_columns(rows: &Rows) -> Vec<TextColumn<'_>> {
    rows.batch.columns().iter().map(|column| column.as_string_opt::<i32>()).collect()
}

/// The most bytes that the record of a row takes.
#[inline]
pub(super) fn most_bytes_of(columns: &[TextColumn<'_>], row: usize) -> usize {
    most_bytes(1, columns.len(), columns.iter().map(|column| cell(*column, row).len()).sum())
}

#[inline]
fn cell<'r>(column: TextColumn<'r>, row: usize) -> &'r str {
    column.filter(|cells| cells.is_valid(row)).map_or("", |cells| cells.value(row))
}

/// Begins a record.
#[inline]
pub(super) fn push_head(into: &mut String, group: u16, number: u32) {
    push_number::<HEAD>(into, u64::from(group) << 32 | u64::from(number));
}

/// Continues a record with the cells of a row.
#[inline]
pub(super) fn push_row(into: &mut String, columns: &[TextColumn<'_>], row: usize) {
    for column in columns {
        push_cell(into, cell(*column, row));
    }
}

/// Continues a record with a cell.
#[inline]
pub(super) fn push_cell(into: &mut String, cell: &str) {
    match u8::try_from(cell.len()) {
        Ok(length) if length < LONG => into.push(char::from(length)),
        _ => {
            into.push(char::from(LONG));
            push_number::<LONG_LENGTH>(into, cell.len() as u64);
        }
    }
    into.push_str(cell);
}

/// Appends a number, its lowest seven bits first.
#[inline]
fn push_number<const BYTES: usize>(into: &mut String, number: u64) {
    for at in 0..BYTES {
        into.push(char::from((number >> (7 * at)) as u8 & 0x7f));
    }
}

#[inline]
fn read_number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 7 | u64::from(byte))
}

/// The first cell of some text, and what stands behind it. `None` where there is no whole cell.
#[inline]
fn split_cell(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let (length, start) = match *bytes.first()? {
        LONG => (read_number(bytes.get(1..=LONG_LENGTH)?) as usize, 1 + LONG_LENGTH),
        length => (usize::from(length), 1),
    };
    text.get(start..)?.split_at_checked(length)
}

/// A view of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct SceneRecord<'r> {
    /// It begins with the record, and may go on with others.
    text: &'r str,
}

impl<'r> SceneRecord<'r> {
    /// The record that begins at an offset of some text.
    #[inline]
    pub(super) fn at(text: &'r str, offset: usize) -> SceneRecord<'r> {
        SceneRecord { text: &text[offset..] }
    }

    #[inline]
    pub(super) fn group(self) -> usize {
        (self.head() >> 32) as usize
    }

    #[inline]
    pub(super) fn number(self) -> u32 {
        self.head() as u32
    }

    #[inline]
    fn head(self) -> u64 {
        read_number(&self.text.as_bytes()[..HEAD])
    }

    /// Everything behind the head: its cells with their lengths, if [`records`] made this view.
    #[inline]
    pub(super) fn cells(self) -> &'r str {
        &self.text[HEAD..]
    }

    /// Its first cell, and the others with their lengths; of a record that [`records`] made.
    #[inline]
    pub(super) fn split_key(self) -> (&'r str, &'r str) {
        split_cell(self.cells()).unwrap_or_default()
    }

    /// Some of its cells, by their places among all `width` of them; empty where there is none.
    #[inline]
    pub(super) fn pick<const N: usize>(self, width: usize, places: [usize; N]) -> [&'r str; N] {
        let mut picked = [""; N];
        let mut rest = self.cells();
        for place in 0..width {
            let Some((cell, behind)) = split_cell(rest) else { break };
            for (picked, _) in picked.iter_mut().zip(places).filter(|(_, wanted)| *wanted == place) {
                *picked = cell;
            }
            rest = behind;
        }
        picked
    }
}

/// The records of some text, each with `width` cells and with the offset at which it begins. `None` in place of the first
/// one that is not whole, and then nothing.
#[inline]
pub(super) fn records(text: &str, width: usize) -> impl Iterator<Item = Option<(usize, SceneRecord<'_>)>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let record = rest;
        let cells =
            rest.get(HEAD..).and_then(|cells| (0..width).try_fold(cells, |cells, _| Some(split_cell(cells)?.1)));
        rest = cells.unwrap_or_default();
        let offset = text.len() - record.len();
        Some(cells.map(|_| (offset, SceneRecord { text: &record[..record.len() - rest.len()] })))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Four rows of text in `width` columns, with lengths around the limit of a short one.
    fn columns(width: usize, lengths: &[usize]) -> Vec<StringArray> {
        let cell = |row: usize, column: usize| "é".repeat(lengths[row * 12 + column] / 2);
        (0..width).map(|column| (0..4).map(|row| Some(cell(row, column))).collect()).collect()
    }

    fn lengths() -> impl Strategy<Value = Vec<usize>> {
        proptest::collection::vec(prop_oneof![0..20usize, 120..135usize, Just(300), Just(40_000)], 48)
    }

    fn scenes() -> impl Strategy<Value = Vec<(u16, u32, usize)>> {
        proptest::collection::vec((any::<u16>(), any::<u32>(), 0..4usize), 0..60)
    }

    proptest! {
        #[test]
        fn records_come_out_as_they_went_in(width in 0..12usize, scenes in scenes(), lengths in lengths()) {
            let arrays = columns(width, &lengths);
            let columns: Vec<TextColumn<'_>> = arrays.iter().map(Some).collect();
            let mut text = String::new();
            for &(group, number, row) in &scenes {
                push_head(&mut text, group, number);
                push_row(&mut text, &columns, row);
            }
            let cells: usize = scenes.iter().flat_map(|&(.., row)| arrays.iter().map(move |a| a.value(row).len())).sum();
            prop_assert!(text.len() <= most_bytes(scenes.len(), width, cells));
            prop_assert!(text.len() <= scenes.iter().map(|&(.., row)| most_bytes_of(&columns, row)).sum());
            let records: Vec<_> = records(&text, width).map(|record| record.expect("whole")).collect();
            prop_assert_eq!(records.len(), scenes.len());
            for ((offset, record), (group, number, row)) in records.into_iter().zip(scenes) {
                prop_assert_eq!((record.group(), record.number()), (usize::from(group), number));
                for (column, array) in arrays.iter().enumerate() {
                    let expected = [array.value(row), ""];
                    prop_assert_eq!(record.pick(width, [column, usize::MAX]), expected);
                    prop_assert_eq!(SceneRecord::at(&text, offset).pick(width, [column, width]), expected);
                }
            }
        }

        #[test]
        fn a_record_with_a_key_is_taken_over_without_it_and_back(width in 1..12usize, scenes in scenes(), lengths in lengths()) {
            let arrays = columns(width, &lengths);
            let columns: Vec<TextColumn<'_>> = arrays.iter().map(Some).collect();
            for (group, number, row) in scenes {
                let (mut with_key, mut without) = (String::new(), String::new());
                push_head(&mut with_key, 0, number);
                push_row(&mut with_key, &columns, row);
                push_head(&mut without, group, number);
                push_row(&mut without, &columns[1..], row);
                let (_, record) = records(&with_key, width).next().flatten().expect("whole");
                let (key, cells) = record.split_key();
                let mut taken = String::new();
                push_head(&mut taken, group, number);
                taken.push_str(cells);
                prop_assert_eq!((key, &taken), (arrays[0].value(row), &without));
                let mut back = String::new();
                push_head(&mut back, 0, number);
                push_cell(&mut back, key);
                back.push_str(SceneRecord::at(&without, 0).cells());
                prop_assert_eq!(back, with_key);
            }
        }

        #[test]
        fn text_that_was_cut_inside_a_record_is_noticed(
            width in 1..12usize, scenes in scenes(), lengths in lengths(), cut in 0..100usize,
        ) {
            let arrays = columns(width, &lengths);
            let columns: Vec<TextColumn<'_>> = arrays.iter().map(Some).collect();
            let (mut text, mut ends) = (String::new(), vec![0]);
            for (group, number, row) in scenes {
                push_head(&mut text, group, number);
                push_row(&mut text, &columns, row);
                ends.push(text.len());
            }
            let cut = (0..=text.len().saturating_sub(cut)).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
            let whole: Option<Vec<_>> = records(&text[..cut], width).collect();
            prop_assert_eq!(whole.map(|whole| whole.len()), ends.iter().position(|&end| end == cut));
        }

        #[test]
        fn any_text_is_taken_apart_without_a_panic(text in any::<String>(), width in 0..5usize) {
            for (_, record) in records(&text, width).flatten() {
                record.pick(width, [0]);
            }
        }
    }
}
