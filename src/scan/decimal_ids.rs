//! Notices identifiers that became numbers with a fraction of zeros on their way, `1001.0` for `1001`: a data frame makes
//! them of a column of integers with a gap.
//!
//! A file's first rows tell most columns from such ones. Only a column all of whose values end so is looked at further.

use super::picked::{is_integer, whole_part};
use super::rows::{Fault, Lines, Location};
use super::source::Source;
use crate::suspicion::{Suspicion, SuspicionCode};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray};
use hashbrown::HashMap;
use std::sync::Arc;

/// Values of each kind that are kept of a file.
const KEPT_OF_A_FILE: usize = 64;
/// Integers that are kept of all files.
const KEPT: usize = 4096;
/// Rows after which a column with no such value is left alone.
const FIRST_ROWS: usize = 256;

/// How the numbers in the identifying columns of an export are written.
#[derive(Clone, Debug, Default)]
pub(crate) struct IdForms {
    columns: Vec<ColumnForms>,
}

/// The same of one column. A joined key has several.
#[derive(Clone, Debug)]
struct ColumnForms {
    section: &'static str,
    field: &'static str,
    /// Its place among those that the field is joined from.
    part: usize,
    /// Whether there was any value, and whether all had a fraction of zeros.
    any: bool,
    all_zeroed: bool,
    /// Whether any had another fraction, as `10.5`: then `10.0` is what it says.
    fractions: bool,
    /// Whether a file has integers and nothing else.
    integers_alone: bool,
    /// Whether a file has two values or more, all with a fraction of zeros.
    zeroed_file: bool,
    /// Some values of each kind, by their whole part, with the first place of each.
    zeroed: HashMap<Box<str>, Place>,
    integers: HashMap<Box<str>, Place>,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
struct Place {
    value: Box<str>,
    at: Location,
}

impl ColumnForms {
    fn new(section: &'static str, field: &'static str, part: usize) -> ColumnForms {
        ColumnForms {
            section,
            field,
            part,
            any: false,
            all_zeroed: true,
            fractions: false,
            integers_alone: false,
            zeroed_file: false,
            zeroed: HashMap::new(),
            integers: HashMap::new(),
        }
    }

    /// Adds what a whole file has shown.
    fn add(&mut self, file: ColumnForms) {
        self.any |= file.any;
        self.all_zeroed &= file.all_zeroed || !file.any;
        self.integers_alone |= file.integers_alone;
        self.zeroed_file |= file.zeroed_file;
        for (mine, others) in [(&mut self.zeroed, file.zeroed), (&mut self.integers, file.integers)] {
            for (whole, place) in others {
                if mine.len() < KEPT {
                    mine.entry(whole).or_insert(place);
                }
            }
        }
    }

    /// The first places of values with a fraction of zeros.
    fn first_places(&self) -> Vec<&Place> {
        let mut places: Vec<&Place> = self.zeroed.values().collect();
        places.sort_by(|one, other| (&one.at.file, one.at.row).cmp(&(&other.at.file, other.at.row)));
        places
    }
}

impl IdForms {
    /// Adds what was seen of another file, or in another export.
    pub(super) fn add(&mut self, other: IdForms) {
        for column in other.columns {
            let is_same = |known: &&mut ColumnForms| {
                (known.section, known.field, known.part) == (column.section, column.field, column.part)
            };
            match self.columns.iter_mut().find(is_same) {
                Some(known) => known.add(column),
                None => self.columns.push(column),
            }
        }
    }

    /// What is probably a mistake: all values of an identifier end in `.0`, or some do where another file has the same
    /// number without.
    pub(crate) fn suspicions(&self) -> Vec<Suspicion> {
        self.columns.iter().filter_map(|column| self.suspicion(column)).collect()
    }

    fn suspicion(&self, column: &ColumnForms) -> Option<Suspicion> {
        let ColumnForms { section, field, .. } = column;
        let advice = format!(
            "a data frame or a spreadsheet makes such numbers of integers; set `decimals = \"drop\"` on {field} under [{section}.columns] if 1001.0 means 1001, else \"keep\""
        );
        let of_all = || {
            let message = format!("all values of {field} in the {section} export end in \".0\" or the like: {advice}");
            let places = column.first_places().into_iter().map(shown);
            places.fold(Suspicion::new(SuspicionCode::DecimalIds, message), Suspicion::at)
        };
        if column.any && column.all_zeroed && column.zeroed.len() > 1 {
            return Some(of_all());
        }
        let same_kind = |other: &&ColumnForms| (other.field, other.part) == (column.field, column.part);
        let places = column.first_places();
        let in_two_ways = |message: &str| Suspicion::new(SuspicionCode::DecimalIds, format!("{message}: {advice}"));
        let message = format!("{field} is written in two ways, with \".0\" and without");
        for other in self.columns.iter().filter(same_kind) {
            let same = places.iter().find_map(|place| {
                let whole = whole_part(&place.value)?;
                Some((place, other.integers.get(whole).filter(|other| other.at.file != place.at.file)?))
            });
            if let Some((one, other)) = same {
                return Some(in_two_ways(&message).at(shown(one)).at(shown(other)));
            }
        }
        let plain = self.columns.iter().filter(same_kind).find(|other| other.integers_alone);
        let plain = plain.filter(|_| column.zeroed_file)?.integers.values().min_by_key(|place| place.at.row)?;
        Some(in_two_ways(&message).at(shown(places.first()?)).at(shown(plain)))
    }
}

fn shown(place: &Place) -> String {
    format!("{}: {:?}", place.at, place.value)
}

/// Looks at the identifying columns of one file while it is read.
#[derive(Debug)]
pub(super) struct IdWatch {
    /// Whether text may end in `.0`: in Parquet it is text because it is meant.
    is_csv: bool,
    file: Arc<str>,
    /// The columns, each with its index among those that picks are made from.
    columns: Vec<(usize, ColumnForms)>,
    is_first: bool,
}

impl IdWatch {
    pub(super) fn new(source: &Source, file: &Arc<str>, is_csv: bool) -> IdWatch {
        let parts = source.picks.iter().flat_map(|pick| (0..pick.columns.len()).map(move |part| (pick, part)));
        let watched = parts.enumerate().filter_map(|(at, (pick, part))| {
            pick.identifies.map(|field| (at, ColumnForms::new(source.section, field, part)))
        });
        IdWatch { is_csv, file: file.clone(), columns: watched.collect(), is_first: true }
    }

    /// Looks at a batch. `keep`: the rows that count. `faults` are in the order of rows.
    pub(super) fn look(&mut self, arrays: &[ArrayRef], keep: Option<&BooleanArray>, faults: &[Fault], lines: &Lines) {
        // The cells of a row with too many or too few of them may be those of other columns.
        let is_sound = |row: usize| {
            let from = faults.partition_point(|fault| (fault.row as usize) < row);
            let of_row = faults[from..].iter().take_while(|fault| fault.row as usize == row);
            of_row.into_iter().all(|fault| fault.column.is_some())
        };
        let counts = |row: usize| keep.is_none_or(|keep| keep.value(row)) && (faults.is_empty() || is_sound(row));
        let is_first = std::mem::take(&mut self.is_first);
        for (at, column) in &mut self.columns {
            let text = arrays.get(*at).and_then(|array| array.as_string_opt::<i32>());
            if let Some(text) = text.filter(|_| is_first || self.is_csv && column.all_zeroed) {
                let location = |row| lines.location(row, &self.file);
                column.look(text, self.is_csv, is_first, &counts, &location);
            }
        }
    }

    /// What the whole file has shown.
    pub(super) fn finish(&mut self) -> IdForms {
        let columns = std::mem::take(&mut self.columns).into_iter().map(|(_, mut column)| {
            column.integers_alone = column.any && column.integers_alone;
            column.zeroed_file = column.any && column.all_zeroed && column.zeroed.len() > 1;
            if column.fractions {
                column.zeroed.clear();
            }
            column
        });
        IdForms { columns: columns.filter(|column| column.any).collect() }
    }
}

impl ColumnForms {
    fn look(
        &mut self,
        text: &StringArray,
        is_csv: bool,
        is_first: bool,
        counts: &dyn Fn(usize) -> bool,
        location: &dyn Fn(usize) -> Location,
    ) {
        if is_first {
            self.integers_alone = true;
        }
        let has_points = is_csv && memchr::memchr(b'.', text.value_data()).is_some();
        for row in 0..text.len() {
            let is_known = !self.all_zeroed && (!has_points || self.zeroed.is_empty());
            if is_known && (row >= FIRST_ROWS || !is_first) {
                break;
            }
            let value = if text.is_valid(row) { text.value(row) } else { "" };
            if value.is_empty() || !counts(row) {
                continue;
            }
            self.any = true;
            let whole = if is_csv { whole_part(value) } else { None };
            let is_plain = whole.is_none() && is_integer(value);
            self.all_zeroed &= whole.is_some();
            self.integers_alone &= is_plain;
            let (known, number) = match whole {
                Some(whole) => (&mut self.zeroed, whole),
                None if is_plain => (&mut self.integers, value),
                None => {
                    self.fractions |= value.split_once('.').is_some_and(|(a, b)| is_integer(a) && is_integer(b));
                    continue;
                }
            };
            if known.len() < KEPT_OF_A_FILE && !known.contains_key(number) {
                known.insert(number.into(), Place { value: value.into(), at: location(row) });
            }
        }
    }
}
