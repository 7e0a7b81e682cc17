//! Outages of every kind, and visits that always fail, together: what no run may come to, however bad its server is.

use super::LONGEST_ATTEMPT;
use super::spells::{Answer, Load, Run, with};
use crate::outcome::{Status, StopReason};
use crate::upload::Config;
use std::time::Duration;

const VISITS: usize = 600;
const PATIENCE: Duration = Duration::from_secs(60);

/// What a server answers.
type Script = fn(&Load) -> Answer;

/// In the middle of a run, for a third of the patience. All are answered the same, or each one otherwise.
const OUTAGES: [(&str, Script); 9] = [
    ("none", |_| Answer::Accept),
    ("500", |_| Answer::Status(500)),
    ("503 with Retry-After", |_| Answer::RetryAfter(503, 7.0)),
    ("408", |_| Answer::Status(408)),
    ("cut", |_| Answer::Cut),
    ("404", |_| Answer::Status(404)),
    ("a 409 that says something else", |_| Answer::Says(409, "project is locked")),
    ("404 and 302", |load| Answer::Status(if load.requests % 2 == 0 { 404 } else { 302 })),
    ("404, 500, cuts, login pages", |load| match load.requests % 4 {
        0 => Answer::Status(404),
        1 => Answer::Status(500),
        2 => Answer::Cut,
        _ => Answer::Page(200),
    }),
];

/// How many visits, one or a dozen neighbours, always get the same answer, and which.
const POISON: [(usize, Answer); 12] = [
    (0, Answer::Accept),
    (1, Answer::Status(400)),
    (1, Answer::Status(401)),
    (1, Answer::Status(404)),
    (1, Answer::Status(429)),
    (1, Answer::Status(500)),
    (1, Answer::Status(503)),
    (1, Answer::Cut),
    (1, Answer::Page(403)),
    (12, Answer::Status(404)),
    (12, Answer::Status(500)),
    (12, Answer::Says(409, "project is locked")),
];

fn run(visits: usize, max_attempts: u32, latency: f64, script: impl Fn(&Load) -> Answer) -> (Run, Vec<String>) {
    let config = Config { max_attempts, patience: PATIENCE, ..Config::default() };
    let run = with(visits, &config, latency, script, 1);
    let mut complaints = Vec::new();
    let gap = run.arrivals.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max);
    if gap > (PATIENCE + LONGEST_ATTEMPT).as_secs_f64() {
        complaints.push(format!("nothing was sent for {gap:.1} s"));
    }
    // A second and more lies between probes.
    let most = visits * (max_attempts as usize + 2) + run.seconds as usize;
    if run.arrivals.len() > most {
        complaints.push(format!("{} requests for {visits} visits", run.arrivals.len()));
    }
    if let Some(reason) = run.stopped {
        complaints.push(format!("stopped: {reason:?}"));
    }
    (run, complaints)
}

#[test]
fn an_outage_costs_no_visit_and_a_visit_that_always_fails_costs_itself() {
    let mut all = Vec::new();
    for (outage, during) in OUTAGES {
        for (count, always) in POISON {
            let (run, mut complaints) = run(VISITS, 5, 0.05, |load| match load {
                load if (30..30 + count).contains(&load.visit) => always,
                load if (1.0..21.0).contains(&load.second) => during(load),
                _ => Answer::Accept,
            });
            let lost = run.outcomes.iter().filter(|outcome| !outcome.status.is_delivered()).count();
            if lost != count {
                complaints.push(format!("{lost} lost"));
            }
            // Twenty seconds of outage, five of sending; the last attempts of a visit that fails are half a minute apart.
            if run.seconds > 65.0 {
                complaints.push(format!("{:.1} s", run.seconds));
            }
            all.extend(complaints.into_iter().map(|said| format!("{outage}, {count} always {always:?}: {said}")));
        }
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn the_last_visits_and_those_of_a_single_attempt_are_no_less_safe() {
    let mut all = Vec::new();
    for (outage, during) in OUTAGES {
        let many = [(VISITS, 1, 0.5, 2.0), (VISITS, 1, 0.05, 2.0)];
        let few = [(12, 5, 0.1, 0.05), (12, 1, 0.1, 0.05)];
        // A few last visits that get 500, or an answer of somebody else, are believed to be the cause.
        let has_few = ["503 with Retry-After", "408", "cut"].contains(&outage);
        for (visits, max_attempts, latency, from) in many.into_iter().chain(few.into_iter().filter(|_| has_few)) {
            let (run, mut complaints) = run(visits, max_attempts, latency, |load| match load.second - from {
                0.0..20.0 => during(load),
                _ => Answer::Accept,
            });
            if run.count(Status::Uploaded) != visits {
                complaints.push(format!("{} of {visits} delivered", run.count(Status::Uploaded)));
            }
            all.extend(complaints.into_iter().map(|said| format!("{outage}, {visits}, {max_attempts}: {said}")));
        }
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn a_strange_answer_beside_a_visit_that_always_fails_ends_a_run_soon() {
    let config = Config { rate: 2.0, ..Config::default() };
    let script = |load: &Load| match load.visit {
        98 => Answer::Status(404),
        99 => Answer::Status(500),
        _ => Answer::Accept,
    };
    let run = with(100, &config, 0.05, script, 1);
    assert_eq!((run.stopped, run.count(Status::Rejected), run.count(Status::Failed)), (None, 1, 1));
    assert!(run.arrivals.len() <= 110, "{} requests", run.arrivals.len());
}

#[test]
fn with_little_patience_too_a_last_visit_that_always_fails_is_no_outage() {
    for patience in [5, 20, 30, 40] {
        let config = Config { patience: Duration::from_secs(patience), ..Config::default() };
        // One after the other, so that nothing is answered after the last one's first attempt.
        let script = |load: &Load| if load.visit == 11 { Answer::Status(503) } else { Answer::Accept };
        let run = with(12, &Config { max_in_flight: Some(1), ..config }, 0.05, script, 1);
        assert_eq!((run.stopped, run.count(Status::Uploaded), run.count(Status::Failed)), (None, 11, 1), "{patience}");
    }
}

#[test]
fn a_key_that_is_refused_for_one_visit_makes_no_outage_longer() {
    let (run, _) = run(30, 5, 0.05, |load| match load.visit {
        0 => Answer::Accept,
        5 => Answer::Status(401),
        _ => Answer::Status(500),
    });
    assert_eq!(run.stopped, Some(StopReason::ApiDown));
    assert!(run.seconds < PATIENCE.as_secs_f64() + 5.0, "{}", run.seconds);
    // Refused for two in a row, it is the key, in an outage too.
    let (run, _) = self::run(30, 5, 0.05, |load| match load.second {
        0.0..0.1 => Answer::Accept,
        0.1..10.0 => Answer::Status(500),
        _ => Answer::Status(401),
    });
    assert_eq!(run.stopped, Some(StopReason::KeyRefused));
}

#[test]
fn the_last_visit_waits_between_its_attempts_after_a_429_too() {
    let (run, complaints) = run(300, 5, 0.05, |load| match (load.visit, load.times) {
        (299, 1) => Answer::Status(429),
        (299, _) if load.second < 8.0 => Answer::Status(503),
        _ => Answer::Accept,
    });
    assert_eq!((run.count(Status::Uploaded), complaints), (300, Vec::new()));
}

#[test]
fn an_outage_that_says_429_now_and_then_costs_no_more_than_its_last_answers() {
    for (strange, max_attempts) in [(Answer::Status(404), 5), (Answer::Status(500), 1)] {
        let (run, complaints) = run(3_000, max_attempts, 0.05, |load| match load.second {
            2.0..22.0 if load.requests % 5 == 4 => Answer::Status(429),
            2.0..22.0 => strange,
            _ => Answer::Accept,
        });
        // Fewer than ten may be those visits' own.
        let lost = 3_000 - run.count(Status::Uploaded);
        assert!(lost < 10 && complaints.is_empty(), "{strange:?}: {lost} lost, {complaints:?}");
    }
}
