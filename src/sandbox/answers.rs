//! Every refusal of the sandbox: its status, its text and the JSON key that the text is under.
//!
//! The texts are the vendor's to the letter, with the line break in the middle of one (Sessions Input, "Validation and
//! Errors"; Authentication). The vendor lists no texts for 404, 405, 413 and 429; those are this project's. It does not
//! know when to refuse.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("Too many requests")]
    RateLimited { retry_after: Option<u64> },
    #[error("Trax Internal Error")]
    Internal,
    #[error("missing Authorization:Auth-Token header value")]
    MissingToken,
    #[error("invalid token")]
    MalformedToken,
    #[error("the API key is invalid")]
    UnknownToken,
    #[error("Incorrect or expired token")]
    ExpiredToken,
    #[error("A forbidden resource has been requested {0}")]
    Forbidden(String),
    #[error("Unknown route {0}")]
    UnknownRoute(String),
    #[error("Method not allowed, use PUT")]
    NotPut,
    #[error("Session has already been received")]
    AlreadyReceived,
    #[error("Request body is too large")]
    TooLarge,
    #[error("missing attribute{} - {}", plural(.0), .0.join(","))]
    MissingAttributes(Vec<&'static str>),
    #[error("missing mandatory field{} - {}", plural(.0), .0.join(","))]
    MissingMandatoryFields(Vec<&'static str>),
    // The vendor's page breaks the line here, so the sandbox does too: a client must be able to read it.
    #[error("Incorrect format field: {field},\nthe correct format: {format}")]
    IncorrectFormat { field: &'static str, format: &'static str },
    #[error("Unknown Store {0}")]
    UnknownStore(String),
    #[error("Lookup value does not exist: {0}")]
    UnknownLookupValue(String),
}

fn plural(names: &[&str]) -> &'static str {
    if names.len() == 1 { "" } else { "s" }
}

impl Refusal {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::MissingToken | Self::UnknownToken | Self::ExpiredToken => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::UnknownRoute(_) => StatusCode::NOT_FOUND,
            Self::NotPut => StatusCode::METHOD_NOT_ALLOWED,
            Self::AlreadyReceived => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MalformedToken
            | Self::MissingAttributes(_)
            | Self::MissingMandatoryFields(_)
            | Self::IncorrectFormat { .. }
            | Self::UnknownStore(_)
            | Self::UnknownLookupValue(_) => StatusCode::BAD_REQUEST,
        }
    }

    /// The JSON key that the text stands under. The vendor's pages disagree on it, so it depends on the refusal.
    fn key(&self) -> &'static str {
        match self {
            Self::MissingToken | Self::UnknownToken => "description",
            Self::MalformedToken => "error_description",
            _ => "error",
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = Json(json!({ self.key(): self.to_string() }));
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        match self {
            Self::RateLimited { retry_after: Some(seconds) } => {
                headers.insert(header::RETRY_AFTER, seconds.into());
            }
            Self::NotPut => {
                headers.insert(header::ALLOW, header::HeaderValue::from_static("PUT"));
            }
            _ => {}
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_the_vendors() {
        let text = |refusal: Refusal| refusal.to_string();
        assert_eq!(text(Refusal::AlreadyReceived), "Session has already been received");
        assert_eq!(text(Refusal::MissingAttributes(vec!["scenes"])), "missing attribute - scenes");
        assert_eq!(
            text(Refusal::MissingAttributes(vec!["store_number", "scenes"])),
            "missing attributes - store_number,scenes"
        );
        assert_eq!(text(Refusal::MissingMandatoryFields(vec!["scenes"])), "missing mandatory field - scenes");
        assert_eq!(
            text(Refusal::MissingMandatoryFields(vec!["visit_date", "scenes"])),
            "missing mandatory fields - visit_date,scenes"
        );
        assert_eq!(
            text(Refusal::IncorrectFormat { field: "visit_date", format: "YYYY-MM-DD" }),
            "Incorrect format field: visit_date,\nthe correct format: YYYY-MM-DD"
        );
        assert_eq!(text(Refusal::UnknownStore("17".into())), "Unknown Store 17");
        assert_eq!(text(Refusal::UnknownLookupValue("801".into())), "Lookup value does not exist: 801");
        assert_eq!(text(Refusal::Internal), "Trax Internal Error");
        assert_eq!(text(Refusal::ExpiredToken), "Incorrect or expired token");
        assert_eq!(
            text(Refusal::Forbidden("/api/v4/other".into())),
            "A forbidden resource has been requested /api/v4/other"
        );
    }
}
