//! What the rows of CSV files have shown beside their cells: what was left out, and what is probably a mistake. Files of a
//! section are put together, so that a thousand files with the same habit give one line.

use super::encoding_signs::EncodingSigns;
use super::stray_quotes::Stray;
use crate::scan::file_end::FileEnd;
use crate::scan::remarks::Remarks;
use crate::suspicion::{Suspicion, SuspicionCode};
use crate::text::count;

/// How many rows a sheet of the two kinds of Excel workbooks holds.
const ROWS_OF_A_SHEET: [u64; 2] = [65_536, 1_048_576];

/// How often something was seen, and where first.
#[derive(Debug, Default)]
pub(super) struct Places {
    count: u64,
    first: Option<String>,
}

impl Places {
    pub(super) fn add(&mut self, count: u64, first: impl FnOnce() -> String) {
        self.count += count;
        if count > 0 && self.first.is_none() {
            self.first = Some(first());
        }
    }

    fn join(&mut self, other: Places) {
        self.count += other.count;
        self.first = self.first.take().or(other.first);
    }

    /// What was seen, with where: nothing, if nothing was.
    fn warning(self, say: impl FnOnce(u64, String) -> String) -> Option<String> {
        self.first.map(|first| say(self.count, first))
    }
}

/// What CSV files have shown beside their rows.
#[derive(Debug, Default)]
pub(in crate::scan) struct Findings {
    /// Rows of nothing but empty cells, which were left out.
    pub(super) empty_rows: Places,
    /// Rows that are the header once more, which were left out.
    pub(super) headers: Places,
    /// Lines that the job leaves out by a pattern.
    pub(super) ignored_lines: Places,
    /// Cells with text behind their closing quote that do not matter.
    pub(super) behind_quotes: Places,
    /// Files of exactly 1000, 10000, … rows.
    round: Places,
    suspicions: Vec<Suspicion>,
    ends: Vec<FileEnd>,
}

impl Findings {
    /// Adds what another file has shown.
    pub(in crate::scan) fn join(&mut self, other: Findings) {
        self.empty_rows.join(other.empty_rows);
        self.headers.join(other.headers);
        self.ignored_lines.join(other.ignored_lines);
        self.behind_quotes.join(other.behind_quotes);
        self.round.join(other.round);
        for suspicion in other.suspicions {
            self.add(suspicion);
        }
        self.ends.extend(other.ends);
    }

    fn add(&mut self, suspicion: Suspicion) {
        let same = |known: &&mut Suspicion| known.code == suspicion.code && known.message == suspicion.message;
        match self.suspicions.iter_mut().find(same) {
            Some(known) => known.join(suspicion),
            None => self.suspicions.push(suspicion),
        }
    }

    fn suspect(&mut self, code: SuspicionCode, message: &str, place: String) {
        self.add(Suspicion::new(code, message).at(place));
    }

    /// A quote whose cell is odd. `place`: where it opens.
    pub(super) fn stray_quote(&mut self, stray: Stray, place: String) {
        let why = match stray {
            Stray::Harmless => return self.behind_quotes.add(1, || place),
            Stray::Open => "it is still open at the end of the file",
            Stray::Behind => "there is text behind its closing quote",
            Stray::Rows => "there are rows inside its cell",
        };
        let message = "a quote probably opened by mistake, such as an inch mark, and whole rows may be inside its cell. If quotes mean nothing in this export, set `quote = \"\"` in its section of the job file; else double the quotes inside cells, and export again";
        self.suspect(SuspicionCode::StrayQuote, message, format!("{place}: {why}"));
    }

    /// A file ends with so many zeros, from the row at `place` on.
    pub(super) fn zeros_at_end(&mut self, zeros: usize, place: String) {
        let message = "the file ends in zeros (NUL bytes): it was probably not written or copied to its end. Wait for that, or export it again";
        let zeros = count(zeros as u64, "zero", "zeros");
        self.suspect(SuspicionCode::UnfinishedFile, message, format!("{place}: {zeros}"));
    }

    /// A file that was decoded from a single-byte encoding.
    pub(super) fn encoding(&mut self, file: &str, encoding: &str, signs: &EncodingSigns) {
        let (message, seen) = match (signs.utf8(), &signs.controls) {
            (Some(seen), _) => (
                "the job says a single-byte encoding, and all letters beyond ASCII are UTF-8: \"Café\" would go as \"CafÃ©\". Take `encoding` out of the job file, or set it to \"utf-8\"",
                seen,
            ),
            (None, seen) if seen.count > 0 => (
                "there are control characters (U+0080 to U+009F) where letters should be: the text is probably in another encoding than the job says. Set `encoding`, most often to \"utf-8\" or \"windows-1252\"",
                seen,
            ),
            _ => return,
        };
        let places = seen.first.iter().map(|line| format!("{file}:{line}: read as {encoding}"));
        let mut suspicion = places.fold(Suspicion::new(SuspicionCode::WrongEncoding, message), Suspicion::at);
        suspicion.count = seen.count;
        self.add(suspicion);
    }

    /// A file of so many rows: all, with its header, and those with data alone.
    pub(super) fn rows(&mut self, file: &str, all: u64, data: u64) {
        if ROWS_OF_A_SHEET.contains(&all) {
            let message = "the file has exactly as many rows as a spreadsheet holds: what did not fit is probably missing. Export it without a spreadsheet in between";
            self.suspect(SuspicionCode::RowLimit, message, format!("{file}: {all} rows with its header"));
        }
        if data >= 1000 && data == 10u64.pow(data.ilog10()) {
            self.round.add(1, || format!("{file} has exactly {data} rows"));
        }
    }

    /// How a file ends.
    pub(super) fn end(&mut self, end: FileEnd) {
        self.ends.push(end);
    }

    /// What all files of a section have shown.
    pub(in crate::scan) fn into_remarks(self, section: &str) -> Remarks {
        let warnings = [
            self.empty_rows.warning(|rows, first| {
                let rows = count(rows, "empty row", "empty rows");
                format!("{section}: {rows} left out, the first {first}")
            }),
            self.headers.warning(|rows, first| {
                let rows = count(rows, "row that equals the header", "rows that equal the header");
                format!("{section}: {rows} left out, the first {first}; were files joined?")
            }),
            self.ignored_lines.warning(|lines, first| {
                let lines = count(lines, "line", "lines");
                format!("{section}: {lines} left out as `ignore_lines` says, the first {first}")
            }),
            self.behind_quotes.warning(|cells, first| {
                let cells = count(cells, "cell has", "cells have");
                format!("{section}: {cells} text behind the closing quote, the first {first}; no column of the job is concerned. If quotes mean nothing in this export, set `quote = \"\"`")
            }),
            self.round.warning(|files, first| {
                let more = if files > 1 { format!(", and so on in {} more", count(files - 1, "file", "files")) } else { String::new() };
                format!("{first}{more}: is that all, or the limit of a query?")
            }),
        ];
        let warnings = warnings.into_iter().flatten().collect();
        Remarks { warnings, suspicions: self.suspicions, ends: self.ends, ..Remarks::default() }
    }
}
