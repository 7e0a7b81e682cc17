//! How a job wants its visits read and checked.
//!
//! Plain values, which `job` makes from a job file. It does not know what a job file looks like.

use super::field::Field;
use super::ids::Ids;
use super::problem::Code;
use super::zone::Zone;
use std::collections::HashSet;

/// What tells the local day of a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LocalDay {
    /// The offset or the zone that it is written with.
    Offset,
    /// The zone of the job.
    Timezone,
}

/// Which column fills which field of the API, how ids are made, and which values are known.
///
/// The fields, and which of them are mandatory, are the vendor's (Sessions Input, "Request Details").
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// Makes the ids of sessions and scenes.
    pub(crate) ids: Ids,
    /// "Identifier provided by the client for the session". `None`: the visit's key.
    pub(crate) client_session_uid: Option<Field>,
    /// "Client's Store unique identifier". Mandatory.
    pub(crate) store_number: Field,
    /// "The date of the visit by local time zone". Mandatory; `None`: the local date of the start.
    pub(crate) visit_date: Option<Field>,
    /// "The Unix Epoch timestamp of the session start time". Mandatory.
    pub(crate) session_start_time: Field,
    /// "Primary key (pk) of the Visit Type". Optional.
    pub(crate) visit_type_id: Option<Field>,
    /// "The Unix Epoch timestamp of the session end time". Optional.
    pub(crate) session_end_time: Option<Field>,
    /// "The email of the user". Optional.
    pub(crate) email_address: Option<Field>,
    /// The key of a scene, from which its `scene_uid` is made. Mandatory.
    pub(crate) scene_id: Field,
    /// "Scene corresponding Task code". "Required for PUREAI Solution", else optional.
    pub(crate) task_code: Option<Field>,
    /// How many scenes the export says that the visit has. It is compared and never sent. Optional.
    pub(crate) scene_count: Option<Field>,
    /// Whether a scene without a task code is a problem, as the PUREAI solution demands.
    pub(crate) task_code_required: bool,
    /// The zone of local times whose field names no zone of its own.
    pub(crate) zone: Option<Zone>,
    /// What tells the day of a visit where the zone that its start is written in and `zone` differ. `None`: it is a problem.
    pub(crate) local_day: Option<LocalDay>,
    /// The store numbers that the API knows. `None`: the job has no such list, and any value passes.
    pub(crate) stores: Option<HashSet<String>>,
    /// The users' addresses that the API knows. `None`: any value passes.
    pub(crate) users: Option<HashSet<String>>,
    /// The task codes that the API knows. `None`: any value passes.
    pub(crate) task_codes: Option<HashSet<String>>,
    /// The visit types that the API knows, as their digits. `None`: any value passes.
    pub(crate) visit_types: Option<HashSet<String>>,
    /// Problems that are none in this job; each is one of [`Code::ACCEPTABLE`].
    pub(crate) accepted: Vec<Code>,
}

impl Rules {
    /// Whether what this code says is no problem in this job.
    pub(crate) fn accepts(&self, code: Code) -> bool {
        self.accepted.contains(&code)
    }
}
