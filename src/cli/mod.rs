//! The command line: arguments, exit codes, what people read on their screen; the rooms wired together.
//!
//! Standard output carries data only. Everything for people goes to standard error.

mod accounting;
mod bodies_file;
mod check;
mod course;
mod describe;
mod earlier;
mod ending;
mod exit;
mod exports;
mod ids;
mod init;
mod machine;
mod metrics;
mod next;
mod page_file;
mod progress;
mod report;
mod rerun;
mod run;
mod sandbox;
mod screen;
mod send;
mod signals;
mod summary;
mod survey;
mod taking_up;
mod token;
mod usage;
mod window;

pub use crate::outcome::Exit;

use crate::job::{DateArg, Options};
use crate::results::RunOptions;
use crate::text;
use chrono::{DateTime, NaiveDate, Utc};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use exit::Failure;
use exports::Selection;
use screen::Console;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// Sends store visits from CSV and Parquet exports to the Trax Sessions Input API.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How messages are written to standard error
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    log_format: LogFormat,
    /// Only warnings and errors
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Every request as well
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read, check and upload; write the result file
    Run(RunArgs),
    /// The same without the network: what is wrong, how many, how long it will take
    Check(CheckArgs),
    /// Send again what a result file shows as not delivered
    Rerun(RerunArgs),
    /// The result file as one HTML page
    Report(report::ReportArgs),
    /// Visit and scene keys with their ids, as CSV
    Ids(IdsArgs),
    /// Look at two exports and write a job file for them
    Init(init::InitArgs),
    /// A local Sessions API, for trying things out
    Sandbox(sandbox::SandboxArgs),
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
struct RunArgs {
    #[command(flatten)]
    job: JobArgs,
}

#[derive(Debug, Args)]
struct CheckArgs {
    #[command(flatten)]
    job: JobArgs,
    /// Write the body of every valid visit to this file, one a line, as it would be sent; `-`: standard output
    #[arg(long, value_name = "FILE")]
    payloads: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct IdsArgs {
    #[command(flatten)]
    job: JobArgs,
}

#[derive(Debug, Args)]
struct RerunArgs {
    /// The result file of the run before
    results: PathBuf,
    /// Only visits of these statuses, such as rejected,failed
    #[arg(long, value_delimiter = ',', value_name = "STATUS")]
    status: Vec<String>,
    /// In place of the run's own rate, such as 120/s
    #[arg(long, value_name = "RATE")]
    rate: Option<String>,
    /// In place of the run's own memory, such as 4GB
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,
    /// Stop softly so long after the start, such as 5h; the rest is not attempted
    #[arg(long, value_name = "TIME")]
    max_duration: Option<String>,
    /// Pass over scene rows that cannot be assigned to a visit
    #[arg(long)]
    ignore_unreadable_scenes: bool,
    /// Exports without visits are fine
    #[arg(long)]
    allow_empty: bool,
    /// Print the summary as JSON on standard output
    #[arg(long)]
    json: bool,
}

/// What all commands that take a job have in common.
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
    /// The result file, in place of the job's
    #[arg(long, value_name = "PATH")]
    results: Option<PathBuf>,
    /// In place of the job's rate, such as 120/s
    #[arg(long, value_name = "RATE")]
    rate: Option<String>,
    /// In place of the job's memory for grouping, such as 4GB
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,
    /// Stop softly so long after the start, such as 5h; the rest is not attempted
    #[arg(long, value_name = "TIME")]
    max_duration: Option<String>,
    /// Move an older result file aside and begin anew
    #[arg(long)]
    fresh: bool,
    /// Pass over scene rows that cannot be assigned to a visit
    #[arg(long)]
    ignore_unreadable_scenes: bool,
    /// Exports without visits are fine
    #[arg(long)]
    allow_empty: bool,
    /// Print the summary as JSON on standard output
    #[arg(long)]
    json: bool,
}

impl JobArgs {
    fn options(&self, now: DateTime<Utc>) -> Options {
        Options {
            date: self.date,
            now,
            results: self.results.clone(),
            rate: self.rate.clone(),
            memory: self.memory.clone(),
            max_duration: self.max_duration.clone(),
        }
    }

    fn selection(&self) -> Result<Selection, Failure> {
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            return Err(Failure::new(
                Exit::Usage,
                format!("no day lies between --from {from} and --to {to}; swap them?"),
            ));
        }
        Ok(Selection {
            from: self.from,
            to: self.to,
            limit: self.limit,
            ignore_unreadable_scenes: self.ignore_unreadable_scenes,
        })
    }

    fn run_options(&self, date: Option<NaiveDate>) -> RunOptions {
        RunOptions {
            date: date.map(|day| day.to_string()),
            from: self.from.map(|day| day.to_string()),
            to: self.to.map(|day| day.to_string()),
            limit: self.limit,
            rate: self.rate.clone(),
            memory: self.memory.clone(),
            ignore_unreadable_scenes: self.ignore_unreadable_scenes,
            allow_empty: self.allow_empty,
        }
    }
}

fn day(text: &str) -> Result<NaiveDate, String> {
    text.parse().map_err(|_| "it is no day; write it like 2024-03-05".to_owned())
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    // A panic is a mistake of ours; its message is printed by then, and the contract has a code for it.
    let began = Instant::now();
    let exit = std::panic::catch_unwind(|| {
        let cli = Cli::try_parse().unwrap_or_else(|error| usage::refuse(error));
        let console = Console::new(&cli);
        dispatch(&cli.command, began, &console).unwrap_or_else(|failure| {
            console.failure(&failure);
            failure.exit
        })
    });
    ExitCode::from(exit.unwrap_or(Exit::Unexpected).code())
}

fn dispatch(command: &Command, began: Instant, console: &Console) -> Result<Exit, Failure> {
    let now = Utc::now();
    match command {
        Command::Run(args) => run::run(args, now, began, console),
        Command::Check(args) => check::check(args, now, began, console),
        Command::Rerun(args) => rerun::rerun(args, now, began, console),
        Command::Report(args) => report::report(args, console),
        Command::Ids(args) => ids::ids(args, now, console),
        Command::Init(args) => init::init(args, console),
        Command::Sandbox(args) => sandbox::sandbox(args, console),
        Command::Schema => describe::schema(console),
        Command::Completions { shell } => describe::completions(*shell, console),
        Command::Man => describe::man(console),
    }
}
