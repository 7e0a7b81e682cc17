//! What the command line and the clock add to a job file.

use crate::build::Zone;
use chrono::{DateTime, Days, NaiveDate, TimeZone, Utc};
use std::path::PathBuf;
use std::str::FromStr;

/// What the caller adds to a job file, mostly from the command line.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Where the job file and all relative paths in it start; empty: the working directory.
    pub(crate) base_dir: PathBuf,
    /// What `{date}` becomes.
    pub(crate) date: Option<DateArg>,
    /// The start of the run: `{time}`, and what `today` means.
    pub(crate) now: DateTime<Utc>,
    /// In place of the job's result path; taken as it is, not from `base_dir`.
    pub(crate) results: Option<PathBuf>,
    /// In place of the job's `rate`, in its notation.
    pub(crate) rate: Option<String>,
    /// In place of the job's `memory`, in its notation.
    pub(crate) memory: Option<String>,
    /// In place of the job's `max_duration`, in its notation.
    pub(crate) max_duration: Option<String>,
    /// Codes to accept, beside those of the job.
    pub(crate) accept: Vec<String>,
    /// Which exports are meant.
    pub(crate) exports: ExportsMeant,
}

/// Which exports a job file is loaded for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum ExportsMeant {
    /// Those that it names.
    #[default]
    OfJob,
    /// Two other files, of the visits and of the scenes, with the same columns; they are not sent from here, so that results
    /// and token play no part.
    Files([String; 2]),
    /// None: visits that were prepared before are sent. What the job file says of exports plays no part, and may be wrong by
    /// now.
    Prepared(PreparedMeant),
}

/// Which folder of prepared visits is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PreparedMeant {
    /// A folder on this machine, relative to `base_dir`, or in object storage.
    pub(crate) folder: String,
    /// The hash that stands for its content, where one was signed off.
    pub(crate) expect: Option<String>,
}

/// A day as `--date` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateArg {
    /// The day of the run's start, in the job's zone, else in UTC.
    Today,
    /// The day before the day of the run's start, in the job's zone, else in UTC.
    Yesterday,
    /// This day.
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
    /// The day that is meant in a run that starts at `now`; `zone` is the job's.
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
}
