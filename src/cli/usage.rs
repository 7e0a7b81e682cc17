//! A command line that cannot be read: what is wrong with it, and what was meant perhaps.

use super::console;
use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsString;
use std::io::Write;

/// Options of a first run that a rerun has not, as the run before has decided them.
const DECIDED: [&str; 6] = ["--date", "--from", "--to", "--limit", "--results", "--fresh"];

/// Where a rerun is given what belongs to a first run, nothing that is spelled alike helps.
fn with_hint(mut error: clap::Error) -> clap::Error {
    let commands = super::args::Cli::command();
    let is_command = |arg: &OsString| commands.get_subcommands().any(|command| arg == command.get_name());
    let is_rerun = std::env::args_os().skip(1).find(is_command).is_some_and(|command| command == "rerun");
    let argument = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument)) => argument.split('=').next().unwrap_or_default().to_owned(),
        _ => return error,
    };
    if is_rerun && error.kind() == ErrorKind::UnknownArgument && DECIDED.contains(&argument.as_str()) {
        let hint = format!(
            "a rerun uses the days, visits and result file of the run before, as its manifest has them; for {argument} \
             start over with traxload run JOB"
        );
        error.remove(ContextKind::SuggestedArg);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![hint.into()]));
    }
    error
}

/// Ends with what is wrong with the command line, or with the help that was asked for.
pub(super) fn refuse(error: clap::Error) -> ! {
    let error = with_hint(error);
    let mut args = std::env::args_os().skip_while(|arg| arg != "--log-format" && arg != "--log-format=json");
    let json =
        args.next().is_some_and(|arg| arg == "--log-format=json") || args.next().is_some_and(|arg| arg == "json");
    if json && error.use_stderr() {
        let message = error.render().to_string();
        let message = message.trim_start_matches("error: ").trim_end();
        // A closed standard error changes nothing.
        let _ = std::io::stderr().write_all(console::event("ERROR", message, &serde_json::Value::Null).as_bytes());
        std::process::exit(error.exit_code());
    }
    error.exit()
}
