//! What an answer says went wrong, in words for people.

use super::classify::is_of_the_vendor;
use serde_json::Value;
use std::borrow::Cow;

/// The longest error text that is kept, in characters.
const LONGEST: usize = 500;

/// What an answer says went wrong: under the names that the vendor and those between us and it use, or as plain text, on
/// one line. What the vendor says comes first: a gateway may put its own word before it, such as "Bad Request".
pub(super) fn error_text(body: &str) -> String {
    const NAMES: [&str; 4] = ["error", "description", "error_description", "message"];
    const MOST: usize = 16;
    fn find(value: &Value, depth: u8, found: &mut Vec<String>) {
        match value {
            _ if found.len() == MOST => {}
            Value::String(text) if !text.trim().is_empty() && !found.contains(text) => found.push(text.clone()),
            Value::Array(list) if depth > 0 => list.iter().for_each(|value| find(value, depth - 1, found)),
            Value::Object(map) if depth > 0 => {
                let named = NAMES.iter().filter_map(|name| map.get(*name));
                named.for_each(|value| find(value, depth - 1, found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    if let Ok(value) = serde_json::from_str(body.trim_start_matches('\u{feff}')) {
        find(&value, 4, &mut found);
        found.sort_by_key(|text| !is_of_the_vendor(text.trim_start()));
    }
    let text = if found.is_empty() { without_markup(body) } else { Cow::Owned(found.join("; ")) };
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

/// What a page says that a proxy or a load balancer sends in place of an answer.
fn without_markup(body: &str) -> Cow<'_, str> {
    let start: String = body.trim_start().chars().take(9).collect::<String>().to_ascii_lowercase();
    if !["<!doctype", "<html", "<head", "<body"].iter().any(|tag| start.starts_with(tag)) {
        return Cow::Borrowed(body);
    }
    let mut text = String::new();
    let mut rest = body;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        rest = behind(tag);
    }
    text.push_str(rest);
    for (entity, letter) in
        [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
    {
        text = text.replace(entity, letter);
    }
    // A page without any words is better than nothing.
    if text.trim().is_empty() { Cow::Borrowed(body) } else { Cow::Owned(text) }
}

/// What follows a tag, of which the `<` is gone; scripts, styles and comments are skipped as a whole.
fn behind(tag: &str) -> &str {
    let after = |text: &'_ str, end: &str| text.find(end).map(|at| at + end.len());
    let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let end = match name.as_str() {
        // Only ASCII letters are changed, so that places stay the same.
        "script" | "style" => after(&tag.to_ascii_lowercase(), &format!("</{name}")),
        _ if tag.starts_with("!--") => after(tag, "-->").map(|end| end - 1),
        _ => Some(0),
    };
    let closed = end.and_then(|end| Some(end + after(&tag[end..], ">")?));
    closed.map_or("", |at| &tag[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_texts_are_found_and_kept_short() {
        assert_eq!(error_text(r#"{"errors":1,"error":{"message":"a\n b"}}"#), "a b");
        let oauth = r#"{"error":"invalid_request","error_description":"invalid token"}"#;
        assert_eq!(error_text(oauth), "invalid token; invalid_request");
        let gateway =
            "\u{feff}{\"error\":\"Bad Request\",\"message\":\"Unknown Store 5\",\"description\":\"Bad Request\"}";
        assert_eq!(error_text(gateway), "Unknown Store 5; Bad Request");
        assert_eq!(error_text(r#"{"error":["Unknown Store 5","more","more"]}"#), "Unknown Store 5; more");
        assert_eq!(error_text("  plain\r\ntext\u{0}"), "plain text");
        assert_eq!(error_text("a < b, <b>said</b>"), "a < b, <b>said</b>", "no page");
        assert_eq!(error_text(&"x".repeat(100_000)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn of_a_page_the_words_are_kept() {
        let page = "\n<!DOCTYPE html><html><head><STYLE>h1 > p { color: red }</STYLE ><title>503 Service\nUnavailable</title>\
                    <script>if (1 < 2) {}</script></head><!-- a > b --><body><h1>Down</h1><p>for &lt;5 min&gt; &amp; more</body></html>";
        assert_eq!(error_text(page), "503 Service Unavailable Down for <5 min> & more");
        assert_eq!(error_text("<html><body></body></html>"), "<html><body></body></html>");
        assert_eq!(error_text("<html>cut <scr"), "cut");
        assert_eq!(error_text("<html>Ärger <script>ü"), "Ärger");
    }
}
