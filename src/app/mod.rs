//! The use cases: run, rerun, check, prepare, upload, ids, report, init. Each takes a [`Context`] and a request, and gives a report or an
//! [`AppError`].
//!
//! | file | what it is |
//! | --- | --- |
//! | `run`, `rerun`, `check`, `prepare`, `upload`, `ids`, `page`, `draft` | the use cases |
//! | `pipeline`, `run_inputs`, `run_report` | the way of every run, on one screen; in what runs differ; what one came to |
//! | `token` | where the token comes from |
//! | `outputs`, `exports`, `selection`, `unwanted` | the exports of a job, opened, read and grouped; what filters leave out |
//! | `run_visits` | where the visits of a run come from: exports, or a prepared folder |
//! | `prepared_visits`, `prepared_target`, `prepared_error` | a prepared folder, read, written, refused |
//! | `prepared_columns` | which columns a job reads, for clusters |
//! | `survey`, `coverage`, `signs` | builds every visit once and keeps none; what all of them together show |
//! | `new_keys` | visits that come again under new keys |
//! | `suspicions` | what is probably a mistake of a whole export, refused or accepted |
//! | `file_ends` | files whose last row lacks the line end that others have |
//! | `nights` | the nights that a daily job has missed, and how they are made up for |
//! | `done` | a day whose exports are gone, and whose visits were delivered |
//! | `settle` | the last look at exports that have just changed |
//! | `deliver` | builds again, sends, writes down |
//! | `result_file`, `earlier` | what is begun, resumed or refused; the rows of the run before |
//! | `answers`, `remarks` | what 409s say by the attempts of earlier runs; what is written of visits that Trax has otherwise |
//! | `destination`, `bodies`, `orphans` | what a check writes, and where |
//! | `slices` | the result files among files, folders and globs |
//! | `accounting` | the counts, held against each other |
//! | `clock` | whether the clock of the machine can be right |
//! | `after` | what a run leaves at its end: page, metrics, notification |
//!
//! It knows nothing of clap, of the terminal, or of what is typed.

mod accounting;
mod after;
mod answers;
mod bodies;
mod check;
mod clock;
mod context;
mod coverage;
mod deliver;
mod destination;
mod done;
mod draft;
mod earlier;
mod error;
mod exports;
mod file_ends;
mod ids;
mod job_request;
mod new_keys;
mod nights;
mod orphans;
mod outputs;
mod page;
mod pipeline;
mod prepare;
mod prepared_columns;
mod prepared_error;
mod prepared_target;
mod prepared_visits;
mod remarks;
mod rerun;
mod result_file;
mod run;
mod run_inputs;
mod run_report;
mod run_visits;
mod selection;
mod settle;
mod signs;
mod slices;
mod survey;
mod suspicions;
mod token;
mod unwanted;
mod upload;

// The parts of errors and drafts, whose rooms are not public themselves.
pub use crate::http_client::{CertificateError, SetupError};
pub use crate::init::{Draft, Remark};
pub use crate::proxy::ProxyError;
pub use crate::scan::{Location, MissingColumn, ScanError};
pub use crate::shuffle::ShuffleError;
pub use crate::suspicion::{Suspicion, SuspicionCode};
pub use crate::upload::HttpError;

pub use after::After;
pub use check::{CheckRequest, check};
pub use context::{Context, Event};
pub use destination::Destination as Payloads;
pub use draft::{InitRequest, init};
pub use error::{AppError, FileError, InTheWay, RerunHint, SideFile};
pub use ids::{IdsError, ids};
pub use job_request::JobRequest;
pub use nights::{LONGEST_CATCH_UP, catch_up};
pub use page::{ReportRequest, report, report_html};
pub use prepare::{PrepareRequest, prepare};
pub use prepared_columns::{ExportColumns, JobColumns, job_columns};
pub use prepared_error::{FlawedRows, PreparedError};
pub use rerun::{RerunRequest, rerun};
pub use result_file::Beginning;
pub use run::{RunRequest, run};
pub use selection::Selection;
pub use upload::{UploadRequest, upload};
