//! Quantities as people write them in a job file: rates, durations, sizes, shares.

use std::time::Duration;

/// The vendor's ceiling for every documented endpoint: requests per second ("API Rate Limits").
pub(crate) const VENDOR_CEILING: f64 = 150.0;

/// `120/s`, `30/min` or `0.5/s`, in requests per second.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    let expected = || format!("{text:?} is not a rate; write it like \"120/s\", \"30/min\" or \"0.5/s\"");
    let (number, unit) = text.split_once('/').ok_or_else(expected)?;
    let number: f64 = number.trim().parse().map_err(|_| expected())?;
    let seconds = match unit.trim() {
        "s" | "sec" | "second" => 1.0,
        "m" | "min" | "minute" => 60.0,
        "h" | "hour" => 3600.0,
        _ => return Err(expected()),
    };
    let rate = number / seconds;
    // Less than a request per day is a slip, and no server takes a million per second.
    if !(1.0 / 86_400.0..=1_000_000.0).contains(&rate) {
        return Err(format!("{text:?}: a rate must lie between one request per day and a million per second"));
    }
    Ok(rate)
}

/// `30s`, `500ms`, `1m30s`, `2h` or `1d`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let expected = || format!("{text:?} is not a duration; write it like \"500ms\", \"30s\", \"10m\" or \"2h\"");
    let mut rest = text.trim();
    let mut total = 0.0;
    if rest.is_empty() {
        return Err(expected());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(expected)?;
        let number: f64 = rest[..digits].parse().map_err(|_| expected())?;
        rest = rest[digits..].trim_start();
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        total += number
            * match &rest[..letters] {
                "ms" => 0.001,
                "s" | "sec" => 1.0,
                "m" | "min" => 60.0,
                "h" => 3600.0,
                "d" => 86_400.0,
                _ => return Err(expected()),
            };
        rest = rest[letters..].trim_start();
    }
    if total > 366.0 * 86_400.0 {
        return Err(format!("{text:?} is longer than a year; choose less"));
    }
    Ok(Duration::from_secs_f64(total))
}

/// `4GB` or `512MiB`, in bytes.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let expected = || format!("{text:?} is not a size; write it like \"512MB\" or \"4GB\"");
    let text_end = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(expected)?;
    let number: f64 = text[..text_end].parse().map_err(|_| expected())?;
    let unit: f64 = match text[text_end..].trim().to_ascii_uppercase().as_str() {
        "K" | "KB" => 1e3,
        "M" | "MB" => 1e6,
        "G" | "GB" => 1e9,
        "T" | "TB" => 1e12,
        "KIB" => 1024.0,
        "MIB" => 1024.0 * 1024.0,
        "GIB" => 1024.0 * 1024.0 * 1024.0,
        "TIB" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return Err(expected()),
    };
    // Less than a byte is nothing to work with, and most often a slip.
    Some((number * unit) as u64).filter(|bytes| *bytes > 0).ok_or_else(expected)
}

/// How many invalid visits a run accepts; with more it sends nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MaxInvalid {
    /// A number of visits.
    Count(u64),
    /// A share of the result rows, in percent.
    Percent(f64),
}

impl MaxInvalid {
    /// Whether `invalid` of `rows` are too many.
    pub fn is_exceeded(self, invalid: u64, rows: u64) -> bool {
        match self {
            MaxInvalid::Count(most) => invalid > most,
            MaxInvalid::Percent(most) => invalid as f64 * 100.0 > most * rows as f64,
        }
    }
}

impl std::fmt::Display for MaxInvalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            MaxInvalid::Count(most) => write!(f, "{most}"),
            MaxInvalid::Percent(most) => write!(f, "{most}%"),
        }
    }
}

/// `50%`, `0.5%` or `20`.
pub(super) fn max_invalid(text: &str) -> Result<MaxInvalid, String> {
    let expected = || format!("{text:?} is neither a number of visits like 20 nor a share like \"50%\"");
    match text.trim().strip_suffix('%') {
        Some(share) => {
            let share: f64 = share.trim().parse().map_err(|_| expected())?;
            (0.0..=100.0).contains(&share).then_some(MaxInvalid::Percent(share)).ok_or_else(expected)
        }
        None => text.trim().parse().map(MaxInvalid::Count).map_err(|_| expected()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_may_be_slower_than_one_a_second() {
        assert_eq!(rate("120/s"), Ok(120.0));
        assert_eq!(rate("30/min"), Ok(0.5));
        assert_eq!(rate(" 0.5 / s"), Ok(0.5));
        for text in ["0/s", "-1/s", "120", "fast", "1/fortnight", "inf/s", "nan/s"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_and_sizes() {
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        for text in ["", "30", "s", "5 parsecs", "900d"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert_eq!(size("4GB"), Ok(4_000_000_000));
        assert_eq!(size("1.5 GiB"), Ok(1_610_612_736));
        for text in ["lots", "0KB", "0.0GB", "0.0001KB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_share_is_of_the_result_rows() {
        let half = max_invalid("50%").expect("a share");
        assert!(!half.is_exceeded(1, 2) && half.is_exceeded(2, 3));
        let none = max_invalid("0").expect("a number");
        assert!(!none.is_exceeded(0, 9) && none.is_exceeded(1, 9));
        assert!(max_invalid("101%").is_err());
    }
}
