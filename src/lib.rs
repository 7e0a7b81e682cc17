//! Sends store visits from CSV and Parquet exports to the Trax Sessions Input API.
//!
//! The program `traxload` is a thin command line over this library. What it does is in [`app`]: one function per use case, which
//! takes a [`Context`](app::Context) and a request, and gives a report or an [`AppError`](app::AppError). To run a job from a
//! scheduler of your own:
//!
//! ```
//! use traxload::app::{AppError, Context, Event, JobRequest, RunRequest, run};
//!
//! # fn main() -> Result<(), AppError> {
//! # let folder = std::env::temp_dir().join(format!("traxload-doc-{}", std::process::id()));
//! # let results = Some(folder.join("results.csv"));
//! let cx = Context::new(|event| {
//!     if let Event::Warning(message) = event {
//!         eprintln!("warning: {message}");
//!     }
//! });
//! let job = JobRequest { file: "jobs/sample.toml".into(), results, ..JobRequest::default() };
//! let report = run(&cx, &RunRequest { job, ..RunRequest::default() })?;
//! println!("{} of {} visits delivered", report.visits.delivered(), report.result_rows);
//! # assert_eq!(report.visits.delivered(), 200);
//! # let _ = std::fs::remove_dir_all(folder);
//! # Ok(())
//! # }
//! ```
//!
//! ARCHITECTURE.md has the picture of the rooms.

pub mod app;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
pub mod build;
#[doc(hidden)]
pub mod cli;
mod host;
mod http_client;
mod init;
pub mod job;
mod key_index;
mod ledger;
mod near_key;
mod notify;
pub mod outcome;
mod owned_file;
mod prepared;
mod proxy;
mod render;
mod report;
pub mod results;
#[doc(hidden)]
pub mod sandbox;
mod scan;
mod shuffle;
#[cfg(test)]
mod simulation;
mod small_copy;
mod stand_ins;
mod storage;
pub mod summary;
mod suspicion;
mod text;
mod unseen;
mod upload;
