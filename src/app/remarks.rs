//! What is said of a visit of which Trax has another version, or under whose key it has another visit.

use crate::build::Code;
use crate::ledger::{Known, Record};
use crate::outcome::{ErrorCode, Outcome};
use crate::results::StoredRows;
use crate::text::count;

/// What is written of a delivered visit that differs by now: store, day, scenes and hash of what Trax has. `is_certain`: whether
/// Trax has what the row `by` shows.
pub(super) fn changed(record: &Record, by: &Known, is_certain: bool, outcome: &mut Outcome) {
    outcome.error_code = Some(ErrorCode::ChangedSinceDelivery);
    outcome.payload_sha256 = None;
    let mut differences = String::new();
    if let Some(stored) = stored(record, by).filter(|_| is_certain) {
        let identity = &outcome.identity;
        let mut differ = |name: &str, then: &str, now: &str| {
            if then != now && !then.is_empty() {
                differences.push_str(&format!("; {name} {then}, now {}", if now.is_empty() { "unknown" } else { now }));
            }
        };
        differ("store_number", &stored.store_number, &identity.store_number);
        differ("visit_date", &stored.visit_date, &identity.visit_date);
        differ("scenes", &stored.scenes.to_string(), &identity.scenes.to_string());
        stored.show(outcome);
    }
    let differences = match differences.strip_prefix("; ") {
        Some(differences) => format!(" ({differences})"),
        None => String::new(),
    };
    outcome.error = format!(
        "what Trax has differs from the export since {}{differences}; Trax keeps what was delivered first",
        record.file(by.file).display()
    );
}

/// What is written of a visit under whose key Trax has another one. A delivered row shows that one, as far as it is known.
/// `is_certain`: whether Trax has what the row `by` shows.
pub(super) fn reused(record: &Record, by: &Known, is_certain: bool, outcome: &mut Outcome) {
    outcome.error_code = Some(ErrorCode::Problem(Code::ReusedKey));
    let is_delivered = by.status.is_delivered();
    let keeps = if is_certain && (by.body.is_some() || !is_delivered) { "keeps" } else { "may keep" };
    let stored = stored(record, by).filter(|_| is_delivered || by.may_have_arrived);
    let has = match &stored {
        Some(stored) => format!(", of store {:?} on {}", stored.store_number, stored.visit_date),
        None => String::new(),
    };
    outcome.error = format!(
        "reused_key visit_id: Trax {keeps} another visit under this key{has} ({}); where keys start again every year, make the \
         year a part of them with `columns` ({})",
        record.file(by.file).display(),
        outcome.identity.source
    );
    if outcome.status.is_delivered() {
        outcome.payload_sha256 = None;
        if let Some(stored) = stored.filter(|_| is_certain) {
            stored.show(outcome);
        }
    }
}

/// What a person has to know of visits of which Trax has another version.
pub(super) fn changed_warning(visits: u64) -> Option<String> {
    (visits > 0).then(|| {
        format!(
            "{} from what was delivered, which is what Trax keeps (changed_since_delivery in the result file): a correction \
             has to be made there",
            count(visits, "visit differs", "visits differ")
        )
    })
}

/// What a person has to know of visits under whose keys Trax has others.
pub(super) fn reused_warning(visits: u64) -> Option<String> {
    (visits > 0).then(|| {
        format!(
            "{} of a visit of another store or day that Trax keeps (reused_key in the result file), and cannot be sent: \
             where keys start again every year, make the year a part of them with `columns`",
            count(visits, "visit has the key", "visits have the keys")
        )
    })
}

/// What a row of an earlier run says Trax has.
struct Stored {
    store_number: String,
    visit_date: String,
    scenes: u32,
    payload_sha256: Option<[u8; 32]>,
}

impl Stored {
    fn show(self, outcome: &mut Outcome) {
        let identity = &mut outcome.identity;
        (identity.store_number, identity.visit_date) = (self.store_number, self.visit_date);
        identity.scenes = self.scenes;
        outcome.payload_sha256 = self.payload_sha256;
    }
}

/// Reads a row once more; `None` where the file is gone by now, and where it is not known what the row says.
fn stored(record: &Record, by: &Known) -> Option<Stored> {
    by.body?;
    let mut rows = StoredRows::open(record.file(by.file)).ok()?;
    let mut found = None;
    rows.at(&by.span()).ok()?.read(|row| {
        found = Some(Stored {
            store_number: row.store_number().to_owned(),
            visit_date: row.visit_date().map(|day| day.to_string()).unwrap_or_default(),
            scenes: row.scenes().unwrap_or_default(),
            payload_sha256: row.payload_sha256(),
        });
    });
    found
}
