//! What a command came to, written for its readers: text for people, one sentence, Prometheus, a notification. JSON is
//! serde's.
//!
//! Pure: a report goes in, text comes out. It does not know how the report came about, or where the text goes.

mod check;
mod coverage;
mod next_step;
mod notification;
mod prepare;
mod prometheus;
mod run;

pub(crate) use check::{check_summary, no_visits, window_warning};
pub(crate) use next_step::{NextStep, check_command, next_step, quoted, rerun_command};
pub(crate) use notification::{first_line, notification};
pub(crate) use prepare::prepare_summary;
pub(crate) use prometheus::{Metrics, is_metrics};
pub(crate) use run::{gone_undelivered, job_name, progress, run_sentence, run_summary, too_many_invalid};
