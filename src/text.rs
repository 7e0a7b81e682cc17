//! How numbers, times and sizes are written for people.

use std::time::Duration;

/// `1 row`, `1,204 rows`.
pub(crate) fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n), if n == 1 { one } else { many })
}

/// `1,204,000`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1.4 s`, `3 min 20 s`, `2 h 5 min`, `4 d 6 h`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// `120/s`, `0.5/s`.
pub(crate) fn rate(per_second: f64) -> String {
    match per_second {
        r if r >= 10.0 => format!("{r:.0}/s"),
        r if r >= 0.1 => format!("{}/s", (r * 10.0).round() / 10.0),
        r => format!("{}/min", (r * 600.0).round() / 10.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_times_short() {
        assert_eq!(count(1, "row", "rows"), "1 row");
        assert_eq!(grouped(1_204_000), "1,204,000");
        assert_eq!(duration(Duration::from_millis(1_440)), "1.4 s");
        assert_eq!(duration(Duration::from_secs(200)), "3 min 20 s");
        assert_eq!(duration(Duration::from_secs(7_500)), "2 h 5 min");
        assert_eq!((rate(120.0).as_str(), rate(0.5).as_str(), rate(0.01).as_str()), ("120/s", "0.5/s", "0.6/min"));
    }
}
