//! What keeps a run from the API and no waiting changes: told by the types of an error, not by its texts. And what a person
//! can do about it.
//!
//! Whether it ends the run is decided elsewhere: once the API has answered, the same is an outage.

use super::proxy_answer::ProxyAnswer;
use crate::http_client::NotFound;
use crate::proxy::Proxy;
use rustls::{AlertDescription, CertificateError, Error as TlsError};
use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// A name that is not found may be so because the machine has just started.
const NAME_WAIT: Duration = Duration::from_secs(30);

/// What keeps a run from the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// What it is and what to do, for a person.
    pub(super) words: String,
    /// How long it may last before it is what it looks like.
    pub(super) wait: Duration,
}

/// Where requests go and how, as far as faults have to name it.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) host: String,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) proxy: Option<Proxy>,
}

impl Place {
    /// What an error of connecting shows of such a fault.
    pub(super) fn of_connecting(&self, error: &(dyn Error + 'static)) -> Option<Fault> {
        if let Some(NotFound { name, .. }) = cause(error) {
            return Some(Fault { words: self.not_found(name), wait: NAME_WAIT });
        }
        self.of_tls(cause(error)?).map(|words| Fault { words, wait: Duration::ZERO })
    }

    /// What a broken connection shows of such a fault: with TLS 1.3 a server may ask for a certificate when its client takes
    /// the connection for made.
    pub(super) fn of_breaking(&self, error: &(dyn Error + 'static)) -> Option<Fault> {
        match cause(error)? {
            TlsError::AlertReceived(alert) if wants_a_certificate(*alert) => {
                Some(Fault { words: self.client_certificate(), wait: Duration::ZERO })
            }
            _ => None,
        }
    }

    /// Whether the proxy itself may have refused: then nothing of the system and nothing of TLS is among the causes.
    pub(super) fn is_of_the_proxy(&self, error: &(dyn Error + 'static)) -> bool {
        self.proxy.is_some() && cause::<io::Error>(error).is_none() && cause::<TlsError>(error).is_none()
    }

    /// What a proxy's refusal comes to. `None` where another time it may let requests through.
    pub(super) fn of_proxy(&self, answer: &ProxyAnswer) -> Option<Fault> {
        let (proxy, host) = (self.proxy.as_ref()?, &self.host);
        let (variable, kind) = (proxy.variable, proxy.kind());
        let words = match answer {
            ProxyAnswer::Status(407, _) => match proxy.login() {
                None => format!(
                    "the proxy {proxy} ({variable}) wants a user and a password: write them into {variable}, like \
                     {kind}://user:password@{}",
                    proxy.place()
                ),
                Some(_) => format!(
                    "the proxy {proxy} does not accept the user and the password in {variable}: check them; in a password, \
                     write % as %25 and @ as %40"
                ),
            },
            ProxyAnswer::Status(408 | 425 | 429, _) => return None,
            ProxyAnswer::Status(300..500, said) => format!(
                "the proxy {proxy} ({variable}) refuses the way to {host}: {said}. Have {host} allowed there, or add it to \
                 NO_PROXY if it can be reached without a proxy"
            ),
            ProxyAnswer::Status(..) => return None,
            ProxyAnswer::NotHttp => {
                format!("what answers at {proxy} is no HTTP proxy: check kind, host and port in {variable}")
            }
            ProxyAnswer::OtherKind => {
                format!("what answers at {proxy} is no {kind} proxy: check kind, host and port in {variable}")
            }
            ProxyAnswer::PlainHttp => format!(
                "what answers at {proxy} is a proxy that speaks plain HTTP: write {variable} with http:// in place of {kind}://"
            ),
        };
        Some(Fault { words, wait: Duration::ZERO })
    }

    /// An error of connecting, with the proxy on its way.
    pub(super) fn with_proxy(&self, said: String) -> String {
        match &self.proxy {
            Some(proxy) => format!("{said} (through the proxy {proxy} of {})", proxy.variable),
            None => said,
        }
    }

    fn not_found(&self, name: &str) -> String {
        match &self.proxy {
            Some(proxy) if proxy.host == name => format!(
                "the name of the proxy, {name}, is not found: check {}, and this machine's network and name server",
                proxy.variable
            ),
            _ => format!(
                "the name {name} is not found: check base_url under [api], and this machine's network and name server; where \
                 only a proxy leads out, set HTTPS_PROXY"
            ),
        }
    }

    fn of_tls(&self, error: &TlsError) -> Option<String> {
        let server = self.server();
        Some(match error {
            TlsError::InvalidCertificate(wrong) => self.certificate(wrong),
            TlsError::NoCertificatesPresented => format!("{server} shows no certificate; check base_url under [api]"),
            TlsError::InvalidMessage(_) => format!(
                "what answers at {server} does not speak TLS: check the port in base_url under [api]; or a proxy or a portal \
                 answers in its place"
            ),
            TlsError::AlertReceived(AlertDescription::UnrecognisedName) => {
                format!("{server} does not know this name; check base_url under [api]")
            }
            TlsError::AlertReceived(alert) if wants_a_certificate(*alert) => self.client_certificate(),
            TlsError::PeerIncompatible(_)
            | TlsError::AlertReceived(
                AlertDescription::HandshakeFailure
                | AlertDescription::ProtocolVersion
                | AlertDescription::InsufficientSecurity
                | AlertDescription::NoApplicationProtocol,
            ) => format!(
                "{server} and this program have no TLS in common ({error}); traxload speaks TLS 1.2 and 1.3 with the usual \
                 ciphers and has no certificate of its own. Check base_url under [api], and what stands in front of the API"
            ),
            _ => return None,
        })
    }

    fn certificate(&self, wrong: &CertificateError) -> String {
        let server = self.server();
        match wrong {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                format!("the certificate of {server} has expired ({wrong}): if not, the clock of this machine is wrong")
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                format!(
                    "the certificate of {server} is not valid yet ({wrong}): the clock of this machine may be wrong"
                )
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => format!(
                "the certificate is of another host than {server} ({wrong}): check base_url under [api]; or a proxy or a portal \
                 answers in its place"
            ),
            _ => {
                let ca = match &self.ca_file {
                    Some(path) => {
                        format!("the certificate in {} (ca_file under [api]) has not signed it", path.display())
                    }
                    None => {
                        "where a firewall or a gateway of your own reads along, put its certificate (PEM) into ca_file \
                             under [api]; else check base_url"
                            .to_owned()
                    }
                };
                format!("the certificate of {server} is not trusted ({wrong}): {ca}")
            }
        }
    }

    fn client_certificate(&self) -> String {
        format!(
            "{} wants a certificate of its clients, which traxload does not have: check base_url under [api], or let a proxy that \
             has one stand in front",
            self.server()
        )
    }

    /// Whose TLS it is.
    fn server(&self) -> String {
        match &self.proxy {
            Some(proxy) if !proxy.is_plain_http() => {
                format!("{} (or the proxy {proxy} of {})", self.host, proxy.variable)
            }
            _ => self.host.clone(),
        }
    }
}

fn wants_a_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::CertificateRequired
            | AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
    )
}

/// The first cause of this type. What an error of the system is made of does not count among its sources.
fn cause<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(found) = inner.and_then(|inner| cause(inner)) {
            return Some(found);
        }
        next = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place { host: "api.example.com".to_owned(), ca_file: None, proxy: None }
    }

    #[test]
    fn a_fault_is_found_wherever_it_is_wrapped() {
        let tls = |error| io::Error::other(io::Error::new(io::ErrorKind::InvalidData, error));
        let said = |error| place().of_connecting(&tls(error)).map(|fault| fault.words).unwrap_or_default();
        assert!(said(TlsError::InvalidCertificate(CertificateError::UnknownIssuer)).contains("ca_file"));
        assert!(said(TlsError::InvalidCertificate(CertificateError::NotValidYet)).contains("clock"));
        assert!(said(TlsError::AlertReceived(AlertDescription::ProtocolVersion)).contains("TLS 1.2"));
        assert!(said(TlsError::AlertReceived(AlertDescription::CertificateRequired)).contains("of its clients"));
        for error in [TlsError::AlertReceived(AlertDescription::InternalError), TlsError::DecryptError] {
            assert_eq!(said(error), "", "another time it may go well");
        }
        assert_eq!(place().of_connecting(&io::Error::from(io::ErrorKind::ConnectionRefused)), None);
        let required = tls(TlsError::AlertReceived(AlertDescription::CertificateRequired));
        assert!(place().of_breaking(&required).is_some());
        assert!(place().of_breaking(&tls(TlsError::AlertReceived(AlertDescription::HandshakeFailure))).is_none());
    }
}
