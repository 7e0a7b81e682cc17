//! Where a job file names the columns of its exports: for mistakes that only the exports show.

use super::column_keys::Column;
use super::diagnostics::Diagnostics;
use super::error::JobError;
use super::keys::ExportKeys;
use super::mistake::Mistake;
use super::values::Spanned;
use crate::scan::ScanError;
use std::ops::Range;

/// A place in the job file that names a column of an export.
#[derive(Clone, Debug)]
pub(super) struct ColumnPlace {
    /// `visits` or `scenes`.
    section: &'static str,
    column: String,
    /// Without a message so far.
    mistake: Mistake,
}

/// All places of a section that name a column. `fields` are those that are filled from columns.
pub(super) fn column_places<'f, C>(
    section: &'static str,
    keys: &ExportKeys<C>,
    fields: impl Iterator<Item = &'f Spanned<Column>>,
    diagnostics: &Diagnostics<'_>,
) -> Vec<ColumnPlace> {
    let at = |column: &str, span: Range<usize>| {
        let mistake = diagnostics.mistake(within(diagnostics.text(), span, column), "");
        ColumnPlace { section, column: column.to_owned(), mistake }
    };
    let mut places = Vec::new();
    for field in fields {
        let table = &field.get_ref().0;
        places.extend(table.column.iter().map(|column| at(column, field.span())));
        let joined = table.columns.iter().flat_map(|columns| columns.get_ref());
        places.extend(joined.map(|column| at(column.get_ref(), column.span())));
        places.extend(table.timezone_column.iter().map(|column| at(column.get_ref(), column.span())));
    }
    let only = keys.only.iter().flat_map(|only| only.get_ref().keys().map(|column| (column, only.span())));
    places.extend(only.map(|(column, span)| at(column, span)));
    places
}

/// The name of the column within a table that has it among others.
fn within(text: &str, span: Range<usize>, column: &str) -> Range<usize> {
    let table = text.get(span.clone()).unwrap_or_default();
    let name = |quote: &str| {
        let name = format!("{quote}{column}{quote}");
        table.find(&name).map(|at| span.start + at..span.start + at + name.len())
    };
    name("\"").or_else(|| name("'")).unwrap_or(span)
}

/// All places that name columns which the exports do not have, as mistakes in the job file.
///
/// # Errors
/// The first error that is not about missing columns.
pub(super) fn missing_columns(places: &[ColumnPlace], errors: Vec<ScanError>) -> Result<JobError, ScanError> {
    let mut mistakes = Vec::new();
    for error in errors {
        let ScanError::NoColumns { section, missing, found } = &error else { return Err(error) };
        let mut of_section = Vec::new();
        for column in missing {
            let named = places.iter().filter(|place| place.section == *section && place.column == column.column);
            of_section.extend(named.map(|place| Mistake { message: column.message.clone(), ..place.mistake.clone() }));
        }
        of_section.sort_by_key(|mistake: &Mistake| (mistake.line, mistake.column));
        of_section.dedup();
        let Some(last) = of_section.last_mut() else { return Err(error) };
        last.help = Some(format!("the columns of the {section} are: {found}"));
        mistakes.extend(of_section);
    }
    Ok(JobError::of(mistakes))
}
