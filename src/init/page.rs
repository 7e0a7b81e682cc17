//! The job file as text: every guess with what speaks for it, every question where its answer belongs.

use super::entry::{Entry, Value};
use super::guess::Plan;
use super::looks::NULLS;
use super::moments::{Doubt, Zone};
use super::sample::{Header, Sample};
use super::text::{comment, listed, quoted};
use super::{Draft, Remark};
use encoding_rs::{UTF_8, WINDOWS_1252};

/// Lines, and what has to be said of some of them.
#[derive(Default)]
struct Page {
    lines: Vec<String>,
    remarks: Vec<Remark>,
}

impl Page {
    fn line(&mut self, text: impl Into<String>) {
        self.lines.push(text.into());
    }

    fn comment(&mut self, text: &str) {
        self.lines.extend(comment(text));
    }

    /// Of the line that was written last.
    fn remark(&mut self, is_question: bool, message: String) {
        self.remarks.push(Remark { line: self.lines.len(), is_question, message });
    }

    fn pair(&mut self, key: &str, value: &str, beside: &str) {
        let line = format!("{key} = {value}");
        self.line(if beside.is_empty() { line } else { format!("{line:<50}  # {beside}") });
    }

    fn entries(&mut self, entries: &[Entry]) {
        for entry in entries {
            for text in &entry.above {
                // What is meant to be copied stays on one line.
                if text.starts_with("  ") || text.starts_with(entry.field) && text.contains(" = {") {
                    self.line(format!("# {text}"));
                } else {
                    self.comment(text);
                }
            }
            if let Some(value) = entry.toml() {
                self.pair(&format!("{:<18}", entry.field), &value, &entry.beside);
            }
            if let Some(question) = &entry.question {
                self.remark(true, question.clone());
            }
            if let Some(doubt) = &entry.doubt {
                self.remark(false, doubt.clone());
            }
        }
    }
}

/// Writes the job file.
pub(super) fn write(plan: &Plan, visits: &Sample, scenes: &Sample) -> Draft {
    let mut page = Page::default();
    let zone_asked = matches!(plan.zone, Zone::Asked | Zone::AskedForDates);
    let entries = plan.visits.iter().chain(&plan.scenes);
    let questions = entries.filter(|entry| entry.question.is_some()).count()
        + usize::from(zone_asked)
        + usize::from(plan.doubt.is_some());
    head(&mut page, questions);

    page.line("[visits]");
    source(&mut page, visits, &plan.visits);
    page.line("");
    page.line("[visits.columns]                      # field of the API = column of the export");
    page.entries(&plan.visits);
    let flat = scenes.has_the_files_of(visits);
    let mut used = mapped(&plan.visits);
    if flat {
        used.extend(mapped(&plan.scenes));
    }
    leftovers(&mut page, visits, &used);

    page.line("");
    page.line("[scenes]");
    source(&mut page, scenes, &plan.scenes);
    page.line("");
    page.line("[scenes.columns]");
    page.entries(&plan.scenes);
    if !flat {
        leftovers(&mut page, scenes, &mapped(&plan.scenes));
    }

    time(&mut page, plan.zone, plan.doubt.as_ref());
    rest(&mut page);
    let text = page.lines.iter().map(|line| format!("{line}\n")).collect();
    Draft { text, remarks: page.remarks }
}

fn head(page: &mut Page, questions: usize) {
    page.comment("A job for traxload, made by `traxload init` from a look at the exports. Guesses are marked with what speaks for them: read every line once.");
    match questions {
        0 => page.comment("Nothing is left open. Next: traxload check, then traxload run with the name of this file."),
        1 => page.comment("One question is open, marked QUESTION. Until it is answered, traxload check and run refuse this file and name the line."),
        n => page.comment(&format!(
            "{n} questions are open, each marked QUESTION. Until they are answered, traxload check and run refuse this file and name the lines."
        )),
    }
    page.line("");
}

/// How the files of a section are written.
fn source(page: &mut Page, sample: &Sample, entries: &[Entry]) {
    let files = if sample.files > 1 { format!("{} files", sample.files) } else { String::new() };
    page.pair("path", &quoted(&sample.path), &files);
    for stray in sample.strays() {
        let message = format!(
            "{} has none of the columns of the other files; if it is no export, move it away, or name the others by a pattern such as \"exports/*.csv\"",
            quoted(&stray)
        );
        page.comment(&message);
        page.remark(false, message);
    }
    if let Some(message) = odd_header(sample) {
        page.comment(&message);
        page.remark(false, message);
    }
    if let Some((day, dated)) = dated(&sample.path) {
        page.comment(&format!(
            "For other days write {{date}} in place of {day}: path = {}, and name the day: traxload run … --date yesterday",
            quoted(&dated)
        ));
    } else if let Some(day) = compact_day(&sample.path) {
        page.comment(&format!(
            "{{date}} in a path becomes a day written like 2024-03-05, which is not how {day} is: for other days name the files so, or change the path"
        ));
    }
    if let Some(format) = sample.format {
        page.pair("format", &quoted(format), "whatever its name says");
    }
    if let Some(guess) = &sample.dialect {
        let dialect = &guess.dialect;
        if let Some(delimiter) = dialect.delimiter.filter(|delimiter| *delimiter != sample.usual_delimiter) {
            let text = char::from(delimiter).to_string();
            match guess.separator_line {
                true => page.comment(&format!("The file says its delimiter itself (sep={text})")),
                false => {
                    let others: Vec<String> = guess.others.iter().map(|other| char::from(*other).to_string()).collect();
                    let others = listed(others.iter().map(String::as_str), 4);
                    let beside = if others.is_empty() { others } else { format!("could also be {others}") };
                    page.pair("delimiter", &quoted(&text), &beside);
                }
            }
        }
        match dialect.quote {
            Some(b'"') => {}
            Some(quote) => page.pair("quote", &quoted(&char::from(quote).to_string()), ""),
            None => page.pair("quote", "\"\"", "no quotes: the text format of PostgreSQL and MySQL"),
        }
        if let Some(escape) = dialect.escape {
            page.pair("escape", &quoted(&char::from(escape).to_string()), "");
        }
        if dialect.encoding != UTF_8 {
            let name = dialect.encoding.name().to_lowercase();
            let mut beside = String::new();
            if dialect.encoding == WINDOWS_1252 {
                let word =
                    guess.word.as_deref().map(|word| format!("; is {} right?", quoted(word))).unwrap_or_default();
                beside = format!("it is no UTF-8{word} Else another, such as \"windows-1250\" or \"macintosh\"");
            }
            page.pair("encoding", &quoted(&name), &beside);
        }
    }
    let nulls = nulls(sample, entries);
    if !nulls.is_empty() {
        let list: Vec<String> = std::iter::once("").chain(nulls).map(quoted).collect();
        page.pair("null_values", &format!("[{}]", list.join(", ")), "what stands for an empty cell");
    }
    let has_title = sample.ragged > sample.rows;
    if has_title {
        let message = format!(
            "nearly all rows of {} have another number of cells than its first line, which has to be the header: take out the lines above the header, such as a title, then run init again",
            quoted(&sample.path)
        );
        page.comment(&message);
        page.remark(false, message);
    } else if sample.ragged > 0 {
        let message = format!("sampled rows with another number of cells than the header: {}", sample.ragged);
        page.comment(&message);
        page.remark(false, message);
    }
    if sample.undecodable > 0 {
        let message = format!("sampled cells that are no text in this encoding: {}", sample.undecodable);
        page.comment(&message);
        page.remark(false, message);
    }
    if sample.rows == 0 && !has_title {
        let message = "there are no rows: everything here is told by the names of columns alone";
        page.comment(message);
        page.remark(false, format!("{}: {message}", sample.path));
    }
}

/// What is wrong with a first line that does not name the columns.
fn odd_header(sample: &Sample) -> Option<String> {
    let path = quoted(&sample.path);
    match sample.header() {
        Header::Names => None,
        Header::Again => Some(format!(
            "the header of {path} is there again among its rows, where it counts as a row; take it out there"
        )),
        Header::Values(values) => {
            // A job file is handed around: nobody's address belongs in it.
            let values = listed(values.into_iter().filter(|value| !value.contains('@')), 3);
            let such = if values.is_empty() { values } else { format!(", such as {values}") };
            Some(format!(
                "the first line of {path} looks like a row and not like names of columns{such}; export it with a header, or put a line with the names on top, then run init again"
            ))
        }
    }
}

/// The path with `{date}` in place of a day that it contains.
fn dated(path: &str) -> Option<(&str, String)> {
    let day = (0..path.len()).find_map(|at| path.get(at..at + 10).filter(|text| is_day(text)))?;
    Some((day, path.replace(day, "{date}")))
}

/// A day in the path that is written without hyphens.
fn compact_day(path: &str) -> Option<&str> {
    let mut numbers = path.split(|c: char| !c.is_ascii_digit());
    numbers.find(|text| {
        let is_day = || chrono::NaiveDate::parse_from_str(text, "%Y%m%d").is_ok();
        text.len() == 8 && (text.starts_with("19") || text.starts_with("20")) && is_day()
    })
}

fn is_day(text: &str) -> bool {
    text.is_ascii()
        && text.as_bytes()[4] == b'-'
        && text.as_bytes()[7] == b'-'
        && text.parse::<chrono::NaiveDate>().is_ok()
}

/// The words for nothing that occur in the columns of a section.
fn nulls<'a>(sample: &Sample, entries: &[Entry]) -> Vec<&'a str> {
    let mapped = mapped(entries);
    let columns = || sample.columns.iter().filter(|column| mapped.contains(&column.name.as_str()));
    let occurs = |null: &&str| columns().any(|column| column.filled().any(|value| value == *null));
    NULLS.into_iter().filter(occurs).collect()
}

/// The columns that fields are filled from.
fn mapped(entries: &[Entry]) -> Vec<&str> {
    let mut columns = Vec::new();
    for entry in entries {
        match &entry.value {
            Value::Column(column) => columns.push(column.as_str()),
            Value::Table(pairs) => {
                let names = pairs.iter().filter(|(key, _)| matches!(*key, "column" | "timezone_column"));
                columns.extend(names.map(|(_, column)| column.as_str()));
            }
            Value::Open | Value::Absent => {}
        }
    }
    columns
}

/// The columns that are used for nothing, and those that cannot be.
fn leftovers(page: &mut Page, sample: &Sample, used: &[&str]) {
    let free = sample.columns.iter().map(|column| column.name.as_str()).filter(|name| !used.contains(name));
    let free = listed(free, 20);
    if !free.is_empty() {
        page.comment(&format!("Columns without use: {free}"));
    }
    for (name, why) in sample.unusable.iter().take(10) {
        page.comment(&format!("{} cannot be used: {why}", quoted(name)));
    }
}

fn time(page: &mut Page, zone: Zone, doubt: Option<&Doubt>) {
    page.line("");
    page.line("[time]");
    if let Some(Doubt { why, orders }) = doubt {
        page.comment(&format!(
            "QUESTION: {why} Put one of these in place of \"?\". It stands for %x in the formats above:"
        ));
        for order in orders {
            page.line(format!("#   date_format = {}   {}", quoted(&order.date), order.order));
        }
        page.line(format!("date_format = {}", quoted(crate::job::OPEN)));
        page.remark(true, format!("date_format: {why}"));
    }
    let why = match zone {
        Zone::Known => {
            page.line("# timezone = \"Europe/Paris\"           # not needed: the zone of every time is known");
            return;
        }
        Zone::Unknown => {
            page.line("# timezone = \"Europe/Paris\"           # where times carry no zone");
            return;
        }
        Zone::Asked => "times carry no zone. Which one are they of?",
        Zone::AskedForDates => {
            "no column holds the visit's date, and the day on the wall depends on the zone. Which one is it?"
        }
    };
    page.comment(&format!(
        "QUESTION: {why} Put its name, such as \"Europe/Paris\", or an offset, such as \"+01:00\", in place of \"?\"."
    ));
    page.line(format!("timezone = {}", quoted(crate::job::OPEN)));
    page.remark(true, format!("timezone: {why}"));
}

fn rest(page: &mut Page) {
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
