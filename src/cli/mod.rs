//! The command line: arguments, what people see on their screen, signals, exit codes. Every step of the work is in `app`.
//!
//! Standard output carries data only. Everything for people goes to standard error.

mod args;
mod commands;
mod console;
mod describe;
mod errors;
mod progress;
mod sandbox;
mod signals;
mod stderr;
mod usage;

use crate::app;
use crate::outcome::Exit;
use args::{Cli, Command};
use clap::Parser;
use console::Console;
use std::time::Instant;

/// Carries out the command line of this process. Returns how the process is to end; everything is said by then.
pub fn main() -> Exit {
    let began = Instant::now();
    let cli = Cli::try_parse().unwrap_or_else(|error| usage::refuse(error));
    let console = &Console::new(&cli);
    let cx = commands::context(began, console);
    let ended = match &cli.command {
        Command::Run(args) if args.catch_up.is_some() => commands::catch_up(args, began, console),
        Command::Run(args) => {
            commands::end(app::run(&commands::run_context(began, console), &args.request()), args.json, console)
        }
        Command::Rerun(args) => {
            commands::end(app::rerun(&commands::run_context(began, console), &args.request()), args.json, console)
        }
        Command::Upload(args) => {
            commands::end(app::upload(&commands::run_context(began, console), &args.request()), args.json, console)
        }
        Command::Check(args) => commands::check(args, &cx, console),
        Command::Prepare(args) => commands::prepare(args, &cx, console),
        Command::Ids(args) => commands::ids(args, &cx),
        Command::Report(args) => commands::report(args, &cx, console),
        Command::Init(args) => commands::init(args, &cx, console),
        Command::Sandbox(args) => sandbox::sandbox(args, console),
        Command::Schema => describe::schema(console),
        Command::Completions { shell } => describe::completions(*shell, console),
        Command::Man => describe::man(console),
    };
    let exit = ended.unwrap_or_else(|failure| {
        console.failure(&failure);
        failure.exit
    });
    stderr::drain();
    exit
}
