//! How a field is filled, from what the job says of its column; and which columns of an export have to be read for it.

use super::column_keys::{Column, ColumnTable, FieldKind};
use super::diagnostics::Diagnostics;
use super::formats::{DateFormat, pattern, zone};
use super::lists::value_map;
use super::paths::Placeholders;
use super::values::{Scalar, Spanned};
use super::vocabulary::{DECIMALS, Decimals, OPEN, UNITS, meaning};
use crate::build::{Field, ValueSource};
use crate::scan::Pick;
use std::collections::HashMap;
use std::ops::Range;

/// Fields whose values are identifiers: none of them has a fraction.
const IDENTIFIERS: [&str; 4] = ["visit_id", "scene_id", "store_number", "task_code"];

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
        check_key("visit_id", key, diagnostics);
        let key = pick("visit_id", FieldKind::Key, &key.get_ref().0, diagnostics);
        Picks { picks: vec![key], date_format, placeholders }
    }

    /// All columns, in the order that rows have them.
    pub(super) fn finish(self) -> Vec<Pick> {
        self.picks
    }

    /// The place of a column among those that are read; it is added where it is not there yet.
    fn place(&mut self, pick: Pick) -> usize {
        // Not the key's: scenes are kept without it, and a field of theirs may well be the same column.
        let mut fields = self.picks.iter_mut().enumerate().skip(1);
        if let Some((known, same)) = fields.find(|(_, known)| known.reads_like(&pick)) {
            same.identifies = same.identifies.or(pick.identifies);
            return known;
        }
        self.picks.push(pick);
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
            check_key(name, column, diagnostics);
        }
        check_meanings(name, kind, table, diagnostics);
        let map = map(name, table, &column.span(), self.placeholders, diagnostics);
        let format = table.format.as_ref();
        let pattern = format.and_then(|format| pattern(name, kind, format, self.date_format.as_ref(), diagnostics));
        let unit = meaning(&UNITS, table.unit.as_ref().map(Spanned::get_ref));
        let zone = table.timezone.as_ref().and_then(|text| zone(text, diagnostics));
        let zone_column = table.timezone_column.as_ref();
        let zone_column = zone_column.map(|column| {
            let pick = Pick::plain(&format!("{name}.timezone"), column.get_ref(), true);
            self.place(pick)
        });
        let origin = self.origin(name, kind, table, column.span(), diagnostics);
        Field { source: origin, map, pattern, unit, zone, zone_column }
    }

    fn origin(
        &mut self,
        name: &str,
        kind: FieldKind,
        table: &ColumnTable,
        span: Range<usize>,
        diagnostics: &mut Diagnostics<'_>,
    ) -> ValueSource {
        let is_read = table.column.is_some() || table.columns.is_some();
        match (is_read, &table.value) {
            (true, None) => return ValueSource::Column(self.place(pick(name, kind, table, diagnostics))),
            (true, Some(_)) => diagnostics
                .add(span, "`column` and `value` exclude each other: a field is read or constant; keep one of them"),
            (false, None) => {
                diagnostics.add_missing(span, "`column` is missing: add the name of the export's column");
            }
            (false, Some(Scalar(value))) if value.trim().is_empty() => {
                diagnostics.add(span, "the constant is empty; leave the field out instead");
            }
            (false, Some(Scalar(value))) if value == OPEN => {
                diagnostics.add(span, format!("the value of {name} is an open question: put it in place of the \"?\""));
            }
            (false, Some(Scalar(value))) => return ValueSource::Constant(value.clone()),
        }
        ValueSource::Constant(String::new())
    }
}

/// What is read of the export for a field.
fn pick(name: &str, kind: FieldKind, table: &ColumnTable, diagnostics: &mut Diagnostics<'_>) -> Pick {
    let columns = match (&table.column, &table.columns) {
        (Some(_), Some(both)) => {
            diagnostics.add(both.span(), "`column` and `columns` exclude each other; keep one of them");
            Vec::new()
        }
        (column, None) => vec![column.clone().unwrap_or_default()],
        (None, Some(columns)) => joined(name, columns, diagnostics),
    };
    let is_moment = matches!(kind, FieldKind::Time | FieldKind::Date);
    let separator = match &table.separator {
        _ if is_moment => " ",
        Some(separator) => separator.get_ref(),
        None => "-",
    };
    let has_map = table.map.is_some() || table.map_file.is_some();
    let decimals = meaning(&DECIMALS, table.decimals.as_ref().map(Spanned::get_ref));
    let identifies = IDENTIFIERS.into_iter().find(|field| *field == name);
    let nulls = table.null_values.iter().flat_map(|nulls| nulls.get_ref()).map(|Scalar(null)| null.clone());
    Pick {
        name: name.to_owned(),
        separator: if columns.len() > 1 { separator.to_owned() } else { String::new() },
        columns,
        // A mapped value is read as it is written, whatever its type.
        as_text: has_map || matches!(kind, FieldKind::Key | FieldKind::Text),
        nulls: nulls.collect(),
        drops_zero_fraction: decimals == Some(Decimals::Drop),
        pad: table.pad.as_ref().map_or(0, |pad| *pad.get_ref() as usize),
        // Where the job says what a fraction means, and in a map, it is meant.
        identifies: identifies.filter(|_| decimals.is_none() && !has_map),
    }
}

/// The columns that a field is joined from.
fn joined(name: &str, columns: &Spanned<Vec<Spanned<String>>>, diagnostics: &mut Diagnostics<'_>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for column in columns.get_ref() {
        let text = column.get_ref();
        if text == OPEN {
            let message = format!(
                "which columns {name} is joined from is an open question: put the name of a column in place of the \"?\""
            );
            diagnostics.add(column.span(), message);
        } else if names.contains(text) {
            diagnostics.add(column.span(), format!("the column {text:?} is there twice; keep one of them"));
        }
        names.push(text.clone());
    }
    match names.as_slice() {
        [] => diagnostics.add(columns.span(), "no column is named; name those to join, or write `column` for one"),
        [one] => diagnostics
            .add(columns.span(), format!("there is nothing to join to one column; write `column = {one:?}` for it")),
        _ => {}
    }
    names
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
fn check_key(field: &str, key: &Spanned<Column>, diagnostics: &mut Diagnostics<'_>) {
    let table = &key.get_ref().0;
    let ColumnTable { value, format, unit, timezone, timezone_column, map, map_file, .. } = table;
    let is_read = table.column.is_some() || table.columns.is_some();
    let is_as_read = value.is_none()
        && format.is_none()
        && unit.is_none()
        && timezone.is_none()
        && timezone_column.is_none()
        && map.is_none()
        && map_file.is_none();
    if !(is_read && is_as_read) {
        diagnostics.add(
            key.span(),
            "ids are made from this key, so it must be a column as it stands, or several with `columns`; name them and \
             nothing else but `separator`, `pad`, `decimals` and `null_values`",
        );
    }
    // The other fields' are looked at together with what else they may have.
    if field == "visit_id" {
        check_cells(field, FieldKind::Key, table, diagnostics);
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
    if let (Some(unit), Some(_)) = (&table.unit, &table.columns) {
        diagnostics.add(unit.span(), "`unit` has no meaning for joined columns, which are text; remove it");
    }
    check_cells(field, kind, table, diagnostics);
}

/// Keys about the cells of a column that say nothing of a field of this kind.
fn check_cells(field: &str, kind: FieldKind, table: &ColumnTable, diagnostics: &mut Diagnostics<'_>) {
    let is_text = matches!(kind, FieldKind::Key | FieldKind::Text);
    let is_number = kind == FieldKind::Number;
    let has_map = table.map.is_some() || table.map_file.is_some();
    let spans = [
        ("columns", table.columns.as_ref().map(Spanned::span), !is_number || has_map),
        ("separator", table.separator.as_ref().map(Spanned::span), is_text || is_number),
        ("pad", table.pad.as_ref().map(Spanned::span), is_text),
        ("decimals", table.decimals.as_ref().map(Spanned::span), is_text || is_number),
    ];
    for (key, span, has_meaning) in spans {
        if let (Some(span), false) = (span, has_meaning) {
            let why = if key == "separator" { ", whose columns are joined by a space" } else { "" };
            diagnostics.add(span, format!("`{key}` has no meaning for {field}{why}; remove it"));
        } else if let (Some(span), "separator", None) =
            (table.separator.as_ref().map(Spanned::span), key, &table.columns)
        {
            diagnostics.add(span, "`separator` has a meaning only with several `columns`; remove it, or name them");
        }
    }
    let of_cells = [
        ("pad", table.pad.as_ref().map(Spanned::span)),
        ("decimals", table.decimals.as_ref().map(Spanned::span)),
        ("null_values", table.null_values.as_ref().map(Spanned::span)),
    ];
    for (key, span) in of_cells {
        if let (Some(span), Some(_)) = (span, &table.value) {
            diagnostics.add(span, format!("`{key}` has no meaning for a constant; remove it"));
        }
    }
}
