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
use bytes::Bytes;
use chrono::Utc;
use http_body_util::Full;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Body, Client, Response, Url};
use std::time::Duration;
use uuid::Uuid;

/// How much of an answer is read, in bytes.
const MAX_ANSWER: usize = 64 << 10;
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
        let client = builder.build().map_err(|error| HttpError::Client(chain(&error)))?;
        let proxy = match http_client::way(&sessions).map_err(SetupError::from)? {
            Way::Through(proxy) => Some(proxy),
            Way::Unnamed | Way::Exempt => None,
        };
        let host = sessions.host_str().unwrap_or_default().to_owned();
        let place = Place { host, ca_file: endpoint.ca_file.clone(), proxy };
        Ok(Http { client, sessions, token, place, connect_timeout: endpoint.connect_timeout })
    }

    /// Whether a client could be made: asked before anything is touched.
    ///
    /// # Errors
    /// Where the token or the certificate cannot be used.
    pub(crate) fn check(endpoint: &Endpoint, token: &Token) -> Result<(), HttpError> {
        Http::new(endpoint, token.clone(), Some(1)).map(drop)
    }

    async fn answer(&self, response: Response) -> Reply {
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers(), Utc::now);
        let header = |name| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_ascii_lowercase()
        };
        let (content_type, content_encoding) = (header(CONTENT_TYPE), header(CONTENT_ENCODING));
        // That a visit was taken is told by the status alone.
        let rest_timeout = if (200..300).contains(&status) { REST_OF_SUCCESS } else { REST_TIMEOUT };
        let mut body = Vec::new();
        // Whatever was read before the end or a failure counts.
        let is_whole = tokio::time::timeout(rest_timeout, read_start(response, &mut body)).await.unwrap_or(false);
        let text = body_text::text(&body, &content_encoding, &content_type, MAX_ANSWER);
        let is_whole = is_whole && text.len() < MAX_ANSWER;
        let look = look(&content_type, &text);
        if (200..300).contains(&status) && look == Look::Plain {
            // Nothing went wrong, so there is no text about it.
            return Reply::Answer { status, retry_after, text: String::new(), look };
        }
        // Before the text is shortened, because that may leave half a token; and after it, because JSON can spell the same
        // token in several ways.
        let text = if is_whole { self.token.hidden_in(&text) } else { self.token.hidden_in_cut(&text) };
        let text = error_text(&text);
        let text = match text.strip_suffix('…') {
            Some(cut) => self.token.hidden_in_cut(cut) + "…",
            None => self.token.hidden_in(&text),
        };
        Reply::Answer { status, retry_after, text, look }
    }
}

impl Http {
    /// What came of a request that was not answered.
    async fn failure(&self, error: reqwest::Error) -> Reply {
        let no_way = |fault: Fault| Reply::NoWay(self.token.hidden_in(&fault.words), fault.wait);
        let said = self.token.hidden_in(&chain(&error));
        if !error.is_connect() && !error.is_builder() {
            return match self.place.of_breaking(&error) {
                Some(fault) => no_way(fault),
                None if error.is_timeout() => Reply::TimedOut,
                None => Reply::Broken(said),
            };
        }
        if let Some(fault) = self.place.of_connecting(&error) {
            return no_way(fault);
        }
        if let Some(answer) = self.proxy_answer(&error).await {
            if let Some(fault) = self.place.of_proxy(&answer) {
                return no_way(fault);
            }
            if let ProxyAnswer::Status(_, said) = answer {
                return Reply::NotSent(self.place.with_proxy(said));
            }
        }
        Reply::NotSent(self.place.with_proxy(said))
    }

    /// What the proxy says, where it may be what refused.
    async fn proxy_answer(&self, error: &reqwest::Error) -> Option<ProxyAnswer> {
        let proxy = self.place.proxy.as_ref().filter(|_| self.place.is_of_the_proxy(error))?;
        match proxy.is_plain_http() {
            true => proxy_answer::ask(proxy, &self.sessions, self.connect_timeout).await,
            // Of these the client tells no more than that it was refused, but for one.
            false => proxy_answer::of_login(&chain(error)),
        }
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

/// Appends the start of an answer's body to `text`, as far as it can be read. Returns whether that is the whole body.
async fn read_start(mut response: Response, text: &mut Vec<u8>) -> bool {
    while text.len() < MAX_ANSWER {
        match response.chunk().await {
            Ok(Some(chunk)) => text.extend_from_slice(&chunk[..chunk.len().min(MAX_ANSWER - text.len())]),
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
    }
}
