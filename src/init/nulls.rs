//! What producers write where there is nothing: words, and times that no visit had.

/// What stands for an empty cell in any column. `NA` is not among them: it is also a country.
pub(super) const NULLS: [&str; 22] = [
    "\\N",
    "NULL",
    "null",
    "(null)",
    "N/A",
    "n/a",
    "#N/A",
    "#NV",
    "#N/D",
    "None",
    "NaN",
    "nan",
    "NaT",
    "<NA>",
    "nil",
    "undefined",
    "#REF!",
    "#VALUE!",
    "-",
    "--",
    "<null>",
    "[NULL]",
];

/// What stands for an empty cell among dates and times: the zero days of MySQL, SAP, .NET, SQL Server and spreadsheets.
const NO_TIMES: [&str; 14] = [
    "0000-00-00 00:00:00",
    "0000-00-00",
    "0000-00-00T00:00:00Z",
    "00000000",
    "00000000000000",
    "00.00.0000",
    "00.00.0000 00:00:00",
    "00/00/0000",
    "0001-01-01",
    "0001-01-01T00:00:00",
    "0001-01-01 00:00:00",
    "0001-01-01T00:00:00Z",
    "1900-01-01 00:00:00",
    "1900-01-01T00:00:00",
];

/// Whether a value stands for no time, if the others of its column are times. Among numbers that is the number 0.
pub(super) fn is_no_time(value: &str) -> bool {
    let whole = value.strip_suffix(".000").or(value.strip_suffix(".0")).unwrap_or(value);
    whole == "0" || NO_TIMES.contains(&whole)
}
