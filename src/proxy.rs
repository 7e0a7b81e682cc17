//! The proxy on the way to an address, as the usual variables of the environment name it.
//!
//! A setting that cannot be read is a mistake and never passed over: the way without the proxy may be one that nobody wants.
//! What the proxy is used for is not known here. No message shows more of a setting than its variable, its kind and its host.

use crate::text::base64;
use reqwest::Url;
use std::ffi::OsString;
use std::net::IpAddr;

/// The variables that may name a proxy for https. The first that is set and not empty counts.
const PROXIES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
/// Those that name what is reached without one.
const EXEMPT: [&str; 2] = ["NO_PROXY", "no_proxy"];
const KINDS: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];

/// How an address is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// No variable names a proxy.
    Unnamed,
    /// Without the proxy that there is.
    Exempt,
    /// Through a proxy.
    Through(Proxy),
}

/// A proxy.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Proxy {
    /// The variable that names it.
    pub(crate) variable: &'static str,
    kind: String,
    /// As an address has it, an IPv6 one in brackets.
    pub(crate) host: String,
    port: Option<u16>,
    /// User and password.
    login: Option<(String, String)>,
}

/// A setting for proxies that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable} {wrong}")]
pub struct ProxyError {
    /// The variable of the environment.
    pub variable: &'static str,
    /// What is wrong with it.
    pub wrong: String,
}

/// The way to an address.
///
/// # Errors
/// Where a variable that counts cannot be read.
pub(crate) fn way(url: &Url) -> Result<Way, ProxyError> {
    choose(url, |name| std::env::var_os(name))
}

fn choose(url: &Url, variable: impl Fn(&str) -> Option<OsString>) -> Result<Way, ProxyError> {
    let first = |names: &[&'static str]| {
        let set = names.iter().filter_map(|name| Some((*name, variable(name)?)));
        let mut set = set.filter(|(_, value)| !value.to_string_lossy().trim().is_empty());
        set.next().map(|(name, value)| match value.into_string() {
            Ok(text) => Ok((name, text)),
            Err(_) => Err(unreadable(name, "it is not UTF-8")),
        })
    };
    let Some((name, text)) = first(&PROXIES).transpose()? else { return Ok(Way::Unnamed) };
    if let Some((_, list)) = first(&EXEMPT).transpose()?
        && is_exempt(&list, url)
    {
        return Ok(Way::Exempt);
    }
    Proxy::parse(name, &text).map(Way::Through)
}

fn unreadable(variable: &'static str, why: &str) -> ProxyError {
    let wrong = format!(
        "cannot be read as a proxy: {why}. Write it like http://proxy.example.com:3128, or with user and password as \
         http://user:password@proxy.example.com:3128"
    );
    ProxyError { variable, wrong }
}

impl Proxy {
    fn parse(variable: &'static str, text: &str) -> Result<Proxy, ProxyError> {
        let failed = |why: &str| unreadable(variable, why);
        let (kind, rest) = match text.trim().split_once("://") {
            Some((kind, rest)) => (kind.to_ascii_lowercase(), rest),
            None => ("http".to_owned(), text.trim()),
        };
        if !KINDS.contains(&kind.as_str()) {
            // What stands there may be a password.
            let is_a_kind = kind.len() <= 12 && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+');
            let shown = if is_a_kind { format!("{kind}://") } else { "another one".to_owned() };
            let wrong = format!("names a proxy of a kind that is not known ({shown}); known are {}", KINDS.join(", "));
            return Err(ProxyError { variable, wrong });
        }
        // A password may hold anything, `#` and `/` too: what is before the last @ is user and password.
        let (login, place) = match rest.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, rest),
        };
        let place = place.split(['/', '?', '#']).next().unwrap_or_default();
        // Of an address of this scheme no port is a usual one that would be left out.
        let url = Url::parse(&format!("ftp://{place}")).map_err(|_| failed("its host or port is not valid"))?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| failed("it has no host"))?;
        if !url.username().is_empty() || url.password().is_some() || url.port() == Some(0) {
            return Err(failed("its host or port is not valid"));
        }
        let usual = if kind.starts_with("socks") { Some(1080) } else { None };
        let port = if place.ends_with(":21") { Some(21) } else { url.port() };
        let login = login.map(|login| {
            let (user, password) = login.split_once(':').unwrap_or((login, ""));
            (decoded(user), decoded(password))
        });
        Ok(Proxy { variable, kind, host: host.to_owned(), port: port.or(usual), login })
    }

    /// For the client.
    pub(crate) fn for_client(&self) -> reqwest::Result<reqwest::Proxy> {
        let Some((user, password)) = &self.login else { return reqwest::Proxy::all(self.to_string()) };
        if self.kind.starts_with("socks") {
            let address = format!("{}://{}:{}@{}", self.kind, encoded(user), encoded(password), self.place());
            return reqwest::Proxy::all(address);
        }
        Ok(reqwest::Proxy::all(self.to_string())?.basic_auth(user, password))
    }

    /// Whether it speaks HTTP, without TLS.
    pub(crate) fn is_plain_http(&self) -> bool {
        self.kind == "http"
    }

    /// The scheme of its address.
    pub(crate) fn kind(&self) -> &str {
        &self.kind
    }

    /// User and password.
    pub(crate) fn login(&self) -> Option<(&str, &str)> {
        self.login.as_ref().map(|(user, password)| (user.as_str(), password.as_str()))
    }

    /// User and password as the scheme Basic has them.
    pub(crate) fn basic_login(&self) -> Option<String> {
        self.login.as_ref().map(|(user, password)| base64(format!("{user}:{password}").as_bytes()))
    }

    /// Host and port.
    pub(crate) fn address(&self) -> (&str, u16) {
        (
            self.host.trim_start_matches('[').trim_end_matches(']'),
            self.port.unwrap_or(if self.kind == "https" { 443 } else { 80 }),
        )
    }

    /// Host and port, as an address has them.
    pub(crate) fn place(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }
}

/// Without user and password.
impl std::fmt::Display for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", self.kind, self.place())
    }
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{self} of {}]", self.variable)
    }
}

/// A percent sign that begins no byte stands for itself.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = (*first == b'%').then(|| after.get(..2)).flatten();
        let byte = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn encoded(text: &str) -> String {
    let written = |byte: u8| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(written).collect()
}

/// Whether a list names this address: by `*`, host, domain, IP address or network, each with or without a port.
fn is_exempt(list: &str, url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    list.split([',', ';', ' ', '\t']).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.split_once("://").map_or(entry, |(_, rest)| rest).to_ascii_lowercase();
        let (name, port) = without_port(&entry);
        port.is_none_or(|port| Some(port) == url.port_or_known_default()) && is_named(name, host)
    })
}

fn without_port(entry: &str) -> (&str, Option<u16>) {
    if let Some((name, rest)) = entry.strip_prefix('[').and_then(|entry| entry.split_once(']')) {
        return (name, rest.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match entry.rsplit_once(':') {
        // More than one colon: an IPv6 address.
        Some((name, port)) if !name.contains(':') => match port.trim_end_matches('/').parse() {
            Ok(port) => (name, Some(port)),
            Err(_) => (entry, None),
        },
        _ => (entry, None),
    }
}

fn is_named(name: &str, host: &str) -> bool {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return name == "*" || is_in_network(name, ip);
    }
    let name = name.trim_end_matches('/');
    let domain = name.trim_start_matches('*').trim_start_matches('.').trim_end_matches('.');
    name == "*" || host == domain || (!domain.is_empty() && host.ends_with(&format!(".{domain}")))
}

fn is_in_network(name: &str, ip: IpAddr) -> bool {
    let (network, length) = match name.split_once('/') {
        None | Some((_, "")) => (name.trim_end_matches('/'), None),
        Some((network, length)) => match length.parse::<u32>() {
            Ok(length) => (network, Some(length)),
            Err(_) => return false,
        },
    };
    let is_same = |differing: u128, bits: u32| {
        let length = length.unwrap_or(bits);
        length <= bits && differing.checked_shr(bits - length).unwrap_or(0) == 0
    };
    match (network.parse(), ip) {
        (Ok(IpAddr::V4(network)), IpAddr::V4(ip)) => is_same((u32::from(network) ^ u32::from(ip)).into(), 32),
        (Ok(IpAddr::V6(network)), IpAddr::V6(ip)) => is_same(u128::from(network) ^ u128::from(ip), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(variables: &[(&str, &str)], url: &str) -> Result<Way, ProxyError> {
        let found = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        choose(&Url::parse(url).expect("an address"), found)
    }

    fn proxy(text: &str) -> Result<Proxy, String> {
        match way(&[("HTTPS_PROXY", text)], "https://api.example.com") {
            Ok(Way::Through(proxy)) => Ok(proxy),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn proxies_are_read_in_every_form_that_people_write() {
        for (text, shown, login) in [
            ("http://proxy:3128", "http://proxy:3128", None),
            (" proxy.example.com:8080/ ", "http://proxy.example.com:8080", None),
            ("HTTP://proxy:80", "http://proxy:80", None),
            ("http://proxy:21", "http://proxy:21", None),
            ("https://proxy", "https://proxy", None),
            ("socks5h://10.0.0.1", "socks5h://10.0.0.1:1080", None),
            ("http://[::1]:3128", "http://[::1]:3128", None),
            ("http://me:a#b/c?d@e@proxy:3128", "http://proxy:3128", Some(("me", "a#b/c?d@e"))),
            ("http://me:a%23b%@proxy:3128", "http://proxy:3128", Some(("me", "a#b%"))),
            ("me@proxy:3128", "http://proxy:3128", Some(("me", ""))),
        ] {
            let proxy = proxy(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((proxy.to_string().as_str(), proxy.login()), (shown, login), "{text}");
            assert!(proxy.for_client().is_ok(), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_and_not_shown() {
        for text in ["http://", "http://me:s3cret@", "http://me:s3cret@proxy:port", "http://a b:1"] {
            let error = proxy(text).expect_err(text);
            assert!(error.starts_with("HTTPS_PROXY cannot be read") && !error.contains("s3cret"), "{text}: {error}");
        }
        let quoted = proxy("\"http://proxy:1\"").expect_err("in quotes");
        assert!(quoted.contains("of a kind that is not known (another one)"), "{quoted}");
        let error = proxy("quic://proxy:1").expect_err("unknown");
        assert!(error.contains("quic://") && error.contains("socks5"), "{error}");
    }

    #[test]
    fn the_first_variable_that_is_not_empty_counts() {
        let through = |variables: &[(&str, &str)]| match way(variables, "https://api.example.com") {
            Ok(Way::Through(proxy)) => proxy.host,
            Ok(other) => format!("{other:?}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(through(&[("HTTPS_PROXY", ""), ("https_proxy", "b"), ("ALL_PROXY", "c")]), "b");
        assert_eq!(through(&[("ALL_PROXY", "c"), ("HTTP_PROXY", "d")]), "c");
        assert_eq!(through(&[("HTTP_PROXY", "d")]), "Unnamed");
    }

    #[test]
    fn exempt_is_what_the_list_names() {
        let is_exempt = |list: &str, url: &str| {
            way(&[("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", list)], url).expect("readable") == Way::Exempt
        };
        for (list, url) in [
            ("*", "https://api.example.com"),
            ("localhost, .example.com", "https://api.example.com"),
            ("Example.com", "https://api.example.com"),
            ("*.example.com", "https://api.example.com"),
            ("api.example.com:443", "https://api.example.com"),
            ("api.example.com:8443", "https://api.example.com:8443"),
            ("https://api.example.com/", "https://api.example.com"),
            ("a b 10.0.0.0/8", "https://10.1.2.3"),
            ("10.1.2.3", "https://10.1.2.3"),
            ("10.1.2.3:8443", "https://10.1.2.3:8443"),
            ("[::1]:443", "https://[::1]"),
            ("fd00::/8", "https://[fd12::1]"),
        ] {
            assert!(is_exempt(list, url), "{list} {url}");
        }
        for (list, url) in [
            ("notexample.com", "https://example.com"),
            ("ample.com", "https://example.com"),
            ("api.example.com:8443", "https://api.example.com"),
            ("10.0.0.0/8", "https://11.1.2.3"),
            ("10.1.2.4", "https://10.1.2.3"),
            (",", "https://api.example.com"),
            ("localhost,127.0.0.1,<local>,169.254/16", "https://api.example.com"),
        ] {
            assert!(!is_exempt(list, url), "{list} {url}");
        }
    }
}
