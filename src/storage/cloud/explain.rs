//! Why object storage does not give what it is asked for, in words: what happened, and what to do next.
//!
//! Answers and errors are never shown as they are, because they hold addresses, signatures and the names of keys.

use super::http::{OtherRegion, Unreached, Why, is_metadata};
use crate::storage::address::Service;
use crate::storage::error::StorageError;
use std::error::Error;

/// Why something in a bucket could not be found.
pub(super) fn explain(error: &object_store::Error, service: Service, bucket: &str) -> StorageError {
    let reason = match (within::<Unreached>(error), within::<OtherRegion>(error)) {
        (Some(unreached), _) => no_answer(unreached, service),
        (_, Some(OtherRegion(region))) => other_region(region.as_deref(), bucket),
        _ => refused(error, service, bucket),
    };
    StorageError::Other(without_secrets(reason))
}

/// Why an object of a bucket that was found before could not be read.
pub(super) fn explain_reading(error: &object_store::Error, service: Service, bucket: &str) -> StorageError {
    // 404: it is gone. 412: it has other content. 416: it is shorter.
    match StorageAnswer::of(&error.to_string(), error).status {
        "404" | "412" | "416" => StorageError::Changed,
        _ => explain(error, service, bucket),
    }
}

/// Whether the storage answered at all.
pub(super) fn was_answered(error: &object_store::Error) -> bool {
    within::<Unreached>(error).is_none()
}

/// An error of this type among an error and its causes.
fn within<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// What a storage answered instead of what it was asked for. Empty where it is not known.
struct StorageAnswer<'t> {
    /// The three digits of the HTTP status.
    status: &'t str,
    /// The service's own code, such as `NoSuchBucket`.
    code: &'t str,
    /// The region that it names.
    region: Option<&'t str>,
}

impl<'t> StorageAnswer<'t> {
    /// Reads an error, whose text is `text`.
    ///
    /// `object_store` has error types for the statuses 401, 403, 404 and 412 of single objects. For all other statuses, for
    /// lists and for credentials it has none, and the type that holds the status and the body of an answer (`RetryError`)
    /// is private in version 0.14. So these are read from the text of the error. This is the only place that depends on
    /// its wording, and `tests/it/cloud.rs` holds it against real answers.
    fn of(text: &'t str, error: &object_store::Error) -> StorageAnswer<'t> {
        let status = match error {
            object_store::Error::Unauthenticated { .. } => "401",
            object_store::Error::PermissionDenied { .. } => "403",
            object_store::Error::NotFound { .. } => "404",
            object_store::Error::Precondition { .. } => "412",
            _ => text.split("status code: ").nth(1).and_then(|rest| rest.get(..3)).unwrap_or_default(),
        };
        let code = between(text, "<Code>", "</Code>").unwrap_or_default();
        StorageAnswer { status, code, region: between(text, "<Region>", "</Region>") }
    }
}

fn no_answer(unreached: &Unreached, service: Service) -> String {
    let Unreached { host, reason, why } = unreached;
    let endpoint = service.endpoint();
    match why {
        Why::Network if is_metadata(host) => no_credentials(service),
        Why::Network => format!(
            "its storage cannot be reached at {host} ({reason}); is the network up, and {endpoint} right where it is set?"
        ),
        Why::PlainHttp => format!(
            "its storage at {host} would be asked over plain http; set {endpoint} to an https address, or {} if no one \
             else can listen on the network",
            service.plain_http()
        ),
        Why::Address => format!("the address of its storage is not a URL; correct {endpoint}"),
    }
}

fn no_credentials(service: Service) -> String {
    let unsigned = match service {
        Service::S3 => "; for a bucket that is open to all, set AWS_SKIP_SIGNATURE=true",
        Service::Google => "; for a bucket that is open to all, set GOOGLE_SKIP_SIGNATURE=true",
        Service::Azure => "; for a container that is open to all, set AZURE_SKIP_SIGNATURE=true",
    };
    format!("there are no credentials for it in the environment; set {}{unsigned}", service.credentials())
}

fn other_region(region: Option<&str>, bucket: &str) -> String {
    match region {
        Some(region) => format!("the bucket {bucket} is in another region; set AWS_REGION={region}"),
        None => format!("the bucket {bucket} is in another region; set AWS_REGION to it"),
    }
}

fn refused(error: &object_store::Error, service: Service, bucket: &str) -> String {
    let text = error.to_string();
    let StorageAnswer { status, code, region } = StorageAnswer::of(&text, error);
    let credentials = service.credentials();
    let said = match code {
        "" => format!("HTTP {status}"),
        code => code.to_owned(),
    };
    // Not the storage but the metadata service of this machine refused. The error has its address in the text alone.
    if text.contains("169.254.") || text.contains("metadata.google.") {
        return no_credentials(service);
    }
    match code {
        "NoSuchBucket" | "ContainerNotFound" => {
            return format!(
                "there is no bucket {bucket}; is `path` right, and {} where it is set?",
                service.endpoint()
            );
        }
        "RequestTimeTooSkewed" => {
            return "its requests are refused because this machine's clock is wrong; correct the clock".to_owned();
        }
        "PermanentRedirect"
        | "TemporaryRedirect"
        | "AuthorizationHeaderMalformed"
        | "IllegalLocationConstraintException" => {
            return other_region(region, bucket);
        }
        "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "ExpiredToken"
        | "InvalidToken"
        | "TokenRefreshRequired"
        | "AuthenticationFailed"
        | "InvalidAuthenticationInfo" => {
            return format!("the credentials for it are not accepted ({said}); put valid ones in {credentials}");
        }
        _ => {}
    }
    match status {
        "301" | "307" => other_region(None, bucket),
        "401" => format!("the credentials for it are not accepted ({said}); put valid ones in {credentials}"),
        "403" => format!(
            "the credentials may not read it ({said}); let them read and list the bucket. Without the right to list, the \
             answer is the same for an object that is not there: check `path`"
        ),
        "404" => "there is no such object; check `path` in the job file".to_owned(),
        "429" | "500" | "502" | "503" | "504" => format!("its storage is down or overloaded ({said}); run again later"),
        "" => not_asked(error, service),
        _ => format!("its storage refuses the request ({said}); check `path` and {credentials}"),
    }
}

/// There was no answer, mostly because nothing could be asked.
fn not_asked(error: &object_store::Error, service: Service) -> String {
    let mut cause: &dyn Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    let cause = cause.to_string();
    let said = cause.lines().next().unwrap_or_default();
    format!("its storage cannot be used: {said}; check {} and {}", service.credentials(), service.endpoint())
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    Some(text.split_once(start)?.1.split_once(end)?.0)
}

/// A text without the values of environment variables that hold secrets.
fn without_secrets(mut text: String) -> String {
    for (name, value) in std::env::vars_os() {
        let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
        let is_secret = ["KEY", "SECRET", "TOKEN", "SAS", "PASSWORD"].iter().any(|word| name.contains(word));
        if is_secret && value.len() > 5 && text.contains(&*value) {
            text = text.replace(&*value, "[secret]");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: &str, body: &str) -> String {
        let text = format!("Server returned non-2xx status code: {status}: {body}");
        let error = object_store::Error::Generic { store: "S3", source: text.into() };
        explain(&error, Service::S3, "b").to_string()
    }

    #[test]
    fn an_answer_is_described_by_its_code_and_never_shown() {
        let body = |code: &str| format!("<Error><Code>{code}</Code><AWSAccessKeyId>AKIA-1</AWSAccessKeyId></Error>");
        for (code, word) in [
            ("NoSuchBucket", "there is no bucket b;"),
            ("InvalidAccessKeyId", "not accepted (InvalidAccessKeyId)"),
            ("AccessDenied", "may not read it (AccessDenied)"),
            ("RequestTimeTooSkewed", "clock"),
        ] {
            let text = said("403 Forbidden", &body(code));
            assert!(text.contains(word) && !text.contains("AKIA"), "{text}");
        }
        let region = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-3</Region></Error>";
        assert!(said("400 Bad Request", region).ends_with("set AWS_REGION=eu-west-3"));
        assert!(said("503 Service Unavailable", "<Code>SlowDown</Code>").contains("overloaded (SlowDown)"));
        assert!(said("418 I'm a teapot", "").contains("refuses the request (HTTP 418)"));
    }

    #[test]
    fn what_was_found_and_is_gone_was_changed() {
        let packed = |status: &str| object_store::Error::Generic {
            store: "S3",
            source: format!("Server returned non-2xx status code: {status}: ").into(),
        };
        let reading = |error| explain_reading(&error, Service::S3, "b");
        let gone = object_store::Error::NotFound { path: String::new(), source: "".into() };
        assert!(matches!(reading(gone), StorageError::Changed));
        assert!(matches!(reading(packed("412 Precondition Failed")), StorageError::Changed));
        assert!(matches!(reading(packed("416 Range Not Satisfiable")), StorageError::Changed));
        assert!(matches!(reading(packed("500 Internal Server Error")), StorageError::Other(_)));
    }
}
