//! Where the project's token comes from. It is read once, and goes from here to the HTTP client only.

use super::{AppError, Context};
use crate::job::{Job, Target, TokenSource};
use crate::render::quoted;
use crate::upload::Token;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The longest token file that is read, in bytes.
const LONGEST: u64 = 64 << 10;

/// The token, from where the job says. The sandbox takes any.
///
/// # Errors
/// Where it is missing, empty or cannot be read. No message holds it.
pub(super) fn token(cx: &Context, job: &Job) -> Result<Token, AppError> {
    let (text, place) = match (&job.target, &job.token) {
        (Target::Sandbox, _) => ("sandbox".to_owned(), String::new()),
        (Target::Server, TokenSource::Env(name)) => {
            let place = variable(name);
            let missing = format!("{place} is not set; set it to the project's token (token_env under [api])");
            (std::env::var(name).map_err(|_| AppError::Token(missing))?, place)
        }
        (Target::Server, TokenSource::File(path)) => {
            let text = read(path).map_err(|error| {
                let path = path.display();
                AppError::Token(format!("cannot read the token file {path}: {error}; see token_file under [api]"))
            })?;
            warn_if_readable_by_others(path, cx);
            (text, format!("the token file {}", path.display()))
        }
    };
    Token::new(&text).ok_or_else(|| AppError::Token(format!("{place} is empty; put the project's token there")))
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

/// What messages call an environment variable. A name that does not look like one may be the token itself.
fn variable(name: &str) -> String {
    let usual = name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    match usual && name.starts_with(|c: char| c.is_ascii_uppercase()) {
        true => format!("the environment variable {name}"),
        false => "the environment variable that token_env names".to_owned(),
    }
}

#[cfg(unix)]
fn warn_if_readable_by_others(path: &Path, cx: &Context) {
    use std::os::unix::fs::PermissionsExt;
    if std::fs::metadata(path).is_ok_and(|about| about.permissions().mode() & 0o077 != 0) {
        let path = path.display().to_string();
        cx.warn(&format!("others can read the token file {path}; fix it with: chmod 600 {}", quoted(&path)));
    }
}

#[cfg(not(unix))]
fn warn_if_readable_by_others(_: &Path, _: &Context) {}
