//! The rules of every HTTP client of this program: no redirects, no retries of its own, plain http only to this machine and
//! without a proxy, names looked up so that it is known which one was not found.
//!
//! It does not know what is sent.

use crate::proxy::{self, ProxyError, Way};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, ClientBuilder, Url};
use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Why a client cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The certificate to trust cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A proxy cannot be used.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// Nothing is trusted.
    #[error(
        "this machine has no certificates to trust: install them (most systems: the package ca-certificates), or name a file of them in the variable SSL_CERT_FILE"
    )]
    NoCertificates,
}

/// A certificate that should be trusted cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the certificate {path}: {reason}; check ca_file under [api]")]
pub struct CertificateError {
    /// The `ca_file` of the job.
    pub path: String,
    /// What is wrong with the file.
    pub reason: String,
}

/// A builder of clients for `url`, to which the caller adds what else it needs. `ca_file`: a certificate (PEM) to trust in
/// addition to the system's.
pub(crate) fn builder(
    url: &Url,
    ca_file: Option<&Path>,
    timeout: Duration,
    connect_timeout: Duration,
) -> Result<ClientBuilder, SetupError> {
    // Fails only where a provider is installed already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let connect_timeout = connect_timeout.min(timeout.mul_f64(0.9));
    let mut builder = Client::builder()
        .user_agent(concat!("traxload/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        // Every attempt takes a permit of the rate, so the client must not repeat one by itself.
        .retry(reqwest::retry::never())
        .referer(false)
        .timeout(timeout)
        // Shorter than that of the whole: a request that never left must be known as such.
        .connect_timeout(connect_timeout)
        .dns_resolver(Arc::new(Names { timeout: connect_timeout.mul_f64(0.9) }))
        .http1_only();
    builder = match way(url)? {
        // The settings of the system may name one.
        Way::Unnamed if cfg!(any(windows, target_os = "macos")) && url.scheme() != "http" => builder,
        Way::Unnamed | Way::Exempt => builder.no_proxy(),
        Way::Through(proxy) => {
            let wrong =
                |error: reqwest::Error| format!("names no proxy that can be used: {}", chain(&error.without_url()));
            let used =
                proxy.for_client().map_err(|error| ProxyError { variable: proxy.variable, wrong: wrong(error) })?;
            builder.proxy(used)
        }
    };
    if url.scheme() == "http" {
        // Nothing is encrypted there, so that a machine without certificates can do it as well.
        builder = builder.tls_certs_only([]);
    }
    if let Some(path) = ca_file {
        let failed = |reason: String| CertificateError { path: path.display().to_string(), reason };
        let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let certificates = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| failed(chain(&error)))?;
        if certificates.is_empty() {
            return Err(failed("it holds no certificate".to_owned()).into());
        }
        builder = builder.tls_certs_merge(certificates);
    }
    Ok(builder)
}

/// Whether a client cannot be made because there is nothing to trust. rustls' verifier says it in words alone.
pub(crate) fn lacks_certificates(error: &reqwest::Error) -> bool {
    chain(error).contains("No CA certificates")
}

/// The way to an address. Plain http stays on this machine: a proxy would carry secrets away from it.
///
/// # Errors
/// Where a variable for proxies cannot be read.
pub(crate) fn way(url: &Url) -> Result<Way, ProxyError> {
    if url.scheme() == "http" { Ok(Way::Exempt) } else { proxy::way(url) }
}

/// Looks names up as the system does.
struct Names {
    /// Shorter than that of the connection: which of the two took so long has to be known.
    timeout: Duration,
}

/// A name that was not found, of a server or of a proxy.
#[derive(Debug, thiserror::Error)]
#[error("the name {name} is not found: {reason}")]
pub(crate) struct NotFound {
    pub(crate) name: String,
    reason: String,
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let (name, timeout) = (name.as_str().to_owned(), self.timeout);
        Box::pin(async move {
            let lookup = async { tokio::net::lookup_host((name.as_str(), 0)).await.map(Iterator::collect) };
            let found: Result<Vec<SocketAddr>, String> = match tokio::time::timeout(timeout, lookup).await {
                Ok(found) => found.map_err(|error| error.to_string()),
                Err(_) => Err("no name server answered in time".to_owned()),
            };
            match found {
                Ok(found) => Ok(Box::new(found.into_iter()) as Addrs),
                Err(reason) => Err(NotFound { name, reason }.into()),
            }
        })
    }
}

/// Whether the host of an address is this machine, so that no other machine can listen on the way there.
pub(crate) fn is_on_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

/// An error with all its causes, each named once.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let said = next.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = next.source();
    }
    text
}
