//! Writes the job file: every guess with what speaks for it, every question where its answer belongs.

use super::day_month::SharedQuestion;
use super::dialect::GuessedDialect;
use super::entry::FieldEntry;
use super::first_line::{FirstLine, first_line};
use super::page::{Draft, JobPage};
use super::paths::dated;
use super::plan::{DraftPlan, SectionPlan};
use super::sample::ExportSample;
use super::toml_text::{either, listed, quoted, quoted_list, shown};
use super::visit_times::ZoneLine;
use crate::job::OPEN;
use crate::scan::Frame;
use crate::stand_ins::is_word;
use encoding_rs::UTF_8;

/// Writes the job file.
pub(super) fn write(plan: &DraftPlan, visits: &ExportSample, scenes: &ExportSample, said: &[String]) -> Draft {
    let mut page = JobPage::default();
    let is_encoding_open =
        |sample: &ExportSample| sample.dialect.as_ref().is_some_and(|guess| !guess.encodings.is_empty());
    let of_file = |sample| usize::from(ExportSample::header(sample).is_some()) + usize::from(is_encoding_open(sample));
    let unnamed = of_file(visits) + of_file(scenes);
    head(&mut page, plan, unnamed);
    for text in said {
        page.warn(text.clone());
    }

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
        page.line(
            "# accept = [\"midnight\"]               # every visit starts at midnight, and that is as it should be",
        );
    }
    rest(&mut page);
    page.into_draft()
}

/// `unnamed`: how many questions there are about the files themselves.
fn head(page: &mut JobPage, plan: &DraftPlan, unnamed: usize) {
    page.comment("A job for traxload, drafted by `traxload init` from a look at the exports. What speaks for a guess stands beside it: read every line once.");
    let is_zone_asked = matches!(plan.zone, ZoneLine::AskedForTimes | ZoneLine::AskedForDates);
    let of_fields =
        plan.visits.fields.iter().chain(&plan.scenes.fields).filter(|entry| entry.question.is_some()).count();
    match unnamed + of_fields + usize::from(is_zone_asked) + usize::from(plan.date_format.is_some()) {
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
    match sample.paths.as_slice() {
        [only] => page.pair("path", &quoted(only), &files),
        several => page.pair("path", &quoted_list(several), &files),
    }
    if let Some(names) = sample.header() {
        header(page, sample, names);
    }
    for stray in sample.strays() {
        page.warn(format!(
            "{} has none of the columns of the other files. If it is not an export, move it away, or name the others by a pattern such as \"exports/*.csv\"",
            quoted(&stray)
        ));
    }
    if let Some(message) = odd_first_line(sample) {
        page.warn(message);
    }
    if let Some((day, dated)) = sample.paths.first().and_then(|path| dated(path)) {
        page.comment(&format!("For other days, put what --date fills in in place of {day}, and name the day: traxload run … --date yesterday"));
        page.line(format!("# path = {}", quoted(&dated)));
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
            "nearly all rows of {} have another number of cells than its header; is that the right line? `skip` names how many lines stand above it",
            quoted(&sample.shown_path())
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
        page.remark(false, format!("{}: {message}", sample.shown_path()));
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
    frame(page, &guess.frame);
    if let Some(word) = guess.mangled.as_ref().filter(|_| guess.encodings.is_empty()) {
        page.warn(format!(
            "{} looks like UTF-8 that was read in another encoding and saved so: export it anew",
            quoted(word)
        ));
    }
    if !guess.encodings.is_empty() {
        let why = "the file is not UTF-8, and nothing tells how it is encoded.";
        page.comment(&format!("QUESTION: {why} Put the one in which this value reads right in place of \"?\":"));
        for candidate in &guess.encodings {
            let name = candidate.encoding.name().to_lowercase();
            page.line(format!("#   encoding = {}   {}", quoted(&name), shown(&candidate.value)));
        }
        page.comment("The names of columns below are as in the first of these. If none is right, save the file as UTF-8 and run init again.");
        page.line(format!("encoding = {}", quoted(OPEN)));
        page.remark(true, format!("encoding: {why}"));
    } else if dialect.encoding != UTF_8 {
        let name = dialect.encoding.name().to_lowercase();
        let mut beside = String::new();
        if dialect.encoding.is_single_byte() {
            let word =
                guess.word.as_deref().map(|word| format!("; is {} right?", quoted(word))).unwrap_or(".".to_owned());
            let others: Vec<&str> =
                ["windows-1252", "windows-1250", "macintosh"].into_iter().filter(|other| *other != name).collect();
            beside = format!("it is not UTF-8{word} Else try another, such as {}", either(&others));
        }
        page.pair("encoding", &quoted(&name), &beside);
    }
}

/// The lines that are no rows.
fn frame(page: &mut JobPage, frame: &Frame) {
    if frame.skip > 0 {
        page.pair("skip", &frame.skip.to_string(), "lines above the header, such as a title");
    }
    if !frame.ignore_lines.is_empty() {
        page.pair("ignore_lines", &quoted_list(&frame.ignore_lines), "lines that are no rows");
    }
}

/// The names that stand for those of a file without a header line, each with a value.
fn header(page: &mut JobPage, sample: &ExportSample, names: &[String]) {
    let why = format!("{} has no header line. What are its columns called?", quoted(&sample.shown_path()));
    page.comment(&format!("QUESTION: {why} Put names in place of these, in their order, here and below:"));
    for column in &sample.columns {
        // A job file is handed around: no e-mail address belongs in it.
        let value = column.filled().find(|value| !value.contains('@') && !is_word(value)).map(shown);
        page.line(format!("#   {} such as {}", column.name, value.unwrap_or_else(|| "(not shown)".to_owned())));
    }
    page.line(format!("header = {}", quoted_list(names)));
    page.remark(true, format!("header: {why}"));
}

/// What is wrong with a first line that does not name the columns.
fn odd_first_line(sample: &ExportSample) -> Option<String> {
    let path = quoted(&sample.shown_path());
    if sample.dialect.is_none() || sample.header().is_some() {
        return None;
    }
    match first_line(&sample.columns, &sample.unusable) {
        FirstLine::Names => None,
        FirstLine::Values(values) | FirstLine::MayBeValues(values) => {
            // A job file is handed around: no e-mail address belongs in it.
            let values = listed(values.into_iter().filter(|value| !value.contains('@')), 3);
            let such = if values.is_empty() { values } else { format!(", such as {values}") };
            Some(format!(
                "the first line of {path} looks like a row and not like names of columns{such}; if it is one, name the columns with header = [\"…\"]"
            ))
        }
    }
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
