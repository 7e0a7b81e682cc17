//! Looks at every row of a CSV file beside its cells: what is left out, what does not fit, and what is probably a mistake.

use super::encoding_signs::SharedSigns;
use super::findings::Findings;
use super::hand::hand;
use super::opened::{CsvRecords, record_error};
use super::row_kinds::{RowKind, RowKinds};
use super::stray_quotes::StrayQuotes;
use crate::scan::error::ScanError;
use crate::scan::file::{ColumnSource, ExportFile, WantedColumn};
use crate::scan::file_end::{FileEnd, Hand};
use crate::scan::rows::CellFault;
use crate::scan::source::Source;
use std::sync::Arc;

/// The cells of a row that is not left out.
pub(super) enum Cells {
    /// As the header says.
    AsMany,
    /// Too few or too many.
    Other(CellFault),
}

/// What is known of the rows of a file so far.
pub(super) struct RowWatch {
    file: Arc<str>,
    kinds: RowKinds,
    quotes: StrayQuotes,
    /// The line of the header; 0 where the job gives it.
    header_line: u64,
    /// How many rows were read and how many of them left out, the header aside.
    rows: u64,
    left_out: u64,
    /// Whether it is what a command has printed: it ends with the command, and not because it was cut.
    is_output: bool,
    hand: Option<Hand>,
    signs: SharedSigns,
    findings: Findings,
}

impl RowWatch {
    /// For a file of which the header was just read.
    pub(super) fn new(
        file: &ExportFile,
        source: &Source,
        wanted: &[WantedColumn],
        records: &CsvRecords,
        signs: SharedSigns,
    ) -> RowWatch {
        let in_header = |wanted: &WantedColumn| match wanted.from {
            ColumnSource::Header(at) => Some(at),
            _ => None,
        };
        let mut mapped: Vec<usize> = wanted.iter().filter_map(in_header).collect();
        // The columns of the key come first.
        let of_key = source.picks.first().map_or(1, |key| key.columns.len());
        let keys: Vec<usize> = wanted.iter().take(of_key).filter_map(in_header).collect();
        mapped.sort_unstable();
        mapped.dedup();
        let names = mapped.iter().map(|at| file.header[*at].clone()).collect();
        let key = keys.first().or(mapped.first()).copied().unwrap_or_default();
        let kinds = RowKinds::new(&file.header, names, key, source.trim);
        let has_header_line = source.frame.header.is_none();
        RowWatch {
            file: file.name.clone(),
            quotes: StrayQuotes { delimiter: records.syntax.delimiter, columns: kinds.cells(), keys, mapped },
            kinds,
            header_line: if has_header_line { records.record_line() } else { 0 },
            rows: 0,
            left_out: 0,
            is_output: file.is_output(),
            hand: has_header_line.then(|| hand(records)),
            signs,
            findings: Findings::default(),
        }
    }

    /// Looks at the row that was just read. `None`: it is left out.
    ///
    /// # Errors
    /// Where it shows that the rows below have other columns than the header says.
    #[inline]
    pub(super) fn look(&mut self, records: &mut CsvRecords) -> Result<Option<Cells>, ScanError> {
        self.rows += 1;
        let kind = self.kinds.of(records);
        if kind != RowKind::Row && self.is_left_out(records, kind)? {
            self.left_out += 1;
            return Ok(None);
        }
        let fits = self.kinds.fits(records);
        if !records.quoted().is_empty() {
            self.look_at_quotes(records, fits);
        }
        if self.hand.is_none() {
            self.hand = Some(hand(records));
        }
        let other = || CellFault::Cells { found: records.len().max(1), expected: self.kinds.columns() };
        Ok(Some(if fits { Cells::AsMany } else { Cells::Other(other()) }))
    }

    /// Whether a row of this kind is left out.
    ///
    /// # Errors
    /// Where it shows that the rows below have other columns than the header says.
    #[cold]
    fn is_left_out(&mut self, records: &mut CsvRecords, kind: RowKind) -> Result<bool, ScanError> {
        let line = records.record_line();
        let place = || format!("{}:{line}", self.file);
        match kind {
            RowKind::Row => return Ok(false),
            RowKind::Empty => self.findings.empty_rows.add(1, place),
            RowKind::Header => self.findings.headers.add(1, place),
            RowKind::OtherHeader => {
                let header = match self.header_line {
                    0 => "`header` in the job file".to_owned(),
                    line => format!("line {line}"),
                };
                return Err(ScanError::OtherOrder { file: self.file.to_string(), line, header });
            }
            RowKind::EndMark => return records.is_last().map_err(|error| record_error(&self.file, error)),
        }
        Ok(true)
    }

    #[cold]
    fn look_at_quotes(&mut self, records: &CsvRecords, fits: bool) {
        for mark in records.quoted() {
            if let Some(stray) = self.quotes.judge(records, mark, fits) {
                self.findings.stray_quote(stray, format!("{}:{}", self.file, mark.line));
            }
        }
    }

    /// Looks at the file as a whole, now that all its rows are read.
    pub(super) fn finish(&mut self, records: &CsvRecords, source: &Source) {
        let file = &self.file;
        let is_cut = records.is_cut();
        let last_row = records.record_line();
        let ignored = &records.ignored;
        if let Some(first) = ignored.lines.first() {
            self.findings.ignored_lines.add(ignored.count, || format!("{file}:{first}"));
        }
        let others = u64::from(self.header_line > 0) + u64::from(source.frame.skip) + ignored.count;
        self.findings.rows(file, self.rows + others, self.rows - self.left_out);
        self.findings.encoding(file, source.dialect.encoding.name(), &self.signs.take());
        let zeros = records.zeros_at_end();
        if zeros > 0 {
            let line = if is_cut { last_row } else { records.line };
            self.findings.zeros_at_end(zeros, format!("{file}:{line}"));
        } else if let (Some(hand), None, false) = (self.hand.take(), records.open_quote(), self.is_output) {
            self.findings.end(FileEnd { file: file.clone(), hand, last_row, is_cut });
        }
    }

    /// What the rows have shown, once all of them are read.
    pub(super) fn take_findings(&mut self) -> Findings {
        std::mem::take(&mut self.findings)
    }
}
