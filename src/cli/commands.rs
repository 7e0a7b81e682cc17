//! What each command does: arguments in, one use case of `app`, its report onto the screen.

use super::args::{CheckArgs, IdsArgs, InitArgs, PrepareArgs, ReportArgs, RunArgs};
use super::console::Console;
use super::errors::Failure;
use super::signals::Signals;
use crate::app::{self, AppError, CheckRequest, Context, Event, IdsError, InitRequest, Payloads, ReportRequest};
use crate::outcome::Exit;
use crate::render::{check_command, check_summary, no_visits, prepare_summary, window_warning};
use crate::summary::{CheckReport, RunReport};
use crate::text::{count, of_visits};
use std::io::{self, BufWriter, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The surroundings of a command without an end of its own: a signal has its usual effect.
pub(super) fn context(began: Instant, console: &Console) -> Context {
    let console = console.clone();
    Context::new(move |event: Event<'_>| console.on(&event)).since(began)
}

/// The surroundings of a run, which a signal ends softly.
pub(super) fn run_context(began: Instant, console: &Console) -> Context {
    let (console, signals) = (console.clone(), Signals::default());
    let listening = signals.clone();
    let listener = move |event: Event<'_>| {
        listening.on(&event);
        console.on(&event);
    };
    let cx = Context::new(listener).since(began);
    signals.listen(&cx);
    cx
}

/// The end of a run, whose summary is on the screen already, by the event of its end.
pub(super) fn end(ended: Result<RunReport, AppError>, json: bool, console: &Console) -> Result<Exit, Failure> {
    let report = ended?;
    // What became of the visits decides how the run ends, not who could be told.
    if let Some(failure) = json.then(|| console.data(&to_json(&report).to_string())).and_then(Result::err) {
        console.warn(&format!(
            "{} The run is not affected: {}, and {} is complete",
            failure.message,
            report.exit.in_short(),
            report.results.display()
        ));
    }
    Ok(report.exit)
}

/// The runs of several days, each with a summary of its own.
pub(super) fn catch_up(args: &RunArgs, began: Instant, console: &Console) -> Result<Exit, Failure> {
    let ended = |ended| {
        end(ended, args.json, console).unwrap_or_else(|failure| {
            console.failure(&failure);
            failure.exit
        })
    };
    Ok(app::catch_up(&run_context(began, console), &args.request(), args.catch_up.unwrap_or_default(), ended)?)
}

pub(super) fn check(args: &CheckArgs, cx: &Context, console: &Console) -> Result<Exit, Failure> {
    let on_stdout = |path: &Option<PathBuf>| path.as_ref().is_some_and(|path| path.as_os_str() == "-");
    let users =
        [("--payloads -", on_stdout(&args.payloads)), ("--orphans -", on_stdout(&args.orphans)), ("--json", args.json)];
    let users: Vec<&str> = users.into_iter().filter_map(|(name, uses)| uses.then_some(name)).collect();
    if let [one, other, ..] = users.as_slice() {
        let message = format!("{one} and {other} both write to standard output; name a file for one of them");
        return Err(Failure::new(Exit::Usage, message));
    }
    let (mut bodies_out, mut orphans_out) = (io::stdout(), io::stdout());
    let payloads = args.payloads.as_ref().map(|path| target(path, &mut bodies_out));
    let orphans = args.orphans.as_ref().map(|path| target(path, &mut orphans_out));
    let report = app::check(cx, CheckRequest { job: args.job(), payloads, orphans })?;
    let summary = to_json(&report);
    console.finish(&check_summary(&report), &summary);
    // At the end, where it is seen. The check ends with 0 all the same, for reruns send the rest.
    if let Some(warning) = report.window.as_ref().and_then(window_warning) {
        console.warn(&warning);
    }
    if console.is_quiet() && report.exit != Exit::Done {
        console.error(&check_sentence(&report));
    }
    if args.json {
        console.data(&summary.to_string())?;
    }
    Ok(report.exit)
}

pub(super) fn prepare(args: &PrepareArgs, cx: &Context, console: &Console) -> Result<Exit, Failure> {
    if args.describe {
        console.data(&to_json(&app::job_columns(cx, &args.job())?).to_string())?;
        return Ok(Exit::Done);
    }
    let report = app::prepare(cx, &args.request())?;
    let summary = to_json(&report);
    console.finish(&prepare_summary(&report), &summary);
    if console.is_quiet() && report.checked.exit != Exit::Done {
        console.error(&check_sentence(&report.checked));
    }
    if args.json {
        console.data(&summary.to_string())?;
    }
    Ok(report.checked.exit)
}

/// Standard output for `-`, else the file.
fn target<'o>(path: &Path, stdout: &'o mut io::Stdout) -> Payloads<'o> {
    if path.as_os_str() == "-" { Payloads::Writer(stdout) } else { Payloads::File(path.to_owned()) }
}

/// A check that found something, in one sentence.
fn check_sentence(report: &CheckReport) -> String {
    if report.exit == Exit::NoVisits {
        return format!("{}: {}", report.job, no_visits(report.left_out, report.filters));
    }
    let invalid = of_visits(report.invalid, report.result_rows, "is", "are");
    format!("{}: {invalid} invalid; without --quiet the problems are listed", report.job)
}

pub(super) fn ids(args: &IdsArgs, cx: &Context) -> Result<Exit, Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    match app::ids(cx, &args.job(), &mut out) {
        Ok(()) => Ok(Exit::Done),
        Err(IdsError::App(error)) => Err(error.into()),
        // The reader has seen enough, as `head` has.
        Err(IdsError::Write(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(Exit::Done),
        Err(IdsError::Write(error)) => Err(Failure::of_stdout(&error)),
    }
}

pub(super) fn report(args: &ReportArgs, cx: &Context, console: &Console) -> Result<Exit, Failure> {
    let request = ReportRequest { results: args.results.clone(), output: args.output.clone() };
    if args.output.as_ref().is_some_and(|output| output.as_os_str() == "-") {
        console.bytes(app::report_html(cx, &request)?.as_bytes())?;
        return Ok(Exit::Done);
    }
    let page = app::report(cx, &request)?;
    console.report(&format!("report: {}\n", page.display()));
    Ok(Exit::Done)
}

pub(super) fn init(args: &InitArgs, cx: &Context, console: &Console) -> Result<Exit, Failure> {
    let InitArgs { visits, scenes, output, force } = args;
    let output = output.as_ref().filter(|path| path.as_os_str() != "-");
    let request =
        InitRequest { visits: visits.clone(), scenes: scenes.clone(), output: output.cloned(), force: *force };
    let draft = app::init(cx, &request)?;
    let name = output.map_or_else(|| "the job file".to_owned(), |path| path.display().to_string());
    if output.is_none() {
        console.data(draft.text.trim_end())?;
    }
    for remark in &draft.remarks {
        let place = format!("{name}:{}", remark.line);
        match remark.is_question {
            true => console.notice(&format!("question: {place}: {}\n", remark.message)),
            false => console.warn(&format!("{place}: {}", remark.message)),
        }
    }
    if let Some(path) = output {
        let check = check_command(path);
        let open = draft.remarks.iter().filter(|remark| remark.is_question).count();
        console.report(&match open {
            0 => format!("wrote {name}. Next: {check}\n"),
            n => {
                let questions = count(n as u64, "question", "questions");
                format!("wrote {name} with {questions} to answer in it. Then: {check}\n")
            }
        });
    }
    Ok(Exit::Done)
}

fn to_json(report: &impl serde::Serialize) -> serde_json::Value {
    // Plain data with text keys always has a JSON form.
    serde_json::to_value(report).unwrap_or_default()
}
