//! Limits, and failures that look like one: how little they cost. In counts, where the other spells are in goodput.

use super::spells::{Answer, Load, Run, run};
use crate::outcome::Status;

/// At 120/s, with all visits delivered.
fn all_delivered(visits: usize, latency: f64, script: impl Fn(&Load) -> Answer) -> Run {
    let run = run(visits, 120.0, latency, script, 1);
    assert_eq!((run.stopped, run.count(Status::Uploaded)), (None, visits));
    run
}

#[test]
fn a_wait_that_some_visits_are_asked_for_holds_back_no_others() {
    // So few that it is bad luck, and so many that it is a limit; longer than patience, too.
    for (every, wait) in [(33, 300.0), (12, 300.0), (12, 7_200.0)] {
        let run = all_delivered(3_000, 0.05, |load| match (load.visit % every, load.times) {
            (7, 1) => Answer::RetryAfter(503, wait),
            _ => Answer::Accept,
        });
        let soon = run.arrivals.iter().filter(|at| **at < 60.0).count();
        assert!(soon >= 3_000, "{every}, {wait}: {soon} in the first minute");
    }
}

#[test]
fn once_a_limit_is_over_a_visit_that_always_gets_503_is_tried_as_often_as_the_job_says() {
    let run = run(
        6_000,
        120.0,
        0.05,
        |load| match load.second {
            _ if load.visit % 1_500 == 1_499 && load.visit < 5_000 => Answer::Status(503),
            3.0..8.0 if load.in_last_second >= 60 => Answer::Status(503),
            _ => Answer::Accept,
        },
        1,
    );
    let failed: Vec<u32> = run.outcomes.iter().filter(|of| !of.status.is_delivered()).map(|of| of.attempts).collect();
    assert_eq!(failed, [5, 5, 5]);
    assert!(run.pauses <= 10, "{} pauses", run.pauses);
}

#[test]
fn a_cap_of_connections_that_is_lifted_is_noticed() {
    let run = all_delivered(9_000, 0.1, |load| match load.requests.wrapping_mul(7919) % 100 {
        _ if load.second < 20.0 && load.in_flight > 3 => Answer::Cut,
        5 => Answer::Cut,
        _ => Answer::Accept,
    });
    // With three at once it would be 300 s.
    assert!(run.seconds < 150.0, "{}", run.seconds);
}

#[test]
fn a_limit_just_below_the_rate_is_touched_rarely() {
    for limit in [118, 115, 110] {
        let run = all_delivered(7_200, 0.05, |load| match load.in_last_second {
            seen if seen < limit => Answer::Accept,
            _ => Answer::Status(429),
        });
        assert!(run.pauses <= 12, "{limit}: {} pauses", run.pauses);
    }
}
