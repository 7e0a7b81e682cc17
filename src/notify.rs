//! Notifications of how a run ended: one POST to an address that the job names.
//!
//! Such an address is a secret, because everyone who knows it can write to its channel. A [`Hook`] shows only its host.
//! This module knows nothing of visits; its caller makes the text.

use crate::http_client;
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// The address that notifications go to. Printed, it shows only its host.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Hook(Url);

impl Hook {
    /// Reads an address: one with https, or with http on this machine.
    ///
    /// # Errors
    /// What is wrong with the text, without the text itself.
    pub(crate) fn parse(text: &str) -> Result<Hook, String> {
        let expected = || "this is not an address; write it like \"https://hooks.example.com/…\"".to_owned();
        let url = Url::parse(text.trim()).map_err(|_| expected())?;
        let host = url.host_str().ok_or_else(expected)?;
        match url.scheme() {
            "https" => Ok(Hook(url)),
            "http" if http_client::is_on_this_machine(&url) => Ok(Hook(url)),
            "http" => {
                Err(format!("plain http would show the address to every machine on the way to {host}; use https"))
            }
            _ => Err(expected()),
        }
    }

    /// The host: the only part that may be shown.
    pub(crate) fn host(&self) -> &str {
        self.0.host_str().unwrap_or("its host")
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[address at {}]", self.host())
    }
}

/// Which runs send a notification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum When {
    /// Runs that do not end with exit code 0.
    #[default]
    NotDelivered,
    /// All runs.
    Always,
}

/// Where the address of notifications is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HookSource {
    /// The job file has it.
    Job(Hook),
    /// The environment variable with this name has it.
    Env(String),
}

/// What the job says about notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notify {
    /// Where the address is found.
    pub(crate) hook: HookSource,
    /// Which runs send one.
    pub(crate) when: When,
    /// The time for the whole request, from resolving the host's name to the end of the answer.
    pub(crate) timeout: Duration,
}

/// Posts `body`, which is JSON, and waits for the answer, for at most `timeout`. `ca_file`: a certificate to trust in addition
/// to the system's.
///
/// # Errors
/// What went wrong, without the address. Every answer but a 2xx is an error.
pub(crate) fn post(hook: &Hook, ca_file: Option<PathBuf>, timeout: Duration, body: String) -> Result<(), String> {
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
    // Not waited for: while a name server does not answer, a thread of the runtime hangs.
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
