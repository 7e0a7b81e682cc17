//! When a server wants the next request: its Retry-After header.

use chrono::{DateTime, NaiveDateTime, Utc};
use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use std::time::Duration;

/// Longer waits are cut to a year: nothing waits that long.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// A date of a header, in any of the three forms of RFC 9110, 5.6.7. All of them are in UTC.
fn http_date(text: &str) -> Option<DateTime<Utc>> {
    let old = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    let today = DateTime::parse_from_rfc2822(text).map(|date| date.to_utc()).ok();
    today.or_else(|| old.iter().find_map(|form| Some(NaiveDateTime::parse_from_str(text, form).ok()?.and_utc())))
}

/// The time that a number stands for, where it is within a year of now: some servers count the seconds or milliseconds of the
/// epoch, and as a wait it would be half a century.
fn epoch(number: f64, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let is_near = |seconds: f64| (seconds - now.timestamp() as f64).abs() <= LONGEST.as_secs_f64();
    let seconds = [number, number / 1000.0].into_iter().find(|seconds| is_near(*seconds))?;
    DateTime::from_timestamp_millis((seconds * 1000.0) as i64)
}

/// The wait that Retry-After asks for, as seconds or as a date (RFC 9110, 10.2.3), cut to a year. A date, and a number near
/// today's epoch, is compared with the server's own clock where the answer has a Date header, else with `now`.
pub(super) fn retry_after(headers: &HeaderMap, now: impl Fn() -> DateTime<Utc>) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::trim);
    let value = text(RETRY_AFTER)?;
    let now = text(DATE).and_then(http_date).unwrap_or_else(now);
    // Digits alone: `1e9` is a mistake, not a wait of thirty years.
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number = value.parse::<f64>().ok().filter(|number| is_number && number.is_finite());
    let date = match number {
        None => http_date(value)?,
        Some(number) => match epoch(number, now) {
            Some(date) => date,
            // Cut first, because a `Duration` cannot hold every number.
            None => return Duration::try_from_secs_f64(number.min(LONGEST.as_secs_f64())).ok(),
        },
    };
    let wait = (date - now).to_std().unwrap_or_default();
    Some(wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let now = DateTime::from_timestamp(1_709_626_353, 0).expect("in range");
        let wait = |value: &str, date: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_str(value).expect("plain"));
            if let Some(date) = date {
                headers.insert(DATE, HeaderValue::from_str(date).expect("plain"));
            }
            retry_after(&headers, || now).map(|wait| wait.as_secs())
        };
        assert_eq!(wait("3600", None), Some(3600));
        assert_eq!(wait("Tue, 05 Mar 2024 08:13:33 GMT", None), Some(60));
        assert_eq!(wait("Tue, 05 Mar 2024 08:13:33 GMT", Some("Tue, 05 Mar 2024 08:13:23 GMT")), Some(10));
        assert_eq!(wait("Tue, 05 Mar 2024 08:00:00 GMT", None), Some(0));
        assert_eq!(wait("Tuesday, 05-Mar-24 08:13:33 GMT", None), Some(60));
        assert_eq!(wait("Tue Mar  5 08:13:33 2024", Some("Tuesday, 05-Mar-24 08:13:23 GMT")), Some(10));
        assert_eq!(wait("99999999999999999999999", None), Some(366 * 86_400));
        assert_eq!(
            (wait("1709626413", None), wait("1709626413.5", None), wait("1709626413000", None)),
            (Some(60), Some(60), Some(60))
        );
        assert_eq!(wait("1709626413", Some("Tue, 05 Mar 2024 08:13:23 GMT")), Some(10));
        assert_eq!((wait("1709626000", None), wait("1500000000", None)), (Some(0), Some(366 * 86_400)));
        assert_eq!((wait("-1", None), wait("nan", None), wait("inf", None)), (None, None, None));
        assert_eq!((wait("1e9", None), wait("0x10", None), wait("1.5", None)), (None, None, Some(1)));
        assert_eq!(wait("soon", None), None);
    }
}
