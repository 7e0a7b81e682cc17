//! What to do about a cause, in a few words each. Refusals of the API have theirs from where they are told apart;
//! here are those of problems in the export. The summaries of `check` and `run` say the same.

use crate::results::{Status, hint as of_refusal};

/// What to do about visits of this status and error code.
pub(crate) fn hint(status: Status, code: &str) -> Option<&'static str> {
    match status {
        Status::Uploaded | Status::AlreadyReceived => None,
        Status::Invalid => of_problem(code),
        Status::NotAttempted => Some("the run stopped before their turn; a rerun sends them"),
        Status::Rejected | Status::Failed => of_refusal(code),
    }
}

fn of_problem(code: &str) -> Option<&'static str> {
    Some(match code {
        "missing_field" => "a field that the API requires is empty: fill it in the export",
        "too_long" => "more characters than the API takes: shorten it, or map another column",
        "bad_number" => "not a whole number: mend it, or use `map` for names of visit types",
        "bad_date" => "not a date: mend it, or name its `format`",
        "bad_time" => {
            "not a time, or no time zone: mend it, or name its `format`; a day and its time belong in one column"
        }
        "zoneless_time" => "a time without a zone: set `timezone` under [time], or `timezone_column`",
        "ambiguous_time" => "in the hour that happens twice when clocks go back: export it in UTC or with its offset",
        "impossible_time" => "in the hour that clocks leave out: most often the wrong time zone; export it in UTC",
        "time_order" => "the visit ends before it starts: mend it; are the two columns swapped?",
        "time_unit" => "milliseconds, or a time out of any reason: set `unit`; are day and month swapped?",
        "date_mismatch" => "the date is far from the start: most often day and month are swapped; set `format`",
        "bad_email" => "not an address: mend it; one @, no white space, a dot in the domain",
        "mangled_number" => "a spreadsheet or a float column has rounded it: export the column as text",
        "no_scenes" => "no scene belongs to the visit: is the scenes export complete, are the keys written alike?",
        "duplicate_visit" => "several rows with this key, and they differ: keep one of them",
        "duplicate_scene" => "several scenes with this key, and they differ: keep one, or give them different keys",
        "missing_task_code" => "a scene without a task code, and `task_code_required` is set: fill it in",
        "unmapped_value" => "a value that the `map` does not have: add it",
        "unknown_store" => "not in the list of stores: add the store at Trax, or refresh the list",
        "unknown_user" => "not in the list of users: add the user at Trax, or refresh the list",
        "unknown_task_code" => "not in the list of task codes: add it at Trax, or refresh the list",
        "unknown_visit_type" => "not in the list of visit types: add it at Trax, or refresh the list",
        "bad_text" => {
            "no text: for a CSV file most often set `encoding = \"windows-1252\"`; from Parquet export the column as text"
        }
        "bad_row" => "too few or too many cells: an unquoted delimiter, or `delimiter`, `quote` or `escape` is wrong",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::Code;

    #[test]
    fn every_problem_has_a_hint() {
        assert!(Code::ALL.into_iter().all(|code| hint(Status::Invalid, code.name()).is_some()));
    }
}
