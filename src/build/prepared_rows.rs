//! Visits that were built before, as rows that came back from elsewhere. Only rows that hold what they promise are visits:
//! a body that fits its hash, under the id that this job makes of its key.

use super::identity::Identity;
use super::ids::Ids;
use super::prepared::{Built, Invalid, OptionalFields};
use super::problem::{Code, Problems, shown};
use super::visits::Visits;
use crate::scan::{Location, Rows};
use crate::text::hex;
use chrono::NaiveDate;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The columns of prepared visits. Their names and order are part of the contract.
pub(crate) const PREPARED_COLUMNS: [&str; 11] = [
    "visit_id",
    "session_uid",
    "store_number",
    "visit_date",
    "scenes",
    "status",
    "error_code",
    "error",
    "body",
    "payload_sha256",
    "source",
];

const VISIT_ID: usize = 0;
const SESSION_UID: usize = 1;
const STORE_NUMBER: usize = 2;
const VISIT_DATE: usize = 3;
const SCENES: usize = 4;
const STATUS: usize = 5;
const ERROR_CODE: usize = 6;
const ERROR: usize = 7;
const BODY: usize = 8;
const PAYLOAD_SHA256: usize = 9;
const SOURCE: usize = 10;

/// What a row says of a visit that may be sent.
pub(crate) const PREPARED: &str = "prepared";
/// What a row says of a visit with problems.
pub(crate) const INVALID: &str = "invalid";

/// Why a row is not what it promises to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    /// Where the row is.
    pub(crate) location: Location,
    /// What is wrong with it.
    pub(crate) what: String,
}

/// Rows of prepared visits that hold what they promise.
#[derive(Debug)]
pub(crate) struct PreparedRows<'a> {
    rows: &'a Rows,
    checked: Vec<Checked>,
}

/// What is known of a row that was checked.
#[derive(Clone, Copy, Debug)]
struct Checked {
    session_uid: Option<Uuid>,
    scenes: u32,
    /// Whether an earlier row has its key.
    repeats: bool,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Prepared(NaiveDate),
    Invalid(Code),
}

impl<'a> PreparedRows<'a> {
    /// Checks the rows of a batch with the columns [`PREPARED_COLUMNS`]. `ids`: those of the job.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub(crate) fn new(rows: &'a Rows, ids: &Ids) -> Result<PreparedRows<'a>, Vec<Flaw>> {
        let all = (0..rows.batch.num_rows()).into_par_iter();
        let checked: Vec<Result<Checked, String>> = all.map(|at| check(rows, at, ids)).collect();
        let mut flaws = Vec::new();
        let mut sound = Vec::with_capacity(checked.len());
        for (at, checked) in checked.into_iter().enumerate() {
            match checked {
                Ok(checked) => sound.push(checked),
                Err(what) => flaws.push(Flaw { location: rows.location(at), what }),
            }
        }
        if flaws.is_empty() { Ok(PreparedRows { rows, checked: sound }) } else { Err(flaws) }
    }

    /// Notes which rows have the key of an earlier one. `is_new`: whether a session is met for the first time. It is asked of
    /// visits whose problem is that their key is not theirs alone.
    pub(crate) fn find_repeated(&mut self, mut is_new: impl FnMut(Uuid) -> bool) {
        for row in &mut self.checked {
            if let (State::Invalid(Code::DuplicateVisit), Some(uid)) = (row.state, row.session_uid) {
                row.repeats = !is_new(uid);
            }
        }
    }

    /// The session of a visit that may be sent; `None` for an invalid one.
    pub(crate) fn session_to_send(&self, at: usize) -> Option<Uuid> {
        let row = &self.checked[at];
        row.session_uid.filter(|_| matches!(row.state, State::Prepared(_)))
    }

    /// The session of a visit, sent or not, where it has one.
    pub(crate) fn session(&self, at: usize) -> Option<Uuid> {
        self.checked[at].session_uid
    }

    /// What tells this row from another one: of the hash of its body, or of what it says in place of one.
    pub(crate) fn mark(&self, at: usize) -> u64 {
        let told = [VISIT_ID, STORE_NUMBER, VISIT_DATE, SCENES, STATUS, ERROR, PAYLOAD_SHA256, SOURCE];
        let mut hash = Sha256::new();
        for column in told {
            hash.update(self.text(column, at));
            hash.update([0]);
        }
        let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(hash.finalize());
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    /// The day of a visit, where it can be told.
    pub(crate) fn day(&self, at: usize) -> Option<NaiveDate> {
        match self.checked[at].state {
            State::Prepared(day) => Some(day),
            State::Invalid(_) => self.text(VISIT_DATE, at).parse().ok(),
        }
    }

    fn text(&self, column: usize, at: usize) -> &str {
        self.rows.text(column, at)
    }

    fn identity_of(&self, at: usize) -> Identity {
        let Checked { session_uid, scenes, .. } = self.checked[at];
        Identity {
            visit_id: self.text(VISIT_ID, at).to_owned(),
            session_uid,
            store_number: self.text(STORE_NUMBER, at).to_owned(),
            visit_date: self.text(VISIT_DATE, at).to_owned(),
            scenes,
            source: source(self.text(SOURCE, at)).unwrap_or_else(|| self.rows.location(at)),
        }
    }
}

impl Visits for PreparedRows<'_> {
    fn len(&self) -> usize {
        self.checked.len()
    }

    fn is_first(&self, at: usize) -> bool {
        !self.checked[at].repeats
    }

    fn key(&self, at: usize) -> (&str, Location) {
        (self.text(VISIT_ID, at), self.rows.location(at))
    }

    fn store_number(&self, at: usize) -> &str {
        self.text(STORE_NUMBER, at)
    }

    fn build(&self, at: usize, body: &mut Vec<u8>) -> Result<Built, Box<Invalid>> {
        let Checked { session_uid, scenes, state, .. } = self.checked[at];
        match (state, session_uid) {
            (State::Prepared(visit_date), Some(session_uid)) => {
                body.extend_from_slice(self.text(BODY, at).as_bytes());
                Ok(Built {
                    session_uid,
                    visit_date,
                    scenes,
                    identical_scenes: 0,
                    has: OptionalFields::default(),
                    // What visits have in common was looked at when they were prepared.
                    likeness: session_uid.as_u64_pair().0,
                })
            }
            (state, _) => {
                let code = if let State::Invalid(code) = state { code } else { Code::MissingField };
                let problems = Problems::told(code, self.text(ERROR, at).to_owned());
                Err(Box::new(Invalid { identity: self.identity_of(at), problems }))
            }
        }
    }

    fn identity(&self, at: usize, _built: &Built) -> Identity {
        self.identity_of(at)
    }
}

/// `exports/visits.csv:17`
fn source(text: &str) -> Option<Location> {
    let (file, row) = text.rsplit_once(':')?;
    Some(Location { file: file.into(), row: row.parse().ok()? })
}

fn check(rows: &Rows, at: usize, ids: &Ids) -> Result<Checked, String> {
    let text = |column: usize| rows.text(column, at);
    if let Some(fault) = rows.faults_of(at).first() {
        let column = fault.column.and_then(|column| PREPARED_COLUMNS.get(usize::from(column))).unwrap_or(&"the row");
        return Err(format!("{column} cannot be read"));
    }
    let (visit_id, written_uid) = (text(VISIT_ID), text(SESSION_UID));
    let session_uid = match (written_uid, visit_id) {
        ("", _) => None,
        (_, "") => return Err(format!("there is a session_uid, {}, and no visit_id", shown(written_uid))),
        (written, visit_id) => {
            let uid = ids.session(visit_id).uid;
            if Uuid::parse_str(written).ok() != Some(uid) {
                let key = shown(visit_id);
                return Err(format!(
                    "its session_uid is {written}, and this job makes {uid} of the visit_id {key}: it was prepared for \
                     another address, project or namespace"
                ));
            }
            Some(uid)
        }
    };
    let scenes = match text(SCENES) {
        "" => 0,
        digits => digits.parse().map_err(|_| format!("scenes is {}, which is no number", shown(digits)))?,
    };
    let state = match text(STATUS) {
        PREPARED => State::Prepared(check_prepared(rows, at, session_uid)?),
        INVALID => {
            let known = Code::ALL.iter().find(|code| code.name() == text(ERROR_CODE));
            let unknown = || format!("error_code is {}, which this version does not know", shown(text(ERROR_CODE)));
            State::Invalid(*known.ok_or_else(unknown)?)
        }
        other => return Err(format!("status is {}; it is {PREPARED} or {INVALID}", shown(other))),
    };
    Ok(Checked { session_uid, scenes, repeats: false, state })
}

/// The day of a visit that may be sent.
fn check_prepared(rows: &Rows, at: usize, session_uid: Option<Uuid>) -> Result<NaiveDate, String> {
    let text = |column: usize| rows.text(column, at);
    if session_uid.is_none() {
        return Err("the visit is prepared and has no session_uid".to_owned());
    }
    let body = text(BODY);
    if body.is_empty() {
        return Err("the visit is prepared and has no body".to_owned());
    }
    let (hash, written) = (hex(&Sha256::digest(body.as_bytes())), text(PAYLOAD_SHA256));
    if !hash.eq_ignore_ascii_case(written) {
        return Err(format!("its body does not fit its payload_sha256, {}: one of them was changed", shown(written)));
    }
    let day = text(VISIT_DATE);
    day.parse().map_err(|_| format!("visit_date is {}, which is no day", shown(day)))
}
