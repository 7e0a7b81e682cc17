//! What a notification says: the report as JSON, with `text` for chats such as Slack.

use serde::Serialize;
use serde_json::{Value, json};

/// The longest message of a failure that is sent, in characters.
const LONGEST: usize = 300;

/// The body of a notification. `report`: what the command came to, as an object; `sentence`: the same for a chat; `host`: the
/// name of this machine.
pub(crate) fn notification(report: &impl Serialize, sentence: &str, host: Option<&str>) -> String {
    let mut body = serde_json::to_value(report).unwrap_or_default();
    let place = host.map(|host| format!("[{host}] ")).unwrap_or_default();
    if let Value::Object(map) = &mut body {
        map.insert("text".to_owned(), json!(format!("traxload {place}{sentence}")));
        map.insert("host".to_owned(), json!(host));
    }
    body.to_string()
}

/// The first line of a message, for a chat; the rest is on the screen and in the log.
pub(crate) fn first_line(message: &str) -> String {
    let mut lines = message.trim().lines();
    let first = lines.next().unwrap_or_default();
    match first.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", &first[..cut]),
        None if lines.next().is_some() => format!("{} …", first.trim_end_matches([':', '.', ' '])),
        None => first.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_message_the_start_is_sent() {
        assert_eq!(first_line("one line"), "one line");
        assert_eq!(first_line("other ids:\n  a was 1\n  b was 2"), "other ids …");
        assert_eq!(first_line(&"é".repeat(9_000)), format!("{}…", "é".repeat(LONGEST)));
    }
}
