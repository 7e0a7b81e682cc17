//! The network over HTTP: one client, kept-alive connections, the token in its header and nowhere else.

use super::answer::error_text;
use super::client::{self, chain};
use super::config::Endpoint;
use super::network::{Network, Reply};
use bytes::Bytes;
use chrono::{DateTime, NaiveDateTime, Utc};
use http_body_util::Full;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Body, Client, Response, Url};
use std::time::Duration;
use uuid::Uuid;

/// How much of an answer is read.
const LONGEST_ANSWER: usize = 64 << 10;
/// What is shorter than this is no token, and stands in any text.
const SHORTEST_TOKEN: usize = 4;
/// How long the rest of an answer may take once its status is known: the status alone settles what happened.
const REST_OF_ANSWER: Duration = Duration::from_secs(5);

/// A client for one endpoint.
#[derive(Debug)]
pub struct Http {
    client: Client,
    /// The address of all sessions, with a slash at its end.
    sessions: Url,
    token: Token,
}

/// The project's token. It never shows itself.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// A token without white space around it; `None` if nothing is left.
    pub fn new(text: &str) -> Option<Token> {
        let text = text.trim_start_matches('\u{feff}').trim();
        (!text.is_empty()).then(|| Token(text.to_owned()))
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

    fn hidden_in(&self, text: &str) -> String {
        let mut hidden = text.to_owned();
        if self.0.len() >= SHORTEST_TOKEN {
            for written in self.written().iter().filter(|written| text.contains(*written)) {
                hidden = hidden.replace(written, "[token]");
            }
        }
        hidden
    }

    /// The same of a text that was cut, perhaps in the middle of it.
    fn hidden_in_cut(&self, text: &str) -> String {
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

/// Why no client can be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The token has characters that no header can carry.
    #[error("the token contains spaces, line breaks or letters that no token has; is it copied whole and alone?")]
    Token,
    /// The certificate to trust cannot be read.
    #[error("cannot read the certificate {path}: {reason}; check ca_file under [api]")]
    Certificate {
        /// The job's `ca_file`.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The client cannot be set up.
    #[error("cannot set up the HTTP client: {0}; check base_url and ca_file under [api], and the proxy variables")]
    Client(String),
}

impl Http {
    /// `connections`: how many are kept open.
    ///
    /// # Errors
    /// Where the token or the certificate cannot be used.
    pub fn new(endpoint: &Endpoint, token: Token, connections: usize) -> Result<Http, HttpError> {
        if !token.0.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(HttpError::Token);
        }
        let mut authorization =
            HeaderValue::from_str(&format!("Auth-Token {}", token.0)).map_err(|_| HttpError::Token)?;
        authorization.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let sessions =
            sessions_url(endpoint).ok_or_else(|| HttpError::Client(format!("{} is no address", endpoint.base_url)))?;
        let builder =
            client::builder(&sessions, endpoint.ca_file.as_deref(), endpoint.timeout, endpoint.connect_timeout)?
                .default_headers(headers)
                .pool_max_idle_per_host(connections)
                .tcp_nodelay(true);
        let client = builder.build().map_err(|error| HttpError::Client(chain(&error)))?;
        Ok(Http { client, sessions, token })
    }

    async fn answer(&self, response: Response) -> Reply {
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers(), Utc::now);
        let mut text = Vec::new();
        // What was read until then counts, whatever became of the rest.
        let is_whole = tokio::time::timeout(REST_OF_ANSWER, read_start(response, &mut text)).await.unwrap_or(false);
        if (200..300).contains(&status) {
            // Nothing went wrong: there is nothing to say.
            return Reply::Answer { status, retry_after, text: String::new() };
        }
        // Hidden before a cut may leave half of it, and after parsing: JSON has several ways to write the same token.
        let text = String::from_utf8_lossy(&text);
        let text = if is_whole { self.token.hidden_in(&text) } else { self.token.hidden_in_cut(&text) };
        let text = error_text(&text);
        let text = match text.strip_suffix('…') {
            Some(cut) => self.token.hidden_in_cut(cut) + "…",
            None => self.token.hidden_in(&text),
        };
        Reply::Answer { status, retry_after, text }
    }
}

/// `base/api/version/project/resource/`
fn sessions_url(endpoint: &Endpoint) -> Option<Url> {
    let mut url = Url::parse(&endpoint.base_url).ok()?;
    let parts = ["api", &endpoint.version, &endpoint.project, &endpoint.resource, ""];
    url.path_segments_mut().ok()?.pop_if_empty().extend(parts);
    Some(url)
}

impl Network for Http {
    async fn put(&self, session_uid: Uuid, body: Bytes) -> Reply {
        let mut url = self.sessions.clone();
        // Behind its last slash; only an address that cannot be a base has no parts.
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().push(session_uid.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
        }
        // A body that cannot be cloned: reqwest would keep a copy of every request for repeating it, which it never may.
        match self.client.put(url).body(Body::wrap(Full::new(body))).send().await {
            Ok(response) => self.answer(response).await,
            Err(error) if error.is_connect() || error.is_builder() => {
                Reply::NotSent(self.token.hidden_in(&chain(&error.without_url())))
            }
            Err(error) if error.is_timeout() => Reply::TimedOut,
            Err(error) => Reply::Broken(self.token.hidden_in(&chain(&error.without_url()))),
        }
    }
}

/// The start of an answer; what cannot be read of it is left out. Returns whether it was all of it.
async fn read_start(mut response: Response, text: &mut Vec<u8>) -> bool {
    while text.len() < LONGEST_ANSWER {
        match response.chunk().await {
            Ok(Some(chunk)) => text.extend_from_slice(&chunk[..chunk.len().min(LONGEST_ANSWER - text.len())]),
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
    false
}

/// A date of a header in any of its three forms (RFC 9110, 5.6.7), all of them in UTC.
fn http_date(text: &str) -> Option<DateTime<Utc>> {
    let old = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    let today = DateTime::parse_from_rfc2822(text).map(|date| date.to_utc()).ok();
    today.or_else(|| old.iter().find_map(|form| Some(NaiveDateTime::parse_from_str(text, form).ok()?.and_utc())))
}

/// Retry-After in both of its forms (RFC 9110, 10.2.3). A date is taken against the server's own clock where the
/// answer tells it.
fn retry_after(headers: &HeaderMap, now: impl Fn() -> DateTime<Utc>) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::trim);
    let value = text(RETRY_AFTER)?;
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds.min(366 * 86_400)));
    }
    if let Some(seconds) = value.parse::<f64>().ok().filter(|seconds| seconds.is_finite()) {
        // A number that no duration holds is a long one all the same.
        return Duration::try_from_secs_f64(seconds.min(366.0 * 86_400.0)).ok();
    }
    let date = http_date(value)?;
    let server = text(DATE).and_then(http_date);
    let wait = (date - server.unwrap_or_else(now)).to_std().unwrap_or_default();
    Some(wait.min(Duration::from_secs(366 * 86_400)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let now = DateTime::from_timestamp(1_709_626_353, 0).expect("in range");
        let wait = |value: &str, date: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_str(value).expect("plain"));
            if let Some(date) = date {
                headers.insert(DATE, HeaderValue::from_str(date).expect("plain"));
            }
            retry_after(&headers, || now).map(|wait| wait.as_secs())
        };
        assert_eq!(wait("3600", None), Some(3600));
        assert_eq!(wait("Tue, 05 Mar 2024 08:13:33 GMT", None), Some(60));
        assert_eq!(wait("Tue, 05 Mar 2024 08:13:33 GMT", Some("Tue, 05 Mar 2024 08:13:23 GMT")), Some(10));
        assert_eq!(wait("Tue, 05 Mar 2024 08:00:00 GMT", None), Some(0));
        assert_eq!(wait("Tuesday, 05-Mar-24 08:13:33 GMT", None), Some(60));
        assert_eq!(wait("Tue Mar  5 08:13:33 2024", Some("Tuesday, 05-Mar-24 08:13:23 GMT")), Some(10));
        assert_eq!(wait("99999999999999999999999", None), Some(366 * 86_400));
        assert_eq!((wait("-1", None), wait("nan", None), wait("inf", None)), (None, None, None));
        assert_eq!(wait("soon", None), None);
    }

    #[test]
    fn the_address_keeps_a_path_of_the_base_and_quotes_the_project() {
        let endpoint = Endpoint {
            base_url: "https://gateway.example/trax".into(),
            version: "v4".into(),
            project: "my project".into(),
            resource: "session".into(),
            timeout: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(1),
            ca_file: None,
        };
        let url = sessions_url(&endpoint).expect("an address");
        assert_eq!(url.as_str(), "https://gateway.example/trax/api/v4/my%20project/session/");
    }

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
