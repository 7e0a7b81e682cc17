//! Whether the first line of a CSV export names its columns.

use super::sample_column::SampleColumn;
use super::times::{is_dated, is_time};

/// What the first line of an export is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FirstLine<'a> {
    Names,
    /// A row: these of its cells are values, by what they look like.
    Values(Vec<&'a str>),
    /// Perhaps a row: these names are values further down.
    MayBeValues(Vec<&'a str>),
}

/// Tells what the first line of a CSV file is, from its columns and from those that cannot be used.
pub(super) fn first_line<'a>(columns: &'a [SampleColumn], unusable: &'a [(String, String)]) -> FirstLine<'a> {
    let values = columns.iter().filter(|column| is_called_by_a_value(column)).map(|column| column.name.as_str());
    // A name that is there twice is not among the columns; a day or a number is not a name all the same.
    let twice = unusable.iter().map(|(name, _)| name.as_str()).filter(|name| is_value(name));
    let values: Vec<&str> = values.chain(twice).collect();
    // pandas calls a column that has no name 0. Nothing is called by a time or an address.
    let is_sure = values.iter().any(|value| value.contains([':', '@'])) || columns.len() < 3;
    match values.len() {
        0 => {}
        1 if !is_sure => return FirstLine::MayBeValues(values),
        _ => return FirstLine::Values(values),
    }
    let is_below = |column: &&SampleColumn| column.values.contains(&column.name);
    let below: Vec<&str> = columns.iter().filter(is_below).map(|column| column.name.as_str()).collect();
    // A name seldom has a digit in it, and stands below itself.
    let coded: Vec<&str> = below.iter().copied().filter(|name| name.bytes().any(|b| b.is_ascii_digit())).collect();
    match below.len() {
        0 => FirstLine::Names,
        _ if !coded.is_empty() => FirstLine::Values(coded),
        _ => FirstLine::MayBeValues(below),
    }
}

fn is_value(text: &str) -> bool {
    is_time(text) || text.parse::<f64>().is_ok() || text.contains('@') && text.contains('.')
}

/// Whether the name of a column is a value like those below it. A column that is called by a day has something else
/// there, such as the sales of that day.
fn is_called_by_a_value(column: &SampleColumn) -> bool {
    let first = column.filled().next().unwrap_or_default();
    let is_like_first = |fits: fn(&str) -> bool| fits(&column.name) == fits(first);
    is_value(&column.name) && is_like_first(is_dated) && is_like_first(|text| text.parse::<f64>().is_ok())
}
