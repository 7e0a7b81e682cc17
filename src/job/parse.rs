//! From the text of a job file to its keys: TOML, then the walk against the schema, then serde.

use super::diagnostics::Diagnostics;
use super::keys::JobKeys;
use super::walk::walk;
use serde::Deserialize;
use toml::de::{DeTable, Deserializer};

/// The keys of the job file, without those that have a mistake. `None` where it is not TOML, or where a required key is
/// missing: then too little is left to look at the values.
pub(super) fn parse(diagnostics: &mut Diagnostics<'_>) -> Option<JobKeys> {
    let (mut file, errors) = DeTable::parse_recoverable(diagnostics.text());
    if !errors.is_empty() {
        not_toml(&errors, diagnostics);
        return None;
    }
    if !walk(file.get_mut(), diagnostics) {
        return None;
    }
    diagnostics.keys_are_read();
    let keys = JobKeys::deserialize(Deserializer::from(file));
    // serde's own message is not shown: it repeats the value, which may be a secret.
    let unforeseen = |error: toml::de::Error| {
        diagnostics.add(error.span().unwrap_or(0..0), "this value cannot be read; is the number too large?");
    };
    keys.map_err(unforeseen).ok()
}

fn not_toml(errors: &[toml::de::Error], diagnostics: &mut Diagnostics<'_>) {
    let mut last_line = 0;
    for error in errors {
        let message = match error.message() {
            "duplicate key" => "this key is there twice; keep one of them".to_owned(),
            message => format!("this is not TOML: {message}"),
        };
        let mistake = diagnostics.mistake(error.span().unwrap_or(0..0), message);
        // What else is found on a line follows from the first mistake there.
        if mistake.line != last_line {
            last_line = mistake.line;
            diagnostics.push(mistake);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const VALID: &str = "[visits]\npath = 'v'\n[visits.columns]\nvisit_id = 'a'\nstore_number = 'b'\n\
                         session_start_time = 'c'\n[scenes]\npath = 's'\n[scenes.columns]\nvisit_id = 'a'\nscene_id = 'b'\n";

    /// Each mistake of a job file on a line, and whether its values would be looked at.
    fn mistakes(text: &str) -> (Vec<String>, bool) {
        let mut diagnostics = Diagnostics::new(Path::new("j"), text);
        let is_read = parse(&mut diagnostics).is_some();
        match diagnostics.finish::<()>(None) {
            Err(super::super::error::JobError::Mistakes(mistakes)) => {
                (mistakes.iter().map(ToString::to_string).collect(), is_read)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn missing_sections_and_keys_are_all_reported_once() {
        let shown = mistakes("").0.join("\n")
            + "\n--\n"
            + &mistakes("[visits]\n[scenes]\npath = 'x'\n[scenes.columns]\n").0.join("\n");
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn a_key_with_a_mistake_is_not_reported_as_missing_too() {
        let (shown, _) = mistakes(
            "[visits]\npaht = 'x'\n[visits.columns]\nvisit_id = 5\nstore_nr = 'a'\nsession_start_time = 'b'\n\
             [scenes]\npath = ['a', 5]\ncolumns = { visit_id = 'v', scene_id = { colum = 's' } }\n[uplaod]\nrate = 5\n",
        );
        insta::assert_snapshot!(shown.join("\n"));
    }

    #[test]
    fn values_are_still_looked_at_where_an_optional_key_has_a_mistake() {
        assert_eq!(mistakes(VALID), (vec![], true));
        let (mistakes, is_read) = mistakes(&format!("{VALID}task_kode = 'x'\n[upload]\nburst = true\n"));
        assert_eq!((mistakes.len(), is_read), (2, true), "{mistakes:?}");
    }

    #[test]
    fn nothing_of_a_value_is_in_a_message_about_it() {
        for (mistake, expected) in [
            ("[api]\ntoken_env = ['s3cret, expected x']", "expected text in quotes, found a list"),
            ("[upload]\nburst = 's3cret'", "expected a whole number, found text in quotes"),
            ("[upload]\nbackoff = 's3cret'", "expected a table, found text in quotes"),
            ("[upload]\nburst = 53300", "`burst` must be a whole number from 1 to 1000"),
            ("[upload]\nburst = -5", "`burst` must be a whole number from 1 to 1000"),
            (
                "[upload]\nmax_attempts = 53300999999999999999999999",
                "`max_attempts` must be a whole number from 1 to 1000",
            ),
            ("[ids]\nversion = 533", "`version` must be 5 or 4"),
            ("[notify]\nwhen = 's3cret'", "`when` must be \"not_delivered\" or \"always\""),
            ("[check]\nmax_invalid = 2024-03-05", "found a date or time without quotes"),
            // The walk allows them, serde does not.
            ("[check]\nmax_invalid = 18446744073709553333", "this value cannot be read"),
            ("[check]\nmax_invalid = 1e533", "this value cannot be read"),
        ] {
            let (mistakes, _) = mistakes(&format!("{VALID}{mistake}\n"));
            let [shown] = mistakes.as_slice() else { panic!("{mistake}: {mistakes:?}") };
            assert!(shown.contains(expected) && shown.starts_with("j:13:"), "{shown}");
            assert!(!shown.contains("s3cret") && !shown.contains("533"), "{shown}");
        }
    }
}
