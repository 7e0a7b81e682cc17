//! The project's token: it goes into one header and stays out of everything else.

use super::spelled;
use reqwest::header::HeaderValue;
use sha2::{Digest, Sha256};

/// A shorter text is not hidden: it cannot be a real token, and any message may contain it.
const SHORTEST_TOKEN: usize = 4;

/// The "project auth token" that Trax provides (vendor's page Sessions Input). Printed, it reads `[token]`.
#[derive(Clone)]
pub(crate) struct Token(String);

impl Token {
    /// A token, without the white space around it. `None` if nothing is left.
    pub(crate) fn new(text: &str) -> Option<Token> {
        let text = text.trim_start_matches('\u{feff}').trim();
        (!text.is_empty()).then(|| Token(text.to_owned()))
    }

    /// How many bytes it has.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The value of the header `Authorization`: "Auth-Token {project auth token}" (vendor's page Sessions Input). `None` where
    /// the token has characters that no token has.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let is_token = self.0.bytes().all(|byte| byte.is_ascii_graphic());
        HeaderValue::from_str(&format!("Auth-Token {}", self.0)).ok().filter(|_| is_token)
    }

    /// A name for what belongs to this token and to something else. It does not tell the token.
    pub(super) fn name_with(&self, other: &str) -> String {
        let digest = Sha256::new().chain_update(&self.0).chain_update([0]).chain_update(other).finalize();
        digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A text with `[token]` in place of the token, however a server may write it.
    pub(super) fn hidden_in(&self, text: &str) -> String {
        self.hidden(text, false)
    }

    /// A text with `[token]` in place of the token, also where the text was cut in the middle of the token.
    pub(super) fn hidden_in_cut(&self, text: &str) -> String {
        self.hidden(text, true)
    }

    fn hidden(&self, text: &str, is_cut: bool) -> String {
        if self.0.len() < SHORTEST_TOKEN {
            return text.to_owned();
        }
        let fewest = if is_cut { SHORTEST_TOKEN } else { usize::MAX };
        spelled::without(text, &self.0, "[token]", fewest)
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
        assert!(Token::new(" \n").is_none());
    }
}
