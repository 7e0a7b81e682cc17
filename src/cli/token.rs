//! Where the project's token comes from. It is read once, and goes from here to the HTTP client only.

use super::exit::{Exit, Failure};
use super::next::quoted;
use super::screen::Console;
use crate::job::{Job, Target, TokenSource};
use crate::upload::Token;
use std::io::Read;
use std::path::Path;

/// The token, from where the job says; the sandbox takes any.
pub(super) fn token(job: &Job, console: &Console) -> Result<Token, Failure> {
    let missing = |message: String| Failure::new(Exit::Usage, message);
    let (text, place) = match (&job.target, &job.token) {
        (Target::Sandbox, _) => ("sandbox".to_owned(), String::new()),
        (Target::Server, TokenSource::Env(name)) => {
            let text = std::env::var(name);
            let name = variable(name);
            let text = text.map_err(|_| {
                missing(format!("{name} is not set; it has to hold the project's token (token_env under [api])"))
            })?;
            (text, name)
        }
        (Target::Server, TokenSource::File(path)) => {
            let text = read_token(path).map_err(|error| {
                missing(format!("cannot read the token file {}: {error}; see token_file under [api]", path.display()))
            })?;
            warn_if_readable_by_others(path, console);
            (text, format!("the token file {}", path.display()))
        }
    };
    Token::new(&text).ok_or_else(|| missing(format!("{place} is empty; it has to hold the project's token")))
}

/// A token is short; what goes on for longer is something else.
fn read_token(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(64 << 10).read_to_string(&mut text)?;
    Ok(text)
}

/// How messages call an environment variable. What does not look like the name of one may be the token itself.
fn variable(name: &str) -> String {
    let usual = name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    match usual && name.starts_with(|c: char| c.is_ascii_uppercase()) {
        true => format!("the environment variable {name}"),
        false => "the environment variable that token_env names".to_owned(),
    }
}

#[cfg(unix)]
fn warn_if_readable_by_others(path: &Path, console: &Console) {
    use std::os::unix::fs::PermissionsExt;
    if std::fs::metadata(path).is_ok_and(|about| about.permissions().mode() & 0o077 != 0) {
        let path = path.display().to_string();
        console
            .warn(&format!("the token file {path} can be read by others; mend it with: chmod 600 {}", quoted(&path)));
    }
}

#[cfg(not(unix))]
fn warn_if_readable_by_others(_: &Path, _: &Console) {}
