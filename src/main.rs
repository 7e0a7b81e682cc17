//! The `traxload` command.

use std::process::ExitCode;
use traxload::outcome::Exit;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // A panic is a bug. Its message is printed by then, and it has an exit code like every other end.
    let exit = std::panic::catch_unwind(traxload::cli::main).unwrap_or(Exit::Unexpected);
    ExitCode::from(exit.code())
}
