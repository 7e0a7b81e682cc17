//! One rate for all runs of a machine under one token and address: they share the number of a gate, through a file.
//!
//! A pause is the same number, moved ahead. With the number goes the pace of the fastest run, so that the permits of a slower one
//! do not count for more than one: together the runs are as fast as the fastest of them may be. It does not know the rate to which
//! answers have lowered a run; that is each run's own.

use super::gate::{Gate, Pace};
use super::rate_file::{RateFile, Record};
use crate::text::duration;
use std::fs::TryLockError;
use std::time::Duration;

/// The file is held for microseconds. A process that holds it longer than this was stopped.
const LONGEST_HELD: Duration = Duration::from_secs(1);
/// So often it is tried at once, and then again a moment later.
const TRIES: u32 = 16;
const MOMENT: Duration = Duration::from_millis(1);
/// A pace that no run has used for so long counts no more.
const PACE_LASTS: Duration = Duration::from_secs(10);
/// From here on, a wait for other runs is their pause.
const PAUSE: Duration = Duration::from_secs(1);

/// The part of a limiter that all runs share.
#[derive(Debug)]
pub(super) struct Sharing {
    file: RateFile,
    gate: Gate,
    /// What this run may do at most.
    own: Pace,
    patience: Duration,
    held_since: Option<Duration>,
    said_until: Duration,
}

/// Why there is no permit.
#[derive(Debug)]
pub(super) enum Refused {
    /// For so long.
    For(Duration),
    /// Nothing can be shared. The reason.
    Broken(String),
}

impl Sharing {
    pub(super) fn new(file: RateFile, own: Pace, patience: Duration) -> Sharing {
        let gate = Gate::new(own, file.now());
        let mut sharing = Sharing { file, gate, own, patience, held_since: None, said_until: Duration::ZERO };
        // What makes up for lateness is not there for a run that was not late. What is wrong shows at the first permit.
        let _ = sharing.change(|gate, now| gate.set_number(gate.number().max(now + gate.pace().lateness())));
        sharing
    }

    /// Takes a permit.
    pub(super) fn take(&mut self) -> Result<(), Refused> {
        let (taken, now) = self.change(|gate, now| (gate.take(now), now))?;
        taken.map_err(|wait| {
            if wait > PAUSE + self.gate.pace().period && now + wait > self.said_until {
                self.said_until = now + wait + PAUSE;
                tracing::warn!("another run under this token pauses: waiting with it for {}", duration(wait));
            }
            Refused::For(wait)
        })
    }

    /// No run takes a permit for so long.
    pub(super) fn pause(&mut self, pause: Duration) -> Result<(), Refused> {
        self.change(|gate, now| {
            let over = now + pause + gate.pace().ahead();
            gate.set_number(gate.number().max(over));
        })
    }

    /// Changes what all runs share, while no other one can.
    fn change<T>(&mut self, change: impl FnOnce(&mut Gate, Duration) -> T) -> Result<T, Refused> {
        self.lock()?;
        let broken = |error: std::io::Error| Refused::Broken(error.to_string());
        let known = self.file.read().map_err(broken)?;
        let now = self.file.now();
        let (pace, pace_at) = self.pace_of_all(known.as_ref(), now);
        self.gate.set_pace(pace);
        let furthest = now + self.patience + pace.ahead() + pace.period;
        let before = known.map(|known| (known.number, known.pace));
        let number = before.map(|(number, _)| number).filter(|number| *number <= furthest);
        self.gate.set_number(number.unwrap_or(now + pace.lateness()));
        let changed = change(&mut self.gate, now);
        if before != Some((self.gate.number(), pace)) {
            self.file.write(&Record { number: self.gate.number(), pace, pace_at }).map_err(broken)?;
        }
        self.file.unlock().map_err(broken)?;
        Ok(changed)
    }

    /// Never waits: a process may be stopped while it holds the file.
    fn lock(&mut self) -> Result<(), Refused> {
        for _ in 0..TRIES {
            match self.file.try_lock() {
                Ok(()) if self.file.is_there() => {
                    self.held_since = None;
                    return Ok(());
                }
                Ok(()) => self.file.open_again().map_err(Refused::Broken)?,
                Err(TryLockError::WouldBlock) => std::thread::yield_now(),
                Err(TryLockError::Error(error)) => return Err(Refused::Broken(error.to_string())),
            }
        }
        let now = self.file.now();
        if now.saturating_sub(*self.held_since.get_or_insert(now)) > LONGEST_HELD {
            return Err(Refused::Broken(format!("a process that stands still holds {}", self.file.path().display())));
        }
        Err(Refused::For(MOMENT))
    }

    /// The fastest pace of the runs under way, and when one last had it.
    fn pace_of_all(&self, known: Option<&Record>, now: Duration) -> (Pace, Duration) {
        let is_used = |known: &&Record| known.pace_at <= now && now - known.pace_at < PACE_LASTS;
        let Some(known) = known.filter(is_used) else { return (self.own, now) };
        let pace = Pace { period: known.pace.period.min(self.own.period), burst: known.pace.burst.max(self.own.burst) };
        (pace, if pace == self.own { now } else { known.pace_at })
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::upload::limiter::Limiter;
    use tokio::time::{Instant, sleep, sleep_until, timeout};

    const PATIENCE: Duration = Duration::from_secs(60);

    /// Runs of one machine, by one clock.
    struct Machine {
        folder: tempfile::TempDir,
        origin: Instant,
    }

    impl Machine {
        fn new() -> Machine {
            Machine { folder: tempfile::tempdir().expect("a folder"), origin: Instant::now() }
        }

        fn file(&self) -> RateFile {
            RateFile::of_test(self.folder.path(), self.origin).expect("a file")
        }

        fn run(&self, rate: f64) -> Limiter {
            Limiter::new(rate, 1).sharing(self.file(), PATIENCE)
        }

        fn path(&self) -> std::path::PathBuf {
            self.file().path().to_owned()
        }
    }

    /// How many permits it takes in this time.
    async fn permits(limiter: &mut Limiter, time: Duration) -> f64 {
        let mut taken = 0.0;
        let _ = timeout(time, async {
            loop {
                match limiter.take() {
                    Ok(()) => taken += 1.0,
                    Err(at) => sleep_until(at).await,
                }
            }
        })
        .await;
        taken
    }

    const LONG: Duration = Duration::from_secs(20);

    #[tokio::test(start_paused = true)]
    async fn two_runs_together_keep_to_one_rate_and_a_run_that_is_left_alone_has_all_of_it() {
        let machine = Machine::new();
        let (mut one, mut other) = (machine.run(150.0), machine.run(150.0));
        let (first, second) = tokio::join!(permits(&mut one, LONG), permits(&mut other, LONG));
        assert!((2_940.0..=3_003.0).contains(&(first + second)), "{first} and {second}");
        assert!(first.min(second) > 1_000.0, "{first} and {second}");
        let alone = permits(&mut one, LONG).await;
        assert!((2_940.0..=3_003.0).contains(&alone), "{alone}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_run_takes_no_more_than_its_own_rate_from_a_fast_one() {
        let machine = Machine::new();
        let (mut slow, mut fast, mut lowered) = (machine.run(10.0), machine.run(120.0), machine.run(120.0));
        lowered.set_rate(1.0);
        let (slow, fast, lowered) =
            tokio::join!(permits(&mut slow, LONG), permits(&mut fast, LONG), permits(&mut lowered, LONG));
        assert!((2_340.0..=2_410.0).contains(&(slow + fast + lowered)), "{slow}, {fast}, {lowered}");
        assert!((150.0..=203.0).contains(&slow) && (15.0..=22.0).contains(&lowered), "{slow}, {fast}, {lowered}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_for_all_and_not_longer() {
        let machine = Machine::new();
        let (mut one, mut other) = (machine.run(100.0), machine.run(100.0));
        permits(&mut one, Duration::from_secs(1)).await;
        let start = Instant::now();
        one.pause(Duration::from_secs(10));
        while let Err(at) = other.take() {
            sleep_until(at).await;
        }
        let waited = start.elapsed().as_secs_f64();
        assert!((10.0..10.01).contains(&waited), "{waited}");
        // Whose pause it was tries at its end, and need not wait for longer than for any other permit.
        one.pause(Duration::from_secs(10));
        sleep(Duration::from_secs(10)).await;
        assert!(one.take().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_true_is_passed_over() {
        let machine = Machine::new();
        sleep(Duration::from_secs(100)).await;
        let path = machine.path();
        let of = |number: Duration| {
            machine.file().write(&Record { number, pace: Pace::new(1.0, 1), pace_at: number }).expect("written");
            std::fs::read_to_string(&path).expect("text")
        };
        let ahead = of(machine.file().now() + PATIENCE / 2);
        let boot = ahead.split(' ').nth(2).expect("a boot id");
        let wrong = [
            String::new(),
            of(machine.file().now() + PATIENCE * 2),
            ahead.replace(boot, "00000000-0000-0000-0000-000000000000"),
            ahead[..ahead.len() / 2].to_owned(),
            ahead.repeat(9),
            "\0".repeat(137),
        ];
        for text in wrong {
            std::fs::write(&path, &text).expect("written");
            let mut one = machine.run(10.0);
            assert!(one.take().is_ok(), "{text}");
            assert!(machine.run(10.0).take().is_err(), "{text} was not replaced");
        }
        std::fs::write(&path, &ahead).expect("written");
        assert!(machine.run(10.0).take().is_err(), "a number that may be true");
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_stands_still_with_the_file_in_its_hands_holds_up_nobody() {
        let machine = Machine::new();
        let mut run = machine.run(100.0);
        let holder = machine.file();
        holder.try_lock().expect("it is free");
        let start = Instant::now();
        while let Err(at) = run.take() {
            sleep_until(at).await;
        }
        let waited = start.elapsed();
        assert!((LONGEST_HELD..LONGEST_HELD * 2).contains(&waited), "{waited:?}");
        assert!((99.0..=102.0).contains(&permits(&mut run, Duration::from_secs(1)).await), "its own rate");
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_was_removed_is_made_again() {
        let machine = Machine::new();
        let (mut one, mut other) = (machine.run(150.0), machine.run(150.0));
        std::fs::remove_file(machine.path()).expect("it is there");
        let (first, second) = tokio::join!(permits(&mut one, LONG), permits(&mut other, LONG));
        assert!((2_940.0..=3_003.0).contains(&(first + second)), "{first} and {second}");
    }

    #[test]
    fn each_token_and_address_has_a_file_of_its_own() {
        let names = [("t", "http://a"), ("t", "http://b"), ("u", "http://a")]
            .map(|(token, address)| crate::upload::Token::new(token).expect("a token").name_with(address));
        assert!(names[0] != names[1] && names[0] != names[2] && names[1] != names[2], "{names:?}");
    }
}
