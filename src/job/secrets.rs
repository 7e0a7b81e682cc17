//! Which lines of a job file are never shown as they are: the user may have put the token itself where it does not belong,
//! and the address of a notification is a secret. When in doubt, a line is hidden.

use std::ops::Range;

/// What may be shown of `[api]` and `[notify]`: these keys, and of the first ones their values.
const HARMLESS: [&str; 4] = ["base_url", "version", "project", "resource"];
const KEYS: [&str; 9] = ["api", "notify", "token_env", "token_file", "ca_file", "url", "url_env", "when", "timeout"];
/// A key with one of these in it holds a secret wherever it stands.
const NAMES: [&str; 9] = ["token", "auth", "key", "secret", "password", "api", "notify", "hook", "url"];
/// Where `[api]` and `[notify]` end. A section that is none of these ends nothing.
const OTHERS: [&str; 9] = ["visits", "scenes", "shuffle", "time", "ids", "check", "upload", "results", "name"];

/// Whether a text is more likely a token than the name of a variable or a file: it begins as one does, or nobody would make up
/// such a name.
pub(super) fn looks_like_a_token(text: &str) -> bool {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    let has_scheme = ["bearer ", "auth-token ", "token ", "basic ", "apikey ", "api-key "];
    let is_jwt = text.starts_with("eyJ") && text.len() >= 16 && !text.contains(['/', '\\']);
    has_scheme.iter().any(|scheme| lower.starts_with(scheme)) || is_jwt || is_random(text)
}

/// Whether letters and digits follow each other as nobody writes them: of 20 and more characters, every fourth is of another
/// kind than the one before. The parts of a path are looked at one by one, because folders of systems have such names too.
fn is_random(text: &str) -> bool {
    let is_path = text.starts_with(['/', '.', '~']) || text.contains('\\') || text.contains("{");
    let is_of_a_token = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_-.~:".contains(&byte);
    if is_path || text.len() < 20 || !text.bytes().all(is_of_a_token) {
        return false;
    }
    let kind = |byte: &u8| match byte {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        _ => 3,
    };
    let bytes = text.as_bytes();
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_change = |pair: &[u8]| kind(&pair[0]) != kind(&pair[1]) && kind(&pair[0]) != 3 && kind(&pair[1]) != 3;
    let changes = bytes.windows(2).filter(|pair| is_change(pair)).count();
    digits == bytes.len() || (digits >= 3 && changes * 4 >= bytes.len())
}

/// What is shown in place of a line that may hold a secret, and what is marked of it; nothing where there is none.
/// `before`: the file down to the line; `is_key`: whether what is marked is known to be a key, and not a piece of a value
/// that looks like one.
pub(super) fn without(before: &str, line: &str, marked: Range<usize>, is_key: bool) -> Option<(String, Range<usize>)> {
    if !holds_one(before, line) {
        return None;
    }
    let key = line.split('=').next().unwrap_or_default();
    let is_assigned = line.contains('=');
    let is_marked = is_key && &line[marked.clone()] == key.trim();
    let is_known = key.trim().split('.').all(|part| KEYS.contains(&part.trim()) || HARMLESS.contains(&part.trim()));
    if !(is_assigned && (is_known || is_marked)) {
        return Some(("…".to_owned(), 0.."…".len()));
    }
    let key = key.trim_end();
    let shown = format!("{key} = …");
    let marked = if marked.end <= key.len() { marked } else { shown.len() - "…".len()..shown.len() };
    Some((shown, marked))
}

fn holds_one(before: &str, line: &str) -> bool {
    let text = line.trim();
    if text.is_empty() || section(text).is_some() {
        return false;
    }
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    let key = key.trim();
    // Signed addresses and those with a password.
    let is_signed = text.split_once("://").is_some_and(|(_, rest)| rest.contains(['@', '?']));
    let within = before.lines().rev().find_map(|line| section(line.trim())).is_some_and(is_secretive);
    let names_one = NAMES.iter().any(|name| key.to_ascii_lowercase().contains(name));
    let is_harmless = HARMLESS.contains(&key) && !value.contains(['@', '?', '#']);
    is_signed || ((within || (names_one && text.contains('='))) && !is_harmless)
}

fn is_secretive(section: &str) -> bool {
    !OTHERS.contains(&section)
}

/// The first part of a section's name, where the line is the header of one that is known.
fn section(line: &str) -> Option<&str> {
    let header = line.strip_prefix('[')?.trim_start_matches('[');
    let name = header.split([']', '.', '#']).next()?.trim().trim_matches(['"', '\'']);
    let is_known = OTHERS.contains(&name) || ["api", "notify"].contains(&name);
    let is_near = || crate::text::nearest(name, OTHERS).is_some();
    let is_bare = name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') && name.len() < 12;
    (is_known || (is_bare && is_near())).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn shown(text: &str, what: &str) -> String {
        let is_key = what == "token";
        let start = text.find(what).expect("it is there");
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line = text[line_start..].lines().next().unwrap_or_default();
        let (from, to) = (start - line_start, (start + what.len() - line_start).min(line.len()));
        without(&text[..line_start], line, from..to, is_key).map_or_else(|| line.to_owned(), |(shown, _)| shown)
    }

    #[test]
    fn what_may_hold_a_secret_is_hidden() {
        for (text, what) in [
            ("[api]\ntoken_env = \"s3cret\"", "\"s3cret\""),
            ("[api]\ntoken = \"s3cret\"", "token"),
            ("[api]\nca_file = \"s3cret\"", "\"s3cret\""),
            ("[api]\nproject = \"p\"\ntoken_env = [\n  \"s3cret\",\n]", "\"s3cret\""),
            ("[api]\ntoken_env = \"\"\"\ns3cret==\n\"\"\"", "s3cret"),
            ("[ api ]\nx = \"s3cret\"", "\"s3cret\""),
            ("[\"api\"] # here\nx = \"s3cret\"", "\"s3cret\""),
            ("[api]\n[[\"s3cret\"]]\nx = 's3cret'", "'s3cret'"),
            ("[api]\ns3cret", "s3cret"),
            ("[api]\nbase_url = \"https://me:s3cret@example.com\"", "\"https"),
            ("api = { token = \"s3cret\" }", "token"),
            ("api.token_env = \"s3cret\"", "\"s3cret\""),
            ("notify = { url = \"https://hooks.example.com/s3cret\" }", "url"),
            ("[notify]\nurl = \"https://hooks.example.com/s3cret", "\"https"),
            ("[notify]\nurl = [\n[\"https://hooks.example.com/s3cret=\"],\n]", "\"https"),
            ("[notfy]\nurl = \"https://hooks.example.com/s3cret", "\"https"),
            ("[notify]\nwhen = \"s3cret\"", "\"s3cret\""),
            ("[visits]\npath = \"https://bucket/x?signature=s3cret\"", "\"https"),
            ("[upload]\nmy_token = \"s3cret\"", "\"s3cret\""),
        ] {
            let shown = shown(text, what);
            assert!(!shown.contains("s3cret"), "{text}\n-> {shown}");
        }
    }

    #[test]
    fn tokens_are_told_from_names() {
        for token in [
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
            "Bearer abc",
            "auth-token s3cret",
            "9f86d081884c7d659a2feaa0c55ad015",
            "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
            "A8F5F167F44F4964E6C998DEE827110C",
            "dGhpcyBpcyBhIHRlc3Q0/x8YzE3QmF+Zg==",
            "sk_live_51H8aZ2eKq7Lr9Xw3Tn5",
            "12345678901234567890",
        ] {
            assert!(looks_like_a_token(token), "{token}");
        }
        for name in [
            "TRAX_TOKEN",
            "TRAX_TOKEN_PROD_2024_EU1",
            "TRAX_TOKEN_OF_PROJECT_MY_PROJECT_2024",
            "myVeryLongVariableNameForTheTokenOfTrax",
            "token",
            "secrets/token",
            "secrets/token-2024-03-04.txt",
            "/run/secrets/trax_token",
            "/var/lib/kubelet/pods/6ba7b811-9dad-11d1-80b4-00c04fd430c8/volumes/token",
            "./9f86d081884c7d659a2feaa0c55ad015",
            "../trax/token-{date}",
            "C:\\secrets\\9f86d081884c7d659a2feaa0c55ad015",
        ] {
            assert!(!looks_like_a_token(name), "{name}");
        }
    }

    #[test]
    fn what_holds_none_is_shown() {
        for (text, what) in [
            ("[api]\nbase_url = \"http://example.com\"", "\"http"),
            ("[api]\nresource = \"x\" ", "\"x\""),
            ("[api]\n[uplaod]\nrate = 5", "uplaod"),
            ("[api]\n[time]\ntimezone = \"x\"", "\"x\""),
            ("[notify]\n[time\ntimezone = \"x\"", "[time"),
            ("[visits]\npath = \"s3://bucket/visits\"", "\"s3"),
            ("[visits.columns]\nvisit_id = 5", "5"),
        ] {
            let line = text.lines().find(|line| line.contains(what)).expect("a line");
            assert_eq!(shown(text, what), line);
        }
        assert_eq!(shown("[api]\ntoken = \"s3cret\"", "token"), "token = …");
    }
}
