//! The placeholders in a job's paths, and the day that they stand for.

use crate::build::Zone;
use chrono::{DateTime, Days, NaiveDate, TimeZone, Utc};
use std::str::FromStr;

/// What `--date` may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateArg {
    /// The day of the run's start, in the job's zone, else in UTC.
    Today,
    /// The day before.
    Yesterday,
    /// That day.
    Day(NaiveDate),
}

impl FromStr for DateArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "today" => Ok(DateArg::Today),
            "yesterday" => Ok(DateArg::Yesterday),
            day => NaiveDate::parse_from_str(day, "%Y-%m-%d")
                .ok()
                .filter(|_| day.len() == 10)
                .map(DateArg::Day)
                .ok_or_else(|| format!("{day:?} is neither today, yesterday nor a day like 2024-03-05")),
        }
    }
}

impl DateArg {
    pub(super) fn day(self, now: DateTime<Utc>, zone: Option<Zone>) -> NaiveDate {
        let today = match zone {
            Some(Zone::Named(zone)) => zone.from_utc_datetime(&now.naive_utc()).date_naive(),
            Some(Zone::Offset(zone)) => zone.from_utc_datetime(&now.naive_utc()).date_naive(),
            None => now.date_naive(),
        };
        match self {
            DateArg::Today => today,
            DateArg::Yesterday => today.checked_sub_days(Days::new(1)).unwrap_or(today),
            DateArg::Day(day) => day,
        }
    }
}

/// What the placeholders become.
#[derive(Clone, Debug)]
pub(super) struct Placeholders<'a> {
    pub(super) name: &'a str,
    pub(super) date: Option<NaiveDate>,
    pub(super) now: DateTime<Utc>,
}

impl Placeholders<'_> {
    /// `{date}` filled in.
    pub(super) fn dated(&self, path: &str) -> Result<String, String> {
        match (path.contains("{date}"), self.date) {
            (false, _) => Ok(path.to_owned()),
            (true, Some(date)) => Ok(path.replace("{date}", &date.to_string())),
            // The path is not repeated: it may be a secret that somebody took for one.
            (true, None) => {
                Err("this path needs a day: add --date YYYY-MM-DD, --date yesterday or --date today".to_owned())
            }
        }
    }

    /// `{date}`, `{name}` and `{time}` filled in.
    pub(super) fn filled(&self, path: &str) -> Result<String, String> {
        let time = self.now.format("%Y%m%dT%H%M%SZ").to_string();
        Ok(self.dated(path)?.replace("{name}", self.name).replace("{time}", &time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yesterday_is_the_day_before_in_the_jobs_zone() {
        let now = DateTime::from_timestamp(1_709_596_800, 0).expect("in range"); // 2024-03-05T00:00:00Z
        let day = |zone| DateArg::Yesterday.day(now, zone).to_string();
        assert_eq!(day(None), "2024-03-04");
        assert_eq!(day(Zone::parse("America/Chicago")), "2024-03-03");
        assert!("05.03.2024".parse::<DateArg>().is_err() && "2024-3-5".parse::<DateArg>().is_err());
    }

    #[test]
    fn placeholders_are_filled_and_a_missing_day_is_told() {
        let now = DateTime::from_timestamp(1_709_626_353, 0).expect("in range");
        let mut placeholders = Placeholders { name: "n", date: None, now };
        assert!(placeholders.filled("r/{name}-{date}.csv").is_err());
        placeholders.date = NaiveDate::from_ymd_opt(2024, 3, 4);
        assert_eq!(
            placeholders.filled("r/{name}-{date}-{time}.csv").as_deref(),
            Ok("r/n-2024-03-04-20240305T081233Z.csv")
        );
    }
}
