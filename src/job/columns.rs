//! The `columns` tables of a job: which columns to read, and how each fills its field.

use super::checked::Mistakes;
use super::file::{Column, ColumnTable, OPEN, Scalar, Spanned};
use super::formats::{DateFormat, pattern};
use super::paths::Placeholders;
use crate::build::{Field, Origin, Unit, Zone};
use crate::scan::Pick;
use crate::storage::Address;
use std::collections::HashMap;
use std::ops::Range;

/// What `unit` may say.
pub(super) const UNITS: [(&str, Unit); 4] =
    [("s", Unit::Seconds), ("ms", Unit::Millis), ("us", Unit::Micros), ("ns", Unit::Nanos)];

/// What a field holds, which decides what may be said of its column.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Key,
    Text,
    Number,
    Date,
    Time,
}

/// The columns of one section, collected while its fields are read.
pub(super) struct Picks<'p> {
    picks: Vec<Pick>,
    date_format: Option<DateFormat>,
    placeholders: &'p Placeholders<'p>,
}

impl<'p> Picks<'p> {
    /// The key comes first.
    pub(super) fn new(
        key: &Spanned<Column>,
        date_format: Option<DateFormat>,
        placeholders: &'p Placeholders<'p>,
        mistakes: &mut Mistakes<'_>,
    ) -> Picks<'p> {
        mistakes.open_column("visit_id", key);
        mistakes.only_plain(key);
        let column = key.get_ref().0.column.clone().unwrap_or_default();
        Picks { picks: vec![Pick { name: "visit_id".to_owned(), column, as_text: true }], date_format, placeholders }
    }

    pub(super) fn finish(self) -> Vec<Pick> {
        self.picks
    }

    fn pick(&mut self, name: &str, column: &str, as_text: bool) -> usize {
        // Not the key's: scenes are kept without it, and a field of theirs may well be the same column.
        let mut fields = self.picks.iter().enumerate().skip(1);
        if let Some((known, _)) = fields.find(|(_, pick)| pick.column == column && pick.as_text == as_text) {
            return known;
        }
        self.picks.push(Pick { name: name.to_owned(), column: column.to_owned(), as_text });
        self.picks.len() - 1
    }

    /// How a field is filled, its columns added to the picks.
    pub(super) fn field(
        &mut self,
        name: &str,
        kind: Kind,
        spec: &Spanned<Column>,
        mistakes: &mut Mistakes<'_>,
    ) -> Field {
        let table = &spec.get_ref().0;
        let span = spec.span();
        mistakes.open_column(name, spec);
        if kind == Kind::Key {
            mistakes.only_plain(spec);
        }
        let map = map(name, table, &span, self.placeholders, mistakes);
        let pattern = table.format.as_ref().and_then(|format| {
            mistakes.only_for(&[Kind::Date, Kind::Time], kind, format.span(), "format", name);
            pattern(name, kind, format, self.date_format.as_ref(), mistakes)
        });
        let unit = table.unit.as_ref().and_then(|unit| {
            mistakes.only_for(&[Kind::Time], kind, unit.span(), "unit", name);
            let known = UNITS.into_iter().find(|(name, _)| name == unit.get_ref()).map(|(_, unit)| unit);
            if known.is_none() {
                mistakes.add(
                    unit.span(),
                    format!("{:?} is no unit; there are \"s\", \"ms\", \"us\" and \"ns\"", unit.get_ref()),
                );
            }
            known
        });
        let zone = table.timezone.as_ref().and_then(|zone| {
            mistakes.only_for(&[Kind::Time], kind, zone.span(), "timezone", name);
            mistakes.zone(zone)
        });
        let zone_column = table.timezone_column.as_ref().map(|column| {
            mistakes.only_for(&[Kind::Time], kind, column.span(), "timezone_column", name);
            self.pick(&format!("{name}.timezone"), column.get_ref(), true)
        });
        let origin = match (&table.column, &table.value) {
            (Some(_), Some(_)) => {
                mistakes.add(
                    span,
                    "`column` and `value` exclude each other: a field is read or constant; keep one of them",
                );
                Origin::Constant(String::new())
            }
            (None, None) => {
                mistakes.add_missing(span, "`column` is missing: add the name of the export's column");
                Origin::Constant(String::new())
            }
            (None, Some(Scalar(value))) => {
                if value.trim().is_empty() {
                    mistakes.add(span, "the constant is empty; leave the field out instead");
                } else if value == OPEN {
                    let message = format!("the value of {name} is an open question: put it in place of the \"?\"");
                    mistakes.add(span, message);
                }
                Origin::Constant(value.clone())
            }
            (Some(column), None) => {
                let as_text = map.is_some() || !matches!(kind, Kind::Number | Kind::Date | Kind::Time);
                Origin::Column(self.pick(name, column, as_text))
            }
        };
        Field { origin, map, pattern, unit, zone, zone_column }
    }
}

fn map(
    field: &str,
    table: &ColumnTable,
    span: &Range<usize>,
    placeholders: &Placeholders<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Option<HashMap<String, String>> {
    match (&table.map, &table.map_file) {
        (None, None) => None,
        (Some(_), Some(_)) => {
            mistakes.add(span.clone(), "`map` and `map_file` exclude each other; keep one of them");
            None
        }
        (Some(map), None) => {
            let open = map.get_ref().iter().filter(|(_, to)| to.get_ref().0 == OPEN);
            // In the order of the file, of which the map knows nothing.
            let mut open: Vec<(Range<usize>, &String)> = open.map(|(from, to)| (to.span(), from)).collect();
            open.sort_by_key(|(span, _)| span.start);
            if let Some((first, _)) = open.first() {
                let names: Vec<String> = open.iter().map(|(_, from)| format!("{from:?}")).collect();
                let stands = if names.len() > 1 { "stand" } else { "stands" };
                let message = format!(
                    "what {} {stands} for is an open question: put the {field} that Trax has for it in place of each \"?\"",
                    names.join(", ")
                );
                mistakes.add(first.clone(), message);
            }
            let pairs = map.get_ref().iter().map(|(from, to)| (from.clone(), to.get_ref().0.clone()));
            Some(pairs.collect())
        }
        (None, Some(file)) => match placeholders.dated(file.get_ref()).and_then(|path| map_file(&path)) {
            Ok(map) => Some(map),
            Err(message) => {
                mistakes.add(file.span(), message);
                None
            }
        },
    }
}

/// Two columns, no header: the export's value, the API's value.
fn map_file(path: &str) -> Result<HashMap<String, String>, String> {
    let mut map = HashMap::new();
    for (line, record) in records(path, false)? {
        let (Some(from), Some(to), 2) = (record.get(0), record.get(1), record.len()) else {
            return Err(format!("{path}:{line}: a line needs two cells, a value of the export and what it stands for"));
        };
        if to == OPEN {
            return Err(format!(
                "{path}:{line}: what {from:?} stands for is an open question: put it in place of the \"?\""
            ));
        }
        if let Some(other) = map.insert(from.to_owned(), to.to_owned()).filter(|other| other != to) {
            return Err(format!(
                "{path}:{line}: {from:?} stands for {to:?} here and for {other:?} above; keep one of them"
            ));
        }
    }
    Ok(map)
}

/// The first column of a CSV file with a header: a list of known values.
pub(crate) fn known_values(path: &str) -> Result<std::collections::HashSet<String>, String> {
    let cells = records(path, true)?.into_iter().filter_map(|(_, record)| record.get(0).map(str::to_owned));
    Ok(cells.filter(|cell| !cell.is_empty()).collect())
}

fn records(path: &str, header: bool) -> Result<Vec<(u64, csv::StringRecord)>, String> {
    let failed = |error: &dyn std::fmt::Display| {
        format!("cannot read {path}: {error}; is the path right? It starts from the folder in which the command does")
    };
    if Address::is_one(path) {
        return Err("lists are read from this machine alone; copy it here and name that file".to_owned());
    }
    let bytes = std::fs::read(path).map_err(|error| failed(&error))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| format!("{path} is not UTF-8; save it as UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.has_headers(header).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let mut records = Vec::new();
    for record in reader.into_records() {
        let record = record.map_err(|error| failed(&error))?;
        records.push((record.position().map_or(0, csv::Position::line), record));
    }
    Ok(records)
}

impl Mistakes<'_> {
    fn open_column(&mut self, field: &str, spec: &Spanned<Column>) {
        if spec.get_ref().0.is_open {
            let message =
                format!("which column is {field} is an open question: put the name of a column in place of the \"?\"");
            self.add(spec.span(), message);
        }
    }

    /// Ids are made from keys: a constant or mapped one would give several things the same id.
    fn only_plain(&mut self, key: &Spanned<Column>) {
        let table = &key.get_ref().0;
        let plain = table.column.is_some()
            && table.value.is_none()
            && table.format.is_none()
            && table.unit.is_none()
            && table.timezone.is_none()
            && table.timezone_column.is_none()
            && table.map.is_none()
            && table.map_file.is_none();
        if !plain {
            self.add(
                key.span(),
                "ids are made from this key, so it must be a column as it stands; name the column and nothing else",
            );
        }
    }

    fn only_for(&mut self, kinds: &[Kind], kind: Kind, span: Range<usize>, key: &str, field: &str) {
        if !kinds.contains(&kind) {
            self.add(span, format!("`{key}` has no meaning for {field}; take it out"));
        }
    }

    pub(super) fn zone(&mut self, zone: &Spanned<String>) -> Option<Zone> {
        if zone.get_ref() == OPEN {
            let message = "the time zone is an open question: put the zone of times that carry none in place of the \"?\", such as \"Europe/Paris\" or \"+01:00\"";
            self.add(zone.span(), message);
            return None;
        }
        let found = Zone::parse(zone.get_ref());
        if found.is_none() {
            let hint = crate::text::did_you_mean(zone.get_ref(), chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
            let message = format!(
                "{:?} is no time zone{hint}; use a name like \"Europe/Paris\" or an offset like \"+01:00\"",
                zone.get_ref()
            );
            self.add(zone.span(), message);
        }
        found
    }
}
