//! Writes the job file: every guess with what speaks for it, every question where its answer belongs.

use super::day_month::SharedQuestion;
use super::dialect::GuessedDialect;
use super::entry::FieldEntry;
use super::first_line::{FirstLine, first_line};
use super::page::{Draft, JobPage};
use super::plan::{DraftPlan, SectionPlan};
use super::sample::ExportSample;
use super::toml_text::{listed, quoted, quoted_list};
use super::visit_times::ZoneLine;
use crate::job::OPEN;
use chrono::NaiveDate;
use encoding_rs::{UTF_8, WINDOWS_1252};

/// Writes the job file.
pub(super) fn write(plan: &DraftPlan, visits: &ExportSample, scenes: &ExportSample) -> Draft {
    let mut page = JobPage::default();
    head(&mut page, plan);

    page.line("[visits]");
    source(&mut page, visits, &plan.visits);
    page.line("");
    page.line("[visits.columns]                      # field of the API = column of the export");
    page.entries(&plan.visits.fields);
    let is_flat = scenes.has_the_files_of(visits);
    let mut used = columns_of(&plan.visits.fields);
    if is_flat {
        used.extend(columns_of(&plan.scenes.fields));
    }
    leftovers(&mut page, visits, &used);

    page.line("");
    page.line("[scenes]");
    source(&mut page, scenes, &plan.scenes);
    page.line("");
    page.line("[scenes.columns]");
    page.entries(&plan.scenes.fields);
    if !is_flat {
        leftovers(&mut page, scenes, &columns_of(&plan.scenes.fields));
    }

    page.line("");
    page.line("[time]");
    if let Some(question) = &plan.date_format {
        date_format(&mut page, question);
    }
    zone(&mut page, plan.zone);
    if plan.is_at_midnight {
        page.line("");
        page.line("[check]");
        page.line("# accept = [\"midnight\"]               # every visit starts at midnight, and that is as it should be");
    }
    rest(&mut page);
    page.into_draft()
}

fn head(page: &mut JobPage, plan: &DraftPlan) {
    page.comment("A job for traxload, drafted by `traxload init` from a look at the exports. What speaks for a guess stands beside it: read every line once.");
    let is_zone_asked = matches!(plan.zone, ZoneLine::AskedForTimes | ZoneLine::AskedForDates);
    let of_fields = plan.visits.fields.iter().chain(&plan.scenes.fields).filter(|entry| entry.question.is_some()).count();
    match of_fields + usize::from(is_zone_asked) + usize::from(plan.date_format.is_some()) {
        0 => page.comment("No question is open. Next: traxload check, then traxload run, each with the name of this file."),
        1 => page.comment("One question is open, marked QUESTION. Until you answer it, traxload check and run refuse this file and name the line."),
        n => page.comment(&format!(
            "{n} questions are open, each marked QUESTION. Until you answer them, traxload check and run refuse this file and name the lines."
        )),
    }
    page.line("");
}

/// How the files of a section are written.
fn source(page: &mut JobPage, sample: &ExportSample, section: &SectionPlan) {
    let files = if sample.files > 1 { format!("{} files", sample.files) } else { String::new() };
    page.pair("path", &quoted(&sample.path), &files);
    for stray in sample.strays() {
        page.warn(format!(
            "{} has none of the columns of the other files. If it is not an export, move it away, or name the others by a pattern such as \"exports/*.csv\"",
            quoted(&stray)
        ));
    }
    if let Some(message) = odd_first_line(sample) {
        page.warn(message);
    }
    if let Some((day, dated)) = dated(&sample.path) {
        page.comment(&format!(
            "For other days, write {{date}} in place of {day}: path = {}, and name the day: traxload run … --date yesterday",
            quoted(&dated)
        ));
    } else if let Some(day) = compact_day(&sample.path) {
        page.comment(&format!(
            "{{date}} in a path becomes a day such as 2024-03-05, which is not how {day} is written. For other days, rename the files, or change the path"
        ));
    }
    if let Some(format) = sample.format {
        page.pair("format", &quoted(format), "whatever its name says");
    }
    if let Some(guess) = &sample.dialect {
        dialect(page, guess, sample.usual_delimiter);
    }
    if !section.nulls.is_empty() {
        let list: Vec<&str> = std::iter::once("").chain(section.nulls.iter().map(String::as_str)).collect();
        page.pair("null_values", &quoted_list(&list), "what stands for an empty cell");
    }
    if let Some(only) = &section.only {
        page.comment(&only.why);
        page.line(format!("# only = {}   # saw: {}", only.filter, only.saw));
        page.remark(false, only.remark.clone());
    }
    let has_title = sample.ragged > sample.rows;
    if has_title {
        page.warn(format!(
            "nearly all rows of {} have another number of cells than its first line, which has to be the header: take out the lines above the header, such as a title, then run init again",
            quoted(&sample.path)
        ));
    } else if sample.ragged > 0 {
        page.warn(format!("sampled rows with another number of cells than the header: {}", sample.ragged));
    }
    if sample.undecodable > 0 {
        page.warn(format!("sampled cells that cannot be read in this encoding: {}", sample.undecodable));
    }
    if sample.rows == 0 && !has_title {
        let message = "there are no rows: everything here is told by the names of columns alone";
        page.comment(message);
        page.remark(false, format!("{}: {message}", sample.path));
    }
}

/// The settings of CSV that differ from the usual ones.
fn dialect(page: &mut JobPage, guess: &GuessedDialect, usual_delimiter: u8) {
    let text = |byte: u8| char::from(byte).to_string();
    let dialect = &guess.dialect;
    if let Some(delimiter) = dialect.delimiter.filter(|delimiter| *delimiter != usual_delimiter) {
        if guess.separator_line {
            page.comment(&format!("The file says its delimiter itself (sep={})", text(delimiter)));
        } else {
            let others: Vec<String> = guess.others.iter().map(|other| text(*other)).collect();
            let others = listed(others.iter().map(String::as_str), 4);
            let beside = if others.is_empty() { others } else { format!("could also be {others}") };
            page.pair("delimiter", &quoted(&text(delimiter)), &beside);
        }
    }
    match dialect.quote {
        Some(b'"') => {}
        Some(quote) => page.pair("quote", &quoted(&text(quote)), ""),
        None => page.pair("quote", "\"\"", "no quotes: the text format of PostgreSQL and MySQL"),
    }
    if let Some(escape) = dialect.escape {
        page.pair("escape", &quoted(&text(escape)), "");
    }
    if dialect.encoding != UTF_8 {
        let name = dialect.encoding.name().to_lowercase();
        let mut beside = String::new();
        if dialect.encoding == WINDOWS_1252 {
            let word = guess.word.as_deref().map(|word| format!("; is {} right?", quoted(word))).unwrap_or_default();
            beside = format!("it is not UTF-8{word} Else try another, such as \"windows-1250\" or \"macintosh\"");
        }
        page.pair("encoding", &quoted(&name), &beside);
    }
}

/// What is wrong with a first line that does not name the columns.
fn odd_first_line(sample: &ExportSample) -> Option<String> {
    let path = quoted(&sample.path);
    match first_line(sample) {
        FirstLine::Names => None,
        FirstLine::NamesAgain => Some(format!(
            "the header of {path} is there again among its rows, where it counts as a row; take it out there"
        )),
        FirstLine::Values(values) => {
            // A job file is handed around: no e-mail address belongs in it.
            let values = listed(values.into_iter().filter(|value| !value.contains('@')), 3);
            let such = if values.is_empty() { values } else { format!(", such as {values}") };
            Some(format!(
                "the first line of {path} looks like a row and not like names of columns{such}; export it with a header, or put a line with the names on top, then run init again"
            ))
        }
    }
}

/// A day in the path, and the path with `{date}` in its place.
fn dated(path: &str) -> Option<(&str, String)> {
    let is_day = |text: &&str| text.is_ascii() && text.as_bytes()[4] == b'-' && text.parse::<NaiveDate>().is_ok();
    let day = (0..path.len()).find_map(|at| path.get(at..at + "2024-03-05".len()).filter(is_day))?;
    Some((day, path.replace(day, "{date}")))
}

/// A day in the path that is written without hyphens.
fn compact_day(path: &str) -> Option<&str> {
    let mut numbers = path.split(|c: char| !c.is_ascii_digit());
    numbers.find(|text| {
        let is_day = || NaiveDate::parse_from_str(text, "%Y%m%d").is_ok();
        text.len() == 8 && (text.starts_with("19") || text.starts_with("20")) && is_day()
    })
}

/// The columns that fields are filled from.
fn columns_of(entries: &[FieldEntry]) -> Vec<&str> {
    entries.iter().flat_map(FieldEntry::columns).collect()
}

/// The columns that are not used, and those that cannot be.
fn leftovers(page: &mut JobPage, sample: &ExportSample, used: &[&str]) {
    let own = sample.columns.iter().filter(|column| column.parts.is_empty());
    let unused = own.map(|column| column.name.as_str()).filter(|name| !used.contains(name));
    let unused = listed(unused, 20);
    if !unused.is_empty() {
        page.comment(&format!("Columns that are not used: {unused}"));
    }
    for (name, why) in sample.unusable.iter().take(10) {
        page.comment(&format!("{} cannot be used: {why}", quoted(name)));
    }
}

fn date_format(page: &mut JobPage, question: &SharedQuestion) {
    page.comment(&format!(
        "QUESTION: {} Put one of these in place of \"?\". It stands for %x in the formats above:",
        question.why
    ));
    for choice in &question.choices {
        page.line(format!("#   date_format = {}   {}", quoted(choice.date), choice.order));
    }
    page.line(format!("date_format = {}", quoted(OPEN)));
    page.remark(true, format!("date_format: {}", question.why));
}

fn zone(page: &mut JobPage, zone: ZoneLine) {
    let why = match zone {
        ZoneLine::NotNeeded => {
            page.line("# timezone = \"Europe/Paris\"           # not needed: the zone of every time is known");
            return;
        }
        ZoneLine::Unclear => {
            page.line("# timezone = \"Europe/Paris\"           # needed where times carry no zone");
            return;
        }
        ZoneLine::AskedForTimes => "times carry no zone. In which zone are they?",
        ZoneLine::AskedForDates => {
            "no column holds the visit's date, and the day on the wall depends on the zone. Which zone is it?"
        }
    };
    page.comment(&format!(
        "QUESTION: {why} Put its name, such as \"Europe/Paris\", or an offset, such as \"+01:00\", in place of \"?\"."
    ));
    page.line(format!("timezone = {}", quoted(OPEN)));
    page.remark(true, format!("timezone: {why}"));
}

fn rest(page: &mut JobPage) {
    page.line("");
    page.line("[api]");
    page.line("base_url = \"sandbox\"                  # a Sessions API inside this process: no token, nothing leaves the machine");
    page.line("# base_url = \"https://services.traxretail.com\"");
    page.line("project = \"my-project\"                # as Trax gave it; the ids of all visits are made with it");
    page.line("");
    page.line("[results]");
    page.line("path = \"results/{name}.csv\"           # {name} is the name of this file; for a trial, run --results trial.csv");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_in_paths_can_be_filled_in() {
        assert_eq!(
            dated("exports/2024-03-28/visits-2024-03-28.csv"),
            Some(("2024-03-28", "exports/{date}/visits-{date}.csv".to_owned()))
        );
        assert_eq!(compact_day("exports/visits_20240328.csv"), Some("20240328"));
        assert_eq!(compact_day("exports/20240399/1234567.csv"), None);
        assert_eq!(dated("exports/2024-13-28.csv"), None);
        assert_eq!(dated("é-é-é-é-é-é.csv"), None);
    }
}
