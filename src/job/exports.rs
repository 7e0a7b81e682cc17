//! `[visits]` and `[scenes]`: which files are read, and how they are written.

use super::diagnostics::Diagnostics;
use super::keys::ExportKeys;
use super::paths::{Placeholders, names_the_day};
use super::quantities;
use super::values::{Scalar, Spanned};
use super::vocabulary::{FORMATS, OPEN, meaning};
use crate::scan::{Dialect, Format, Frame, Only, Pick, Source, named_format};
use std::time::Duration;

/// How long a file must not have changed, where the job does not say.
const SETTLE: Duration = Duration::from_secs(5);
/// Fields without which a row means nothing.
const MANDATORY: [&str; 4] = ["visit_id", "store_number", "session_start_time", "scene_id"];

/// What is read of an export. `section` is `visits` or `scenes`. `file`: a file with the same columns in place of those that
/// the section names; its name says how it is written.
pub(super) fn source<C>(
    section: &'static str,
    keys: &ExportKeys<C>,
    picks: Vec<Pick>,
    file: Option<&String>,
    placeholders: &Placeholders<'_>,
    diagnostics: &mut Diagnostics<'_>,
) -> Source {
    let named = |diagnostics: &mut Diagnostics<'_>| {
        (command(keys, placeholders, diagnostics), paths(keys, placeholders, diagnostics))
    };
    let (command, paths) = file.map_or_else(|| named(diagnostics), |file| (None, vec![file.clone()]));
    let (dialect, frame) = match file {
        Some(_) => (Dialect::default(), Frame::default()),
        None => (dialect(keys, diagnostics), frame(keys, diagnostics)),
    };
    if let (Some(_), Some(command)) = (&keys.path, &keys.command) {
        let message = "`path` and `command` exclude each other: an export is read or printed; keep one of them";
        diagnostics.add(command.span(), message);
    }
    let mandatory = picks.iter().filter(|pick| MANDATORY.contains(&pick.name.as_str()));
    let only = keys.only.iter().flat_map(|only| only.get_ref());
    let text = |Scalar(value): &Scalar| value.clone();
    Source {
        section,
        paths,
        command,
        settle: diagnostics.parsed(&keys.settle, quantities::duration).unwrap_or(SETTLE),
        mandatory: mandatory.flat_map(|pick| pick.columns.iter().cloned()).collect(),
        base_dir: placeholders.base_dir.to_owned(),
        format: meaning(&FORMATS, keys.format.as_ref().map(Spanned::get_ref)).filter(|_| file.is_none()),
        dialect,
        frame,
        nulls: keys.null_values.clone().unwrap_or_default(),
        trim: keys.trim.unwrap_or(true),
        only: only
            .map(|(column, values)| Only {
                column: column.clone(),
                values: values.as_slice().iter().map(text).collect(),
            })
            .collect(),
        picks,
    }
}

fn paths<C>(keys: &ExportKeys<C>, placeholders: &Placeholders<'_>, diagnostics: &mut Diagnostics<'_>) -> Vec<String> {
    let Some(path) = &keys.path else { return Vec::new() };
    let given = path.get_ref().as_slice();
    if given.iter().all(|path| path.trim().is_empty()) {
        diagnostics.add(path.span(), "no path is given; name a file, a folder or a glob");
    }
    given.iter().filter_map(|given| diagnostics.take(path.span(), placeholders.dated(given))).collect()
}

/// The program and its arguments, with their placeholders filled in.
fn command<C>(
    keys: &ExportKeys<C>,
    placeholders: &Placeholders<'_>,
    diagnostics: &mut Diagnostics<'_>,
) -> Option<Vec<String>> {
    let command = keys.command.as_ref()?;
    if command.get_ref().first().is_none_or(|program| program.trim().is_empty()) {
        diagnostics.add(command.span(), "no program is given; name it and its arguments, each as a text of its own");
    }
    if let Some(format) =
        keys.format.as_ref().filter(|format| meaning(&FORMATS, Some(format.get_ref())) != Some(Format::Csv))
    {
        diagnostics.add(format.span(), "what a command prints is read as CSV; have it print CSV, and remove `format`");
    }
    let filled = command.get_ref().iter().map(|part| diagnostics.take(command.span(), placeholders.in_command(part)));
    Some(filled.map(Option::unwrap_or_default).collect())
}

/// The paths or the command of a section, with their placeholders.
pub(super) fn as_written<C>(keys: &ExportKeys<C>) -> Vec<String> {
    let paths = keys.path.iter().flat_map(|path| path.get_ref().as_slice());
    let command = keys.command.iter().flat_map(Spanned::get_ref);
    paths.chain(command).cloned().collect()
}

/// Whether the day stands in what is read of a section.
pub(super) fn is_of_a_day<C>(keys: &ExportKeys<C>) -> bool {
    as_written(keys).iter().any(|text| names_the_day(text))
}

fn dialect<C>(keys: &ExportKeys<C>, diagnostics: &mut Diagnostics<'_>) -> Dialect {
    let quote = match &keys.quote {
        Some(quote) if quote.get_ref().is_empty() => None,
        quote => diagnostics.parsed(quote, one_byte).or(Some(b'"')),
    };
    let escape = match &keys.escape {
        Some(escape) if escape.get_ref().is_empty() => None,
        escape => diagnostics.parsed(escape, one_byte),
    };
    // A quote that escapes itself is what doubled quotes are anyway.
    let escape = escape.filter(|escape| Some(*escape) != quote);
    let delimiter = diagnostics.parsed(&keys.delimiter, one_byte);
    let encoding = diagnostics.parsed(&keys.encoding, |label| {
        if label == OPEN {
            return Err("how the file is encoded is an open question: put its encoding in place of the \"?\", such as \"windows-1252\"; the comments above it show how a value reads in each that may be meant".to_owned());
        }
        encoding_rs::Encoding::for_label(label.as_bytes())
            .ok_or_else(|| format!("{label:?} is not a known encoding; try \"utf-8\", \"windows-1252\" or \"utf-16\""))
    });
    if let Some(span) = keys.delimiter.as_ref().map(Spanned::span)
        && delimiter.is_some()
        && (delimiter == quote || delimiter == escape)
    {
        diagnostics.add(span, "the delimiter cannot be the quote or the escape as well; choose another character");
    }
    Dialect { delimiter, quote, escape, encoding: encoding.unwrap_or(encoding_rs::UTF_8) }
}

/// Which lines of the files are no rows.
fn frame<C>(keys: &ExportKeys<C>, diagnostics: &mut Diagnostics<'_>) -> Frame {
    let spans = [
        ("header", keys.header.as_ref().map(Spanned::span)),
        ("skip", keys.skip.as_ref().map(Spanned::span)),
        ("ignore_lines", keys.ignore_lines.as_ref().map(Spanned::span)),
    ];
    let format = meaning(&FORMATS, keys.format.as_ref().map(Spanned::get_ref));
    let is_named_parquet = |path: &String| named_format(path).0 == Some(Format::Parquet);
    let paths = keys.path.as_ref().map_or(&[][..], |paths| paths.get_ref().as_slice());
    let are_named_parquet = !paths.is_empty() && paths.iter().all(is_named_parquet);
    if format == Some(Format::Parquet) || format.is_none() && are_named_parquet {
        for (key, span) in spans.into_iter().filter_map(|(key, span)| Some((key, span?))) {
            diagnostics.add(span, format!("Parquet has no lines, so `{key}` means nothing there; take it out"));
        }
    }
    if let Some(header) = &keys.header {
        check_header(header, diagnostics);
    }
    if let Some(lines) = &keys.ignore_lines {
        let takes_all = |pattern: &String| pattern.trim().chars().all(|letter| letter == '*');
        if lines.get_ref().iter().any(takes_all) {
            diagnostics.add(
                lines.span(),
                "an empty pattern, or one of * alone, is like any line; write what these lines have in common, such as \"---*\"",
            );
        }
    }
    Frame {
        header: keys.header.as_ref().map(|header| header.get_ref().iter().map(|name| name.trim().to_owned()).collect()),
        skip: keys.skip.as_ref().map_or(0, |skip| *skip.get_ref()),
        ignore_lines: keys.ignore_lines.as_ref().map(|lines| lines.get_ref().clone()).unwrap_or_default(),
    }
}

/// A list of columns has names, and each of them once. Columns that are not needed may stay unnamed.
fn check_header(header: &Spanned<Vec<String>>, diagnostics: &mut Diagnostics<'_>) {
    let names: Vec<&str> = header.get_ref().iter().map(|name| name.trim()).collect();
    if names.iter().all(|name| name.is_empty()) {
        diagnostics.add(
            header.span(),
            "no column is named; name the columns of the files in their order, or leave `header` out",
        );
    }
    let is_twice = |(at, name): &(usize, &&str)| !name.is_empty() && names[..*at].contains(*name);
    if let Some((_, name)) = names.iter().enumerate().find(is_twice) {
        diagnostics.add(header.span(), format!("the column {name:?} is named twice; give each a name of its own"));
    }
}

fn one_byte(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [byte] if !matches!(byte, b'\r' | b'\n') => Ok(*byte),
        b"\\t" => Ok(b'\t'),
        _ => Err(format!("{text:?} must be a single ASCII character, such as \";\" or \"\\t\"")),
    }
}
