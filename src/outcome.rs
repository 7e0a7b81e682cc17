//! How it ended: for one visit ([`Outcome`]), for a run that was stopped ([`StopReason`]), for a whole command ([`Exit`]).
//!
//! Sending, result files and reports share it; it needs nothing but `build`. Names and numbers here are part of the contract.

use crate::build::{Code, Identity, Invalid};
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use std::fmt;

/// What became of a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// The API took it in this run.
    Uploaded,
    /// The API had it before this run.
    AlreadyReceived,
    /// It has problems and was never sent.
    Invalid,
    /// The API refused it for good.
    Rejected,
    /// Its attempts ended without an answer that settles it.
    Failed,
    /// The run stopped before its turn.
    NotAttempted,
}

impl Status {
    /// Every status, in the order of summaries.
    pub const ALL: [Status; 6] = [
        Status::Uploaded,
        Status::AlreadyReceived,
        Status::Invalid,
        Status::Rejected,
        Status::Failed,
        Status::NotAttempted,
    ];

    /// The name in result files.
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

    /// The status with this name.
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

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Makes [`ErrorCode`] from one table: the name in result files, and what a person can do about it.
macro_rules! error_codes {
    ($($(#[$doc:meta])* $variant:ident $name:literal $hint:literal;)+) => {
        /// Why a visit was not delivered.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ErrorCode {
            /// A problem that was found before anything was sent.
            Problem(Code),
            $($(#[$doc])* $variant,)+
        }

        impl ErrorCode {
            /// The codes of visits that were valid, in the order of the documentation: of refusals, failures and stops.
            pub const OF_SENDING: &'static [ErrorCode] = &[$(ErrorCode::$variant),+];

            /// The name in result files.
            pub fn name(self) -> &'static str {
                match self {
                    ErrorCode::Problem(code) => code.name(),
                    $(ErrorCode::$variant => $name,)+
                }
            }

            /// What a person can do about it, in a few words.
            pub fn hint(self) -> &'static str {
                match self {
                    ErrorCode::Problem(code) => code.hint(),
                    $(ErrorCode::$variant => $hint,)+
                }
            }
        }
    };
}

error_codes! {
    /// It was delivered before with another body, which is the one that Trax keeps.
    ChangedSinceDelivery "changed_since_delivery" "Trax keeps what was delivered first; a correction has to be made there";
    /// "missing attribute" or "missing mandatory field" (vendor, "Validation and Errors").
    MissingAttribute "missing_attribute" "map the field in the job file, or set task_code_required if it is a task code";
    /// "Unknown Store" (vendor, "Validation and Errors").
    UnknownStore "unknown_store" "the store must exist in Stores before its visits can be sent";
    /// "Lookup value does not exist" (vendor, "Validation and Errors").
    LookupValue "lookup_value" "ask the Trax project team for the table of values, above all for visit types";
    /// "Incorrect format field" (vendor, "Validation and Errors").
    IncorrectFormat "incorrect_format" "compare the field with the format that the answer asks for";
    /// The key is missing, wrong or expired: 401, or 400 with "invalid token" (vendor, "Authentication").
    Unauthorized "unauthorized" "check the token: keys expire after 12 months, and may be bound to addresses";
    /// The key may not do this: 403.
    Forbidden "forbidden" "check the project's name, and that the key belongs to it";
    /// Too many requests: 429.
    RateLimited "rate_limited" "a rerun sends it again; if there are many, lower `rate`: another program may be using the same key";
    /// 5xx.
    ServerError "server_error" "a rerun sends it again";
    /// No answer in time, or 408.
    Timeout "timeout" "a rerun sends it again";
    /// No connection, a broken connection, or bytes that are not HTTP.
    Connection "connection" "a rerun sends it again";
    /// An answer that the vendor does not document.
    UnexpectedAnswer "unexpected_answer" "check base_url, version, project and resource in the job file";
    /// The run stopped before the visit's turn.
    Stopped "stopped" "the run stopped before their turn; a rerun sends them";
}

impl ErrorCode {
    /// Whether a failed visit with this code may have arrived all the same.
    pub(crate) fn leaves_open(self) -> bool {
        matches!(self, ErrorCode::Timeout | ErrorCode::Connection | ErrorCode::ServerError)
    }

    /// The code with this name: of a problem for an invalid visit, else one of the others first. A few names, such as
    /// `unknown_store`, are both.
    pub fn from_name(status: Status, name: &str) -> Option<ErrorCode> {
        let problem = || Code::ALL.iter().find(|code| code.name() == name).map(|code| ErrorCode::Problem(*code));
        let of_sending = || ErrorCode::OF_SENDING.iter().copied().find(|code| code.name() == name);
        match status {
            Status::Invalid => problem(),
            // Trax keeps another visit under its key.
            status if status.is_delivered() => of_sending().or_else(problem),
            _ => of_sending(),
        }
    }
}

/// Whether a row says that Trax has a visit, but under the key of another one, which is lost to Trax: somebody has to do
/// something about it, as about a row that was not delivered.
pub(crate) fn is_reused(status: Status, error_code: &str) -> bool {
    status.is_delivered() && error_code == Code::ReusedKey.name()
}

/// What became of one visit. Every visit that is read ends in exactly one.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which visit.
    pub identity: Identity,
    /// What became of it.
    pub status: Status,
    /// The HTTP status of the last answer.
    pub http_status: Option<u16>,
    /// Why it was not delivered; `None` where it was.
    pub error_code: Option<ErrorCode>,
    /// Why it was not delivered, in words; empty where it was.
    pub error: String,
    /// Requests sent for it in this run.
    pub attempts: u32,
    /// From the first attempt to the last answer, in milliseconds.
    pub elapsed_ms: u64,
    /// When it was settled.
    pub finished_at: DateTime<Utc>,
    /// SHA-256 of the body; `None` for an invalid visit, which has none.
    pub payload_sha256: Option<[u8; 32]>,
}

impl Outcome {
    /// The outcome of a valid visit whose turn never came.
    pub fn not_attempted(identity: Identity, payload_sha256: [u8; 32]) -> Outcome {
        Outcome {
            error: "the run stopped before this visit's turn".to_owned(),
            payload_sha256: Some(payload_sha256),
            ..Outcome::never_sent(identity, Status::NotAttempted, Some(ErrorCode::Stopped))
        }
    }

    /// The outcome of a visit with problems, which is never sent.
    pub fn invalid(invalid: Invalid) -> Outcome {
        let Invalid { identity, problems } = invalid;
        let first = problems.first().map(ErrorCode::Problem);
        Outcome { error: problems.to_string(), ..Outcome::never_sent(identity, Status::Invalid, first) }
    }

    /// The outcome of a visit that is not sent because of what earlier runs know.
    pub(crate) fn settled(identity: Identity, status: Status) -> Outcome {
        Outcome::never_sent(identity, status, None)
    }

    fn never_sent(identity: Identity, status: Status, error_code: Option<ErrorCode>) -> Outcome {
        Outcome {
            identity,
            status,
            http_status: None,
            error_code,
            error: String::new(),
            attempts: 0,
            elapsed_ms: 0,
            finished_at: Utc::now(),
            payload_sha256: None,
        }
    }
}

/// Why a run ends before its visits do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// The API was down for longer than `patience`.
    ApiDown,
    /// The API refuses the key.
    KeyRefused,
    /// Every visit gets the same strange answer: address, project or network are wrong.
    AddressRefused,
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// SIGHUP: the terminal is gone.
    HungUp,
    /// There is no way to the API, and no waiting opens one: certificate, proxy, name.
    Unusable,
    /// `max_duration` is over.
    TimeIsUp,
    /// Outcomes cannot be written any more.
    ResultsBroken,
}

impl StopReason {
    /// The name in summaries.
    pub fn name(self) -> &'static str {
        match self {
            StopReason::ApiDown => "api_down",
            StopReason::KeyRefused => "key_refused",
            StopReason::AddressRefused => "address_refused",
            StopReason::Interrupted => "interrupted",
            StopReason::Terminated => "terminated",
            StopReason::HungUp => "hung_up",
            StopReason::Unusable => "no_way_to_the_api",
            StopReason::TimeIsUp => "max_duration",
            StopReason::ResultsBroken => "results_broken",
        }
    }
}

impl Serialize for StopReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// How a command ends. The numbers are the exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// Everything was delivered.
    Done = 0,
    /// A bug, or a fault of this machine.
    Unexpected = 1,
    /// The command line, the job file, an export, or the way to the API cannot be used. Nothing was sent.
    Usage = 2,
    /// Finished; some visits were not delivered.
    NotAllDelivered = 3,
    /// Nothing was sent: too many visits are invalid.
    TooManyInvalid = 4,
    /// Stopped: the API is down.
    ApiDown = 5,
    /// Stopped: the API refuses the key, or the address is wrong.
    KeyRefused = 6,
    /// Another run holds the result file.
    Locked = 7,
    /// The exports hold no visits.
    NoVisits = 8,
    /// Stopped by SIGHUP.
    HungUp = 129,
    /// Stopped by SIGINT.
    Interrupted = 130,
    /// Stopped by SIGTERM.
    Terminated = 143,
}

impl Exit {
    /// Every way to end, in the order of the codes.
    pub const ALL: [Exit; 12] = [
        Exit::Done,
        Exit::Unexpected,
        Exit::Usage,
        Exit::NotAllDelivered,
        Exit::TooManyInvalid,
        Exit::ApiDown,
        Exit::KeyRefused,
        Exit::Locked,
        Exit::NoVisits,
        Exit::HungUp,
        Exit::Interrupted,
        Exit::Terminated,
    ];

    /// How a run ends that got as far as its result file.
    pub fn of_run(stopped: Option<StopReason>, too_many_invalid: bool, all_delivered: bool) -> Exit {
        match stopped {
            Some(StopReason::KeyRefused | StopReason::AddressRefused) => Exit::KeyRefused,
            // Where something was answered all the same, a rerun helps as after an outage.
            Some(StopReason::ApiDown | StopReason::Unusable) => Exit::ApiDown,
            Some(StopReason::HungUp) => Exit::HungUp,
            Some(StopReason::Interrupted) => Exit::Interrupted,
            Some(StopReason::Terminated) => Exit::Terminated,
            Some(StopReason::ResultsBroken) => Exit::Unexpected,
            // A run whose time is up is judged by what it has delivered.
            None | Some(StopReason::TimeIsUp) if too_many_invalid => Exit::TooManyInvalid,
            None | Some(StopReason::TimeIsUp) if all_delivered => Exit::Done,
            None | Some(StopReason::TimeIsUp) => Exit::NotAllDelivered,
        }
    }

    /// The way to end that has this code.
    pub fn from_code(code: u8) -> Option<Exit> {
        Exit::ALL.into_iter().find(|exit| exit.code() == code)
    }

    /// The exit code.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// How the run ended, in a few words.
    pub fn in_short(self) -> &'static str {
        match self {
            Exit::Done => "finished, everything was delivered",
            Exit::Unexpected => "ended unexpectedly",
            Exit::Usage => "nothing was sent: the job could not be used",
            Exit::NotAllDelivered => "finished, some visits were not delivered",
            Exit::TooManyInvalid => "nothing was sent: too many visits are invalid",
            Exit::ApiDown => "stopped: the API was down",
            Exit::KeyRefused => "stopped: the API refused the key, or the address was wrong",
            Exit::Locked => "nothing was sent: another run was writing the result file",
            Exit::NoVisits => "nothing was sent: the exports held no visits",
            Exit::HungUp => "stopped by SIGHUP",
            Exit::Interrupted => "stopped by Ctrl-C",
            Exit::Terminated => "stopped by SIGTERM",
        }
    }

    /// What it means, in a line.
    pub fn meaning(self) -> &'static str {
        match self {
            Exit::Done => "everything was delivered; of check: all visits are valid",
            Exit::Unexpected => {
                "something unexpected, such as a full disk or a bug; the same command resumes where it stopped"
            }
            Exit::Usage => {
                "the command line, the job file, an export, this machine or its network cannot be used; nothing was sent"
            }
            Exit::NotAllDelivered => "finished, but not everything was delivered; of check: some visits are invalid",
            Exit::TooManyInvalid => "nothing was sent: too many visits are invalid",
            Exit::ApiDown => "stopped: the API was down for longer than patience; a rerun helps",
            Exit::KeyRefused => {
                "stopped: the key, or the address, is refused; set a valid token or correct the address, then rerun"
            }
            Exit::Locked => "another run is writing the same result file; wait for it",
            Exit::NoVisits => "the exports hold no visits; --allow-empty makes it 0",
            Exit::HungUp => "stopped by SIGHUP: the terminal was closed; a rerun helps",
            Exit::Interrupted => "stopped by Ctrl-C (SIGINT); a rerun helps",
            Exit::Terminated => "stopped by SIGTERM; a rerun helps",
        }
    }
}

impl Serialize for Exit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_what_they_name() {
        for code in ErrorCode::OF_SENDING {
            assert_eq!(ErrorCode::from_name(Status::Failed, code.name()), Some(*code));
        }
        for code in Code::ALL {
            assert_eq!(ErrorCode::from_name(Status::Invalid, code.name()), Some(ErrorCode::Problem(*code)));
        }
        assert_eq!(ErrorCode::from_name(Status::Invalid, "stopped"), None);
        assert!(Status::ALL.into_iter().all(|status| Status::from_name(status.name()) == Some(status)));
        assert!(Exit::ALL.into_iter().all(|exit| Exit::from_code(exit.code()) == Some(exit)));
    }
}
