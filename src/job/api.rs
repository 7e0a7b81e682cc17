//! `[api]` and `[ids]`: where sessions go, where the token is found, and how ids are made.

use super::diagnostics::Diagnostics;
use super::job::{Target, TokenSource};
use super::keys::{ApiKeys, IdKeys, UploadKeys};
use super::paths::Placeholders;
use super::quantities;
use super::secrets::looks_like_a_token;
use super::vocabulary::{ID_VERSIONS, meaning};
use crate::build::{Ids, Version};
use crate::http_client;
use crate::text::start_of;
use crate::upload::Endpoint;
use std::ops::Range;
use std::time::Duration;
use uuid::Uuid;

/// What the sandbox stands for: ids made with it are those of the real service.
const VENDOR: &str = "https://services.traxretail.com";
/// The environment variable that holds the token where the job names none.
pub(crate) const DEFAULT_TOKEN: &str = "TRAX_TOKEN";

/// A server, or the sandbox inside this process.
pub(super) fn target(keys: &ApiKeys) -> Target {
    match &keys.base_url {
        Some(url) if url.get_ref() == "sandbox" => Target::Sandbox,
        _ => Target::Server,
    }
}

/// The address and its parts. `section` is where `[api]` begins, or the end of the file.
pub(super) fn endpoint(
    keys: &ApiKeys,
    section: Range<usize>,
    upload: &UploadKeys,
    placeholders: &Placeholders<'_>,
    diagnostics: &mut Diagnostics<'_>,
) -> Endpoint {
    let target = target(keys);
    let base_url = match target {
        Target::Sandbox => None,
        Target::Server => diagnostics.parsed(&keys.base_url, base_url),
    };
    let project = match (&keys.project, target) {
        (Some(project), _) => diagnostics.take(project.span(), check_project(project.get_ref())),
        (None, Target::Sandbox) => Some("sandbox".to_owned()),
        (None, Target::Server) => {
            let message = "the key `project` is missing under [api]: add the project's name as Trax gave it";
            diagnostics.add_missing(section, message);
            None
        }
    };
    let version = diagnostics.parsed(&keys.version, |text| {
        let is_plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
        let wrong = || format!("{text:?} is not a version of the API; write it like \"v4\"");
        is_plain.then(|| text.to_owned()).ok_or_else(wrong)
    });
    let mut timeout =
        |text, default| diagnostics.parsed(text, positive_timeout).unwrap_or(Duration::from_secs(default));
    Endpoint {
        base_url: base_url.unwrap_or_else(|| VENDOR.to_owned()),
        version: version.unwrap_or_else(|| "v4".to_owned()),
        project: project.unwrap_or_default(),
        resource: keys.resource.clone().unwrap_or_else(|| "session".to_owned()),
        timeout: timeout(&upload.timeout, 30),
        connect_timeout: timeout(&upload.connect_timeout, 10),
        ca_file: diagnostics.parsed(&keys.ca_file, |path| placeholders.input(path)),
    }
}

/// The address without slashes at its end. Plain http goes to this machine only.
fn base_url(text: &str) -> Result<String, String> {
    // The address is not repeated: there may be a password in it.
    let expected = || format!("this is not an address; write it like \"{VENDOR}\", or \"sandbox\"");
    let trimmed = text.trim_end_matches('/');
    let url = reqwest::Url::parse(trimmed).map_err(|_| expected())?;
    let host = url.host_str().ok_or_else(expected)?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err("the address must not contain a user, a password, ? or #; remove them".to_owned());
    }
    // No name server has such a name (RFC 1035, 2.3.4).
    let name = host.strip_suffix('.').unwrap_or(host);
    if !name.starts_with('[') && (name.len() > 253 || name.split('.').any(|label| label.is_empty() || label.len() > 63))
    {
        return Err(format!(
            "no host can be called {}: between its dots a name has 1 to 63 characters, in all at most 253",
            start_of(host, 80)
        ));
    }
    match url.scheme() {
        "https" => Ok(trimmed.to_owned()),
        "http" if http_client::is_on_this_machine(&url) => Ok(trimmed.to_owned()),
        "http" => Err(format!("plain http would show the token to everyone on the way to {host}; use https")),
        _ => Err(expected()),
    }
}

fn check_project(text: &str) -> Result<String, String> {
    match text.trim().is_empty() || text.contains(['/', '?', '#']) {
        true => Err("the project's name must not be empty or contain / ? #; write it as Trax gave it".to_owned()),
        false => Ok(text.to_owned()),
    }
}

fn positive_timeout(text: &str) -> Result<Duration, String> {
    match quantities::duration(text)? {
        Duration::ZERO => Err("a timeout of zero would fail every request; choose one like \"30s\"".to_owned()),
        time => Ok(time),
    }
}

/// Where the token is found.
pub(super) fn token(keys: &ApiKeys, placeholders: &Placeholders<'_>, diagnostics: &mut Diagnostics<'_>) -> TokenSource {
    match (&keys.token_env, &keys.token_file) {
        (Some(_), Some(file)) => {
            diagnostics.add(file.span(), "token_env and token_file exclude each other; keep one of them");
        }
        (None, Some(file)) => {
            let is_there = placeholders.input(file.get_ref()).is_ok_and(|path| path.exists());
            if looks_like_a_token(file.get_ref()) && !is_there {
                let message = "token_file is the path of a file that holds the token, and this looks like the token itself, which \
                     does not belong in a job file; put it into a file, or into the environment variable TRAX_TOKEN";
                diagnostics.add(file.span(), message);
            }
            let path = diagnostics.take(file.span(), placeholders.input(file.get_ref()));
            return TokenSource::File(path.unwrap_or_default());
        }
        (Some(name), None) => {
            if !is_variable(name.get_ref()) || looks_like_a_token(name.get_ref()) {
                let message = "token_env is the name of an environment variable, never the token itself; name one like \"TRAX_TOKEN\"";
                diagnostics.add(name.span(), message);
            }
            return TokenSource::Env(name.get_ref().clone());
        }
        (None, None) => {}
    }
    TokenSource::Env(DEFAULT_TOKEN.to_owned())
}

/// Whether a text can be the name of an environment variable.
pub(super) fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// How ids are made: with the job's namespace, or with one of the address and the project.
pub(super) fn ids(keys: &IdKeys, endpoint: &Endpoint, diagnostics: &mut Diagnostics<'_>) -> Ids {
    let namespace = diagnostics.parsed(&keys.namespace, |text| {
        let wrong = |_| format!("{text:?} is not a UUID like \"6ba7b811-9dad-11d1-80b4-00c04fd430c8\"");
        Uuid::parse_str(text).map_err(wrong)
    });
    let namespace = namespace.unwrap_or_else(|| Ids::default_namespace(&endpoint.base_url, &endpoint.project));
    Ids::new(namespace, meaning(&ID_VERSIONS, keys.version.as_ref()).unwrap_or(Version::V5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_no_name_server_can_have_is_a_mistake() {
        let label = "x".repeat(63);
        for host in ["a..b", &format!("{label}x.com"), &format!("{label}.{label}.{label}.{label}.com")] {
            let mistake = base_url(&format!("https://{host}/api")).expect_err(host);
            assert!(mistake.contains(&host[..4]), "{mistake}");
        }
        for host in ["a_b.example.com.", "localhost", "127.0.0.1", "[::1]:8443", &format!("{label}.com")] {
            assert!(base_url(&format!("https://{host}")).is_ok(), "{host}");
        }
    }
}
