//! The rules of the machine, against any order of events.

use super::super::classify::{AttemptError, Verdict};
use super::super::config::{Backoff, Config};
use super::{Effect, Machine, Mode, Next, Notice, Settled, Start, VisitNumber};
use crate::outcome::{ErrorCode, Status, StopReason};
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// What the server does with one request.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Accept,
    Known,
    Refuse,
    Strange(u16),
    Key { is_certain: bool },
    TooMany(Option<u16>),
    Fail(u16, Option<u16>),
    Cut,
}

fn deed() -> impl Strategy<Value = Deed> {
    let wait = || prop::option::weighted(0.3, 0u16..90);
    prop_oneof![
        12 => Just(Deed::Accept),
        1 => Just(Deed::Known),
        1 => Just(Deed::Refuse),
        3 => prop::sample::select(vec![404u16, 302, 200, 409]).prop_map(Deed::Strange),
        1 => prop::bool::weighted(0.2).prop_map(|is_certain| Deed::Key { is_certain }),
        3 => wait().prop_map(Deed::TooMany),
        4 => (prop::sample::select(vec![500u16, 503, 408, 425]), wait()).prop_map(|(status, wait)| Deed::Fail(status, wait)),
        3 => Just(Deed::Cut),
    ]
}

/// Deeds that come in runs, as those of servers do.
fn script() -> impl Strategy<Value = Vec<Deed>> {
    let run = (deed(), prop_oneof![3 => 1usize..4, 1 => 5usize..60]);
    prop::collection::vec(run, 1..25)
        .prop_map(|runs| runs.into_iter().flat_map(|(deed, times)| vec![deed; times]).collect())
}

fn verdict(deed: Deed) -> (Verdict, Option<u16>) {
    let error = |code, status| AttemptError { code, status, text: "said".to_owned() };
    let wait = |wait: Option<u16>| wait.map(|seconds| Duration::from_secs(u64::from(seconds)));
    match deed {
        Deed::Accept => (Verdict::Uploaded, Some(200)),
        Deed::Known => (Verdict::AlreadyReceived, Some(409)),
        Deed::Refuse => (Verdict::Rejected(error(ErrorCode::UnknownStore, Some(400))), Some(400)),
        Deed::Strange(status) => {
            let error = error(ErrorCode::UnexpectedAnswer, Some(status));
            let is_of_address = status != 409;
            let strange = Verdict::Strange { error, status: Status::Failed, may_have_arrived: false, is_of_address };
            (strange, Some(status))
        }
        Deed::Key { is_certain } => {
            (Verdict::KeyRefused { error: error(ErrorCode::Unauthorized, Some(401)), is_certain }, Some(401))
        }
        Deed::TooMany(asked) => {
            let error = error(ErrorCode::RateLimited, Some(429));
            (Verdict::Throttled { error, retry_after: wait(asked) }, Some(429))
        }
        Deed::Fail(status, asked) => {
            let error = error(ErrorCode::ServerError, Some(status));
            (Verdict::Retryable { error, may_have_arrived: true, retry_after: wait(asked) }, Some(status))
        }
        Deed::Cut => {
            let error = error(ErrorCode::Connection, None);
            (Verdict::Retryable { error, may_have_arrived: true, retry_after: None }, None)
        }
    }
}

/// A run of the machine, checked at every step.
struct Drive {
    machine: Machine,
    config: Config,
    now: Duration,
    /// When requests under way are answered, and how.
    under_way: Vec<(Duration, VisitNumber, Deed)>,
    /// How often each visit was sent, and how often that counts.
    sent: HashMap<VisitNumber, u32>,
    settled: HashMap<VisitNumber, Settled>,
    /// The longest end of a pause that was told.
    paused_until: Duration,
    stops: usize,
}

impl Drive {
    fn new(config: &Config, start: Start) -> Drive {
        Drive {
            machine: Machine::new(config, start),
            config: config.clone(),
            now: Duration::ZERO,
            under_way: Vec::new(),
            sent: HashMap::new(),
            settled: HashMap::new(),
            paused_until: Duration::ZERO,
            stops: 0,
        }
    }

    fn check_effects(&mut self) -> Result<(), TestCaseError> {
        for effect in self.machine.effects().collect::<Vec<_>>() {
            match effect {
                Effect::Settled(settled) => {
                    prop_assert!(!self.settled.contains_key(&settled.visit), "settled twice: {settled:?}");
                    let sent = self.sent.get(&settled.visit).copied().unwrap_or(0);
                    prop_assert_eq!(settled.attempts, sent);
                    prop_assert_eq!(settled.status == Status::NotAttempted, sent == 0);
                    prop_assert_eq!(settled.error.is_none(), settled.status.is_delivered() || sent == 0);
                    self.settled.insert(settled.visit, settled);
                }
                Effect::Notice(Notice::Paused { pause, .. }) => {
                    self.paused_until = self.paused_until.max(self.now + pause);
                }
                Effect::Notice(Notice::Stopped { .. }) => self.stops += 1,
                Effect::Notice(_) => {}
            }
        }
        let most = self.config.max_attempts;
        prop_assert!(self.machine.visits.values().all(|visit| visit.counted < most), "more attempts than {most}");
        Ok(())
    }

    fn send(&mut self, visit: VisitNumber, deed: Deed, latency: Duration) -> Result<(), TestCaseError> {
        prop_assert!(self.machine.stopped.is_none(), "sent after a stop");
        prop_assert!(self.now >= self.paused_until, "sent at {:?}, before {:?}", self.now, self.paused_until);
        prop_assert!(!self.settled.contains_key(&visit), "sent again after it was settled");
        prop_assert!(self.under_way.iter().all(|(_, other, _)| *other != visit), "sent while it was under way");
        let is_probe = !matches!(self.machine.mode, Mode::Sending);
        prop_assert!(!is_probe || self.machine.probe.is_none(), "two probes");
        self.machine.begin(visit, self.now);
        *self.sent.entry(visit).or_insert(0) += 1;
        let most = self.config.max_in_flight.unwrap_or(usize::MAX);
        prop_assert!(is_probe || self.under_way.len() < most);
        self.under_way.push((self.now + latency, visit, deed));
        Ok(())
    }
}

/// Sends all visits to a server of this script, that takes everything once the script is at its end.
fn drive(
    visits: u64,
    script: &[Deed],
    config: &Config,
    stop_at: Option<usize>,
    seed: u64,
    had_answers: bool,
) -> Result<Drive, TestCaseError> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut drive = Drive::new(config, Start { random: random.fork(), had_answers, connections: None });
    let (mut added, mut requests) = (0, 0);
    let mut next_permit = Duration::ZERO;
    for step in 0..100_000 {
        if stop_at == Some(step) {
            drive.machine.stop(StopReason::Interrupted);
        }
        while added < visits && drive.machine.wants_more() {
            added += 1;
            drive.machine.add(added);
        }
        if added == visits && !drive.machine.is_complete {
            drive.machine.complete(drive.now);
        }
        drive.check_effects()?;
        if drive.machine.is_done() {
            return Ok(drive);
        }
        let next = drive.machine.next(drive.now);
        prop_assert_eq!(next, drive.machine.next(drive.now), "asked twice");
        let wake = match next {
            Next::Send(visit) if next_permit <= drive.now => {
                let deed = script.get(requests).copied().unwrap_or(Deed::Accept);
                requests += 1;
                drive.send(visit, deed, Duration::from_millis(random.u64(1..400)))?;
                next_permit = drive.now + Duration::from_secs_f64(1.0 / drive.machine.rate(drive.now));
                continue;
            }
            Next::Send(_) => Some(next_permit),
            Next::Wait(until) => until,
        };
        let reply = drive.under_way.iter().map(|(at, ..)| *at).min();
        let Some(soonest) = [wake, reply].into_iter().flatten().min() else {
            return Err(TestCaseError::fail(format!("stuck: {:?}", drive.machine)));
        };
        drive.now = drive.now.max(soonest);
        if let Some(at) = drive.under_way.iter().position(|(at, ..)| *at <= drive.now) {
            let (_, visit, deed) = drive.under_way.swap_remove(at);
            let (verdict, status) = verdict(deed);
            drive.machine.reply(visit, verdict, status, drive.now);
        }
    }
    Err(TestCaseError::fail("it never ends"))
}

fn config() -> impl Strategy<Value = Config> {
    let rate = prop::sample::select(vec![0.5, 5.0, 120.0]);
    (rate, prop::option::of(1usize..20), 1u32..6, 1u64..400).prop_map(
        |(rate, max_in_flight, max_attempts, patience)| Config {
            rate,
            max_in_flight,
            max_attempts,
            patience: Duration::from_secs(patience),
            backoff: Backoff { first: Duration::from_millis(500), max: Duration::from_secs(60) },
            ..Config::default()
        },
    )
}

#[test]
fn a_late_reply_that_asks_to_wait_beyond_patience_ends_a_run_that_is_down() {
    let mut machine = Machine::new(&Config::default(), Start::default());
    (1..=20).for_each(|visit| machine.add(visit));
    (1..=11).for_each(|visit| {
        assert_eq!(machine.next(Duration::ZERO), Next::Send(visit));
        machine.begin(visit, Duration::ZERO);
    });
    let mut reply = |visit, deed| {
        let (verdict, status) = verdict(deed);
        machine.reply(visit, verdict, status, Duration::from_secs(1));
        machine.stopped
    };
    assert!((1..=10).all(|visit| reply(visit, Deed::Fail(500, None)).is_none()));
    assert_eq!(reply(11, Deed::Fail(503, Some(3600))), Some(StopReason::ApiDown));
}

#[test]
fn nine_failures_and_a_strange_answer_say_nothing_of_the_address() {
    let mut machine = Machine::new(&Config::default(), Start::default());
    (1..=20).for_each(|visit| machine.add(visit));
    for visit in 1..=10 {
        machine.begin(visit, Duration::ZERO);
        let (verdict, status) = verdict(if visit < 10 { Deed::Fail(503, None) } else { Deed::Strange(404) });
        machine.reply(visit, verdict, status, Duration::from_secs(visit));
    }
    assert!(machine.stopped.is_none() && matches!(machine.mode, Mode::Down { .. }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn every_visit_is_settled_once_and_nothing_is_sent_out_of_turn(
        visits in 1u64..120,
        script in script(),
        config in config(),
        stop_at in prop::option::weighted(0.2, 0usize..600),
        seed in any::<u64>(),
        had_answers in any::<bool>(),
    ) {
        let drive = drive(visits, &script, &config, stop_at, seed, had_answers)?;
        prop_assert_eq!(drive.settled.len() as u64, visits);
        prop_assert!(drive.stops <= 1);
        let untried = drive.settled.values().filter(|settled| settled.status == Status::NotAttempted).count();
        prop_assert!(untried == 0 || drive.machine.stopped.is_some());
    }

    #[test]
    fn a_visit_that_fails_alone_is_tried_as_often_as_the_job_says(max_attempts in 1u32..6, seed in any::<u64>(), cut in any::<bool>()) {
        let config = Config { max_attempts, ..Config::default() };
        let random = fastrand::Rng::with_seed(seed);
        let mut drive = Drive::new(&config, Start { random, ..Start::default() });
        (1..=300).for_each(|visit| drive.machine.add(visit));
        drive.machine.complete(drive.now);
        while !drive.machine.is_done() {
            match drive.machine.next(drive.now) {
                Next::Send(visit) => {
                    let deed = match visit {
                        100 if cut => Deed::Cut,
                        100 => Deed::Fail(500, None),
                        _ => Deed::Accept,
                    };
                    drive.send(visit, deed, Duration::ZERO)?;
                    let (_, visit, deed) = drive.under_way.swap_remove(0);
                    let (verdict, status) = verdict(deed);
                    drive.now += Duration::from_millis(8);
                    drive.machine.reply(visit, verdict, status, drive.now);
                }
                Next::Wait(until) => drive.now = until.ok_or_else(|| TestCaseError::fail("stuck"))?,
            }
            drive.check_effects()?;
        }
        prop_assert_eq!(drive.sent[&100], max_attempts);
        let failed: HashSet<u64> =
            drive.settled.values().filter(|settled| settled.status == Status::Failed).map(|settled| settled.visit).collect();
        prop_assert_eq!(failed, HashSet::from([100]));
    }
}
