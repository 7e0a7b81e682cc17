//! Text for a job file: strings that TOML reads back as they are, and comments of a readable width.

use crate::unseen::Unseen;

/// A text as a TOML string on one line. Nothing in it can end a comment, or turn its direction around.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            letter if Unseen::of(letter).is_some_and(|unseen| unseen != Unseen::Shaper) => {
                out.push_str(&match u32::from(letter) {
                    short @ ..=0xffff => format!("\\u{short:04X}"),
                    long => format!("\\U{long:08X}"),
                });
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

/// A list of texts in TOML.
pub(super) fn quoted_list(texts: &[impl AsRef<str>]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text.as_ref())).collect();
    format!("[{}]", texts.join(", "))
}

/// A value as an example in a comment: quoted, and cut where it is long.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 40;
    if text.chars().count() <= LONGEST {
        return quoted(text);
    }
    let cut: String = text.chars().take(LONGEST).collect();
    format!("{}…", quoted(&cut))
}

/// A column's name within a sentence: in quotes only where it needs them.
pub(super) fn plainly(name: &str) -> String {
    let is_plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if is_plain && !name.is_empty() { name.to_owned() } else { shown(name) }
}

/// At most `most` texts, and how many more there are: `"a", "b" and 3 more`.
pub(super) fn listed<'a>(texts: impl IntoIterator<Item = &'a str>, most: usize) -> String {
    let all: Vec<String> = texts.into_iter().map(shown).collect();
    match all.len().saturating_sub(most) {
        0 => all.join(", "),
        more => format!("{} and {more} more", all[..most].join(", ")),
    }
}

/// `"a" or "b"`, `"a", "b" or "c"`.
pub(super) fn either(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().take(6).map(|name| shown(name)).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// The lines of a comment, broken between words.
pub(super) fn comment(text: &str) -> Vec<String> {
    const WIDTH: usize = 110;
    let mut lines = Vec::new();
    let mut line = String::from("#");
    for word in text.split(' ') {
        if line.chars().count() + word.chars().count() >= WIDTH && line.len() > 1 {
            lines.push(std::mem::replace(&mut line, "#".to_owned()));
        }
        line.push(' ');
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn toml_reads_back_what_was_quoted(text in any::<String>()) {
            let file = format!("key = {0} # {0}\nafter = 1\n{0} = 2", quoted(&text));
            let table: toml::Table = toml::from_str(&file).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(table["key"].as_str(), Some(text.as_str()));
            prop_assert!(!quoted(&text).contains(char::is_control));
        }
    }

    #[test]
    fn comments_are_broken_between_words() {
        let lines = comment(&"word ".repeat(60));
        assert!(lines.len() > 2 && lines.iter().all(|line| line.starts_with("# word") && line.len() <= 112));
        assert_eq!(listed(["a", "b\n", "c"], 2), "\"a\", \"b\\n\" and 1 more");
    }
}
