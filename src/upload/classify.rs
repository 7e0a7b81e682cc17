//! What a reply means: pure, and without any waiting.

use super::network::Reply;
use crate::outcome::ErrorCode;
use std::time::Duration;

/// What a reply means for the visit that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The API took it.
    Uploaded,
    /// The API had it before this run.
    AlreadyReceived,
    /// Refused for good.
    Rejected(Refused),
    /// The key is refused: nobody's request will fare better.
    KeyRefused(Refused),
    /// Too fast: the whole job pauses.
    TooFast { refused: Refused, retry_after: Option<Duration> },
    /// May succeed another time.
    Unsettled { refused: Refused, may_have_arrived: bool, retry_after: Option<Duration> },
}

/// The code and the text of what was not a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) code: ErrorCode,
    pub(super) status: Option<u16>,
    pub(super) text: String,
}

/// `may_have_arrived`: an earlier attempt of this run may have reached the API, so that a 409 is its success.
pub(super) fn classify(reply: &Reply, may_have_arrived: bool) -> Verdict {
    let (status, retry_after, text) = match reply {
        Reply::Answer { status, retry_after, text } => (*status, *retry_after, text),
        Reply::NotSent(reason) => return unsettled(ErrorCode::Connection, reason, false),
        Reply::TimedOut => return unsettled(ErrorCode::Timeout, "no answer in time", true),
        Reply::Broken(reason) => return unsettled(ErrorCode::Connection, reason, true),
    };
    let refused = |code| Refused {
        code,
        status: Some(status),
        text: if text.is_empty() { format!("HTTP {status} without a text") } else { text.clone() },
    };
    match status {
        200..=299 => Verdict::Uploaded,
        409 if may_have_arrived => Verdict::Uploaded,
        409 => Verdict::AlreadyReceived,
        401 => Verdict::KeyRefused(refused(ErrorCode::Unauthorized)),
        403 => Verdict::KeyRefused(refused(ErrorCode::Forbidden)),
        400 if is_about_the_token(text) => Verdict::KeyRefused(refused(ErrorCode::Unauthorized)),
        408 => Verdict::Unsettled { refused: refused(ErrorCode::Timeout), may_have_arrived: false, retry_after },
        429 => Verdict::TooFast { refused: refused(ErrorCode::RateLimited), retry_after },
        500..=599 => {
            Verdict::Unsettled { refused: refused(ErrorCode::ServerError), may_have_arrived: true, retry_after }
        }
        _ => Verdict::Rejected(refused(code_of(status, text))),
    }
}

fn unsettled(code: ErrorCode, reason: &str, may_have_arrived: bool) -> Verdict {
    let refused = Refused { code, status: None, text: reason.to_owned() };
    Verdict::Unsettled { refused, may_have_arrived, retry_after: None }
}

/// The one 400 that is about the key and not about the visit (vendor's page "Authentication").
fn is_about_the_token(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["invalid token", "invalid_token", "incorrect or expired token"].iter().any(|start| text.starts_with(start))
}

/// Whether a text begins as one of those that the vendor lists.
pub(super) fn is_of_the_vendor(text: &str) -> bool {
    is_about_the_token(text) || code_of(400, text) != ErrorCode::UnexpectedAnswer
}

/// The texts of the vendor's "Validation and Errors".
fn code_of(status: u16, text: &str) -> ErrorCode {
    const TEXTS: [(&str, ErrorCode); 5] = [
        ("missing attribute", ErrorCode::MissingAttribute),
        ("missing mandatory field", ErrorCode::MissingAttribute),
        ("unknown store", ErrorCode::UnknownStore),
        ("lookup value does not exist", ErrorCode::LookupValue),
        ("incorrect format", ErrorCode::IncorrectFormat),
    ];
    let lower = text.to_ascii_lowercase();
    let known = TEXTS.iter().filter(|_| (400..500).contains(&status)).find(|(start, _)| lower.starts_with(start));
    known.map_or(ErrorCode::UnexpectedAnswer, |(_, code)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, text: &str) -> Reply {
        Reply::Answer { status, retry_after: None, text: text.to_owned() }
    }

    #[test]
    fn a_409_is_judged_by_what_went_before() {
        assert_eq!(classify(&answer(409, ""), false), Verdict::AlreadyReceived);
        assert_eq!(classify(&answer(409, ""), true), Verdict::Uploaded);
    }

    #[test]
    fn only_timeouts_breaks_and_5xx_may_have_arrived() {
        let arrived = |reply: Reply| match classify(&reply, false) {
            Verdict::Unsettled { may_have_arrived, .. } => may_have_arrived,
            other => panic!("{other:?}"),
        };
        assert!(arrived(Reply::TimedOut) && arrived(Reply::Broken("reset".into())) && arrived(answer(503, "")));
        assert!(!arrived(Reply::NotSent("refused".into())) && !arrived(answer(408, "")));
    }

    #[test]
    fn texts_of_the_vendor_have_their_codes() {
        for (status, body, expected) in [
            (400, "missing attributes - store_number,visit_date", ErrorCode::MissingAttribute),
            (400, "missing mandatory field - scenes", ErrorCode::MissingAttribute),
            (400, "Unknown Store 100", ErrorCode::UnknownStore),
            (400, "Lookup value does not exist: 7", ErrorCode::LookupValue),
            (400, "Incorrect format field: visit_date, the correct format: YYYY-MM-DD", ErrorCode::IncorrectFormat),
            (400, "something else", ErrorCode::UnexpectedAnswer),
            (404, "<html>", ErrorCode::UnexpectedAnswer),
            (302, "", ErrorCode::UnexpectedAnswer),
        ] {
            match classify(&answer(status, body), false) {
                Verdict::Rejected(refused) => assert_eq!(refused.code, expected, "{body}"),
                other => panic!("{body}: {other:?}"),
            }
        }
    }

    #[test]
    fn refused_keys_are_told_from_refused_visits() {
        for (status, body) in [
            (401, "the API key is invalid"),
            (403, "A forbidden resource has been requested x"),
            (400, "invalid token"),
        ] {
            assert!(matches!(classify(&answer(status, body), false), Verdict::KeyRefused(_)), "{body}");
        }
        let format = "Incorrect format field: x, the correct format: no invalid token";
        assert!(matches!(classify(&answer(400, format), false), Verdict::Rejected(_)));
    }
}
