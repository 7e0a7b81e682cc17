//! What a run knows of its visits from earlier runs: which files tell, what becomes of each visit, which rows stay.

use super::answers::Answers;
use super::remarks::{changed, reused};
use crate::build::{Built, Code, Invalid, Visits};
use crate::job::{Job, Target};
use crate::ledger::{
    Candidate, Decision, EarlierFile, Fate, Finding, Hashing, Known, Origin, OwnRows, Record, Today, TodayBuilder,
    Wanted, body, find_earlier,
};
use crate::near_key::Folding;
use crate::outcome::{Outcome, Status};
use crate::results::{Counts, Draft, Journal, Mark, ResultsError};
use crate::text::{count, grouped};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use uuid::Uuid;

/// The files in which a run looks before it sends.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// The journal and the finished file of its own path.
    pub(super) own: Vec<PathBuf>,
    /// Whether own rows that were not sent have the hash of what Trax has.
    pub(super) own_keeps_hashes: bool,
    /// Which of the undelivered visits of the own path are sent again.
    pub(super) wanted: Wanted,
    /// How many rows the own file had when the run before ended, if it did.
    pub(super) rows_then: Option<u64>,
    /// Whether undelivered own rows are dropped whose visits are no longer in the exports.
    pub(super) forgets_gone: bool,
    /// How many answers the run may have been waiting for that left the journal.
    pub(super) in_flight: u64,
    /// Result files of other runs.
    pub(super) earlier: Vec<EarlierFile>,
    /// What has to be said of files that do not count.
    pub(super) warnings: Vec<String>,
}

impl Sources {
    /// Finds the result files of other runs. Runs against the sandbox inside the process neither look nor are looked at.
    pub(super) fn look_for_earlier(&mut self, job: &Job, results: &Path, origin: &Origin) {
        if job.target == Target::Server {
            (self.earlier, self.warnings) = find_earlier(&job.earlier, results, origin);
        }
    }

    fn is_empty(&self) -> bool {
        self.own.is_empty() && self.earlier.is_empty()
    }

    /// What collects the visits of the exports as they are read, where there is something to look up.
    pub(super) fn today(&self, job: &Job) -> Option<TodayBuilder> {
        (!self.is_empty()).then(|| TodayBuilder::new(hashing(job)))
    }

    /// Reads the own files. Of a million rows that takes a good part of the time in which the exports are read, and can be done
    /// beside it.
    pub(super) fn read_own(&self, hashing: &Hashing) -> Result<OwnRows, ResultsError> {
        OwnRows::read(&self.own, hashing, self.own_keeps_hashes)
    }
}

/// How keys and stores are hashed in a run of this job.
fn hashing(job: &Job) -> Hashing {
    let separator = job.visits.picks.first().map(|key| key.separator.as_str()).filter(|text| !text.is_empty());
    Hashing::new(Folding::new(separator))
}

/// What becomes of a visit, in a byte.
mod fate {
    pub(super) const SEND: u8 = 0;
    pub(super) const KEEP: u8 = 1;
    pub(super) const SETTLE: u8 = 2;
}

/// What a run has to do for a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// It gets a new row, after sending if it is valid.
    Send,
    /// The row that it has stays.
    Keep,
    /// It gets a new row, and is not sent.
    Settle,
}

/// What the survey has to know of a visit.
#[derive(Debug)]
pub(super) enum Judged {
    /// It is sent if it is valid. `is_new`: no earlier run knows it.
    Outstanding { is_new: bool },
    /// It is not sent.
    Settled {
        finding: Option<Finding>,
        /// Whether its row of the own file stays.
        stays: bool,
        /// The row that tells.
        by: Option<Known>,
        /// What its own row is to say besides.
        mark: Option<(Uuid, Mark)>,
        /// What is to be told of a key that is used again.
        problem: Option<String>,
    },
}

/// What earlier runs say of the visits of a run.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    record: Option<Record>,
    wanted: Wanted,
    accepts_reused: bool,
    rows_then: Option<u64>,
    forgets_gone: bool,
    warnings: Vec<String>,
    /// What becomes of each visit, by partition.
    fates: Vec<OnceLock<Vec<AtomicU8>>>,
    answers: Answers,
}

impl Earlier {
    /// Reads the files of other runs, now that it is known which visits are of interest. `partitions`: in how many the visits
    /// come.
    pub(super) fn read(
        job: &Job,
        sources: Sources,
        own: OwnRows,
        today: Option<(Today, Hashing)>,
        partitions: usize,
    ) -> Earlier {
        let Some((today, hashing)) = today else { return Earlier { warnings: sources.warnings, ..Earlier::default() } };
        Earlier {
            record: Some(Record::read(own, &sources.earlier, today, hashing)),
            wanted: sources.wanted,
            accepts_reused: job.rules.accepts(Code::ReusedKey),
            rows_then: sources.rows_then,
            forgets_gone: sources.forgets_gone,
            warnings: sources.warnings,
            fates: (0..partitions).map(|_| OnceLock::new()).collect(),
            answers: Answers::new(sources.in_flight),
        }
    }

    pub(super) fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// Decides for a visit of a partition of `count` visits, and notes the decision.
    pub(super) fn judge(
        &self,
        builder: &dyn Visits,
        (partition, count): (usize, usize),
        at: usize,
        built: Result<&Built, &Invalid>,
        bytes: &[u8],
    ) -> Judged {
        let Some(record) = &self.record else { return Judged::Outstanding { is_new: false } };
        // Most visits of most nights are new, and a hash costs as much as half of all checks.
        let hash = built.ok().filter(|built| record.knows(built.session_uid)).map(|_| Sha256::digest(bytes).into());
        let visit = BuiltVisit { visits: builder, at, built, hash };
        let Some((uid, decision)) = self.decide(record, visit) else {
            return Judged::Outstanding { is_new: false };
        };
        record.note(uid, decision.fate);
        let (byte, finding) = match decision.fate {
            Fate::Send => return Judged::Outstanding { is_new: !record.knows(uid) },
            Fate::Keep(finding) => (fate::KEEP, finding),
            Fate::Settle(finding) => (fate::SETTLE, Some(finding)),
        };
        if let Some(fates) = self.fates.get(partition) {
            let fates = fates.get_or_init(|| (0..count).map(|_| AtomicU8::new(fate::SEND)).collect());
            fates[at].store(byte, Ordering::Relaxed);
        }
        let mark = decision.by.filter(|_| byte == fate::KEEP).and_then(|by| {
            let mark = match finding? {
                Finding::Changed | Finding::Reused { .. } => {
                    let outcome = settled(record, visit, &decision);
                    Mark { code: outcome.error_code, error: outcome.error }
                }
                // What an earlier run said is no longer so.
                Finding::Same | Finding::Unknown if by.is_remarked() => Mark::default(),
                Finding::Same | Finding::Unknown => return None,
            };
            Some((uid, mark))
        });
        let problem = matches!(finding, Some(Finding::Reused { .. })).then(|| settled(record, visit, &decision).error);
        Judged::Settled { finding, stays: byte == fate::KEEP, by: decision.by, mark, problem }
    }

    fn decide(&self, record: &Record, visit: BuiltVisit<'_>) -> Option<(Uuid, Decision)> {
        let BuiltVisit { visits, at, built, hash } = visit;
        let (uid, day) = match built {
            Ok(built) => (built.session_uid, Some(built.visit_date)),
            Err(invalid) => (invalid.identity.session_uid?, invalid.identity.visit_date.parse().ok()),
        };
        let visit = Candidate {
            body: hash.as_ref().map(body),
            store: record.hashing().store(visits.store_number(at)),
            day,
            is_first: visits.is_first(at),
        };
        Some((uid, record.decide(uid, &visit, &self.wanted, self.accepts_reused)))
    }

    /// What is to be done for a visit of a partition. Every visit was judged before.
    pub(super) fn task(&self, partition: usize, at: usize) -> Task {
        let fates = self.fates.get(partition).and_then(OnceLock::get);
        match fates.map(|fates| fates[at].load(Ordering::Relaxed)) {
            Some(fate::KEEP) => Task::Keep,
            Some(fate::SETTLE) => Task::Settle,
            _ => Task::Send,
        }
    }

    /// The row of a visit that is not sent because of what earlier runs know. `scratch` is overwritten.
    pub(super) fn settle(&self, builder: &dyn Visits, at: usize, scratch: &mut Vec<u8>) -> Outcome {
        scratch.clear();
        let built = builder.build(at, scratch);
        let built = built.as_ref().map_err(AsRef::as_ref);
        let hash = built.is_ok().then(|| Sha256::digest(&scratch).into());
        let visit = BuiltVisit { visits: builder, at, built, hash };
        let decided = self.record.as_ref().and_then(|record| Some((record, self.decide(record, visit)?.1)));
        match decided {
            Some((record, decision)) => settled(record, visit, &decision),
            None => Outcome::settled(builder.named(at, built), Status::AlreadyReceived),
        }
    }

    /// Explains what Trax answered by what earlier runs have sent.
    pub(super) fn explain(&self, outcome: &mut Outcome) {
        self.answers.explain(self.record.as_ref(), self.accepts_reused, outcome);
    }

    /// What the answers have shown so far.
    pub(super) fn answers(&self) -> &Answers {
        &self.answers
    }

    /// What was found wrong with the rows, for the user who has to do something about it.
    pub(super) fn warnings(&self) -> Vec<String> {
        let Some(record) = &self.record else { return self.warnings.clone() };
        let damaged = record.damaged().iter().map(|damaged| {
            let (first, whose) = match damaged.rows {
                1 => ("", "its visit is"),
                _ => ("the first in ", "their visits are"),
            };
            format!(
                "{} of {} cannot be read ({first}line {}), so {whose} sent again unless another row shows it as delivered; the \
                 API answers 409 for visits it already has. If there is an untouched copy of the file, put it in its place",
                count(damaged.rows, "row", "rows"),
                damaged.file.display(),
                grouped(damaged.line)
            )
        });
        let lost = self.rows_then.filter(|then| *then > record.own_count()).map(|then| {
            format!(
                "the result file has {}, and had {} when the run before ended: visits without a row are sent again, and the \
                 API answers 409 for visits it already has. A rerun leaves delivered visits alone by itself; if there \
                 is a whole copy of the file, put it in its place and rerun",
                count(record.own_count(), "row", "rows"),
                grouped(then)
            )
        });
        self.warnings.iter().chain(record.warnings()).cloned().chain(damaged).chain(lost).collect()
    }

    /// Begins the journal with the rows that stay, and counts them. `marks`: what the row of a session is to say besides.
    pub(super) fn begin_journal(
        &self,
        results: &Path,
        counts: &Counts,
        marks: &HashMap<Uuid, Mark>,
    ) -> Result<Journal, ResultsError> {
        let mut draft = Draft::new(results)?;
        let Some(record) = &self.record else { return draft.begin() };
        record.write_own(&mut draft, !self.forgets_gone, marks, counts)?;
        draft.begin()
    }

    /// Rows that stay although their visits are not in the exports any more.
    pub(super) fn gone_and_kept(&self) -> u64 {
        let undelivered = if self.forgets_gone { 0 } else { self.undelivered_and_gone() };
        self.record.as_ref().map_or(0, |record| record.own_gone(true)) + undelivered
    }

    /// Undelivered visits that are not in the exports any more.
    pub(super) fn undelivered_and_gone(&self) -> u64 {
        self.record.as_ref().map_or(0, |record| record.own_gone(false))
    }

    pub(super) fn forgets_gone(&self) -> bool {
        self.forgets_gone
    }
}

/// A visit of the exports, and what building it has shown.
#[derive(Clone, Copy)]
struct BuiltVisit<'a> {
    visits: &'a dyn Visits,
    at: usize,
    built: Result<&'a Built, &'a Invalid>,
    /// Of its body.
    hash: Option<[u8; 32]>,
}

/// The row of a visit that is not sent.
fn settled(record: &Record, visit: BuiltVisit<'_>, decision: &Decision) -> Outcome {
    let BuiltVisit { visits, at, built, hash } = visit;
    let mut outcome = Outcome::settled(visits.named(at, built), Status::AlreadyReceived);
    let (Fate::Keep(Some(finding)) | Fate::Settle(finding), Some(by)) = (decision.fate, decision.by) else {
        return outcome;
    };
    let problems = built.err().map(|invalid| format!("; {}", invalid.problems)).unwrap_or_default();
    match finding {
        Finding::Same => outcome.payload_sha256 = hash,
        Finding::Unknown => {}
        Finding::Changed => {
            changed(record, &by, true, &mut outcome);
            outcome.error.push_str(&problems);
        }
        Finding::Reused { .. } => {
            outcome.status = Status::Invalid;
            reused(record, &by, true, &mut outcome);
            outcome.error.push_str(&problems);
        }
    }
    outcome
}
