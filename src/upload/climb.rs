//! The rate after a refusal: half, then fast to just below the rate that was refused, then carefully on, as TCP
//! CUBIC does with its window. Pure: seconds in, requests a second out.

/// How near the refused rate the plateau lies.
const PLATEAU: f64 = 0.97;
/// Seconds from half the rate to the plateau.
const CLIMB: f64 = 5.0;
/// Seconds from the plateau until the refused rate is tried again.
const PROBE: f64 = 60.0;

/// A climb that began with a refusal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Climb {
    /// Just after the refusal.
    low: f64,
    /// Just below the rate that was refused.
    plateau: f64,
    /// What the job asks for.
    ceiling: f64,
}

impl Climb {
    /// After `refused` requests a second were too many.
    pub(super) fn after(refused: f64, ceiling: f64) -> Climb {
        Climb { low: refused / 2.0, plateau: refused * PLATEAU, ceiling }
    }

    /// The rate so many seconds after sending went on.
    pub(super) fn rate(&self, seconds: f64) -> f64 {
        let rate = if seconds < CLIMB {
            let left = (CLIMB - seconds.max(0.0)) / CLIMB;
            self.plateau - (self.plateau - self.low) * left.powi(3)
        } else {
            let beyond = (seconds - CLIMB) / PROBE;
            self.plateau * (1.0 + (1.0 - PLATEAU) * beyond.powi(3))
        };
        rate.min(self.ceiling)
    }

    /// Whether the job's own rate is reached again.
    pub(super) fn is_over(&self, seconds: f64) -> bool {
        self.rate(seconds) >= self.ceiling
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_halves_climbs_fast_and_stays_just_below_what_was_refused() {
        let climb = Climb::after(160.0, 300.0);
        assert_eq!(climb.rate(0.0), 80.0);
        assert!(climb.rate(2.0) > 135.0, "{}", climb.rate(2.0));
        assert!((climb.rate(CLIMB) - 155.2).abs() < 1e-9);
        assert!(climb.rate(CLIMB + 30.0) < 156.0);
        assert!(climb.rate(CLIMB + PROBE + 10.0) > 160.0);
    }

    #[test]
    fn it_never_falls_nor_passes_the_jobs_rate() {
        let climb = Climb::after(120.0, 120.0);
        let rates: Vec<f64> = (0..10_000).map(|tenth| climb.rate(f64::from(tenth) / 10.0)).collect();
        assert!(rates.windows(2).all(|pair| pair[0] <= pair[1]) && rates.iter().all(|rate| *rate <= 120.0));
        assert!(climb.is_over(1_000.0) && !climb.is_over(10.0));
    }
}
