//! `accept` under `[check]`, and `--accept`: the codes of suspicions and problems that are none in this job.

use super::diagnostics::Diagnostics;
use super::values::Spanned;
use crate::build::Code;
use crate::suspicion::SuspicionCode;
use crate::text::did_you_mean;

/// Codes that are accepted.
#[derive(Debug, Default)]
pub(super) struct Accepted {
    pub(super) suspicions: Vec<SuspicionCode>,
    pub(super) problems: Vec<Code>,
}

/// The codes of the job and those of the command line.
pub(super) fn accepted(keys: &[Spanned<String>], options: &[String], diagnostics: &mut Diagnostics<'_>) -> Accepted {
    let mut accepted = Accepted::default();
    for key in keys {
        let added = accepted.add(key.get_ref());
        diagnostics.take(key.span(), added);
    }
    for option in options {
        let added = accepted.add(option.trim());
        diagnostics.option("--accept", added);
    }
    accepted
}

impl Accepted {
    fn add(&mut self, name: &str) -> Result<(), String> {
        if let Some(code) = SuspicionCode::from_name(name) {
            self.suspicions.push(code);
        } else if let Some(code) = Code::ACCEPTABLE.iter().find(|code| code.name() == name) {
            self.problems.push(*code);
        } else {
            return Err(unknown(name));
        }
        Ok(())
    }
}

fn unknown(name: &str) -> String {
    let problem = Code::ALL.iter().any(|code| code.name() == name);
    let known: Vec<&str> = SuspicionCode::ALL
        .iter()
        .map(|code| code.name())
        .chain(Code::ACCEPTABLE.iter().map(|code| code.name()))
        .collect();
    match problem {
        true => format!(
            "{name:?} is a problem of single visits, which cannot be accepted; these codes can: {}",
            known.join(", ")
        ),
        false => format!(
            "{name:?} is not a code{}; these can be accepted: {}",
            did_you_mean(name, known.iter().copied()),
            known.join(", ")
        ),
    }
}
