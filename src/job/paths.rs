//! What a path of the job file, or an argument of a command, becomes: its placeholders are filled in, and a path starts
//! from the base folder.

use crate::storage::Address;
use crate::text::did_you_mean;
use chrono::{DateTime, NaiveDate, Utc};
use std::borrow::Cow;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// What the paths of a job file are completed with.
#[derive(Clone, Debug)]
pub(super) struct Placeholders<'a> {
    /// `{name}`
    pub(super) name: &'a str,
    /// `{date}`, and `{date:%Y/%m/%d}` in another form
    pub(super) date: Option<NaiveDate>,
    /// `{time}`
    pub(super) now: DateTime<Utc>,
    /// Where relative paths start; empty for the working directory.
    pub(super) base_dir: &'a Path,
}

impl Placeholders<'_> {
    /// The path of something that is read, with the day filled in.
    ///
    /// Other braces are a mistake, unless something on this machine is called so.
    pub(super) fn dated(&self, path: &str) -> Result<String, String> {
        let mut unknown = Vec::new();
        let Filled { text: filled, needs_day } = self.fill(path, names_a_day, |piece, filled| {
            filled.push_str(&as_it_stands(piece));
            let message = if let Piece::Braces(inner) = piece { unknown_input(inner) } else { LONE.to_owned() };
            unknown.push((message, filled.len()));
            Ok(())
        })?;
        let is_there = |end: usize| {
            let component = filled[end..].find('/').map_or(filled.len(), |more| end + more);
            !Address::is_remote(&filled) && self.base_dir.join(&filled[..component]).exists()
        };
        match unknown.into_iter().find(|(_, end)| !is_there(*end)) {
            Some((message, _)) => Err(message),
            // The path is not repeated: the user may have put a secret there.
            None if needs_day => Err(needs_a_day("path")),
            None => Ok(filled),
        }
    }

    /// The path of a file on this machine that is read, with the day filled in, from the base folder.
    pub(super) fn input(&self, path: &str) -> Result<PathBuf, String> {
        Ok(self.base_dir.join(self.dated(path)?))
    }

    /// The path of a file that is written, with the day, `{name}` and `{time}` filled in, from the base folder.
    pub(super) fn output(&self, path: &str) -> Result<PathBuf, String> {
        let filled = self.fill(path, names_a_day, |piece, filled| {
            match piece {
                Piece::Braces("name") => filled.push_str(self.name),
                Piece::Braces("time") => filled.push_str(&self.now.format("%Y%m%dT%H%M%SZ").to_string()),
                Piece::Braces(inner) => {
                    let hint = did_you_mean(inner, ["name", "date", "time"]);
                    return Err(format!("{{{inner}}} is not a placeholder{hint}; use {{name}}, {{date}} or {{time}}"));
                }
                _ => return Err(LONE.to_owned()),
            }
            Ok(())
        })?;
        if filled.needs_day { Err(needs_a_day("path")) } else { Ok(self.base_dir.join(filled.text)) }
    }

    /// A glob, from the base folder, of the paths that `output` makes of a path on any day at any time. `is_plain`: the path is
    /// not a glob itself, so that its `*` is one.
    pub(super) fn any_day(&self, path: &str, is_plain: bool) -> Result<String, String> {
        let text = |text: &str| if is_plain { glob::Pattern::escape(text) } else { text.to_owned() };
        let mut pattern = String::new();
        if !self.base_dir.as_os_str().is_empty() {
            pattern = glob::Pattern::escape(&self.base_dir.to_string_lossy());
            pattern.push('/');
        }
        if Path::new(path).is_absolute() {
            pattern.clear();
        }
        for piece in pieces(path) {
            match piece {
                Piece::Text(plain) => pattern.push_str(&text(plain)),
                Piece::Braces("name") => pattern.push_str(&glob::Pattern::escape(self.name)),
                Piece::Braces("time") => pattern.push('*'),
                Piece::Braces(inner) if names_a_day(inner) => {
                    self.day(inner)?;
                    // A form with slashes is as many folders.
                    let folders = day_form(inner).unwrap_or(PLAIN_DAY).split('/').map(|_| "*");
                    pattern.push_str(&folders.collect::<Vec<_>>().join("/"));
                }
                Piece::Braces(inner) => {
                    let hint = did_you_mean(inner, ["name", "date", "time"]);
                    return Err(format!("{{{inner}}} is not a placeholder{hint}; use {{name}}, {{date}} or {{time}}"));
                }
                Piece::Lone => return Err(LONE.to_owned()),
            }
        }
        Ok(pattern)
    }

    /// An argument of a command, with the day and `{name}` filled in. All other braces are the command's own.
    pub(super) fn in_command(&self, argument: &str) -> Result<String, String> {
        let filled = self.fill(argument, is_of_commands, |piece, filled| {
            filled.push_str(&if piece == Piece::Braces("name") {
                Cow::Borrowed(self.name)
            } else {
                as_it_stands(piece)
            });
            Ok(())
        })?;
        if filled.needs_day { Err(needs_a_day("command")) } else { Ok(filled.text) }
    }

    /// Fills in the day wherever `is_day` says that what stands in braces names it. `otherwise` writes what all other braces
    /// become.
    fn fill(
        &self,
        text: &str,
        is_day: fn(&str) -> bool,
        mut otherwise: impl FnMut(Piece<'_>, &mut String) -> Result<(), String>,
    ) -> Result<Filled, String> {
        let mut filled = Filled { text: String::new(), needs_day: false };
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => filled.text.push_str(text),
                Piece::Braces(inner) if is_day(inner) => {
                    filled.needs_day |= self.date.is_none();
                    filled.text.push_str(&self.day(inner)?);
                }
                piece => otherwise(piece, &mut filled.text)?,
            }
        }
        Ok(filled)
    }

    /// The day as a placeholder names it. A form that is wrong is found without a day, too.
    fn day(&self, placeholder: &str) -> Result<String, String> {
        let day = self.date.unwrap_or_default();
        let form = day_form(placeholder).unwrap_or(PLAIN_DAY);
        written(day, form).filter(|_| form.contains('%')).ok_or_else(|| {
            format!(
                "{{{placeholder}}} is not a day: after the colon comes a strftime format, such as {{date:%Y/%m/%d}}"
            )
        })
    }
}

/// A text whose placeholders are filled in.
struct Filled {
    text: String,
    /// Whether the day is missing.
    needs_day: bool,
}

/// The placeholder of the day in a form of strftime.
pub(crate) fn day_placeholder(form: &str) -> String {
    if form == PLAIN_DAY { "{date}".to_owned() } else { format!("{{date:{form}}}") }
}

/// Whether a path or an argument of a command names a single day: `{date}`, or a form that is another one on the next day.
pub(super) fn names_the_day(text: &str) -> bool {
    let forms = pieces(text).filter_map(|piece| match piece {
        Piece::Braces(inner) => day_form(inner),
        Piece::Text(_) | Piece::Lone => None,
    });
    // Through the ends of weeks and of a month, with which other forms change.
    forms.into_iter().any(|form| {
        let mut days = NaiveDate::default().iter_days().take(40).map(|day| written(day, form)).peekable();
        std::iter::from_fn(|| days.next().map(|day| (day, days.peek().cloned())))
            .all(|(day, next)| day.is_some() && next != Some(day))
    })
}

/// Whether a path names the time of the run, so that every run has another one.
pub(super) fn names_the_time(text: &str) -> bool {
    pieces(text).any(|piece| piece == Piece::Braces("time"))
}

const PLAIN_DAY: &str = "%Y-%m-%d";
const LONE: &str =
    "an unclosed { is not a placeholder; write the day as {date}, or in another form, such as {date:%Y/%m/%d}";

fn needs_a_day(what: &str) -> String {
    format!("this {what} needs a day: add --date YYYY-MM-DD, --date yesterday or --date today")
}

fn unknown_input(inner: &str) -> String {
    if inner.contains(',') {
        return "braces do not stand for alternatives here; write a list of paths, such as path = [\"a.csv\", \"b.csv\"]"
            .to_owned();
    }
    // More than a word may be a secret.
    let shown = if inner.len() <= 16 { format!("{{{inner}}}") } else { "what stands in braces".to_owned() };
    let hint = did_you_mean(inner, ["date"]);
    format!(
        "{shown} is not a placeholder{hint}; use {{date}}, or the day in another form, such as {{date:%Y/%m/%d}}; where braces are part of the name, there is no such file"
    )
}

/// A day in a form of strftime; `None` where the form is wrong, or needs more than a day.
fn written(day: NaiveDate, form: &str) -> Option<String> {
    let mut text = String::new();
    write!(text, "{}", day.format(form)).ok().map(|()| text)
}

/// The form in which a placeholder names the day; `None` where it does not name one.
fn day_form(inner: &str) -> Option<&str> {
    match inner {
        "date" => Some(PLAIN_DAY),
        _ => inner.strip_prefix("date:"),
    }
}

fn names_a_day(inner: &str) -> bool {
    day_form(inner).is_some()
}

/// A command's own braces may well begin with `date:`, as in a query of a document store.
fn is_of_commands(inner: &str) -> bool {
    day_form(inner).is_some_and(|form| form.contains('%'))
}

/// A piece of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'t> {
    Text(&'t str),
    /// What stands in braces.
    Braces(&'t str),
    /// A brace that is not closed before another one opens.
    Lone,
}

fn as_it_stands(piece: Piece<'_>) -> Cow<'_, str> {
    match piece {
        Piece::Text(text) => Cow::Borrowed(text),
        Piece::Braces(inner) => Cow::Owned(format!("{{{inner}}}")),
        Piece::Lone => Cow::Borrowed("{"),
    }
}

/// The pieces of a path. In a glob `[{]` is a brace of the name.
fn pieces(path: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = path;
    std::iter::from_fn(move || {
        if let Some(after) = rest.strip_prefix('{') {
            let end = after.find(['{', '}']);
            return Some(match end.filter(|end| after[*end..].starts_with('}')) {
                Some(end) => {
                    rest = &after[end + 1..];
                    Piece::Braces(&after[..end])
                }
                None => {
                    rest = after;
                    Piece::Lone
                }
            });
        }
        let is_opened = |(at, _): &(usize, &str)| !(rest[..*at].ends_with('[') && rest[*at..].starts_with("{]"));
        let end = rest.match_indices('{').find(is_opened).map_or(rest.len(), |(at, _)| at);
        let (text, left) = rest.split_at(end);
        rest = left;
        (!text.is_empty()).then_some(Piece::Text(text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(date: Option<NaiveDate>, base_dir: &Path) -> Placeholders<'_> {
        let now = DateTime::from_timestamp(1_709_626_353, 0).expect("in range");
        Placeholders { name: "n", date, now, base_dir }
    }

    fn dated() -> Placeholders<'static> {
        on(NaiveDate::from_ymd_opt(2024, 3, 4), Path::new("base"))
    }

    #[test]
    fn placeholders_are_filled_in_and_a_missing_day_is_reported() {
        assert!(on(None, Path::new("")).output("r/{name}-{date}.csv").is_err_and(|why| why.contains("--date")));
        let filled = dated().output("r/{name}-{date}-{time}.csv");
        assert_eq!(filled, Ok("base/r/n-2024-03-04-20240305T081233Z.csv".into()));
        assert_eq!(dated().input("{date}.csv"), Ok("base/2024-03-04.csv".into()));
        assert_eq!(dated().output("/r/{name}.csv"), Ok("/r/n.csv".into()));
    }

    #[test]
    fn earlier_result_files_are_those_of_any_day_and_time() {
        for (path, is_plain, pattern) in [
            ("r/{name}-{date}-{time}.csv", true, "base/r/n-*-*.csv"),
            ("r/{date:%Y/%m/%d}/[x].csv", true, "base/r/*/*/*/[[]x[]].csv"),
            ("/r/{name}.csv", true, "/r/n.csv"),
            ("r/*.csv", false, "base/r/*.csv"),
        ] {
            assert_eq!(dated().any_day(path, is_plain).as_deref(), Ok(pattern), "{path}");
        }
        assert!(dated().any_day("{dat}.csv", false).is_err());
    }

    #[test]
    fn the_day_has_other_forms() {
        for (path, filled) in [
            ("e/{date:%Y/%m/%d}/v.csv", "e/2024/03/04/v.csv"),
            ("s3://b/{date:%Y%m%d}/{date:%d.%m.%y}-{date}", "s3://b/20240304/04.03.24-2024-03-04"),
            ("{date:%j}[{]date}", "064[{]date}"),
            ("no }braces]", "no }braces]"),
        ] {
            assert_eq!(dated().dated(path).as_deref(), Ok(filled), "{path}");
        }
        assert_eq!(dated().output("{date:%Y}/{name}.csv"), Ok("base/2024/n.csv".into()));
        for form in ["YYYY-MM-DD", "", "%Q", "%H", "%Y-%m-%d %H:%M", "%", "%Z"] {
            let path = format!("e/{{date:{form}}}.csv");
            // A wrong form is the mistake, whether or not there is a day.
            for places in [dated(), on(None, Path::new(""))] {
                assert!(places.dated(&path).is_err_and(|why| why.contains("is not a day")), "{path}");
                assert!(places.output(&path).is_err_and(|why| why.contains("is not a day")), "{path}");
            }
        }
        assert!(on(None, Path::new("")).dated("{date:%Y}").is_err_and(|why| why.contains("--date")));
    }

    #[test]
    fn other_braces_are_mistakes_unless_something_is_called_so() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("{a}-2024-03-04")).expect("made");
        let here = Placeholders { base_dir: folder.path(), ..dated() };
        assert_eq!(here.dated("{a}-{date}/*.csv").as_deref(), Ok("{a}-2024-03-04/*.csv"));
        for (path, says) in [
            ("e/{dat}.csv", "did you mean \"date\"?"),
            ("e/{Date}/v.csv", "did you mean \"date\"?"),
            ("e/{yyyy-MM-dd}.csv", "{date:%Y/%m/%d}"),
            ("e/{name}.csv", "{name} is not a placeholder"),
            ("e/{a,b}.csv", "a list of paths"),
            ("e/{{date}}.csv", "an unclosed {"),
            ("e/{date.csv", "an unclosed {"),
            ("s3://b/{dat}", "{dat} is not a placeholder"),
            ("e/{a secret that is long}", "what stands in braces is not"),
        ] {
            assert!(here.dated(path).is_err_and(|why| why.contains(says)), "{path}");
        }
        assert!(here.output("{a}-{date}/r.csv").is_err(), "a path that is written has no braces of its own");
        assert!(here.output("{nam}.csv").is_err_and(|why| why.contains("did you mean \"name\"?")));
    }

    #[test]
    fn braces_of_a_command_are_its_own() {
        let dated = dated();
        for (argument, filled) in [
            ("SELECT {'day': '{date}', 'n': {}}", "SELECT {'day': '2024-03-04', 'n': {}}"),
            ("{print $1} {name} {time} {dat}", "{print $1} n {time} {dat}"),
            ("{ name } {date }", "{ name } {date }"),
            ("{date: {$gt: 1}} {date:ISODate(1)}", "{date: {$gt: 1}} {date:ISODate(1)}"),
            ("exports/{date:%Y/%m}/v.csv", "exports/2024/03/v.csv"),
            ("{", "{"),
        ] {
            assert_eq!(dated.in_command(argument).as_deref(), Ok(filled), "{argument}");
        }
        assert!(dated.in_command("{date:%Q}").is_err());
        assert!(on(None, Path::new("")).in_command("-d {date}").is_err_and(|why| why.contains("this command needs")));
    }

    #[test]
    fn a_form_names_the_day_or_a_longer_time() {
        for path in
            ["a/{date}.csv", "{date:%Y}/{date:%m}/{date:%d}", "{date:%Y%j}", "{date:%F}", "{date:%a}", "{date:%e}"]
        {
            assert!(names_the_day(path), "{path}");
        }
        for path in ["a/*.csv", "{date:%Y-%m}", "{date:%G-W%V}", "{date:%Y}", "{dat}", "2024-03-05", "{date:%H}"] {
            assert!(!names_the_day(path), "{path}");
        }
    }
}
