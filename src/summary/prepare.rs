//! What preparing a folder came to.

use super::CheckReport;
use serde::Serialize;
use std::path::PathBuf;

/// What preparing a folder came to: what a check says, and the folder.
#[derive(Clone, Debug, Serialize)]
pub struct PrepareReport {
    /// What was read, and what is wrong with it.
    #[serde(flatten)]
    pub checked: CheckReport,
    /// Visits that may be sent.
    pub prepared: u64,
    /// The folder, as it was named.
    pub folder: String,
    /// Its Parquet files.
    pub files: u64,
    /// The hash that stands for them, in hexadecimal digits; `None` where too many visits are invalid, and the folder is not to
    /// be sent.
    pub prepared_sha256: Option<String>,
    /// The job file, as it was named.
    #[serde(skip)]
    pub job_file: PathBuf,
}
