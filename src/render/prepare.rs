//! A prepared folder in words.

use super::check::{days, first_visit, orphans, problems, rows};
use super::next_step::quoted;
use crate::summary::PrepareReport;
use crate::text::{count, of_visits};
use std::fmt::Write as _;

/// What was prepared: the counts, what the first visit looks like, every kind of problem; the folder and its hash, and what to
/// do with it.
pub(crate) fn prepare_summary(report: &PrepareReport) -> String {
    let checked = &report.checked;
    let mut out = String::new();
    let _ = writeln!(out, "{}: {} prepared", checked.job, count(report.prepared, "visit", "visits"));
    rows(&mut out, checked);
    days(&mut out, checked);
    if let Some(first) = &checked.first_visit {
        first_visit(&mut out, first);
    }
    orphans(&mut out, checked);
    problems(&mut out, checked);
    let _ = writeln!(out, "\n{}, in {}", report.folder, count(report.files, "file", "files"));
    let _ = match &report.prepared_sha256 {
        Some(hash) => {
            let (job, folder) = (quoted(&report.job_file.display().to_string()), quoted(&report.folder));
            writeln!(out, "prepared_sha256: {hash}\nnext: traxload upload {job} {folder} --expect {hash}")
        }
        None => {
            let share = of_visits(checked.invalid, checked.result_rows, "is", "are");
            let most = checked.max_invalid;
            writeln!(out, "It is not to be sent, and has no _SUCCESS: {share} invalid, more than max_invalid = {most}.")
        }
    };
    out
}
