//! Compares how the CSV files of both exports end. A last row without a line end may be half a row; where other files of the
//! same hand end in one, it probably is.

use crate::scan::{FileEnd, Remarks};
use crate::suspicion::{Suspicion, SuspicionCode};

/// What the ends of the files of both sections show.
pub(super) fn unterminated(visits: &[FileEnd], scenes: &[FileEnd]) -> Remarks {
    let message = "the last row has no line end, and other files of these exports have one: the file is probably cut short. Copy or export it again";
    let mut suspicion = Suspicion::new(SuspicionCode::Unterminated, message);
    let mut alone: Vec<String> = Vec::new();
    for (own, other) in [(visits, scenes), (scenes, visits)] {
        for end in own.iter().filter(|end| end.is_cut) {
            let place = format!("{}:{}", end.file, end.last_row);
            let in_section = own.iter().find(|other| !other.is_cut);
            let in_other = || other.iter().find(|other| !other.is_cut && other.hand.is_like(&end.hand));
            match in_section.or_else(in_other) {
                Some(whole) => suspicion.add(format!("{place}, and {} ends with a line end", whole.file)),
                None => alone.push(place),
            }
        }
    }
    let warning = alone.first().map(|first| {
        let more = if alone.len() > 1 { format!(", and of {} more", alone.len() - 1) } else { String::new() };
        format!("the last row of {first}{more} has no line end; many programs write none, but is the export complete?")
    });
    let suspicions = if suspicion.count > 0 { vec![suspicion] } else { Vec::new() };
    Remarks { warnings: warning.into_iter().collect(), suspicions, ..Remarks::default() }
}
