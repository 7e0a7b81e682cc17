//! What every HTTP client of this program keeps to: no redirects, no repetition behind our back, plain http to this
//! machine only and without a proxy.

use reqwest::{Client, ClientBuilder, Url};
use std::error::Error;
use std::path::Path;
use std::time::Duration;

/// A certificate to trust that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the certificate {path}: {reason}; check ca_file under [api]")]
pub struct CertificateError {
    /// The job's `ca_file`.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
}

/// A client for this address, to be given what else it needs. `ca_file`: a certificate to trust beside the system's.
pub(crate) fn builder(
    url: &Url,
    ca_file: Option<&Path>,
    timeout: Duration,
    connect_timeout: Duration,
) -> Result<ClientBuilder, CertificateError> {
    // Fails only where a provider is installed already, which then serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("traxload/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        // Every attempt takes a permit: none may be repeated behind our back.
        .retry(reqwest::retry::never())
        .referer(false)
        .timeout(timeout)
        .connect_timeout(connect_timeout)
        .http1_only();
    if url.scheme() == "http" {
        // This machine, the only one for plain http: a proxy would carry away from it what is secret.
        builder = builder.no_proxy();
    }
    if let Some(path) = ca_file {
        let failed = |reason: String| CertificateError { path: path.display().to_string(), reason };
        let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let certificates = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| failed(chain(&error)))?;
        if certificates.is_empty() {
            return Err(failed("there is no certificate in it".to_owned()));
        }
        builder = builder.tls_certs_merge(certificates);
    }
    Ok(builder)
}

/// Whether nobody else can listen on the way there.
pub(crate) fn is_on_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

/// An error with all its causes, each said once.
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
