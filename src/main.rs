//! The `traxload` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    traxload::cli::main()
}
