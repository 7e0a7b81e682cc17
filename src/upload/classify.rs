//! What a reply means for its visit. To change what happens after, say, a 503, change its line in [`classify`].
//!
//! A pure function. It does not know how long a visit waits, nor how often it is tried.

use super::network::{Look, Reply};
use super::vendor::{
    code_of_visit_error, is_about_the_token, is_documented, is_forbidden, says_already_received, tells_of_a_limit,
};
use crate::outcome::{ErrorCode, Status};
use std::fmt;
use std::time::Duration;

/// What a reply means for its visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The API took the visit in this run.
    Uploaded,
    /// The API had the visit before this run.
    AlreadyReceived,
    /// The API refused the visit for good.
    Rejected(AttemptError),
    /// A refusal in none of the vendor's words. `status`: what it is if it is the visit's own. `is_of_address`: if all visits get
    /// it, the address is wrong, or somebody answers in place of the API.
    Strange { error: AttemptError, status: Status, may_have_arrived: bool, is_of_address: bool },
    /// The API refused the key. `is_certain`: no other visit need be tried with it.
    KeyRefused { error: AttemptError, is_certain: bool },
    /// Too many requests. The whole job pauses, for as long as the server says.
    Throttled { error: AttemptError, retry_after: Option<Duration> },
    /// Another attempt may succeed, not before the time that the server says. `may_have_arrived`: the API may have taken
    /// the visit all the same.
    Retryable { error: AttemptError, may_have_arrived: bool, retry_after: Option<Duration> },
    /// There is no way to the API, and waiting opens none once this has lasted for `wait`.
    NoWay { error: AttemptError, wait: Duration },
}

/// Why an attempt did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AttemptError {
    pub(super) code: ErrorCode,
    /// The HTTP status; `None` where no answer came.
    pub(super) status: Option<u16>,
    /// What went wrong, in the server's words where it has any.
    pub(super) text: String,
}

/// What a reply means. `may_have_arrived`: an earlier attempt of this run may have reached the API, so that a 409 shows its
/// success.
///
/// The statuses 400, 401, 403, 409 and 500 are the vendor's (Sessions Input, "Validation and Errors"). The others are those
/// of HTTP, as gateways and proxies send them. What is in none of the vendor's words may come from somebody else.
pub(super) fn classify(reply: &Reply, may_have_arrived: bool) -> Verdict {
    let (status, retry_after, text, look) = match reply {
        Reply::Answer { status, retry_after, text, look } => (*status, *retry_after, text.as_str(), *look),
        Reply::NotSent(reason) => return without_answer(ErrorCode::Connection, reason, false),
        Reply::NoWay(reason, wait) => {
            let error = AttemptError { code: ErrorCode::Connection, status: None, text: reason.clone() };
            return Verdict::NoWay { error, wait: *wait };
        }
        Reply::TimedOut => return without_answer(ErrorCode::Timeout, "no answer in time", true),
        Reply::Broken(reason) => return without_answer(ErrorCode::Connection, reason, true),
    };
    let is_page = look == Look::Page;
    let error = |code| AttemptError::of_answer(code, status, text);
    let retryable = |code, may_have_arrived| Verdict::Retryable { error: error(code), may_have_arrived, retry_after };
    let strange = |status, is_of_address, may_have_arrived| Verdict::Strange {
        error: error(ErrorCode::UnexpectedAnswer),
        status,
        may_have_arrived,
        is_of_address: is_of_address || is_page,
    };
    let throttled = || Verdict::Throttled { error: error(ErrorCode::RateLimited), retry_after };
    match status {
        207 => strange(Status::Failed, true, true),
        200..=299 if is_page || look == Look::ErrorInside => strange(Status::Failed, true, true),
        200..=299 => Verdict::Uploaded,
        400 if is_about_the_token(text) => {
            Verdict::KeyRefused { error: error(ErrorCode::Unauthorized), is_certain: true }
        }
        401 => Verdict::KeyRefused { error: error(ErrorCode::Unauthorized), is_certain: false },
        403 if is_forbidden(text) => Verdict::KeyRefused { error: error(ErrorCode::Forbidden), is_certain: false },
        400 | 403 if !is_documented(text) && (retry_after.is_some() || tells_of_a_limit(text)) => throttled(),
        403 if !is_page => Verdict::Rejected(error(ErrorCode::Forbidden)),
        // The server waited in vain for the rest of the request, so it did not take the visit.
        408 => retryable(ErrorCode::Timeout, false),
        // Its text may have been any.
        409 if look == Look::Lost => retryable(ErrorCode::UnexpectedAnswer, false),
        409 if is_page || !says_already_received(text) => strange(Status::Failed, false, false),
        409 if may_have_arrived => Verdict::Uploaded,
        409 => Verdict::AlreadyReceived,
        // Made to be repeated: misdirected, locked, too early, and two of load balancers for a client that went away.
        421 | 423 | 425 | 460 | 499 => retryable(ErrorCode::UnexpectedAnswer, false),
        429 => throttled(),
        404 | 405 | 410 => strange(Status::Rejected, true, false),
        400..=499 if is_page => strange(Status::Rejected, false, false),
        // Whatever its words are, the API looked at the visit: the vendor may find new ones.
        400..=499 => Verdict::Rejected(error(code_of_visit_error(text).unwrap_or(ErrorCode::UnexpectedAnswer))),
        // The API may have taken the visit before something failed.
        500..=599 => retryable(ErrorCode::ServerError, true),
        300..=399 => strange(Status::Rejected, true, false),
        _ => strange(Status::Failed, true, false),
    }
}

fn without_answer(code: ErrorCode, reason: &str, may_have_arrived: bool) -> Verdict {
    let error = AttemptError { code, status: None, text: reason.to_owned() };
    Verdict::Retryable { error, may_have_arrived, retry_after: None }
}

impl AttemptError {
    fn of_answer(code: ErrorCode, status: u16, text: &str) -> AttemptError {
        let text = if text.is_empty() { format!("HTTP {status} without a text") } else { text.to_owned() };
        AttemptError { code, status: Some(status), text }
    }
}

impl fmt::Display for AttemptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) if !self.text.starts_with("HTTP ") => write!(f, "HTTP {status}: {}", self.text),
            _ => f.write_str(&self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, text: &str) -> Reply {
        Reply::Answer { status, retry_after: None, text: text.to_owned(), look: Look::Plain }
    }

    #[test]
    fn a_409_is_judged_by_what_went_before() {
        assert_eq!(classify(&answer(409, ""), false), Verdict::AlreadyReceived);
        assert_eq!(classify(&answer(409, ""), true), Verdict::Uploaded);
        let lost = Reply::Answer { status: 409, retry_after: None, text: String::new(), look: Look::Lost };
        for may_have_arrived in [false, true] {
            assert!(matches!(classify(&lost, may_have_arrived), Verdict::Retryable { may_have_arrived: false, .. }));
        }
    }

    #[test]
    fn only_timeouts_breaks_and_5xx_may_have_arrived() {
        let arrived = |reply: Reply| match classify(&reply, false) {
            Verdict::Retryable { may_have_arrived, .. } => may_have_arrived,
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
        ] {
            match classify(&answer(status, body), false) {
                Verdict::Rejected(error) => assert_eq!(error.code, expected, "{body}"),
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
            assert!(matches!(classify(&answer(status, body), false), Verdict::KeyRefused { .. }), "{body}");
        }
        let format = "Incorrect format field: x, the correct format: no invalid token";
        assert!(matches!(classify(&answer(400, format), false), Verdict::Rejected(_)));
    }

    #[test]
    fn what_is_in_none_of_the_vendors_words_may_come_from_somebody_else() {
        let status = |status: u16, text: &str, look: Look| {
            let reply = Reply::Answer { status, retry_after: None, text: text.to_owned(), look };
            match classify(&reply, false) {
                Verdict::Strange { status, .. } => Some(status),
                _ => None,
            }
        };
        for code in [404, 405, 410, 302] {
            assert_eq!(status(code, "", Look::Plain), Some(Status::Rejected), "{code}");
        }
        assert_eq!(status(200, "Log in", Look::Page), Some(Status::Failed));
        assert_eq!(status(200, "locked", Look::ErrorInside), Some(Status::Failed));
        assert_eq!(status(207, "", Look::Plain), Some(Status::Failed));
        assert_eq!(status(101, "", Look::Plain), Some(Status::Failed));
        assert_eq!(status(201, "", Look::Lost), None);
        assert_eq!(status(409, "project is locked", Look::Plain), Some(Status::Failed));
        assert_eq!(status(400, "Blocked", Look::Page), Some(Status::Rejected));
        assert_eq!(status(400, "something else", Look::Plain), None);
        assert_eq!(status(415, "", Look::Plain), None);
        assert_eq!(status(200, "", Look::Plain), None);
        assert_eq!(status(409, "Session has already been received", Look::Plain), None);
    }

    #[test]
    fn limits_are_told_in_other_words_too() {
        for (code, text) in
            [(403, "Rate Limit Exceeded"), (400, "REQUEST_LIMIT_EXCEEDED"), (403, "throttled"), (429, "")]
        {
            assert!(matches!(classify(&answer(code, text), false), Verdict::Throttled { .. }), "{code} {text}");
        }
        assert!(matches!(classify(&answer(403, "blocked by policy"), false), Verdict::Rejected(_)));
        for code in [421, 423, 425, 460, 499] {
            assert!(matches!(classify(&answer(code, ""), false), Verdict::Retryable { .. }), "{code}");
        }
    }

    #[test]
    fn a_503_is_tried_again_when_the_server_says() {
        let retry_after = Some(Duration::from_secs(7));
        let reply = Reply::Answer { status: 503, retry_after, text: "down".to_owned(), look: Look::Plain };
        let error = AttemptError { code: ErrorCode::ServerError, status: Some(503), text: "down".to_owned() };
        let verdict = Verdict::Retryable { error, may_have_arrived: true, retry_after };
        assert_eq!(classify(&reply, false), verdict);
    }

    #[test]
    fn an_error_shows_its_status_once() {
        let shown = |reply: &Reply| match classify(reply, false) {
            Verdict::Retryable { error, .. } => error.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(shown(&answer(500, "down")), "HTTP 500: down");
        assert_eq!(shown(&answer(503, "")), "HTTP 503 without a text");
        assert_eq!(shown(&Reply::TimedOut), "no answer in time");
    }
}
