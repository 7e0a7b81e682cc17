//! `traxload schema`, `completions` and `man`: what editors, shells and readers want to know of this program. All of it
//! is made from what the program itself goes by, so that none of it can lag behind.

use super::args::Cli;
use super::console::Console;
use super::errors::Failure;
use crate::job;
use crate::outcome::Exit;
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use std::io;

const NAME: &str = "traxload";

/// What the environment has to do with it. `token_env` and `url_env` may name others.
const ENVIRONMENT: [(&str, &str); 5] = [
    ("TRAX_TOKEN", "The project's token, unless the job file names another variable or a file under [api]."),
    ("TRAX_TOKEN_FILE", "Where TRAX_TOKEN is not set: the file that holds the token."),
    (
        "HTTPS_PROXY, ALL_PROXY, NO_PROXY",
        "The proxy on the way to the API, and what is reached without it; in lower case as well.",
    ),
    ("TMPDIR", "Where temporary files go when the exports are larger than the memory for grouping."),
    ("NO_COLOR", "Messages on a terminal have no colours when this is set."),
];

pub(super) fn schema(console: &Console) -> Result<Exit, Failure> {
    console.data(&format!("{:#}", job::schema()))?;
    Ok(Exit::Done)
}

pub(super) fn completions(shell: Shell, console: &Console) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
    console.bytes(&script)?;
    Ok(Exit::Done)
}

pub(super) fn man(console: &Console) -> Result<Exit, Failure> {
    let page = page().map_err(|error| Failure::new(Exit::Unexpected, format!("cannot make the page: {error}")))?;
    console.bytes(&page)?;
    Ok(Exit::Done)
}

/// One page for all commands: who looks something up knows the program's name, not the command's.
fn page() -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let command = Cli::command();
    // Not yet built: the options of all commands are told once.
    let subcommands: Vec<Command> = command.get_subcommands().cloned().collect();
    let man = Man::new(command.disable_help_subcommand(true));
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    let mut heading = Roff::new();
    heading.control("SH", ["COMMANDS"]);
    heading.to_writer(&mut page)?;
    for subcommand in subcommands {
        let name = format!("{NAME} {}", subcommand.get_name());
        let mut heading = Roff::new();
        heading.control("SS", [name.as_str()]);
        heading.to_writer(&mut page)?;
        let man = Man::new(subcommand.bin_name(name).disable_help_flag(true));
        let mut section = Vec::new();
        man.render_description_section(&mut section)?;
        man.render_synopsis_section(&mut section)?;
        man.render_options_section(&mut section)?;
        page.extend(without_headings(&String::from_utf8_lossy(&section)).into_bytes());
    }
    let exits = Exit::ALL.map(|exit| (exit.code().to_string(), exit.meaning()));
    terms("EXIT STATUS", exits.iter().map(|(code, meaning)| (code.as_str(), *meaning))).to_writer(&mut page)?;
    terms("ENVIRONMENT", ENVIRONMENT).to_writer(&mut page)?;
    Ok(page)
}

/// The sections of a command within the page are paragraphs.
fn without_headings(section: &str) -> String {
    let lines = section.lines().map(|line| if line.starts_with(".SH") { ".PP" } else { line });
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn terms<'a>(heading: &str, terms: impl IntoIterator<Item = (&'a str, &'a str)>) -> Roff {
    let mut section = Roff::new();
    section.control("SH", [heading]);
    for (term, meaning) in terms {
        section.control("TP", []).text([bold(term)]).text([roman(meaning)]);
    }
    section
}
