//! Where a job file names the columns of its exports: for mistakes that only the exports show.

use super::Job;
use super::checked::told;
use super::error::{JobError, Mistake};
use super::file::{Column, Section, Spanned};
use crate::scan::ScanError;
use std::ops::Range;
use std::path::Path;

/// A place that names a column of an export.
#[derive(Clone, Debug)]
pub(super) struct Named {
    section: &'static str,
    column: String,
    /// Without a message so far.
    place: Mistake,
}

/// All places of a section that name one, of fields that are filled from columns.
pub(super) fn named<'f, C>(
    (path, text): (&Path, &str),
    section: &'static str,
    file: &Section<C>,
    fields: impl IntoIterator<Item = &'f Spanned<Column>>,
) -> Vec<Named> {
    let at = |column: &str, span: Range<usize>| Named {
        section,
        column: column.to_owned(),
        place: Mistake::at(path, text, within(text, span, column), String::new()),
    };
    let mut found = Vec::new();
    for field in fields {
        let table = &field.get_ref().0;
        found.extend(table.column.iter().map(|column| at(column, field.span())));
        found.extend(table.timezone_column.iter().map(|column| at(column.get_ref(), column.span())));
    }
    let only = file.only.iter().flat_map(|only| only.get_ref().keys().map(|column| (column, only.span())));
    found.extend(only.map(|(column, span)| at(column, span)));
    found
}

/// The name itself within a table that has it among others.
fn within(text: &str, span: Range<usize>, column: &str) -> Range<usize> {
    let table = text.get(span.clone()).unwrap_or_default();
    let name = |quote: &str| {
        let name = format!("{quote}{column}{quote}");
        table.find(&name).map(|at| span.start + at..span.start + at + name.len())
    };
    name("\"").or_else(|| name("'")).unwrap_or(span)
}

impl Job {
    /// Where the job names columns that its exports do not have: all of them, in the order of its file. An export that
    /// cannot be opened for another reason is an error of its own.
    pub(crate) fn missing(&self, errors: Vec<ScanError>) -> Result<JobError, ScanError> {
        let mut mistakes = Vec::new();
        for error in errors {
            let ScanError::NoColumns { section, missing, found } = &error else { return Err(error) };
            let mut of_section = Vec::new();
            for column in missing {
                let places =
                    self.named.iter().filter(|named| named.section == *section && named.column == column.column);
                of_section
                    .extend(places.map(|named| Mistake { message: column.message.clone(), ..named.place.clone() }));
            }
            of_section.sort_by_key(|mistake: &Mistake| (mistake.line, mistake.column));
            of_section.dedup();
            let Some(last) = of_section.last_mut() else { return Err(error) };
            last.help = Some(format!("the columns of the {section} are: {found}"));
            mistakes.extend(of_section);
        }
        Ok(told(mistakes))
    }
}
