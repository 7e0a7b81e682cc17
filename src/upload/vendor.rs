//! The error texts that the vendor documents, and what each is about.
//!
//! They are compared without regard to case, and by how they begin: names and values of the request follow.

use crate::outcome::ErrorCode;

/// The texts about a visit (vendor's page Sessions Input, "Validation and Errors").
const ABOUT_THE_VISIT: [(&str, ErrorCode); 5] = [
    ("missing attribute", ErrorCode::MissingAttribute),
    ("missing mandatory field", ErrorCode::MissingAttribute),
    ("unknown store", ErrorCode::UnknownStore),
    ("lookup value does not exist", ErrorCode::LookupValue),
    ("incorrect format", ErrorCode::IncorrectFormat),
];

/// The texts about the token (vendor's page "Authentication"). They may come with status 400, as an error of a visit does.
const ABOUT_THE_TOKEN: [&str; 3] = ["invalid token", "invalid_token", "incorrect or expired token"];

/// The code of a text about a visit; `None` for a text that the vendor does not document.
pub(super) fn code_of_visit_error(text: &str) -> Option<ErrorCode> {
    let text = text.to_ascii_lowercase();
    ABOUT_THE_VISIT.iter().find(|(start, _)| text.starts_with(start)).map(|(_, code)| *code)
}

/// Whether a text says that the token is wrong or expired.
pub(super) fn is_about_the_token(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ABOUT_THE_TOKEN.iter().any(|start| text.starts_with(start))
}

/// The text about a resource that the key may not use (vendor's page Sessions Input, "Validation and Errors").
pub(super) fn is_forbidden(text: &str) -> bool {
    text.to_ascii_lowercase().starts_with("a forbidden resource")
}

/// With what a rerun helps, by the text of an answer that refused the key. A host that the key is not for is 401 too: "Host
/// <ip> is not authorized to access this endpoint" (vendor's page "Authentication").
pub(super) fn remedy_of_refused_key(text: &str) -> &'static str {
    let plain = text.to_ascii_lowercase();
    match plain.contains("host ") && plain.contains("not authorized") {
        true => {
            "from an address that the key is for: the key itself may be valid, and Trax keeps a list of addresses for it"
        }
        false if is_forbidden(text) => "with a token of this project, or with another project under [api]",
        false => "with a valid token",
    }
}

/// Whether a 409 says that the session is there: "Session has already been received" (vendor's page Sessions Input), or that
/// it is a duplicate. An empty text says nothing else.
pub(super) fn says_already_received(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.is_empty() || text.contains("already") || text.contains("duplicate")
}

/// Whether a text tells of a limit, as gateways and other services word it.
pub(super) fn tells_of_a_limit(text: &str) -> bool {
    let plain: String =
        text.chars().map(|c| if matches!(c, '_' | '-') { ' ' } else { c.to_ascii_lowercase() }).collect();
    ["rate limit", "limit exceeded", "too many requests", "quota exceeded", "throttl"]
        .iter()
        .any(|words| plain.contains(words))
}

/// Whether the vendor documents a text.
pub(super) fn is_documented(text: &str) -> bool {
    is_about_the_token(text) || is_forbidden(text) || code_of_visit_error(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_helps_depends_on_what_was_refused() {
        assert!(remedy_of_refused_key("Host 10.1.2.3 is not authorized to access this endpoint").contains("addresses"));
        assert!(remedy_of_refused_key("A forbidden resource has been requested x").contains("project"));
        assert_eq!(remedy_of_refused_key("Incorrect or expired token"), "with a valid token");
    }

    #[test]
    fn the_one_400_about_the_token_begins_with_its_words() {
        for text in ["invalid token", "Incorrect or expired token", "invalid_token: key"] {
            assert!(is_about_the_token(text), "{text}");
        }
        assert!(!is_about_the_token("Incorrect format field: x, the correct format: no invalid token"));
    }
}
