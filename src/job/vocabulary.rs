//! The words and the bounds of numbers that a job file may choose from, each once: the schema offers them, `walk`
//! refuses others, and the sections look up what a word stands for.

use crate::build::{LocalDay, Unit, Version};
use crate::notify::When;
use crate::scan::Format;

/// What stands where only a person can tell the value: a question that has to be answered first.
pub(crate) const OPEN: &str = "?";

/// `format` of an export.
pub(super) const FORMATS: [(&str, Format); 2] = [("csv", Format::Csv), ("parquet", Format::Parquet)];
/// `unit` of a column.
pub(super) const UNITS: [(&str, Unit); 4] =
    [("s", Unit::Seconds), ("ms", Unit::Millis), ("us", Unit::Micros), ("ns", Unit::Nanos)];
/// `decimals` of a column.
pub(super) const DECIMALS: [(&str, Decimals); 2] = [("drop", Decimals::Drop), ("keep", Decimals::Keep)];
/// `local_day` under `[time]`.
pub(super) const LOCAL_DAYS: [(&str, LocalDay); 2] = [("offset", LocalDay::Offset), ("timezone", LocalDay::Timezone)];
/// `version` under `[ids]`.
pub(super) const ID_VERSIONS: [(u8, Version); 2] = [(5, Version::V5), (4, Version::V4)];
/// `resource` under `[api]`; the vendor's pages have both.
pub(super) const RESOURCES: [&str; 2] = ["session", "sessions"];
/// `when` under `[notify]`.
pub(super) const WHENS: [(&str, When); 2] = [("not_delivered", When::NotDelivered), ("always", When::Always)];
/// The largest `burst`, in requests.
pub(super) const MAX_BURST: u32 = 1000;
/// The largest `max_in_flight`, in requests.
pub(super) const MAX_IN_FLIGHT: u32 = 10_000;
/// The largest `max_attempts` of one visit.
pub(super) const MAX_ATTEMPTS: u32 = 1000;

/// The longest that `pad` makes a cell, in characters.
pub(super) const MAX_PAD: u32 = 100;

/// What becomes of a fraction of zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decimals {
    /// 1001.0 is 1001.
    Drop,
    /// 1001.0 is 1001.0.
    Keep,
}

/// The words of a vocabulary, for the schema.
pub(super) fn words<W: Copy, T>(vocabulary: &[(W, T)]) -> Vec<W> {
    vocabulary.iter().map(|(word, _)| *word).collect()
}

/// What a word stands for; `None` where the key is left out. A word that is not in the vocabulary does not get here:
/// `walk` has refused it.
pub(super) fn meaning<W: PartialEq<V>, V, T: Copy>(vocabulary: &[(W, T)], word: Option<&V>) -> Option<T> {
    let word = word?;
    vocabulary.iter().find(|(known, _)| known == word).map(|(_, meaning)| *meaning)
}
