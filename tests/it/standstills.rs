//! The page of a bad hour: what held a run up, what it cost, and what rows can tell of why.

#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{JobFile, Reply, ScriptedServer, Workdir};
use crate::report::{HEADER, MANIFEST, text};
use chrono::{DateTime, SecondsFormat};
use std::fmt::Write as _;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The rows of a run, 50 a second.
#[derive(Default)]
struct Rows {
    text: String,
    visit: usize,
}

impl Rows {
    fn add(&mut self, at_ms: i64, elapsed: u64, attempts: u32, ending: (&str, &str, &str)) {
        let (status, code, error) = ending;
        let at = DateTime::from_timestamp_millis(1_709_625_600_000 + at_ms).expect("a time");
        let (visit, at) = (self.visit, at.to_rfc3339_opts(SecondsFormat::Millis, true));
        self.visit += 1;
        let _ = writeln!(
            self.text,
            "V{visit},{visit:08x}-cb0e-56c9-b1b9-ce0a93874602,{status},200,{code},{error},{attempts},{elapsed},{at},1001,\
             2024-03-05,2,79bc,visits.csv:{visit}"
        );
    }

    fn delivered(&mut self, from_ms: i64, to_ms: i64, elapsed: u64) {
        (from_ms..to_ms).step_by(20).for_each(|at| self.add(at, elapsed, 1, ("uploaded", "", "")));
    }

    fn waited(&mut self, at_ms: i64, elapsed: u64, attempts: u32, count: i64) {
        (0..count).for_each(|n| self.add(at_ms + n, elapsed, attempts, ("uploaded", "", "")));
    }
}

/// What held the run of these rows up, as its page says.
fn held_up(rows: &Rows, rate_limited: Option<u64>) -> String {
    let work = Workdir::new();
    let counts = match rate_limited {
        Some(n) => format!("\"counts\": {{\"rate_limited\": {n}, \"uploaded\": {}, ", rows.visit),
        None => "\"counts\": {".to_owned(),
    };
    let manifest = MANIFEST.replace("08:00:16", "08:01:10").replace("\"counts\": {\"uploaded\": 12, ", &counts);
    work.write("results.csv", format!("{HEADER}\n{}", rows.text)).write("results.csv.json", manifest);
    let page = work.traxload(&["report", "results.csv", "-o", "-"]).ends_with(0).stdout;
    let sections = text(&page);
    let section = sections.split_once("\nWhat held it up\n").map_or("", |(_, rest)| rest);
    section.split_once("\nThroughput and time per visit\n").map_or("", |(section, _)| section).to_owned()
}

#[test]
fn a_bad_minute_is_told_by_what_rows_show() {
    let mut rows = Rows::default();
    rows.delivered(0, 8_000, 40);
    // Down for 12 s; a Retry-After of 6 s.
    rows.waited(20_000, 11_500, 3, 30);
    rows.delivered(20_060, 28_000, 40);
    rows.waited(34_000, 6_000, 2, 4);
    rows.delivered(34_060, 40_000, 40);
    // Slow for 6 s; one hung request each; the machine slept.
    rows.delivered(40_000, 46_000, 1_900);
    rows.delivered(46_000, 50_000, 40);
    rows.waited(55_000, 4_900, 1, 3);
    rows.delivered(55_060, 60_000, 40);
    rows.delivered(65_000, 70_000, 40);
    insta::assert_snapshot!(held_up(&rows, Some(4)));
    // Without any 429, it was the API; where nothing counts them, it may have been either.
    assert!(held_up(&rows, Some(0)).contains("4 visits were sent again."));
    assert!(!held_up(&rows, Some(0)).contains("429"));
    assert!(held_up(&rows, None).contains("it was down, or it answered 429 (too many requests). 30 visits"));
}

#[test]
fn a_run_that_stopped_in_an_outage_says_what_it_was_told() {
    let mut rows = Rows::default();
    rows.delivered(0, 8_000, 40);
    for n in 0..5 {
        rows.add(68_000 + n, 59_000, 9, ("failed", "server_error", "HTTP 503: <b>Service Unavailable</b>"));
    }
    let told = held_up(&rows, Some(0));
    let words = "5 visits failed at the end of it; they were told: HTTP 503: &lt;b&gt;Service Unavailable&lt;/b&gt;";
    assert!(told.contains(words), "{told}");
    assert!(told.contains("Visits that were not delivered are above, with what to do next."), "{told}");
}

#[test]
fn a_rate_that_stays_low_after_a_pause_is_told() {
    let mut rows = Rows::default();
    rows.delivered(0, 20_000, 40);
    rows.waited(26_000, 6_000, 2, 4);
    (26_100..46_000).step_by(500).for_each(|at| rows.add(at, 40, 1, ("uploaded", "", "")));
    rows.delivered(46_000, 60_000, 40);
    let told = held_up(&rows, Some(4));
    assert!(told.contains("Few visits, at 2 per second, though answers were quick: after 429s"), "{told}");
    assert!(told.contains("at the rate of its good moments, 50 per second"), "{told}");
    assert!(held_up(&rows, Some(0)).contains("this machine was busy, or another run shared the rate"));
}

#[test]
fn a_steady_run_however_slow_its_rate_was_held_up_by_nothing() {
    for (every, count) in [(20, 1_000), (3_000, 40)] {
        let mut rows = Rows::default();
        (0..count).for_each(|n| rows.add(n * every + n % 7, 40, 1, ("uploaded", "", "")));
        assert_eq!(held_up(&rows, Some(0)), "");
    }
}

#[test]
fn an_outage_that_a_run_waits_out_is_on_its_page() {
    let begun = OnceLock::new();
    let server = ScriptedServer::start(move |_, _| {
        let since = begun.get_or_init(Instant::now).elapsed();
        let is_down = (Duration::from_secs(1)..Duration::from_secs(5)).contains(&since);
        if is_down { Reply::error(503, "down") } else { Reply::ok() }
    });
    let work = Workdir::with_visits(150);
    let job = JobFile::to(&server.url()).upload("rate", "\"40/s\"");
    work.run(&job.and("[results]\npath = \"results.csv\"\nreport = true")).ends_with(0);
    let page = work.read("results.csv.html");
    assert!(page.contains("class=\"band still\""), "marked in the charts");
    let page = text(&page);
    for words in
        ["The run stood still once, for ", "The API was down: errors, or no answer in time.", "were sent again."]
    {
        assert!(page.contains(words), "{words} in\n{page}");
    }
}
