//! How it ended for a visit: one outcome each, whatever happened.

use crate::build::{Code, Identity};
use chrono::{DateTime, Utc};
use std::fmt;

/// The statuses of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// The API took it, in this run.
    Uploaded,
    /// The API had it before.
    AlreadyReceived,
    /// It has problems and was never sent.
    Invalid,
    /// A final refusal.
    Rejected,
    /// The attempts ended without an answer that settles it.
    Failed,
    /// The run stopped first.
    NotAttempted,
}

impl Status {
    /// All of them, in the order of summaries.
    pub const ALL: [Status; 6] = [
        Status::Uploaded,
        Status::AlreadyReceived,
        Status::Invalid,
        Status::Rejected,
        Status::Failed,
        Status::NotAttempted,
    ];

    /// The name in results.
    pub fn name(self) -> &'static str {
        match self {
            Status::Uploaded => "uploaded",
            Status::AlreadyReceived => "already_received",
            Status::Invalid => "invalid",
            Status::Rejected => "rejected",
            Status::Failed => "failed",
            Status::NotAttempted => "not_attempted",
        }
    }

    /// The status of this name.
    pub fn from_name(name: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether the API has the visit.
    pub fn is_delivered(self) -> bool {
        matches!(self, Status::Uploaded | Status::AlreadyReceived)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What kept a visit from being delivered, beside the problems of [`Code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ErrorCode {
    /// A problem that was found before anything was sent.
    Problem(Code),
    /// "missing attribute", "missing mandatory field".
    MissingAttribute,
    /// "Unknown Store".
    UnknownStore,
    /// "Lookup value does not exist".
    LookupValue,
    /// "Incorrect format field".
    IncorrectFormat,
    /// The key is missing, wrong or expired.
    Unauthorized,
    /// The key may not do this.
    Forbidden,
    /// 429.
    RateLimited,
    /// 5xx.
    ServerError,
    /// No answer in time, or 408.
    Timeout,
    /// No connection, a broken one, or bytes that are no HTTP.
    Connection,
    /// An answer that the vendor's documents do not have.
    UnexpectedAnswer,
    /// The run stopped before the visit's turn.
    Stopped,
}

impl ErrorCode {
    /// The name in results.
    pub fn name(self) -> &'static str {
        match self {
            ErrorCode::Problem(code) => code.name(),
            ErrorCode::MissingAttribute => "missing_attribute",
            ErrorCode::UnknownStore => "unknown_store",
            ErrorCode::LookupValue => "lookup_value",
            ErrorCode::IncorrectFormat => "incorrect_format",
            ErrorCode::Unauthorized => "unauthorized",
            ErrorCode::Forbidden => "forbidden",
            ErrorCode::RateLimited => "rate_limited",
            ErrorCode::ServerError => "server_error",
            ErrorCode::Timeout => "timeout",
            ErrorCode::Connection => "connection",
            ErrorCode::UnexpectedAnswer => "unexpected_answer",
            ErrorCode::Stopped => "stopped",
        }
    }
}

/// One short hint for people by the name of an error code, where there is something to do about it.
pub fn hint(error_code: &str) -> Option<&'static str> {
    Some(match error_code {
        "missing_attribute" => "map the field in the job file, or set task_code_required if it is a task code",
        "unknown_store" => "the store must exist in Stores before its visits can be sent",
        "lookup_value" => "ask the Trax project team for the table of values, above all of visit types",
        "incorrect_format" => "compare the field with the format that the answer asks for",
        "unauthorized" => "check the token: keys expire after 12 months",
        "forbidden" => "check the project's name, and that the key belongs to it",
        "rate_limited" => "lower `rate`: somebody else may be using the same key",
        "server_error" | "timeout" | "connection" => "a rerun sends it again",
        "unexpected_answer" => "check base_url, version, project and resource in the job file",
        _ => return None,
    })
}

/// How it ended for one visit.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which visit.
    pub identity: Identity,
    /// How it ended.
    pub status: Status,
    /// Of the last answer.
    pub http_status: Option<u16>,
    /// What kept it from being delivered.
    pub error_code: Option<ErrorCode>,
    /// The same for people.
    pub error: String,
    /// Requests sent for it in this run.
    pub attempts: u32,
    /// From the first attempt to the last answer, in milliseconds.
    pub elapsed_ms: u64,
    /// When it was settled.
    pub finished_at: DateTime<Utc>,
    /// SHA-256 of the body, for a valid visit.
    pub payload_sha256: Option<[u8; 32]>,
}
