//! How far a run is: a bar on a terminal, elsewhere a line now and then.

use super::screen::Console;
use super::text::{duration, grouped, rate};
use crate::outcome::Status;
use crate::results::Counts;
use crate::upload::Traffic;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::io::IsTerminal;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(200);
const LINE: Duration = Duration::from_secs(10);

/// Shows the progress of `total` rows until the returned sender is dropped. To be run on a thread of its own.
pub(super) fn show(console: &Console, total: u64, counts: &Counts, traffic: &Traffic, done: &Receiver<()>) {
    if console.is_quiet() {
        let _ = done.recv();
        return;
    }
    let bar = (std::io::stderr().is_terminal() && !console.is_json()).then(|| {
        let bar = ProgressBar::new(total);
        // A template that cannot be read would leave the plain bar.
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        bar
    });
    console.bar().set(bar.clone());
    let start = Instant::now();
    let before = counts.rows();
    let tick = if bar.is_some() { TICK } else { LINE };
    while let Err(RecvTimeoutError::Timeout) = done.recv_timeout(tick) {
        let rows = counts.rows();
        let speed = (rows - before) as f64 / start.elapsed().as_secs_f64();
        let now = state(rows, total, counts, traffic, speed);
        match &bar {
            Some(bar) => {
                bar.set_message(now);
                bar.set_position(rows);
            }
            None => {
                let message = format!("{} of {}: {now}", grouped(rows), grouped(total));
                console.progress(&message, &fields(rows, total, counts, traffic, speed));
            }
        }
    }
    console.bar().set(None);
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}

/// The same for programs.
fn fields(rows: u64, total: u64, counts: &Counts, traffic: &Traffic, speed: f64) -> Value {
    let mut fields = json!({
        "rows": rows,
        "of": total,
        "per_second": speed,
        "requests": traffic.requests(),
        "rate_limited": traffic.rate_limited(),
    });
    for status in Status::ALL {
        fields[status.name()] = json!(counts.get(status));
    }
    fields
}

/// A channel by whose end a run tells that it is over.
pub(super) fn until_done() -> (Sender<()>, Receiver<()>) {
    channel()
}

fn state(rows: u64, total: u64, counts: &Counts, traffic: &Traffic, speed: f64) -> String {
    let bad = [Status::Rejected, Status::Failed].into_iter().map(|status| counts.get(status)).sum::<u64>();
    let left = match speed > 0.0 {
        true => duration(Duration::from_secs_f64((total.saturating_sub(rows) as f64 / speed).min(1e9))),
        false => "unknown".to_owned(),
    };
    let limited = match traffic.rate_limited() {
        0 => String::new(),
        n => format!(", {} answered 429", grouped(n)),
    };
    format!(
        "{} delivered, {} invalid, {} failed or rejected{limited}, {}, {left} left",
        grouped(counts.delivered()),
        grouped(counts.get(Status::Invalid)),
        grouped(bad),
        rate(speed),
    )
}
