//! The HTTP client below `object_store`. It is this program's own, so that there is one TLS and one handling of proxies,
//! and typed errors for requests without an answer. Redirects are not followed.

use super::patience::{CONNECT, FIRST_ANSWER, METADATA, SILENCE};
use crate::storage::address::Service;
use async_trait::async_trait;
use http_body_util::BodyExt;
use object_store::client::{
    ClientConfigKey, ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService,
};
use reqwest::header::{ACCEPT_ENCODING, HeaderValue};
use reqwest::{Client, ClientBuilder, Url};
use std::error::Error;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Makes the clients of a store: one for its objects, others for its credentials.
#[derive(Debug)]
pub(super) struct Connector {
    pub(super) service: Service,
}

/// A request got no answer.
#[derive(Debug, thiserror::Error)]
#[error("{host} cannot be reached: {reason}")]
pub(super) struct Unreached {
    pub(super) host: String,
    pub(super) reason: String,
    pub(super) why: Why,
}

/// What kept a request from its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// No server listens there, or the connection broke.
    Network,
    /// Plain http, which the environment does not allow.
    PlainHttp,
    /// The address is not a URL.
    Address,
}

/// The bucket is in another region: in this one, if the answer says which.
#[derive(Debug, thiserror::Error)]
#[error("the bucket is in another region")]
pub(super) struct OtherRegion(pub(super) Option<String>);

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let allowed = options.get_config_value(&ClientConfigKey::AllowHttp).unwrap_or_default();
        let plain = matches!(allowed.to_ascii_lowercase().as_str(), "true" | "1" | "yes" | "on" | "y");
        let failed = |error: reqwest::Error| object_store::Error::Generic {
            store: "HTTP client",
            source: Box::new(error.without_url()),
        };
        Ok(HttpClient::new(Requests {
            service: self.service,
            usual: client(plain).build().map_err(failed)?,
            direct: client(plain).no_proxy().build().map_err(failed)?,
            plain,
            began: OnceLock::new(),
            answered: AtomicBool::new(false),
        }))
    }
}

fn client(plain: bool) -> ClientBuilder {
    // It fails only where a provider is installed already, which then is used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .user_agent(concat!("traxload/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .https_only(!plain)
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .http1_only()
}

#[derive(Debug)]
struct Requests {
    service: Service,
    usual: Client,
    /// Without a proxy, for this machine and the metadata service.
    direct: Client,
    /// Whether plain http is allowed.
    plain: bool,
    /// When the first request started.
    began: OnceLock<Instant>,
    /// Whether there was any answer so far.
    answered: AtomicBool,
}

/// Whether a host is the metadata service, which machines in a cloud ask for their own credentials.
pub(super) fn is_metadata(host: &str) -> bool {
    host.starts_with("169.254.") || host.starts_with("metadata.google.")
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

#[async_trait]
impl HttpService for Requests {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let Ok(url) = parts.uri.to_string().parse::<Url>() else {
            let host = parts.uri.host().unwrap_or_default().to_owned();
            let unreached = Unreached { host, reason: "its address is not a URL".to_owned(), why: Why::Address };
            return Err(HttpError::new(HttpErrorKind::Unknown, unreached));
        };
        let name = url.host_str().unwrap_or_default().to_owned();
        let host = url.port().map_or_else(|| name.clone(), |port| format!("{name}:{port}"));
        if url.scheme() == "http" && !self.plain {
            let reason = "its address is plain http".to_owned();
            return Err(HttpError::new(HttpErrorKind::Unknown, Unreached { host, reason, why: Why::PlainHttp }));
        }
        let mut request = reqwest::Request::new(parts.method, url);
        *request.headers_mut() = parts.headers;
        if self.service == Service::Google {
            // Else the service decompresses objects that were stored compressed, and then gives no ranges of them.
            request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        }
        // Its `is_empty` is the wrong way round for what is put.
        *request.body_mut() = (body.content_length() > 0).then(|| reqwest::Body::wrap(body));
        let began = *self.began.get_or_init(Instant::now);
        let answer = if is_metadata(&name) {
            // It is near, or not there at all.
            match tokio::time::timeout(METADATA, self.direct.execute(request)).await {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(error)) => Err(root_cause(&error)),
                Err(_) => Err("no answer".to_owned()),
            }
            .map_err(|reason| unreached(HttpErrorKind::Unknown, host.clone(), reason))?
        } else {
            let client = if is_this_machine(&name) { &self.direct } else { &self.usual };
            let is_known = self.answered.load(Ordering::Relaxed);
            let silence = if is_known { SILENCE } else { CONNECT };
            let answer = match tokio::time::timeout(silence, client.execute(request)).await {
                Ok(answer) => answer.map_err(|error| (kind(&error), reason(&error))),
                Err(_) => Err((HttpErrorKind::Timeout, "no answer in time".to_owned())),
            };
            answer.map_err(|(kind, reason)| {
                let given_up = !is_known && began.elapsed() >= FIRST_ANSWER;
                unreached(if given_up { HttpErrorKind::Unknown } else { kind }, host.clone(), reason)
            })?
        };
        self.answered.store(true, Ordering::Relaxed);
        if answer.status() == reqwest::StatusCode::MOVED_PERMANENTLY {
            let region = answer.headers().get("x-amz-bucket-region").and_then(|region| region.to_str().ok());
            return Err(HttpError::new(HttpErrorKind::Unknown, OtherRegion(region.map(str::to_owned))));
        }
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = reqwest::Body::from(answer);
        let body = body.map_err(move |error: reqwest::Error| unreached(kind(&error), host.clone(), reason(&error)));
        let mut response = HttpResponse::new(HttpResponseBody::new(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

fn unreached(kind: HttpErrorKind, host: String, reason: String) -> HttpError {
    HttpError::new(kind, Unreached { host, reason, why: Why::Network })
}

fn kind(error: &reqwest::Error) -> HttpErrorKind {
    match error {
        error if error.is_timeout() => HttpErrorKind::Timeout,
        error if error.is_connect() => HttpErrorKind::Connect,
        error if error.is_builder() => HttpErrorKind::Unknown,
        // The connection broke on the way.
        _ => HttpErrorKind::Interrupted,
    }
}

fn reason(error: &reqwest::Error) -> String {
    match error.is_timeout() {
        true => "no answer in time".to_owned(),
        false => root_cause(error),
    }
}

/// The innermost cause: what the system says. The errors around it name the address, and with it what may be secret.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    match cause.downcast_ref::<reqwest::Error>() {
        Some(_) => "the request failed".to_owned(),
        None => cause.to_string(),
    }
}
