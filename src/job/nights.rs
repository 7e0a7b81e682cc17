//! The result files of a job's other days, for jobs that run once a day.

use super::keys::ResultsKeys;
use super::options::Options;
use super::paths::{Placeholders, names_the_day, names_the_time};
use super::results::default_path;
use chrono::{DateTime, NaiveDate, Utc};
use std::path::PathBuf;

/// Where a job's result files of all days are.
#[derive(Clone, Debug)]
pub(crate) struct Nights {
    template: String,
    name: String,
    base_dir: PathBuf,
    now: DateTime<Utc>,
}

impl Nights {
    /// Of a job whose result path names the day and nothing that changes within one. `is_of_a_day`: whether its exports do.
    pub(super) fn new(
        keys: &ResultsKeys,
        options: &Options,
        placeholders: &Placeholders<'_>,
        is_of_a_day: bool,
    ) -> Option<Nights> {
        let template = keys.path.as_ref().map_or_else(|| default_path(placeholders), |path| path.get_ref());
        let is_one_a_day = options.results.is_none() && names_the_day(template) && !names_the_time(template);
        (placeholders.date.is_some() && is_of_a_day && is_one_a_day).then(|| Nights {
            template: template.to_owned(),
            name: placeholders.name.to_owned(),
            base_dir: placeholders.base_dir.to_owned(),
            now: placeholders.now,
        })
    }

    /// The result file of a day.
    pub(crate) fn results(&self, day: NaiveDate) -> Option<PathBuf> {
        let Nights { template, name, base_dir, now } = self;
        Placeholders { name, date: Some(day), now: *now, base_dir }.output(template).ok()
    }
}
