//! The arguments of each command.

use super::sandbox::SandboxArgs;
use crate::app::{
    Beginning, JobRequest, LONGEST_CATCH_UP, PrepareRequest, RerunRequest, RunRequest, Selection, UploadRequest,
};
use crate::job::DateArg;
use crate::outcome::Status;
use chrono::NaiveDate;
use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Sends store visits from CSV and Parquet exports to the Trax Sessions Input API.
#[derive(Debug, Parser)]
#[command(version = env!("TRAXLOAD_VERSION"), arg_required_else_help = true, max_term_width = 100)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    /// How messages are written to standard error
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    pub(super) log_format: LogFormat,
    /// Only warnings and errors
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Every request as well
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub(super) verbose: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Read, check and upload; write the result file
    Run(RunArgs),
    /// The same without the network: what is wrong, how many, how long it will take
    Check(CheckArgs),
    /// Send again what a result file shows as not delivered
    Rerun(RerunArgs),
    /// Read and check; leave the visits in a folder, to be looked at, signed off, moved, and uploaded
    Prepare(PrepareArgs),
    /// Upload a folder of prepared visits, exactly as they are; write the result file
    Upload(UploadArgs),
    /// A result file, or many of them, as one HTML page
    Report(ReportArgs),
    /// Visit and scene keys with their ids, as CSV
    Ids(IdsArgs),
    /// Look at two exports and write a job file for them
    Init(InitArgs),
    /// A local Sessions API, for trying things out
    Sandbox(SandboxArgs),
    /// The job file as a JSON Schema, for editors
    Schema,
    /// Completions for a shell
    Completions {
        /// Which shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// The manual page
    Man,
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    job: JobArgs,
    #[command(flatten)]
    sending: SendingArgs,
    /// Move an older result file aside and start over
    #[arg(long)]
    fresh: bool,
    /// Whatever the result path needs: begin, take up a run that died, or go on with a finished result file; for cron
    #[arg(long = "continue", conflicts_with = "fresh")]
    continues: bool,
    /// With --date: first the days before, up to this many, such as 7d, that have an export and no finished result file
    #[arg(long, value_name = "DAYS", value_parser = days, requires = "date", conflicts_with_all = ["fresh", "results"])]
    pub(super) catch_up: Option<u64>,
    /// Print the summary as JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    job: JobArgs,
    #[command(flatten)]
    sending: SendingArgs,
    /// Write the body of every valid visit to this file, one per line, as it would be sent; `-`: standard output
    #[arg(long, value_name = "FILE")]
    pub(super) payloads: Option<PathBuf>,
    /// Write the scenes of no visit to this file, as CSV; `-`: standard output
    #[arg(long, value_name = "FILE")]
    pub(super) orphans: Option<PathBuf>,
    /// Print the summary as JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct PrepareArgs {
    #[command(flatten)]
    job: JobArgs,
    /// The folder, on this machine or in object storage (s3://, gs://, az://)
    #[arg(short, long, value_name = "DIR", required_unless_present = "describe", value_parser = NonEmptyStringValueParser::new())]
    output: Option<String>,
    /// Replace a folder that an earlier `prepare` has left
    #[arg(long)]
    overwrite: bool,
    /// Prepare one bucket of exports that a cluster has parted by their keys: --visits and --scenes, in place of the job's
    /// exports; any share of them may be invalid, and what only whole exports show is not looked for
    #[arg(long, requires_all = ["visits", "scenes"])]
    bucket: bool,
    /// The visits of the bucket, a Parquet file
    #[arg(long, value_name = "FILE", requires = "bucket")]
    visits: Option<String>,
    /// The scenes of the bucket, a Parquet file; the same one where a flat export holds both
    #[arg(long, value_name = "FILE", requires = "bucket")]
    scenes: Option<String>,
    /// Read nothing, and print as JSON which columns the job reads and which of them make keys
    #[arg(long, conflicts_with_all = ["output", "bucket", "json"])]
    pub(super) describe: bool,
    /// Print the summary as JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct UploadArgs {
    /// The job file; of its exports nothing is needed
    job: PathBuf,
    /// The folder that `prepare` has left, on this machine or in object storage
    #[arg(value_name = "DIR", value_parser = NonEmptyStringValueParser::new())]
    folder: String,
    /// The prepared_sha256 of the folder that was signed off; nothing is sent where it is another one
    #[arg(long, value_name = "HASH", value_parser = sha256)]
    expect: Option<String>,
    /// What {date} in the job's paths becomes: today, yesterday or YYYY-MM-DD
    #[arg(long, value_name = "DAY")]
    date: Option<DateArg>,
    #[command(flatten)]
    sending: SendingArgs,
    /// Move an older result file aside and start over
    #[arg(long)]
    fresh: bool,
    /// Whatever the result path needs: begin, take up a run that died, or go on with a finished result file
    #[arg(long = "continue", conflicts_with = "fresh")]
    continues: bool,
    /// A folder without visits is fine
    #[arg(long)]
    allow_empty: bool,
    /// Codes of suspicions, and of the problem reused_key, that are fine this time
    #[arg(long, value_delimiter = ',', value_name = "CODE")]
    accept: Vec<String>,
    /// Print the summary as JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct IdsArgs {
    #[command(flatten)]
    job: JobArgs,
}

/// The job and which of its visits are meant.
#[derive(Debug, Args)]
struct JobArgs {
    /// The job file
    job: PathBuf,
    /// What {date} in the job's paths becomes: today, yesterday or YYYY-MM-DD
    #[arg(long, value_name = "DAY")]
    date: Option<DateArg>,
    /// Only visits from this day on, by visit_date
    #[arg(long, value_name = "DAY", value_parser = day)]
    from: Option<NaiveDate>,
    /// Only visits up to this day, by visit_date
    #[arg(long, value_name = "DAY", value_parser = day)]
    to: Option<NaiveDate>,
    /// Only the first N visits
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// In place of the job's memory for grouping, such as 4GB
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,
    /// Exports without visits are fine
    #[arg(long)]
    allow_empty: bool,
    /// Codes of suspicions, and of the problems near_key, reused_key, placeholder and invisible_character, that are fine this time, such as
    /// other_file,midnight
    #[arg(long, value_delimiter = ',', value_name = "CODE")]
    accept: Vec<String>,
}

/// How visits are sent, and where their results go.
#[derive(Debug, Args)]
struct SendingArgs {
    /// The result file, in place of the job's
    #[arg(long, value_name = "PATH")]
    results: Option<PathBuf>,
    /// In place of the job's rate, such as 120/s
    #[arg(long, value_name = "RATE")]
    rate: Option<String>,
    /// Stop softly this long after the start, such as 5h; the rest is not attempted
    #[arg(long, value_name = "TIME")]
    max_duration: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct RerunArgs {
    /// The result file of the run before
    results: PathBuf,
    /// Only visits with these statuses, such as rejected,failed
    #[arg(long, value_delimiter = ',', value_name = "STATUS", value_parser = undelivered)]
    status: Vec<Status>,
    /// In place of the run's own rate, such as 120/s
    #[arg(long, value_name = "RATE")]
    rate: Option<String>,
    /// In place of the run's own memory, such as 4GB
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,
    /// Stop softly this long after the start, such as 5h; the rest is not attempted
    #[arg(long, value_name = "TIME")]
    max_duration: Option<String>,
    /// Exports without visits are fine
    #[arg(long)]
    allow_empty: bool,
    /// Codes of suspicions, and of the problems near_key, reused_key, placeholder and invisible_character, that are fine this time, such as
    /// other_file,midnight
    #[arg(long, value_delimiter = ',', value_name = "CODE")]
    accept: Vec<String>,
    /// Print the summary as JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
    /// The job file, where it is not the one that the manifest beside the result file names
    #[arg(long, value_name = "FILE")]
    job: Option<PathBuf>,
    /// Drop undelivered visits that are no longer in the exports; without it their rows stay
    #[arg(long)]
    forget_gone: bool,
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// The result file, finished or not; or several files, folders and globs, which are shown together
    #[arg(required = true)]
    pub(super) results: Vec<PathBuf>,
    /// Where the page goes, `-` being standard output; left out: beside the result file, of many report.html in their
    /// folder. An older page is replaced
    #[arg(short, long, value_name = "PAGE")]
    pub(super) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The visits export: a file, a folder or a glob, or several, also s3://, gs:// or az://
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    pub(super) visits: Vec<String>,
    /// The scenes export; the same as the visits where one flat export holds both
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    pub(super) scenes: Vec<String>,
    /// Write the job file here, in place of standard output, which is also `-`
    #[arg(short, long, value_name = "JOB")]
    pub(super) output: Option<PathBuf>,
    /// Replace a job file that is already there
    #[arg(long, requires = "output")]
    pub(super) force: bool,
}

fn days(text: &str) -> Result<u64, String> {
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
    days.filter(|days| (1..=LONGEST_CATCH_UP).contains(days))
        .ok_or_else(|| format!("{text:?} is no number of days from 1d to {LONGEST_CATCH_UP}d"))
}

fn beginning(fresh: bool, continues: bool) -> Beginning {
    match (fresh, continues) {
        (true, _) => Beginning::Fresh,
        (_, true) => Beginning::Continue,
        _ => Beginning::New,
    }
}

impl RunArgs {
    pub(super) fn request(&self) -> RunRequest {
        RunRequest { job: self.job.request(Some(&self.sending)), beginning: beginning(self.fresh, self.continues) }
    }
}

impl CheckArgs {
    pub(super) fn job(&self) -> JobRequest {
        self.job.request(Some(&self.sending))
    }
}

impl PrepareArgs {
    pub(super) fn job(&self) -> JobRequest {
        self.job.request(None)
    }

    pub(super) fn request(&self) -> PrepareRequest {
        PrepareRequest {
            job: self.job(),
            folder: self.output.clone().unwrap_or_default(),
            overwrite: self.overwrite,
            bucket: self.visits.clone().zip(self.scenes.clone()).map(Into::into),
        }
    }
}

impl UploadArgs {
    pub(super) fn request(&self) -> UploadRequest {
        let SendingArgs { results, rate, max_duration } = &self.sending;
        UploadRequest {
            job: JobRequest {
                file: self.job.clone(),
                date: self.date,
                results: results.clone(),
                rate: rate.clone(),
                max_duration: max_duration.clone(),
                allow_empty: self.allow_empty,
                accept: self.accept.clone(),
                ..JobRequest::default()
            },
            folder: self.folder.clone(),
            expect: self.expect.clone(),
            beginning: beginning(self.fresh, self.continues),
        }
    }
}

impl IdsArgs {
    pub(super) fn job(&self) -> JobRequest {
        self.job.request(None)
    }
}

impl JobArgs {
    fn request(&self, sending: Option<&SendingArgs>) -> JobRequest {
        JobRequest {
            file: self.job.clone(),
            date: self.date,
            selection: Selection { from: self.from, to: self.to, limit: self.limit },
            results: sending.and_then(|sending| sending.results.clone()),
            rate: sending.and_then(|sending| sending.rate.clone()),
            memory: self.memory.clone(),
            max_duration: sending.and_then(|sending| sending.max_duration.clone()),
            allow_empty: self.allow_empty,
            accept: self.accept.clone(),
        }
    }
}

impl RerunArgs {
    pub(super) fn request(&self) -> RerunRequest {
        RerunRequest {
            results: self.results.clone(),
            statuses: self.status.clone(),
            rate: self.rate.clone(),
            memory: self.memory.clone(),
            max_duration: self.max_duration.clone(),
            allow_empty: self.allow_empty,
            accept: self.accept.clone(),
            job: self.job.clone(),
            forget_gone: self.forget_gone,
        }
    }
}

fn sha256(text: &str) -> Result<String, String> {
    let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { Ok(text.to_owned()) } else { Err("not a SHA-256, which has 64 hexadecimal digits".to_owned()) }
}

fn day(text: &str) -> Result<NaiveDate, String> {
    text.parse().map_err(|_| "not a day; write it like 2024-03-05".to_owned())
}

/// A status that can be sent again.
fn undelivered(text: &str) -> Result<Status, String> {
    let status = Status::from_name(text.trim()).filter(|status| !status.is_delivered());
    status.ok_or_else(|| {
        let names: Vec<&str> =
            Status::ALL.into_iter().filter(|status| !status.is_delivered()).map(Status::name).collect();
        format!("not a status that can be sent again; choose from {}", names.join(", "))
    })
}
