//! What an answer says went wrong, in words for people.
//!
//! It does not know what the words mean for a visit.

use super::network::Look;
use super::vendor::is_documented;
use serde::Deserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;

/// What an answer looks like, by its Content-Type and the beginning of its body.
///
/// A status of 200 is not Trax's word for it: portals, firewalls and gateways say 200 as well.
pub(super) fn look(content_type: &str, text: &str) -> Look {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if ["text/html", "application/xhtml+xml"].iter().any(|page| content_type.starts_with(page)) || is_page(text) {
        return Look::Page;
    }
    // Most answers are short, and only an object can report an error.
    if !text.starts_with('{') {
        return Look::Plain;
    }
    let mut found = ErrorInside(false);
    // The text may be cut: what was read until then counts.
    let _ = serde_json::Deserializer::from_str(text).deserialize_map(&mut found);
    if found.0 { Look::ErrorInside } else { Look::Plain }
}

/// Whether the fields of an object that were read so far report an error: keeps no other field.
struct ErrorInside(bool);

impl<'de> Visitor<'de> for &mut ErrorInside {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(name) = fields.next_key::<Cow<'_, str>>()? {
            let is_telling = ["error", "errors", "status", "statuscode", "success"]
                .iter()
                .any(|telling| telling.eq_ignore_ascii_case(&name));
            match is_telling {
                true => self.0 |= reports_an_error(&name.to_ascii_lowercase(), &fields.next_value()?),
                false => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Whether a field reports an error: `error` or `errors` that says something, the `status` of one, `success` that is none.
fn reports_an_error(name: &str, value: &Value) -> bool {
    let says_something = match value {
        Value::Null => false,
        Value::Bool(is_error) => *is_error,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    };
    let number = || match value {
        Value::String(text) => text.trim().parse().ok(),
        number => number.as_f64(),
    };
    match name {
        "error" | "errors" => says_something,
        "success" => *value == Value::Bool(false),
        _ => number().is_some_and(|status| (400.0..600.0).contains(&status)),
    }
}

fn is_page(text: &str) -> bool {
    let mut text = text.trim_start();
    // What may stand before a page: comments, and `<?xml ...?>`.
    for _ in 0..MAX_BEFORE_A_PAGE {
        let end = match text {
            _ if text.starts_with("<!--") => text.find("-->").map(|at| at + 3),
            _ if text.starts_with("<?") => text.find("?>").map(|at| at + 2),
            _ => None,
        };
        let Some(end) = end else { break };
        text = text[end..].trim_start();
    }
    let start: String = text.chars().take(9).collect::<String>().to_ascii_lowercase();
    ["<!doctype", "<html", "<head", "<body"].iter().any(|tag| start.starts_with(tag))
}

/// So many comments are looked behind.
const MAX_BEFORE_A_PAGE: usize = 16;
/// How much of an error text is kept, in characters.
const MAX_CHARS: usize = 500;

/// What an answer says went wrong, on one line, cut after 500 characters.
///
/// In JSON the words stand under the names that the vendor, gateways and proxies use. Texts that the vendor documents come
/// first, because a gateway may put words of its own before them, such as "Bad Request". Else the whole text counts, of an
/// HTML page the words that a browser would show.
pub(super) fn error_text(body: &str) -> String {
    const NAMES: [&str; 5] = ["error", "description", "error_description", "message", "errors"];
    const MAX_TEXTS: usize = 16;
    fn find(value: &Value, depth: u8, found: &mut Vec<String>) {
        match value {
            _ if found.len() == MAX_TEXTS => {}
            Value::String(text) if !text.trim().is_empty() && !found.contains(text) => found.push(text.clone()),
            Value::Array(list) if depth > 0 => list.iter().for_each(|value| find(value, depth - 1, found)),
            Value::Object(map) if depth > 0 => {
                for name in NAMES {
                    let named = map.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
                    named.for_each(|(_, value)| find(value, depth - 1, found));
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    if let Ok(value) = serde_json::from_str(body.trim_start_matches('\u{feff}')) {
        find(&value, 4, &mut found);
        found.sort_by_key(|text| !is_documented(text.trim_start()));
    }
    let text = if found.is_empty() { without_markup(body) } else { Cow::Owned(found.join("; ")) };
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > 4 * MAX_CHARS {
            break;
        }
    }
    match line.char_indices().nth(MAX_CHARS) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line,
    }
}

/// The words of an HTML page, which a proxy or a load balancer may send in place of an answer. Any other text stays as it is.
fn without_markup(body: &str) -> Cow<'_, str> {
    if !is_page(body) {
        return Cow::Borrowed(body);
    }
    let mut text = String::new();
    let mut rest = body;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        rest = after_tag(tag);
    }
    text.push_str(rest);
    for (entity, letter) in
        [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
    {
        text = text.replace(entity, letter);
    }
    // A page without words is shown as it is, which is better than nothing.
    if text.trim().is_empty() { Cow::Borrowed(body) } else { Cow::Owned(text) }
}

/// What follows a tag. `tag` begins after its `<`. Scripts, styles and comments are skipped with their content.
fn after_tag(tag: &str) -> &str {
    let after = |text: &'_ str, end: &str| text.find(end).map(|at| at + end.len());
    let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let end = match name.as_str() {
        // Only ASCII letters change, so positions stay the same.
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
        assert_eq!(error_text(r#"{"errors":["Unknown Store 77"]}"#), "Unknown Store 77");
        assert_eq!(error_text("  plain\r\ntext\u{0}"), "plain text");
        assert_eq!(error_text("a < b, <b>said</b>"), "a < b, <b>said</b>", "not a page");
        assert_eq!(error_text(&"x".repeat(100_000)).chars().count(), MAX_CHARS + 1);
    }

    #[test]
    fn what_somebody_else_answers_is_told_by_its_look() {
        let long = format!(r#"{{"a":"{}","error":"not stored"}}"#, "y".repeat(100_000));
        for body in [
            r#"{"error":"locked"}"#,
            r#"{"errors":["x"]}"#,
            r#"{"status":503}"#,
            r#"{"status":"404"}"#,
            r#"{"status":400.0}"#,
            r#"{"STATUSCODE":500}"#,
            r#"{"Error":"x"}"#,
            r#"{"success":false}"#,
            r#"{"error":"x","trace":"cut he"#,
            &long,
        ] {
            assert_eq!(look("application/json", body), Look::ErrorInside, "{body}");
        }
        for body in [
            "",
            "OK",
            "{}",
            r#"{"error":null,"errors":[]}"#,
            r#"{"error":false,"status":200}"#,
            r#"{"status":"ok"}"#,
            r#"{"success":true,"status":399.0}"#,
            r#"{"data":{"error":"x"}}"#,
            r#"{"error":"#,
            "<!-- <html> --><x/>",
            r#"<?xml version="1.0"?><ok/>"#,
        ] {
            assert_eq!(look("application/json", body), Look::Plain, "{body}");
        }
        assert_eq!(look("text/plain", "\u{feff}\n<!DOCTYPE html><title>Login"), Look::Page);
        assert_eq!(look("text/html; charset=utf-8", ""), Look::Page);
        assert_eq!(look("application/xhtml+xml", "<x/>"), Look::Page);
        assert_eq!(look("", " <!-- a --> <!-- b --><html>"), Look::Page);
        assert_eq!(look("", "<?xml version=\"1.0\"?>\n<!DOCTYPE html><html/>"), Look::Page);
    }

    #[test]
    fn the_words_of_a_page_are_kept() {
        let page = "\n<!DOCTYPE html><html><head><STYLE>h1 > p { color: red }</STYLE ><title>503 Service\nUnavailable</title>\
                    <script>if (1 < 2) {}</script></head><!-- a > b --><body><h1>Down</h1><p>for &lt;5 min&gt; &amp; more</body></html>";
        assert_eq!(error_text(page), "503 Service Unavailable Down for <5 min> & more");
        assert_eq!(error_text("<html><body></body></html>"), "<html><body></body></html>");
        assert_eq!(error_text("<html>cut <scr"), "cut");
        assert_eq!(error_text("<html>Ärger <script>ü"), "Ärger");
    }
}
