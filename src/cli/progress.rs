//! How far a run is: a bar on a terminal, elsewhere a line now and then.

use super::console::Console;
use crate::render::progress;
use crate::summary::Progress;
use crate::text::grouped;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// How often a line is written where there is no bar.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// The progress of one run, from its first event to its end.
#[derive(Debug)]
pub(super) struct Shown {
    bar: Option<ProgressBar>,
    since: Instant,
    /// Rows that were there when the run began.
    rows_before: u64,
    last_line: Instant,
}

impl Shown {
    /// Begins to show progress, and hands the bar to the console, so that messages do not write over it.
    pub(super) fn begin(console: &Console, first: &Progress) -> Shown {
        let bar = (std::io::stderr().is_terminal() && !console.is_json()).then(|| {
            let bar = ProgressBar::new(first.of);
            // With a template that cannot be read, the plain bar stays.
            if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}") {
                bar.set_style(style);
            }
            bar
        });
        console.set_bar(bar.clone());
        let now = Instant::now();
        Shown { bar, since: now, rows_before: first.rows, last_line: now }
    }

    /// Shows how far the run is: on the bar, or in a line where the last one is long enough ago.
    pub(super) fn update(&mut self, console: &Console, now: &Progress) {
        let rows = now.rows.saturating_sub(self.rows_before);
        let per_second = rows as f64 / self.since.elapsed().as_secs_f64().max(0.001);
        match &self.bar {
            Some(bar) => {
                bar.set_message(progress(now, per_second));
                bar.set_position(now.rows);
            }
            None if self.last_line.elapsed() >= LINE_INTERVAL => {
                self.last_line += LINE_INTERVAL;
                let message = format!("{} of {}: {}", grouped(now.rows), grouped(now.of), progress(now, per_second));
                let mut fields = json!(now);
                fields["per_second"] = json!(per_second);
                console.line(&message, &fields);
            }
            None => {}
        }
    }

    /// Takes the bar off the screen.
    pub(super) fn end(self, console: &Console) {
        console.set_bar(None);
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
