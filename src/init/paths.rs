//! Files as the job file names them: a folder, a pattern or a list; and the days in their names.

use crate::job::day_placeholder;
use chrono::NaiveDate;

/// The name of a file without what tells it from others of its kind: numbers, and what has digits in it.
pub(super) fn shape(file: &str) -> String {
    let mut shape = String::new();
    for word in file.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let (word, end) = match word.char_indices().next_back() {
            Some((at, last)) if !last.is_alphanumeric() => word.split_at(at),
            _ => (word, ""),
        };
        let has_digits = word.bytes().any(|b| b.is_ascii_digit());
        let letters = if has_digits { word.trim_end_matches(|c: char| c.is_ascii_digit()) } else { word };
        // scenes1 is of scenes; 3f1c2a7e is of nothing.
        shape.push_str(if has_digits && letters.bytes().any(|b| b.is_ascii_digit()) { "" } else { letters });
        if has_digits {
            shape.push('#');
        }
        shape.push_str(end);
    }
    shape
}

/// The paths for some of the files of an export, which are all that they match.
pub(super) fn as_paths(some: &[String], all: &[String]) -> Vec<String> {
    let [first, others @ ..] = some else { return Vec::new() };
    if others.is_empty() {
        return vec![first.clone()];
    }
    let is_in = |file: &String| some.contains(file);
    let folders = first.match_indices('/').map(|(at, _)| &first[..=at]).collect::<Vec<_>>();
    let is_exactly = |folder: &&&str| all.iter().all(|file| file.starts_with(**folder) == is_in(file));
    if let Some(folder) = folders.iter().find(is_exactly) {
        return vec![folder.trim_end_matches('/').to_owned()];
    }
    let common = |texts: &dyn Fn(&str) -> Vec<char>| -> Vec<char> {
        let first = texts(first);
        let same = others.iter().map(|other| first.iter().zip(texts(other)).take_while(|(a, b)| **a == *b).count());
        first[..same.min().unwrap_or_default()].to_vec()
    };
    let start: String = common(&|text| text.chars().collect()).into_iter().collect();
    let end: String = common(&|text| text.chars().rev().collect()).into_iter().rev().collect();
    let start = start.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    let inside = |file: &String| {
        let rest = file.strip_prefix(start.as_str())?.strip_suffix(end.as_str())?;
        (!rest.contains('/')).then_some(())
    };
    let is_plain = !start.contains(['*', '?', '[']) && !end.contains(['*', '?', '[']);
    if is_plain && all.iter().all(|file| inside(file).is_some() == is_in(file)) {
        return vec![format!("{start}*{end}")];
    }
    some.to_vec()
}

/// A day in a path, and the path with what `--date` fills in in its place.
pub(super) fn dated(path: &str) -> Option<(String, String)> {
    // The longest first, so that 2024/03/05 is not taken for a day of another form.
    const FORMS: [(&str, usize); 5] =
        [("%Y-%m-%d", 10), ("%Y/%m/%d", 10), ("%Y_%m_%d", 10), ("%d.%m.%Y", 10), ("%Y%m%d", 8)];
    FORMS.into_iter().find_map(|(format, length)| {
        let is_alone = |at: usize| {
            let is_digit = |b: Option<&u8>| b.is_some_and(u8::is_ascii_digit);
            !is_digit(at.checked_sub(1).and_then(|at| path.as_bytes().get(at)))
                && !is_digit(path.as_bytes().get(at + length))
        };
        let day = |at: usize| {
            let text = path.get(at..at + length)?;
            let day = NaiveDate::parse_from_str(text, format).ok()?;
            let is_written_so = day.format(format).to_string() == text;
            (is_written_so && is_alone(at) && text.contains("20")).then(|| text.to_owned())
        };
        let day = (0..path.len()).find_map(day)?;
        let dated = path.replace(&day, &day_placeholder(format));
        Some((day, dated))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_in_paths_can_be_filled_in() {
        let of = |path: &str| dated(path).map(|(_, dated)| dated);
        assert_eq!(of("exports/2024-03-28/v-2024-03-28.csv").as_deref(), Some("exports/{date}/v-{date}.csv"));
        assert_eq!(of("exports/2024/03/28/v.csv").as_deref(), Some("exports/{date:%Y/%m/%d}/v.csv"));
        assert_eq!(of("exports/visits_20240328.csv").as_deref(), Some("exports/visits_{date:%Y%m%d}.csv"));
        for other in ["exports/20240399/1234567.csv", "exports/2024-13-28.csv", "é-é-é-é-é-é.csv", "v120240328.csv"]
        {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn files_are_named_as_a_person_would() {
        let paths = |some: &[&str], all: &[&str]| {
            let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
            as_paths(&owned(some), &owned(all))
        };
        let all = ["e/s-1.csv", "e/s-2.csv", "e/v-1.csv", "e/v-2.csv"];
        assert_eq!(paths(&["e/v-1.csv", "e/v-2.csv"], &all), ["e/v-*.csv"]);
        assert_eq!(paths(&["e/v-1.csv"], &all), ["e/v-1.csv"]);
        assert_eq!(paths(&["e/a/x.csv", "e/a/y.csv"], &["e/a/x.csv", "e/a/y.csv", "e/b/x.csv"]), ["e/a"]);
        assert_eq!(paths(&["x.csv", "yy.csv"], &["x.csv", "yy.csv", "z.csv"]), ["x.csv", "yy.csv"]);
        assert_eq!(shape("e/v-2024-03-05/part-00001.csv"), "e/v-#-#-#/part-#.csv");
        assert_ne!(shape("e/visits1.csv"), shape("e/scenes1.csv"));
    }
}
