//! What an answer says went wrong, in words for people.

use serde_json::Value;

/// The longest error text that is kept, in characters.
const LONGEST: usize = 500;

/// What an answer says went wrong: under one of the names that the vendor uses, or as plain text, on one line.
pub(super) fn error_text(body: &str) -> String {
    const NAMES: [&str; 4] = ["error", "description", "error_description", "message"];
    fn find(value: &Value, depth: u8) -> Option<String> {
        match value {
            Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
            Value::Array(list) if depth > 0 => list.iter().find_map(|value| find(value, depth - 1)),
            Value::Object(map) if depth > 0 => {
                NAMES.iter().filter_map(|name| map.get(*name)).find_map(|value| find(value, depth - 1))
            }
            _ => None,
        }
    }
    let found = serde_json::from_str::<Value>(body).ok().and_then(|value| find(&value, 4));
    let text = found.unwrap_or_else(|| body.to_owned());
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > 4 * LONGEST {
            break;
        }
    }
    match line.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_texts_are_found_and_kept_short() {
        assert_eq!(error_text(r#"{"errors":1,"error":{"message":"a\n b"}}"#), "a b");
        assert_eq!(error_text("  plain\r\ntext\u{0}"), "plain text");
        assert_eq!(error_text(&"x".repeat(100_000)).chars().count(), LONGEST + 1);
    }
}
