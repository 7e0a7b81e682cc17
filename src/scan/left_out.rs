//! What is said of files that a folder holds beside its exports.

use super::discover::LeftOut;
use super::remarks::Remarks;
use crate::suspicion::{Suspicion, SuspicionCode};

/// How many names a warning has.
const NAMED: usize = 5;

const OTHER: &str = "a folder or a pattern has files that are no CSV or Parquet by their names, so their rows would be \
                     missing. Turn them into CSV or Parquet, or move them away; where they are exports under another ending, \
                     set `format`. Accepted, they are left out";
const UNFINISHED: &str = "files have the names of copies under way, and were changed within a day, so their rows would be \
                          missing. Wait until they are complete; remove what was broken off. Accepted, they are left out";

/// Warnings and suspicions about files that are left out, each with its name.
pub(super) fn remarks(left_out: &[(LeftOut, String)]) -> Remarks {
    let names = |why| left_out.iter().filter(move |(found, _)| *found == why).map(|(_, name)| name);
    let mut remarks = Remarks::default();
    for (why, what) in
        [(LeftOut::Backup, "backups"), (LeftOut::Abandoned, "copies left unfinished for more than a day")]
    {
        let all: Vec<&String> = names(why).collect();
        if !all.is_empty() {
            remarks.warnings.push(format!("left out, as {what}: {}", listed(&all)));
        }
    }
    for (why, code, message) in [
        (LeftOut::Unfinished, SuspicionCode::UnfinishedFile, UNFINISHED),
        (LeftOut::Other, SuspicionCode::OtherFile, OTHER),
    ] {
        let suspicion = names(why).fold(Suspicion::new(code, message), Suspicion::at);
        remarks.suspicions.extend((suspicion.count > 0).then_some(suspicion));
    }
    remarks
}

fn listed(names: &[&String]) -> String {
    let first: Vec<&str> = names.iter().take(NAMED).map(|name| name.as_str()).collect();
    match names.len() - first.len() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
