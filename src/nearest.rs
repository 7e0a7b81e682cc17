//! Which known name somebody probably meant: for unknown keys of a job file and unknown columns of an export.

/// ` (did you mean "…"?)` where a known name is near enough to `name`, else nothing.
pub(crate) fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(name, known) {
        Some(near) => format!(" (did you mean {near:?}?)"),
        None => String::new(),
    }
}

/// The known name that is nearest to `name`, without regard to case, `_`, `-` and spaces.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| -> String {
        text.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
    };
    let wanted = plain(name);
    let scored = known.into_iter().map(|known| (strsim::jaro_winkler(&wanted, &plain(known)), known));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(score, _)| *score > 0.75).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_find_their_name_and_strangers_find_none() {
        let known = ["visit_id", "store_number", "started_at"];
        assert_eq!(nearest("VisitID", known), Some("visit_id"));
        assert_eq!(nearest("store_numer", known), Some("store_number"));
        assert_eq!(nearest("email", known), None);
    }
}
