//! Where the project's token comes from. It is read once, and goes from here to the HTTP client only.

use super::{AppError, Context};
use crate::job::{DEFAULT_TOKEN, Job, Target, TokenSource};
use crate::render::quoted;
use crate::upload::Token;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Where no variable holds the token, this one may name the file that does.
const TOKEN_FILE: &str = "TRAX_TOKEN_FILE";
/// The longest token file that is read, in bytes.
const LONGEST: u64 = 64 << 10;

/// The token, from where the job says. The sandbox takes any.
///
/// # Errors
/// Where it is missing, empty or cannot be read. No message holds it.
pub(super) fn token(cx: &Context, job: &Job) -> Result<Token, AppError> {
    let (text, place) = match (&job.target, &job.token) {
        (Target::Sandbox, _) => ("sandbox".to_owned(), String::new()),
        (Target::Server, TokenSource::Env(name)) => match named_by_environment(name) {
            Some(path) => of_file(cx, &path, TOKEN_FILE)?,
            None => {
                let place = variable(name);
                let missing = format!("{place} is not set; set it to the project's token (token_env under [api])");
                (std::env::var(name).map_err(|_| AppError::Token(missing))?, place)
            }
        },
        (Target::Server, TokenSource::File(path)) => of_file(cx, path, "token_file under [api]")?,
    };
    Token::new(&text).ok_or_else(|| AppError::Token(format!("{place} is empty; put the project's token there")))
}

fn named_by_environment(variable: &str) -> Option<PathBuf> {
    let is_unset = variable == DEFAULT_TOKEN && std::env::var_os(variable).is_none();
    std::env::var_os(TOKEN_FILE).filter(|path| is_unset && !path.is_empty()).map(PathBuf::from)
}

/// The token in a file, and what messages call the file. `setting`: what names it.
fn of_file(cx: &Context, path: &Path, setting: &str) -> Result<(String, String), AppError> {
    let place = file(path, setting);
    let text = read(path).map_err(|error| AppError::Token(format!("cannot read {place}: {error}; see {setting}")))?;
    warn_if_readable_by_others(path, cx);
    Ok((text, place))
}

/// What messages call a token file. A path that does not look like one may be the token itself.
fn file(path: &Path, setting: &str) -> String {
    let is_short = path.as_os_str().len() < 16;
    match path.exists() || is_short || path.extension().is_some() || path.components().count() > 1 {
        true => format!("the token file {}", path.display()),
        false => format!("the file that {setting} names"),
    }
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

/// A file that is not ours, or that is mounted read-only as secrets of containers are, warns nobody: who sees the warning could
/// not change it.
#[cfg(unix)]
fn warn_if_readable_by_others(path: &Path, cx: &Context) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let Ok(about) = std::fs::metadata(path) else { return };
    let is_open = about.permissions().mode() & 0o077 != 0;
    // This process's own files belong to its user; only Linux has this one.
    let is_ours = std::fs::metadata("/proc/self").map_or(true, |own| own.uid() == about.uid());
    // The permissions that it has already: whether the system would let us change them.
    if is_open && is_ours && std::fs::set_permissions(path, about.permissions()).is_ok() {
        let path = path.display().to_string();
        cx.warn(&format!("others can read the token file {path}; fix it with: chmod 600 {}", quoted(&path)));
    }
}

#[cfg(not(unix))]
fn warn_if_readable_by_others(_: &Path, _: &Context) {}
