//! Tells somebody how a run ended: one POST to an address that the job names.
//!
//! Such addresses are secrets, as whoever knows one can write to its channel: of a [`Hook`] only the host is ever
//! shown. It knows nothing of visits; what it posts is made elsewhere.

use crate::http_client;
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Where notifications go. It shows its host alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Hook(Url);

impl Hook {
    /// An address with https, or with http on this machine.
    ///
    /// # Errors
    /// What is wrong, without the address.
    pub fn parse(text: &str) -> Result<Hook, String> {
        let expected = || "this is no address; write it like \"https://hooks.example.com/…\"".to_owned();
        let url = Url::parse(text.trim()).map_err(|_| expected())?;
        let host = url.host_str().ok_or_else(expected)?;
        match url.scheme() {
            "https" => Ok(Hook(url)),
            "http" if http_client::is_on_this_machine(&url) => Ok(Hook(url)),
            "http" => Err(format!("plain http would show the address to everybody on the way to {host}; use https")),
            _ => Err(expected()),
        }
    }

    /// The host, which is all that may be shown of it.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or("its host")
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[address at {}]", self.host())
    }
}

/// Which runs are told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// Those that end with anything but 0.
    #[default]
    NotDelivered,
    /// All.
    Always,
}

/// Where the address is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookSource {
    /// In the job file.
    Job(Hook),
    /// In an environment variable.
    Env(String),
}

/// What the job says about notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// Where they go.
    pub hook: HookSource,
    /// Which runs are told of.
    pub when: When,
    /// For everything from the name's resolution to the end of the answer.
    pub timeout: Duration,
}

/// Posts `body`, which is JSON, and waits for the answer, but no longer than `timeout`.
///
/// # Errors
/// What went wrong, without the address.
pub fn post(hook: &Hook, ca_file: Option<PathBuf>, timeout: Duration, body: String) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    let answer = runtime.block_on(async {
        let client =
            http_client::builder(&hook.0, ca_file.as_deref(), timeout, timeout).map_err(|error| error.to_string())?;
        let client = client.build().map_err(|error| http_client::chain(&error.without_url()))?;
        let request = client.post(hook.0.clone()).header(CONTENT_TYPE, "application/json").body(body);
        match tokio::time::timeout(timeout, request.send()).await {
            Err(_) => Err("no answer in time".to_owned()),
            Ok(Err(error)) if error.is_timeout() => Err("no answer in time".to_owned()),
            Ok(Err(error)) => Err(http_client::chain(&error.without_url())),
            Ok(Ok(answer)) if answer.status().is_success() => Ok(()),
            Ok(Ok(answer)) if answer.status().is_redirection() => {
                Err(format!("HTTP {}; redirects are not followed", answer.status().as_u16()))
            }
            Ok(Ok(answer)) => Err(format!("HTTP {}", answer.status().as_u16())),
        }
    });
    // A name server that does not answer holds a thread, for which nobody waits.
    runtime.shutdown_background();
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_host_of_an_address_is_shown() {
        let hook = Hook::parse("https://user:word@hooks.example.com/services/s3cret?sig=s3cret").expect("an address");
        assert_eq!(format!("{hook:?}"), "[address at hooks.example.com]");
        for text in ["http://hooks.example.com/s3cret", "ftp://hooks.example.com/s3cret", "s3cret", "https://"] {
            let message = Hook::parse(text).expect_err(text);
            assert!(!message.contains("s3cret"), "{message}");
        }
        assert!(Hook::parse("http://127.0.0.1:9/x").is_ok() && Hook::parse("http://[::1]/x").is_ok());
    }
}
