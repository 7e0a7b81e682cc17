//! What a proxy says to a CONNECT. The client of HTTP tells only that it was refused, and a proxy that forbids a host is
//! something else than one that cannot reach it just now.

use crate::proxy::Proxy;
use reqwest::Url;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How much of the answer is read, in bytes.
const MAX_HEAD: usize = 1 << 10;

/// What a proxy says to a CONNECT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ProxyAnswer {
    /// Its status, and that with its reason as people read it: `HTTP 403 Forbidden`.
    Status(u16, String),
    /// Something that is not HTTP.
    NotHttp,
    /// Something that is not of its kind, TLS or SOCKS.
    OtherKind,
    /// Plain HTTP, though it is named as something else.
    PlainHttp,
}

/// Asks a proxy in plain HTTP for the way to an address. `None` where it does not answer.
pub(super) async fn ask(proxy: &Proxy, url: &Url, timeout: Duration) -> Option<ProxyAnswer> {
    tokio::time::timeout(timeout, connect(proxy, url)).await.ok()?.ok().flatten()
}

/// What another proxy said, by the words of the client's error, which has no type that tells. `None` where another time it may
/// let requests through.
pub(super) fn of_client(said: &str) -> Option<ProxyAnswer> {
    let says = |words: &[&str]| words.iter().find(|words| said.contains(**words)).map(|words| (*words).to_owned());
    let of_login = [
        "proxy authorization required",
        "credentials not accepted",
        "does not support user/pass authentication",
        "implements authentication incorrectly",
    ];
    let refused = ["connection not allowed", "command not supported", "address type not supported"];
    let other = ["SOCKS error: failed parsing server response"];
    None.or_else(|| says(&of_login).map(|words| ProxyAnswer::Status(407, words)))
        .or_else(|| says(&refused).map(|words| ProxyAnswer::Status(403, words)))
        .or_else(|| says(&other).map(|_| ProxyAnswer::OtherKind))
}

async fn connect(proxy: &Proxy, url: &Url) -> std::io::Result<Option<ProxyAnswer>> {
    let host = format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(443));
    let mut request = format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n");
    // Over TLS a password may go there, and in plain not.
    if let Some(login) = proxy.basic_login().filter(|_| proxy.is_plain_http()) {
        request.push_str(&format!("Proxy-Authorization: Basic {login}\r\n"));
    }
    request.push_str("\r\n");
    let mut connection = TcpStream::connect(proxy.address()).await?;
    connection.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    let mut chunk = [0; 256];
    while head.len() < MAX_HEAD && !head.contains(&b'\n') {
        match connection.read(&mut chunk).await? {
            0 => break,
            n => head.extend_from_slice(&chunk[..n]),
        }
    }
    Ok(answer(&head))
}

fn answer(head: &[u8]) -> Option<ProxyAnswer> {
    if head.is_empty() {
        return None;
    }
    let head = String::from_utf8_lossy(head);
    let line = head.lines().next().unwrap_or_default();
    let rest = line.strip_prefix("HTTP/").and_then(|rest| rest.split_once(' ')).map(|(_, rest)| rest.trim());
    let status = rest.and_then(|rest| rest.get(..3)?.parse().ok());
    Some(match (status, rest) {
        (Some(status), Some(rest)) => {
            // A proxy may put anything there; the reason of a status is a few words.
            let words: String = rest.chars().filter(|c| !c.is_control()).take(60).collect();
            ProxyAnswer::Status(status, format!("HTTP {}", words.trim_end()))
        }
        _ => ProxyAnswer::NotHttp,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_an_answer_is_read() {
        let status = |status, said: &str| Some(ProxyAnswer::Status(status, said.to_owned()));
        assert_eq!(answer(b"HTTP/1.1 403 Forbidden\r\nx: y\r\n\r\n"), status(403, "HTTP 403 Forbidden"));
        assert_eq!(answer(b"HTTP/1.0 407\r\n"), status(407, "HTTP 407"));
        assert_eq!(answer(b"\x15\x03\x03"), Some(ProxyAnswer::NotHttp));
        assert_eq!(answer(b"SSH-2.0-x\r\n"), Some(ProxyAnswer::NotHttp));
        assert_eq!(answer(b""), None);
    }

    #[test]
    fn a_socks_proxy_that_refuses_is_told_from_one_that_cannot_reach_the_host() {
        let status = |said: &str| match of_client(&format!("error connecting to socks proxy: SOCKS error: {said}")) {
            Some(ProxyAnswer::Status(status, _)) => Some(status),
            _ => None,
        };
        assert_eq!((status("credentials not accepted"), status("connection not allowed")), (Some(407), Some(403)));
        for said in ["host unreachable", "connection refused", "general server failure", "ttl expired"] {
            assert_eq!(status(said), None, "{said}");
        }
    }
}
