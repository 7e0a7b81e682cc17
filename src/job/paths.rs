//! What a path of the job file becomes: its placeholders are filled in, and it starts from the base folder.

use chrono::{DateTime, NaiveDate, Utc};
use std::path::{Path, PathBuf};

/// What the paths of a job file are completed with.
#[derive(Clone, Debug)]
pub(super) struct Placeholders<'a> {
    /// `{name}`
    pub(super) name: &'a str,
    /// `{date}`
    pub(super) date: Option<NaiveDate>,
    /// `{time}`
    pub(super) now: DateTime<Utc>,
    /// Where relative paths start; empty for the working directory.
    pub(super) base_dir: &'a Path,
}

impl Placeholders<'_> {
    /// The path of something that is read, with `{date}` filled in.
    pub(super) fn dated(&self, path: &str) -> Result<String, String> {
        match (path.contains("{date}"), self.date) {
            (false, _) => Ok(path.to_owned()),
            (true, Some(date)) => Ok(path.replace("{date}", &date.to_string())),
            // The path is not repeated: the user may have put a secret there.
            (true, None) => {
                Err("this path needs a day: add --date YYYY-MM-DD, --date yesterday or --date today".to_owned())
            }
        }
    }

    /// A part of a command, with `{name}` and `{date}` filled in. All other braces are its own.
    pub(super) fn command(&self, part: &str) -> Result<String, String> {
        let needs_a_day = "this command needs a day: add --date YYYY-MM-DD, --date yesterday or --date today";
        let filled = self.dated(part).map_err(|_| needs_a_day.to_owned())?;
        Ok(filled.replace("{name}", self.name))
    }

    /// The path of a file on this machine that is read, with `{date}` filled in, from the base folder.
    pub(super) fn input(&self, path: &str) -> Result<PathBuf, String> {
        Ok(self.base_dir.join(self.dated(path)?))
    }

    /// The path of a file that is written, with `{date}`, `{name}` and `{time}` filled in, from the base folder.
    pub(super) fn output(&self, path: &str) -> Result<PathBuf, String> {
        let time = self.now.format("%Y%m%dT%H%M%SZ").to_string();
        let filled = self.dated(path)?.replace("{name}", self.name).replace("{time}", &time);
        match filled.split_once('{').and_then(|(_, rest)| rest.split_once('}')) {
            Some((unknown, _)) => {
                Err(format!("{{{unknown}}} is not a placeholder; use {{name}}, {{date}} or {{time}}"))
            }
            None => Ok(self.base_dir.join(filled)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_in_and_a_missing_day_is_reported() {
        let now = DateTime::from_timestamp(1_709_626_353, 0).expect("in range");
        let mut placeholders = Placeholders { name: "n", date: None, now, base_dir: Path::new("base") };
        assert!(placeholders.output("r/{name}-{date}.csv").is_err());
        placeholders.date = NaiveDate::from_ymd_opt(2024, 3, 4);
        let filled = placeholders.output("r/{name}-{date}-{time}.csv");
        assert_eq!(filled, Ok("base/r/n-2024-03-04-20240305T081233Z.csv".into()));
        assert_eq!(placeholders.input("{date}.csv"), Ok("base/2024-03-04.csv".into()));
        assert_eq!(placeholders.output("/r/{name}.csv"), Ok("/r/n.csv".into()));
    }
}
