//! What comes of building a visit: one that may be sent, or one with problems.

use super::identity::Identity;
use super::problem::Problems;
use chrono::NaiveDate;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A visit that may be sent. Only `Visits::prepare` makes one, so it needs no more checks.
#[derive(Clone, Debug)]
pub struct Prepared(Parts);

/// The parts of a [`Prepared`] visit, for the code that sends it.
#[derive(Clone, Debug)]
pub struct Parts {
    /// What the visit is called and where it comes from.
    pub identity: Identity,
    /// The last part of the address that the body is sent to.
    pub session_uid: Uuid,
    /// The body, as JSON.
    pub body: Vec<u8>,
    /// The SHA-256 of the body. It is made while many threads build, because only one thread sends.
    pub payload_sha256: [u8; 32],
}

impl Prepared {
    pub(super) fn new(identity: Identity, session_uid: Uuid, body: Vec<u8>) -> Prepared {
        let payload_sha256 = Sha256::digest(&body).into();
        Prepared(Parts { identity, session_uid, body, payload_sha256 })
    }

    /// Takes the visit apart.
    pub fn into_parts(self) -> Parts {
        self.0
    }
}

/// A visit that may not be sent.
#[derive(Clone, Debug)]
pub struct Invalid {
    /// What the visit is called and where it comes from.
    pub identity: Identity,
    /// Everything that is wrong with it: at least one problem.
    pub problems: Problems,
}

/// What is known of a valid visit once its body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Built {
    /// The last part of the address that the body is sent to.
    pub(crate) session_uid: Uuid,
    /// The date in the body.
    pub(crate) visit_date: NaiveDate,
    /// Scenes in the body.
    pub(crate) scenes: u32,
    /// Scene rows that repeat an earlier row of the visit and are left out of the body.
    pub(crate) identical_scenes: u32,
    /// Which optional fields the body has.
    pub(crate) has: OptionalFields,
    /// A hash of what visits that are alike but for their key share: store, start and e-mail.
    pub(crate) likeness: u64,
}

/// Which optional fields a body has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OptionalFields {
    pub(crate) visit_type_id: bool,
    pub(crate) session_end_time: bool,
    pub(crate) email_address: bool,
    /// Scenes with a task code.
    pub(crate) task_codes: u32,
}

/// A valid visit as it was read, for the user to look at: a mistake in the job file that spoils all visits alike shows
/// in one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glance {
    /// What the visit is called and where it comes from.
    pub(crate) identity: Identity,
    /// When it started, in epoch seconds.
    pub(crate) start: i64,
    /// The zone that its local time is taken in, and that time as RFC 3339. `None` where no zone is known.
    pub(crate) on_the_wall: Option<(String, String)>,
}

/// The same for visits that are alike but for their key, and hardly for others.
pub(super) fn likeness(store: &str, start: i64, email: Option<&str>) -> u64 {
    // Not a hasher with a seed of its own: hashes of several builders are compared. Nobody gains by a collision.
    let mut hash = mixed(0, start.cast_unsigned());
    for text in [store, email.unwrap_or_default()] {
        let (chunks, rest) = text.as_bytes().as_chunks::<8>();
        hash = chunks.iter().fold(hash, |hash, chunk| mixed(hash, u64::from_ne_bytes(*chunk)));
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        hash = mixed(hash, u64::from_ne_bytes(last) ^ text.len() as u64);
    }
    hash
}

fn mixed(hash: u64, word: u64) -> u64 {
    let mixed = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}
