//! The project's token: what its header says, and how it is kept out of everything else.

use reqwest::header::HeaderValue;

/// What is shorter than this is no token, and stands in any text.
const SHORTEST_TOKEN: usize = 4;

/// The project's token. It never shows itself.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// A token without white space around it; `None` if nothing is left.
    pub fn new(text: &str) -> Option<Token> {
        let text = text.trim_start_matches('\u{feff}').trim();
        (!text.is_empty()).then(|| Token(text.to_owned()))
    }

    /// What the header says; `None` where it has characters that no token has.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let is_token = self.0.bytes().all(|byte| byte.is_ascii_graphic());
        HeaderValue::from_str(&format!("Auth-Token {}", self.0)).ok().filter(|_| is_token)
    }

    /// How servers write it that repeat what they were sent: as it is, as a part of an address, as JSON may.
    fn written(&self) -> [String; 4] {
        let in_address = |upper: bool| -> String {
            let written = |byte: u8| match byte {
                b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
                _ if upper => format!("%{byte:02X}"),
                _ => format!("%{byte:02x}"),
            };
            self.0.bytes().map(written).collect()
        };
        [self.0.clone(), in_address(true), in_address(false), self.0.replace('/', "\\/")]
    }

    /// A text without it.
    pub(super) fn hidden_in(&self, text: &str) -> String {
        let mut hidden = text.to_owned();
        if self.0.len() >= SHORTEST_TOKEN {
            for written in self.written().iter().filter(|written| text.contains(*written)) {
                hidden = hidden.replace(written, "[token]");
            }
        }
        hidden
    }

    /// The same of a text that was cut, perhaps in the middle of it.
    pub(super) fn hidden_in_cut(&self, text: &str) -> String {
        let hidden = self.hidden_in(text);
        for written in self.written() {
            let mut starts = (SHORTEST_TOKEN..written.len()).rev().filter_map(|end| written.get(..end));
            if let Some(rest) = starts.find_map(|start| hidden.strip_suffix(start)) {
                return format!("{rest}[token]");
            }
        }
        hidden
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[token]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_never_shows_itself() {
        let token = Token::new(" s3cret\n").expect("a token");
        assert_eq!(format!("{token:?}"), "[token]");
        assert_eq!(token.hidden_in("bad key s3cret!"), "bad key [token]!");
        assert_eq!(token.hidden_in_cut("bad key s3cre"), "bad key [token]");
        assert_eq!(token.hidden_in("bad key s3cre"), "bad key s3cre", "not cut");
        let token = Token::new("q7R+9/xk=").expect("a token");
        for written in ["q7R+9/xk=", "q7R%2B9%2Fxk%3D", "q7R%2b9%2fxk%3d", "q7R+9\\/xk="] {
            assert_eq!(token.hidden_in(&format!("?key={written}")), "?key=[token]");
        }
        for cut in ["q7R+9/xk=", "q7R+9/x", "q7R%2B9%2"] {
            assert_eq!(token.hidden_in_cut(&format!("?key={cut}")), "?key=[token]");
        }
        assert!(Token::new(" \n").is_none());
    }
}
