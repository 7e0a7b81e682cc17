//! Dates, times of day and timestamps of typed columns (Parquet) as text that can be joined with other text.

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Time64NanosecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow::error::ArrowError;
use chrono::{DateTime, FixedOffset, NaiveDateTime, NaiveTime, TimeZone};

const NANOS: i64 = 1_000_000_000;

/// Times of day as `08:12:33`. A fraction of a second is dropped unless it is wanted and there is one.
///
/// # Errors
/// Where the column holds no times of day.
pub(super) fn times_of_day(array: &ArrayRef, with_fraction: bool) -> Result<StringArray, ArrowError> {
    let array = cast(array, &DataType::Time64(TimeUnit::Nanosecond))?;
    let text = |nanos: i64| {
        let seconds = nanos.div_euclid(NANOS);
        let whole = format!("{:02}:{:02}:{:02}", seconds.div_euclid(3600), seconds / 60 % 60, seconds % 60);
        match nanos.rem_euclid(NANOS) {
            0 => whole,
            _ if !with_fraction => whole,
            fraction => format!("{whole}.{}", format!("{fraction:09}").trim_end_matches('0')),
        }
    };
    Ok(array.as_primitive::<Time64NanosecondType>().iter().map(|nanos| nanos.map(text)).collect())
}

/// Timestamps as they are joined: at midnight the date alone, as data frames have no other type for a day. One with a
/// zone ends in `Z` where `marks_utc`. Fractions of a second are dropped.
pub(super) fn timestamps(array: &ArrayRef, marks_utc: bool) -> StringArray {
    let DataType::Timestamp(unit, zone) = array.data_type() else { return StringArray::new_null(array.len()) };
    let (values, per_second): (&[i64], i64) = match unit {
        TimeUnit::Second => (array.as_primitive::<TimestampSecondType>().values(), 1),
        TimeUnit::Millisecond => (array.as_primitive::<TimestampMillisecondType>().values(), 1_000),
        TimeUnit::Microsecond => (array.as_primitive::<TimestampMicrosecondType>().values(), 1_000_000),
        TimeUnit::Nanosecond => (array.as_primitive::<TimestampNanosecondType>().values(), NANOS),
    };
    let text = |(row, value): (usize, &i64)| {
        let seconds = value.div_euclid(per_second);
        let utc = DateTime::from_timestamp(seconds, 0).filter(|_| array.is_valid(row))?.naive_utc();
        let wall = zone.as_deref().map_or(utc, |zone| on_the_wall(utc, zone));
        if wall.time() == NaiveTime::MIN && value % per_second == 0 {
            return Some(wall.date().to_string());
        }
        let mark = if marks_utc && zone.is_some() { "Z" } else { "" };
        Some(format!("{}{mark}", utc.format("%Y-%m-%dT%H:%M:%S")))
    };
    values.iter().enumerate().map(text).collect()
}

/// A moment in a zone, by its name or its offset; in UTC where the zone is not known.
fn on_the_wall(utc: NaiveDateTime, zone: &str) -> NaiveDateTime {
    match (zone.parse::<chrono_tz::Tz>(), zone.parse::<FixedOffset>()) {
        (Ok(zone), _) => zone.from_utc_datetime(&utc).naive_local(),
        (_, Ok(offset)) => offset.from_utc_datetime(&utc).naive_local(),
        _ => utc,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Time32SecondArray, Time64MicrosecondArray, TimestampMillisecondArray};
    use std::sync::Arc;

    fn cells(array: &StringArray) -> Vec<&str> {
        array.iter().map(Option::unwrap_or_default).collect()
    }

    #[test]
    fn times_of_day_have_seconds() {
        let seconds: ArrayRef = Arc::new(Time32SecondArray::from(vec![Some(29_553), None]));
        assert_eq!(cells(&times_of_day(&seconds, true).expect("times")), ["08:12:33", ""]);
        let micros: ArrayRef = Arc::new(Time64MicrosecondArray::from(vec![29_553_250_000]));
        assert_eq!(cells(&times_of_day(&micros, true).expect("times")), ["08:12:33.25"]);
        assert_eq!(cells(&times_of_day(&micros, false).expect("times")), ["08:12:33"]);
    }

    #[test]
    fn a_timestamp_at_midnight_is_a_day() {
        let times = TimestampMillisecondArray::from(vec![Some(1_709_596_800_000), Some(1_709_596_800_001), None]);
        let local: ArrayRef = Arc::new(times.clone());
        assert_eq!(cells(&timestamps(&local, true)), ["2024-03-05", "2024-03-05T00:00:00", ""]);
        let zoned: ArrayRef = Arc::new(times.clone().with_timezone("Europe/Paris"));
        assert_eq!(cells(&timestamps(&zoned, true))[0], "2024-03-05T00:00:00Z");
        let paris = TimestampMillisecondArray::from(vec![1_709_593_200_000]).with_timezone("Europe/Paris");
        let paris: ArrayRef = Arc::new(paris);
        assert_eq!(cells(&timestamps(&paris, false)), ["2024-03-05"]);
    }
}
