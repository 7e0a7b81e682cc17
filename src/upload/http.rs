//! The network over HTTP: one client whose connections are kept open, with the token in a header of every request.
//!
//! It does not know what an answer means for a visit.

use super::answer::{error_text, look};
use super::body_text;
use super::config::Endpoint;
use super::fault::{Fault, Place};
use super::network::{Look, Network, Reply};
use super::proxy_answer::{self, ProxyAnswer};
use super::retry_after::retry_after;
use super::token::Token;
use crate::http_client::{self, SetupError, chain};
use crate::proxy::Way;
use crate::text::start_of;
use bytes::Bytes;
use chrono::Utc;
use http_body_util::Full;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Body, Client, Response, Url};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use uuid::Uuid;

/// How much of an answer is read, in bytes.
const MAX_ANSWER: usize = 64 << 10;
/// Of a success more is read: whether it reports an error may stand at its end.
const MAX_SUCCESS: usize = 4 << 20;
/// How much of the place is shown to which a redirect points, in characters.
const LONGEST_PLACE: usize = 100;
/// Longer header values are refused by servers.
const LONGEST_TOKEN: usize = 8 << 10;
/// How long the rest of an answer may take once its status is known. The status alone tells what happened.
const REST_TIMEOUT: Duration = Duration::from_secs(5);
const REST_OF_SUCCESS: Duration = Duration::from_secs(1);

/// The HTTP client for one endpoint.
#[derive(Debug)]
pub(crate) struct Http {
    client: Client,
    /// The address of all sessions, with a slash at its end.
    sessions: Url,
    token: Token,
    place: Place,
    connect_timeout: Duration,
    /// Whether the API has answered.
    has_answered: AtomicBool,
}

/// Why a client cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The token has characters that no token has.
    #[error(
        "the token contains spaces, line breaks or letters that no token has; was it copied completely, and nothing else with it?"
    )]
    Token,
    /// The token is longer than any header may be.
    #[error("the token is longer than 8 kB, and no server takes that in a header; is it the right file or variable?")]
    LongToken,
    /// The certificate to trust or the proxy cannot be used.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The client cannot be set up.
    #[error("cannot set up the HTTP client: {0}; check base_url and ca_file under [api], and the proxy variables")]
    Client(String),
}

impl Http {
    /// `connections`: how many are kept open; `None`: as many as there are.
    ///
    /// # Errors
    /// Where the token or the certificate cannot be used.
    pub(crate) fn new(endpoint: &Endpoint, token: Token, connections: Option<usize>) -> Result<Http, HttpError> {
        if token.len() > LONGEST_TOKEN {
            return Err(HttpError::LongToken);
        }
        let mut authorization = token.header().ok_or(HttpError::Token)?;
        authorization.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let sessions = sessions_url(endpoint)
            .ok_or_else(|| HttpError::Client(format!("{} is not an address", endpoint.base_url)))?;
        let builder =
            http_client::builder(&sessions, endpoint.ca_file.as_deref(), endpoint.timeout, endpoint.connect_timeout)?
                .default_headers(headers)
                .pool_max_idle_per_host(connections.unwrap_or(usize::MAX))
                .tcp_nodelay(true);
        let client = builder.build().map_err(|error| match http_client::lacks_certificates(&error) {
            true => SetupError::NoCertificates.into(),
            false => HttpError::Client(chain(&error)),
        })?;
        let proxy = match http_client::way(&sessions).map_err(SetupError::from)? {
            Way::Through(proxy) => Some(proxy),
            Way::Unnamed | Way::Exempt => None,
        };
        let host = sessions.host_str().unwrap_or_default().to_owned();
        let place = Place { host, ca_file: endpoint.ca_file.clone(), proxy };
        let connect_timeout = endpoint.connect_timeout;
        Ok(Http { client, sessions, token, place, connect_timeout, has_answered: AtomicBool::new(false) })
    }

    /// Whether a client could be made: asked before anything is touched.
    ///
    /// # Errors
    /// Where the token or the certificate cannot be used.
    pub(crate) fn check(endpoint: &Endpoint, token: &Token) -> Result<(), HttpError> {
        Http::new(endpoint, token.clone(), Some(1)).map(drop)
    }

    async fn answer(&self, response: Response) -> Reply {
        self.has_answered.store(true, Relaxed);
        let status = response.status().as_u16();
        let is_success = response.status().is_success();
        let redirect = response.status().is_redirection().then(|| self.redirect(response.headers())).flatten();
        let retry_after = retry_after(response.headers(), Utc::now);
        let header = |name| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_ascii_lowercase()
        };
        let (content_type, content_encoding) = (header(CONTENT_TYPE), header(CONTENT_ENCODING));
        // That a visit was taken is told by the status alone.
        let (rest_timeout, most) = if is_success { (REST_OF_SUCCESS, MAX_SUCCESS) } else { (REST_TIMEOUT, MAX_ANSWER) };
        let mut body = Vec::new();
        // Whatever was read before the end or a failure counts.
        let is_whole = tokio::time::timeout(rest_timeout, read_start(response, most, &mut body)).await.unwrap_or(false);
        let text = body_text::text(&body, &content_encoding, &content_type, most);
        let look = match look(&content_type, &text) {
            Look::Plain if !is_whole && text.trim().is_empty() => Look::Lost,
            look => look,
        };
        if is_success && matches!(look, Look::Plain | Look::Lost) {
            // Nothing went wrong, so there is no text about it.
            return Reply::Answer { status, retry_after, text: String::new(), look };
        }
        // JSON is read to its end for its words; of a page the beginning does.
        let most = if look == Look::ErrorInside { most } else { MAX_ANSWER };
        let is_whole = is_whole && text.len() < most;
        let text = start_of(&text, most);
        // Before the text is shortened, because that may leave half a token; and after it, because JSON can spell the same
        // token in several ways.
        let text = if is_whole { self.token.hidden_in(text) } else { self.token.hidden_in_cut(text) };
        let text = match look {
            Look::Lost => "the text of the answer did not arrive".to_owned(),
            _ => error_text(&text),
        };
        let text = match text.strip_suffix('…') {
            Some(cut) => self.token.hidden_in_cut(cut) + "…",
            None => self.token.hidden_in(&text),
        };
        let text = match redirect {
            Some(redirect) if text.is_empty() => redirect,
            Some(redirect) => format!("{redirect}: {text}"),
            None => text,
        };
        Reply::Answer { status, retry_after, text, look }
    }

    /// Where a redirect points to, without its query, which may hold secrets.
    fn redirect(&self, headers: &HeaderMap) -> Option<String> {
        let place = String::from_utf8_lossy(headers.get(LOCATION)?.as_bytes());
        // Before it is shortened, because that may leave half a token.
        let place: String = self.token.hidden_in(&place).chars().filter(|c| !c.is_control()).collect();
        let place = place.split(['?', '#']).next().unwrap_or_default().trim();
        let start = start_of(place, LONGEST_PLACE);
        let more = if start.len() < place.len() { "…" } else { "" };
        (!start.is_empty()).then(|| format!("redirects to {start}{more}"))
    }

    /// What came of a request that was not answered.
    async fn failure(&self, error: reqwest::Error) -> Reply {
        let no_way = |fault: Fault| Reply::NoWay(self.token.hidden_in(&fault.words), fault.wait);
        let said = self.token.hidden_in(&words(&error));
        if !error.is_connect() && !error.is_builder() {
            return match self.place.of_breaking(&error) {
                Some(fault) => no_way(fault),
                None if error.is_timeout() => Reply::TimedOut,
                // What speaks TLS closes or resets a connection on which plain HTTP comes.
                None if self.sessions.scheme() == "http" && !self.has_answered.load(Relaxed) => {
                    Reply::Broken(format!("{said} (where this port speaks TLS, base_url begins with https)"))
                }
                None => Reply::Broken(said),
            };
        }
        if let Some(fault) = self.place.of_connecting(&error) {
            return no_way(fault);
        }
        let answer = self.proxy_answer(&error).await;
        if let Some(fault) = answer.as_ref().and_then(|answer| self.place.of_proxy(answer)) {
            return no_way(fault);
        }
        Reply::NotSent(self.place.with_proxy(match answer {
            Some(ProxyAnswer::Status(_, said)) => said,
            _ => said,
        }))
    }

    /// What the proxy says, where it may be what refused.
    async fn proxy_answer(&self, error: &reqwest::Error) -> Option<ProxyAnswer> {
        let proxy = self.place.proxy.as_ref()?;
        if proxy.is_plain_http() {
            let is_asked = self.place.is_of_the_proxy(error);
            return if is_asked { proxy_answer::ask(proxy, &self.sessions, self.connect_timeout).await } else { None };
        }
        let told = proxy_answer::of_client(&chain(error));
        // Nothing, or nothing of its kind: it may speak plain HTTP, which the client did not.
        if !self.has_answered.load(Relaxed) && (error.is_timeout() || told == Some(ProxyAnswer::OtherKind)) {
            let asked = proxy_answer::ask(proxy, &self.sessions, self.connect_timeout).await;
            if let Some(ProxyAnswer::Status(200..300 | 403 | 407, _)) = asked {
                return Some(ProxyAnswer::PlainHttp);
            }
        }
        told
    }
}

/// `base/api/version/project/resource/` (vendor's page Sessions Input). `None` where `base_url` cannot be a base.
fn sessions_url(endpoint: &Endpoint) -> Option<Url> {
    let mut url = Url::parse(&endpoint.base_url).ok()?;
    let parts = ["api", &endpoint.version, &endpoint.project, &endpoint.resource, ""];
    url.path_segments_mut().ok()?.pop_if_empty().extend(parts);
    Some(url)
}

impl Network for Http {
    async fn put(&self, session_uid: Uuid, body: Bytes) -> Reply {
        let mut url = self.sessions.clone();
        // An address that cannot be a base has no parts, and `Http::new` accepts none.
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().push(session_uid.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
        }
        // This body cannot be cloned. Of any other, reqwest keeps a copy to repeat the request, which it must never do.
        match self.client.put(url).body(Body::wrap(Full::new(body))).send().await {
            Ok(response) => self.answer(response).await,
            Err(error) => self.failure(error.without_url()).await,
        }
    }
}

/// What an error says, without what the client calls its own parts.
fn words(error: &reqwest::Error) -> String {
    if error.is_connect() && error.is_timeout() {
        return "no connection in time".to_owned();
    }
    let said = chain(error);
    let inner = said.strip_prefix("error sending request: ").unwrap_or(&said);
    let inner =
        inner.strip_prefix("client error (").and_then(|rest| rest.split_once("): ")).map_or(inner, |(_, rest)| rest);
    inner.replace("connection closed before message completed", "the connection was closed before an answer came")
}

/// Appends the start of an answer's body to `text`, as far as it can be read. Returns whether that is the whole body.
async fn read_start(mut response: Response, most: usize, text: &mut Vec<u8>) -> bool {
    while text.len() < most {
        match response.chunk().await {
            Ok(Some(chunk)) => text.extend_from_slice(&chunk[..chunk.len().min(most - text.len())]),
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let checked = |token: String| Http::check(&endpoint, &Token::new(&token).expect("not empty"));
        assert!(matches!(checked("x".repeat(3_000_000)), Err(HttpError::LongToken)));
        assert!(checked("x".repeat(4_000)).is_ok(), "signed tokens are long");
    }
}
