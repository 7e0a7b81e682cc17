//! governor, with a number of ours.
//!
//! By the generic cell rate algorithm all that a limiter keeps is one number: when the next permit is due. A limiter of governor
//! begins with all its permits, and its rate is fixed. Here the number is kept outside of it, so that another rate is another
//! limiter over the same number: no gap, no burst, no permit too many.
//!
//! Times are those of one clock, which the caller reads. A limiter of governor counts from its own start; each of these starts at
//! the clock's zero.

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{NotKeyed, StateStore};
use governor::{Quota, RateLimiter};
use std::cell::Cell;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A timer of tokio wakes up to this late, and what is lost so is made up by as many permits: one, up to 666 requests a
/// second, so that no second sees more than the rate and two. Without it a limiter holds 132 of 150 requests a second.
const LATENESS: Duration = Duration::from_micros(1_500);
/// A slower rate counts as one in this time, so that times stay within 64 bits.
const LONGEST_PERIOD: Duration = Duration::from_secs(30 * 86_400);

/// A rate, and how many may go out at once after a quiet time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    pub(super) period: Duration,
    pub(super) burst: u32,
}

impl Pace {
    /// `rate`: requests a second.
    pub(super) fn new(rate: f64, burst: u32) -> Pace {
        let period = Duration::from_secs_f64((1.0 / rate).min(LONGEST_PERIOD.as_secs_f64()));
        Pace { period: period.max(Duration::from_nanos(1)), burst: burst.max(1) }
    }

    /// The time that the permits take which make up for lateness.
    pub(super) fn lateness(&self) -> Duration {
        self.period * self.late()
    }

    /// How long before its time a permit may be taken.
    pub(super) fn ahead(&self) -> Duration {
        self.period * (self.burst - 1 + self.late())
    }

    pub(super) fn late(&self) -> u32 {
        LATENESS.as_nanos().div_ceil(self.period.as_nanos().max(1)) as u32
    }

    fn quota(&self) -> Quota {
        let most = NonZeroU32::MIN.saturating_add(self.burst - 1 + self.late());
        Quota::with_period(self.period).unwrap_or(Quota::per_second(NonZeroU32::MIN)).allow_burst(most)
    }
}

/// Gives permits at a pace.
#[derive(Debug)]
pub(super) struct Gate {
    pace: Pace,
    number: Number,
    limiter: RateLimiter<NotKeyed, Number, ToldTime, NoOpMiddleware<Duration>>,
}

impl Gate {
    /// The first permit is due now.
    pub(super) fn new(pace: Pace, now: Duration) -> Gate {
        let number = Number::default();
        // What makes up for lateness is not there before anything was late.
        number.set(now + pace.lateness());
        Gate { pace, limiter: limiter(pace, &number), number }
    }

    pub(super) fn pace(&self) -> Pace {
        self.pace
    }

    pub(super) fn set_pace(&mut self, pace: Pace) {
        if pace != self.pace {
            self.pace = pace;
            self.limiter = limiter(pace, &self.number);
        }
    }

    /// When the next permit is due, if none is to make up for lateness and none is part of a burst.
    pub(super) fn number(&self) -> Duration {
        self.number.get()
    }

    pub(super) fn set_number(&mut self, number: Duration) {
        self.number.set(number);
    }

    /// Takes a permit.
    ///
    /// # Errors
    /// How long it takes until there may be one.
    pub(super) fn take(&mut self, now: Duration) -> Result<(), Duration> {
        self.limiter.clock().0.set(now);
        self.limiter.check().map_err(|not_until| not_until.wait_time_from(now))
    }
}

fn limiter(pace: Pace, number: &Number) -> RateLimiter<NotKeyed, Number, ToldTime, NoOpMiddleware<Duration>> {
    RateLimiter::new(pace.quota(), number.clone(), ToldTime::default())
}

/// Where governor finds the number, and whoever changes it. In nanoseconds since the clock's zero.
#[derive(Clone, Debug, Default)]
struct Number(Arc<AtomicU64>);

impl Number {
    fn get(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    fn set(&self, number: Duration) {
        self.0.store(number.as_nanos().try_into().unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

impl StateStore for Number {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _key: &NotKeyed, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let (permit, number) = decide(Some(self.get().into()))?;
        self.set(number.into());
        Ok(permit)
    }
}

/// The time that governor is told before it decides.
#[derive(Debug, Default)]
struct ToldTime(Cell<Duration>);

impl Clock for ToldTime {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.get()
    }
}
