//! Whether the clock of the machine can be right. Times in the exports are held against it, and so are certificates.

use super::{AppError, Context};
use chrono::{DateTime, NaiveDate, Utc};

/// Clocks without a battery begin in 1970, 1980, 2000 or at a date of their maker's, and this program is younger.
const NEVER_BEFORE: NaiveDate = day(2020, 1, 1);
/// No version of this program was made before; moved on with each release.
const MADE: NaiveDate = day(2026, 11, 28);

const fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(day) => day,
        None => NaiveDate::MIN,
    }
}

/// Holds the start of the run against what the program knows of time.
///
/// # Errors
/// Where the clock was never set. One that is behind is a warning: somebody may want to know what was on an earlier day.
pub(super) fn check(cx: &Context) -> Result<(), AppError> {
    if is_before(cx.now, NEVER_BEFORE) {
        return Err(AppError::Clock(cx.now));
    }
    if is_before(cx.now, MADE) {
        cx.warn(&format!(
            "the clock of this machine says {}, which is before this program was made: set it, or visits may look as if they \
             lay in the future",
            cx.now.format("%Y-%m-%d %H:%M UTC")
        ));
    }
    Ok(())
}

fn is_before(now: DateTime<Utc>, day: NaiveDate) -> bool {
    now.date_naive() < day
}
