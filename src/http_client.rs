//! The rules of every HTTP client of this program: no redirects, no retries of its own, plain http only to this machine and
//! without a proxy.
//!
//! It does not know what is sent.

use reqwest::{Client, ClientBuilder, Url};
use std::error::Error;
use std::path::Path;
use std::time::Duration;

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
) -> Result<ClientBuilder, CertificateError> {
    // Fails only where a provider is installed already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("traxload/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        // Every attempt takes a permit of the rate, so the client must not repeat one by itself.
        .retry(reqwest::retry::never())
        .referer(false)
        .timeout(timeout)
        .connect_timeout(connect_timeout)
        .http1_only();
    if url.scheme() == "http" {
        // Plain http stays on this machine: a proxy would carry secrets away from it.
        builder = builder.no_proxy();
    }
    if let Some(path) = ca_file {
        let failed = |reason: String| CertificateError { path: path.display().to_string(), reason };
        let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let certificates = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| failed(chain(&error)))?;
        if certificates.is_empty() {
            return Err(failed("it holds no certificate".to_owned()));
        }
        builder = builder.tls_certs_merge(certificates);
    }
    Ok(builder)
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
