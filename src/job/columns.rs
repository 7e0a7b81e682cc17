//! How a field is filled, from what the job says of its column; and which columns of an export have to be read for it.

use super::column_keys::{Column, ColumnTable, FieldKind};
use super::diagnostics::Diagnostics;
use super::formats::{DateFormat, pattern, zone};
use super::lists::value_map;
use super::paths::Placeholders;
use super::values::{Scalar, Spanned};
use super::vocabulary::{OPEN, UNITS, meaning};
use crate::build::{Field, ValueSource};
use crate::scan::Pick;
use std::collections::HashMap;
use std::ops::Range;

/// The columns of one export, collected while its fields are read. The key is the first.
pub(super) struct Picks<'p> {
    picks: Vec<Pick>,
    date_format: Option<DateFormat>,
    placeholders: &'p Placeholders<'p>,
}

impl<'p> Picks<'p> {
    /// Begins with the key.
    pub(super) fn new(
        key: &Spanned<Column>,
        date_format: Option<DateFormat>,
        placeholders: &'p Placeholders<'p>,
        diagnostics: &mut Diagnostics<'_>,
    ) -> Picks<'p> {
        check_open("visit_id", key, diagnostics);
        check_key(key, diagnostics);
        let column = key.get_ref().0.column.clone().unwrap_or_default();
        Picks { picks: vec![Pick { name: "visit_id".to_owned(), column, as_text: true }], date_format, placeholders }
    }

    /// All columns, in the order that rows have them.
    pub(super) fn finish(self) -> Vec<Pick> {
        self.picks
    }

    /// The place of a column among those that are read; it is added where it is not there yet.
    fn pick(&mut self, name: &str, column: &str, as_text: bool) -> usize {
        // Not the key's: scenes are kept without it, and a field of theirs may well be the same column.
        let mut fields = self.picks.iter().enumerate().skip(1);
        if let Some((known, _)) = fields.find(|(_, pick)| pick.column == column && pick.as_text == as_text) {
            return known;
        }
        self.picks.push(Pick { name: name.to_owned(), column: column.to_owned(), as_text });
        self.picks.len() - 1
    }

    /// How a field is filled. Its columns are added.
    pub(super) fn field(
        &mut self,
        name: &str,
        kind: FieldKind,
        column: &Spanned<Column>,
        diagnostics: &mut Diagnostics<'_>,
    ) -> Field {
        let table = &column.get_ref().0;
        check_open(name, column, diagnostics);
        if kind == FieldKind::Key {
            check_key(column, diagnostics);
        }
        check_meanings(name, kind, table, diagnostics);
        let map = map(name, table, &column.span(), self.placeholders, diagnostics);
        let format = table.format.as_ref();
        let pattern = format.and_then(|format| pattern(name, kind, format, self.date_format.as_ref(), diagnostics));
        let unit = meaning(&UNITS, table.unit.as_ref().map(Spanned::get_ref));
        let zone = table.timezone.as_ref().and_then(|text| zone(text, diagnostics));
        let zone_column = table.timezone_column.as_ref();
        let zone_column = zone_column.map(|column| self.pick(&format!("{name}.timezone"), column.get_ref(), true));
        // A mapped value is read as it is written, whatever its type.
        let as_text = map.is_some() || matches!(kind, FieldKind::Key | FieldKind::Text);
        let origin = self.origin(name, table, column.span(), as_text, diagnostics);
        Field { source: origin, map, pattern, unit, zone, zone_column }
    }

    fn origin(
        &mut self,
        name: &str,
        table: &ColumnTable,
        span: Range<usize>,
        as_text: bool,
        diagnostics: &mut Diagnostics<'_>,
    ) -> ValueSource {
        match (&table.column, &table.value) {
            (Some(column), None) => return ValueSource::Column(self.pick(name, column, as_text)),
            (Some(_), Some(_)) => diagnostics
                .add(span, "`column` and `value` exclude each other: a field is read or constant; keep one of them"),
            (None, None) => {
                diagnostics.add_missing(span, "`column` is missing: add the name of the export's column");
            }
            (None, Some(Scalar(value))) if value.trim().is_empty() => {
                diagnostics.add(span, "the constant is empty; leave the field out instead");
            }
            (None, Some(Scalar(value))) if value == OPEN => {
                diagnostics.add(span, format!("the value of {name} is an open question: put it in place of the \"?\""));
            }
            (None, Some(Scalar(value))) => return ValueSource::Constant(value.clone()),
        }
        ValueSource::Constant(String::new())
    }
}

/// What the values of a column stand for.
fn map(
    field: &str,
    table: &ColumnTable,
    span: &Range<usize>,
    placeholders: &Placeholders<'_>,
    diagnostics: &mut Diagnostics<'_>,
) -> Option<HashMap<String, String>> {
    match (&table.map, &table.map_file) {
        (None, None) => None,
        (Some(_), Some(_)) => {
            diagnostics.add(span.clone(), "`map` and `map_file` exclude each other; keep one of them");
            None
        }
        (Some(map), None) => {
            let open = map.get_ref().iter().filter(|(_, to)| to.get_ref().0 == OPEN);
            // In the order of the file, which the map does not keep.
            let mut open: Vec<(Range<usize>, &String)> = open.map(|(from, to)| (to.span(), from)).collect();
            open.sort_by_key(|(span, _)| span.start);
            if let Some((first, _)) = open.first() {
                let names: Vec<String> = open.iter().map(|(_, from)| format!("{from:?}")).collect();
                let stands = if names.len() > 1 { "stand" } else { "stands" };
                let message = format!(
                    "what {} {stands} for is an open question: put the {field} that Trax has for it in place of each \"?\"",
                    names.join(", ")
                );
                diagnostics.add(first.clone(), message);
            }
            let pairs = map.get_ref().iter().map(|(from, to)| (from.clone(), to.get_ref().0.clone()));
            Some(pairs.collect())
        }
        (None, Some(file)) => {
            let map = placeholders.dated(file.get_ref()).and_then(|path| value_map(placeholders.base_dir, &path));
            diagnostics.take(file.span(), map)
        }
    }
}

fn check_open(field: &str, column: &Spanned<Column>, diagnostics: &mut Diagnostics<'_>) {
    if column.get_ref().0.is_open {
        let message =
            format!("which column is {field} is an open question: put the name of a column in place of the \"?\"");
        diagnostics.add(column.span(), message);
    }
}

/// Ids are made from keys: a constant or mapped one would give several things the same id.
fn check_key(key: &Spanned<Column>, diagnostics: &mut Diagnostics<'_>) {
    let ColumnTable { column, value, format, unit, timezone, timezone_column, map, map_file, is_open: _ } =
        &key.get_ref().0;
    let is_plain = column.is_some()
        && value.is_none()
        && format.is_none()
        && unit.is_none()
        && timezone.is_none()
        && timezone_column.is_none()
        && map.is_none()
        && map_file.is_none();
    if !is_plain {
        diagnostics.add(
            key.span(),
            "ids are made from this key, so it must be a column as it stands; name the column and nothing else",
        );
    }
}

/// Keys of a column that say nothing of a field of this kind.
fn check_meanings(field: &str, kind: FieldKind, table: &ColumnTable, diagnostics: &mut Diagnostics<'_>) {
    let is_time = kind == FieldKind::Time;
    for (key, value, has_meaning) in [
        ("format", &table.format, is_time || kind == FieldKind::Date),
        ("unit", &table.unit, is_time),
        ("timezone", &table.timezone, is_time),
        ("timezone_column", &table.timezone_column, is_time),
    ] {
        if let (Some(value), false) = (value, has_meaning) {
            diagnostics.add(value.span(), format!("`{key}` has no meaning for {field}; remove it"));
        }
    }
}
