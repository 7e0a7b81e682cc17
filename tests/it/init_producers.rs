//! `traxload init` on exports of many producers: the right mapping, or the right question, and a job that `check` reads in
//! the same way.

#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{Workdir, lines};

/// What `init` writes for these exports, and what it says.
struct Drafted {
    work: Workdir,
    job: String,
    stderr: String,
}

impl Drafted {
    #[track_caller]
    fn of(files: &[(&str, String)], visits: &str, scenes: &str) -> Drafted {
        let work = Workdir::new();
        for (name, content) in files {
            work.write(name, content);
        }
        let done =
            work.traxload_with(&["init", "--visits", visits, "--scenes", scenes, "-o", "job.toml"], &[]).ends_with(0);
        let job = work.read("job.toml");
        Drafted { work, job, stderr: done.stderr }
    }

    /// A visits and a scenes export.
    #[track_caller]
    fn pair(visits: String, scenes: String) -> Drafted {
        Drafted::of(&[("v.csv", visits), ("s.csv", scenes)], "v.csv", "s.csv")
    }

    #[track_caller]
    fn has(self, texts: &[&str]) -> Drafted {
        for text in texts {
            assert!(self.job.contains(text), "{text} is missing in\n{}\n{}", self.job, self.stderr);
        }
        self
    }

    #[track_caller]
    fn has_not(self, texts: &[&str]) -> Drafted {
        for text in texts {
            assert!(!self.job.contains(text), "{text} is in\n{}", self.job);
        }
        self
    }

    /// The draft with a question answered, or a comment taken as it is.
    #[track_caller]
    fn answered(mut self, from: &str, to: &str) -> Drafted {
        assert!(self.job.contains(from), "{from} is missing in\n{}", self.job);
        self.job = self.job.replacen(from, to, 1);
        self.work.write("job.toml", &self.job);
        self
    }

    /// Fails unless the job is fine as it is: `check` finds so many visits and scenes, and nothing wrong with them.
    #[track_caller]
    fn reads(self, visits: usize, scenes: usize) -> Drafted {
        let done = self.work.traxload_with(&["check", "job.toml", "--payloads", "bodies.jsonl"], &[]);
        assert_eq!(done.code, 0, "{}\n{}", self.job, done.stderr);
        let bodies = self.work.read("bodies.jsonl");
        assert_eq!(bodies.lines().count(), visits, "{bodies}\n{}", done.stderr);
        assert_eq!(bodies.matches("\"scene_uid\"").count(), scenes, "{bodies}\n{}", done.stderr);
        self
    }

    #[track_caller]
    fn asks(self, about: &str) -> Drafted {
        let questions: Vec<&str> = self.stderr.lines().filter(|line| line.starts_with("question: ")).collect();
        assert!(questions.iter().any(|line| line.contains(about)), "{about} is not asked: {questions:?}\n{}", self.job);
        self
    }
}

/// Rows made of a number each.
fn rows(header: &str, count: usize, row: impl Fn(usize) -> String) -> String {
    lines(header, &(1..=count).map(row).collect::<Vec<_>>())
}

fn usual_scenes(count: usize) -> String {
    rows("scene_id,visit_id,task", 2 * count, |n| format!("S{n},V{},T1", n.div_ceil(2)))
}

#[test]
fn images_beside_scenes_are_asked_about_and_both_answers_work() {
    let visits = || rows("visit_id,store,date,start", 3, |n| format!("V{n},10{n},2026-11-23,2026-11-23T08:00:00Z"));
    // Two images of each scene; two scenes of each visit.
    let scenes = |scene: &str| {
        rows(&format!("image_name,visit_id,{scene},task"), 12, |n| {
            format!("IMG_{n}.jpg,V{},V{0}-{},T1", n.div_ceil(4), n.div_ceil(2) % 2)
        })
    };
    for scene in ["scene_id", "photo group"] {
        let asked = || Drafted::pair(visits(), scenes(scene)).asks("is there a row for each image of a scene?");
        let question = "scene_id           = \"?\"";
        asked().answered(question, &format!("scene_id = {scene:?}")).reads(3, 6);
        asked().answered(question, "scene_id = \"image_name\"").reads(3, 12);
    }
    // With one image of each scene there is nothing to ask.
    let single = rows("image_name,visit_id,scene_id", 6, |n| format!("{n}.jpg,V{},S{n}", n.div_ceil(2)));
    Drafted::pair(visits(), single)
        .has(&["scene_id           = \"scene_id\"", "could also be \"image_name\""])
        .reads(3, 6);
}

#[test]
fn planned_times_are_not_those_of_the_visit() {
    let visits = |header: &str| {
        rows(&format!("visit_id,store,date,{header}"), 4, |n| {
            format!("V{n},10{n},2026-11-23,2026-11-23T07:0{n}:00Z,2026-11-23T08:0{n}:00Z")
        })
    };
    let start = |column: &str| format!("session_start_time = {column:?}");
    for (header, column) in [
        ("planned_start,actual_start", "actual_start"),
        ("PlannedVisitStartTime,StartTime", "StartTime"),
        ("Beginn_Plan,Beginn_Ist", "Beginn_Ist"),
    ] {
        Drafted::pair(visits(header), usual_scenes(4)).has(&[&start(column)]).reads(4, 8);
    }
    Drafted::pair(visits("created_at,planned_start"), usual_scenes(4)).asks("session_start_time:");
    // Two that nothing tells apart, in order.
    Drafted::pair(visits("started_at,checkin_time"), usual_scenes(4))
        .asks("\"started_at\" or \"checkin_time\" may be meant")
        .answered("session_start_time = \"?\"", &start("checkin_time"))
        .reads(4, 8);
}

#[test]
fn a_status_is_offered_as_a_filter_with_what_it_holds() {
    let visits = |status: fn(usize) -> &'static str| {
        rows("visit_id,store,date,start,Status", 10, |n| {
            format!("V{n},10{n},2026-11-23,2026-11-23T08:00:0{}Z,{}", n % 10, status(n))
        })
    };
    let mixed: fn(usize) -> &'static str = |n| match n % 10 {
        0 => "planned",
        1 | 2 => "cancelled",
        _ => "completed",
    };
    let draft = "# only = { Status = [\"completed\"] }   # saw: completed 7, cancelled 2, planned 1";
    let drafted = Drafted::pair(visits(mixed), usual_scenes(10)).has(&[draft]).reads(10, 20);
    assert!(drafted.stderr.contains("\"Status\" is cancelled or planned in 3 rows"), "{}", drafted.stderr);
    drafted.answered(draft, &draft[2..]).reads(7, 14);
    Drafted::pair(visits(|_| "completed"), usual_scenes(10)).has_not(&["only ="]).reads(10, 20);
}

#[test]
fn two_columns_for_a_store_are_asked_about_unless_one_holds_names() {
    let visits = |header: &str, other: fn(usize) -> String| {
        rows(&format!("visit_id,{header},date,start"), 4, |n| {
            format!("V{n},00{n}4011,{},2026-11-23,2026-11-23T08:00:0{n}Z", other(n))
        })
    };
    Drafted::pair(visits("store_code,store_id", |n| n.to_string()), usual_scenes(4))
        .asks("store_number: \"store_code\" or \"store_id\" may be meant")
        .answered("store_number       = \"?\"", "store_number = \"store_code\"")
        .reads(4, 8);
    Drafted::pair(visits("store_code,store", |n| format!("Market Street no {n}")), usual_scenes(4))
        .has(&["store_number       = \"store_code\""])
        .reads(4, 8);
}

#[test]
fn keys_of_several_columns_are_found() {
    // Two stores, two days, three people, twelve visits; two photos of each.
    let key = |n: usize| format!("10{},2026-11-2{},rep{}@x.com", n % 2, n / 2 % 2, n / 4);
    let visits =
        rows("store,day,rep,check_in", 12, |n| format!("{},2026-11-2{}T08:00:{n:02}Z", key(n - 1), (n - 1) / 2 % 2));
    let scenes = rows("store,day,rep,photo_id", 24, |n| format!("{},P{n}", key((n - 1) / 2)));
    let drafted = Drafted::pair(visits, scenes).reads(12, 24);
    let key = "visit_id           = { columns = [\"store\", \"day\", \"rep\"], separator = \"-\" }";
    assert_eq!(drafted.job.matches(key).count(), 2, "{}", drafted.job);
}

#[test]
fn keys_that_are_written_differently_are_brought_together_or_shown() {
    let visits = |key: fn(usize) -> String| {
        rows("visit_id,store,date,start", 5, |n| format!("{},10{n},2026-11-23,2026-11-23T08:00:0{n}Z", key(n * 137)))
    };
    let scenes =
        |key: fn(usize) -> String| rows("scene_id,visit_id", 10, |n| format!("S{n},{}", key(n.div_ceil(2) * 137)));
    let decimals = "decimals = \"drop\"";
    Drafted::pair(visits(|n| n.to_string()), scenes(|n| format!("{n}.0"))).has(&[decimals]).reads(5, 10);
    Drafted::pair(visits(|n| format!("{n:07}")), scenes(|n| n.to_string())).has(&["pad = 7 }"]).reads(5, 10);
    Drafted::pair(visits(|n| format!("{n}.0")), scenes(|n| format!("{n:07}"))).has(&[decimals, "pad = 7"]).reads(5, 10);
    let drafted = Drafted::pair(visits(|n| format!("V{n}")), scenes(|n| format!("v{n}")));
    drafted.asks("\"V137\" there, \"v137\" here (upper and lower case)").has_not(&["none of its values"]);
}

#[test]
fn day_and_time_of_two_columns_are_joined() {
    let visits = |header: &str, day: &str, time: fn(usize) -> String| {
        rows(&format!("visit_id,store,{header}"), 4, |n| format!("V{n},004011,{day},{},{}", time(n), time(n + 4)))
    };
    let columns = "session_start_time = { columns = [";
    Drafted::pair(visits("Datum,Beginn,Ende", "25.03.2026", |n| format!("08:{n:02}")), usual_scenes(4))
        .has(&[&format!("{columns}\"Datum\", \"Beginn\"], format = \"%d.%m.%Y %H:%M\" }}")])
        .answered("timezone = \"?\"", "timezone = \"Europe/Berlin\"")
        .reads(4, 8);
    Drafted::pair(visits("day,start_time,end_time", "2026-03-25", |n| format!("08:0{n}:00")), usual_scenes(4))
        .has(&[&format!("{columns}\"day\", \"start_time\"] }}"), "{ columns = [\"day\", \"end_time\"] }"])
        .answered("timezone = \"?\"", "timezone = \"UTC\"")
        .reads(4, 8);
    // SAP: a time of day is no store, and a store is no time of day.
    Drafted::pair(visits("BUDAT,BEGUZ,ENDUZ", "20260325", |n| format!("0040{n:02}")), usual_scenes(4))
        .has(&[&format!("{columns}\"BUDAT\", \"BEGUZ\"], format = \"%Y%m%d %H%M%S\" }}"), "= \"store\""])
        .answered("timezone = \"?\"", "timezone = \"UTC\"")
        .reads(4, 8);
}

#[test]
fn visits_that_all_start_at_midnight_are_asked_about() {
    let visits = rows("visit_id,store,visit_date,start", 6, |n| format!("V{n},10{n},2026-11-23,2026-11-23T00:00:00Z"));
    Drafted::pair(visits, usual_scenes(6))
        .asks("every time in \"start\" is midnight")
        .answered("session_start_time = \"?\"", "session_start_time = \"start\"")
        .answered("# accept = [\"midnight\"]", "accept = [\"midnight\"]");
}

#[test]
fn what_stands_for_nothing_is_said_of_its_column() {
    let visits = rows("visit_id,store,date,start,end,rep", 6, |n| {
        let end = match n {
            1 => "0000-00-00 00:00:00",
            2 => "9999-12-31 23:59:59",
            _ => "2026-11-23 09:00:00",
        };
        format!("V{n},10{n},2026-11-23,2026-11-23 08:00:00,{end},{}", if n == 2 { "N/A" } else { "a@x.com" })
    });
    Drafted::pair(visits, usual_scenes(6))
        .has(&[
            "null_values = [\"0000-00-00 00:00:00\", \"9999-12-31 23:59:59\"] }",
            "{ column = \"rep\", null_values = [\"N/A\"] }",
        ])
        .answered("timezone = \"?\"", "timezone = \"UTC\"")
        .reads(6, 12);
}

#[test]
fn lines_around_the_rows_are_named() {
    let body = rows("visit_id,store,date,start", 6, |n| format!("V{n},10{n},2026-11-23,2026-11-23T08:00:0{n}Z"));
    let (header, rest) = body.split_once('\n').expect("a header");
    let console = format!("{header}\n--------,-----,----,-----\n{rest}\n(6 rows affected)\n");
    Drafted::pair(console, usual_scenes(6)).has(&["ignore_lines = [\"---*\", \"(* rows affected)\"]"]).reads(6, 12);
    Drafted::pair(format!("Visits of the week,,,\n,,,\n{body}"), usual_scenes(6)).has(&["skip = 2 "]).reads(6, 12);
}

#[test]
fn a_file_without_a_header_is_asked_what_its_columns_are() {
    let visits =
        rows("V0,100,2026-11-23,2026-11-23T08:00:00Z", 5, |n| format!("V{n},10{n},2026-11-23,2026-11-23T08:00:0{n}Z"));
    Drafted::pair(visits, usual_scenes(5)).asks("\"v.csv\" has no header line").has(&[
        "header = [\"column_1\", \"column_2\", \"column_3\", \"column_4\"]",
        "session_start_time = \"column_4\"",
    ]);
}

#[test]
fn files_of_one_folder_are_told_apart() {
    let visits = || rows("visit_id,store,date,start", 4, |n| format!("V{n},10{n},2026-11-23,2026-11-23T08:00:0{n}Z"));
    let files = || [("exports/a-photos.csv", usual_scenes(4)), ("exports/visits.csv", visits())];
    for (of_visits, of_scenes) in [
        ("exports", "exports"),
        ("exports/*.csv", "exports"),
        ("exports", "exports/a-photos.csv"),
        ("exports/visits.csv", "exports"),
    ] {
        Drafted::of(&files(), of_visits, of_scenes)
            .has(&["path = \"exports/visits.csv\"", "path = \"exports/a-photos.csv\""])
            .reads(4, 8);
    }
    let swapped = Drafted::of(&files(), "exports/a-photos.csv", "exports/visits.csv");
    assert!(swapped.stderr.contains("were --visits and --scenes swapped?"), "{}", swapped.stderr);
    // As a shell expands a pattern.
    let done = swapped.work.shell("traxload init --visits exports/*.csv --scenes exports/*.csv -o -").ends_with(0);
    assert!(done.stdout.contains("path = \"exports/visits.csv\"") && !swapped.work.exists("-"), "{}", done.stdout);
}

#[test]
fn a_job_file_goes_where_it_can_be_and_is_no_export() {
    let work = Workdir::with_visits(1);
    work.write("exports/visits.csv", work.read("visits.csv"));
    let init = |visits: &str, output: &str| {
        work.traxload_with(&["init", "--visits", visits, "--scenes", "scenes.csv", "-o", output], &[]).ends_with(2)
    };
    init("exports", "exports/job.toml").says(&["would lie in exports, where every file counts as an export"]);
    init("exports/*", "exports/job.toml").says(&["would be one of the exports"]);
    init("visits.csv", "jobs/job.toml").says(&["the folder jobs is not there"]);
    init("visits.csv", "exports").says(&["exports is a folder; name a file in it"]);
}

#[test]
fn a_name_that_says_utc_is_the_zone_of_its_column() {
    let visits = |header: &str, zone: &str| {
        rows(&format!("visit_id,store,{header}"), 4, |n| {
            format!("V{n},004011,2026-04-03 22:15:0{n},2026-04-03 22:55:00{zone}")
        })
    };
    for header in
        ["start_utc,end_utc,timezone", "Start (UTC),End (UTC),Store Timezone", "started_at_gmt,ended_at_gmt,tz"]
    {
        Drafted::pair(visits(header, ",Europe/Paris"), usual_scenes(4))
            .has(&["timezone = \"UTC\" }", "visit_date         = \"?\""])
            .has_not(&["timezone_column", "timezone = \"?\""])
            .asks("and the day at the store may be another one");
    }
    Drafted::pair(visits("start_utc,end_utc,date", ",2026-04-04"), usual_scenes(4)).has_not(&["\"?\""]).reads(4, 8);
    // With local times beside them, each line that is offered is right.
    let both = rows("visit_id,store,start_utc,start_local,tz", 4, |n| {
        format!("V{n},004011,2026-04-03 22:15:0{n},2026-04-04 00:15:0{n},Europe/Paris")
    });
    let day = "visit_date = { column = \"start_local\", format = \"%Y-%m-%d %H:%M:%S\" }";
    let in_utc = "session_start_time = { column = \"start_utc\", timezone = \"UTC\" }";
    let local = "session_start_time = { column = \"start_local\", timezone_column = \"tz\" }";
    Drafted::pair(both, usual_scenes(4))
        .has(&[day, in_utc, local])
        .answered("visit_date         = \"?\"", day)
        .answered("session_start_time = \"?\"", in_utc)
        .reads(4, 8);
}

#[test]
fn the_only_time_is_a_start_by_its_name_alone() {
    let visits = |name: &str| {
        rows(&format!("visit_id,store,date,{name}"), 4, |n| format!("V{n},10{n},2026-11-23,2026-11-23T08:00:0{n}Z"))
    };
    for name in
        ["next_visit", "last_visit", "deadline", "order_date", "assigned", "last_login", "photo_time", "server_time"]
    {
        let line = format!("session_start_time = {name:?}");
        Drafted::pair(visits(name), usual_scenes(4))
            .asks("does not say that a visit began then")
            .has(&[&format!("#   {line}")])
            .answered("session_start_time = \"?\"", &line)
            .reads(4, 8);
    }
    for name in ["completed", "Abschluss"] {
        Drafted::pair(visits(name), usual_scenes(4))
            .has(&["session_start_time = \"?\"", &format!("session_end_time   = {name:?}")]);
    }
    for name in ["visit_time", "arrival", "Beginn", "date_time", "check-in"] {
        Drafted::pair(visits(name), usual_scenes(4)).has_not(&["\"?\""]).reads(4, 8);
    }
}

#[test]
fn an_encoding_that_nothing_tells_is_asked_for() {
    let visits = rows("visit_id,store,date,start", 2, |n| format!("V{n},10{n},2026-11-23,2026-11-23T08:00:0{n}Z"));
    let drafted = |task: &[u8]| {
        let work = Workdir::new();
        work.write("v.csv", &visits);
        let cells = [&b"scene_id,visit_id,task\nS1,V1,"[..], task, b"\nS2,V2,", task, b"\n"].concat();
        work.write("s.csv", cells);
        let done = work.traxload_with(&["init", "--visits", "v.csv", "--scenes", "s.csv", "-o", "job.toml"], &[]);
        let job = work.read("job.toml");
        Drafted { work, job, stderr: done.ends_with(0).stderr }
    };
    // Greek, as Windows has it.
    let greek =
        drafted(b"\xca\xe1\xf6\xdd\xf2").asks("encoding: the file is not UTF-8").has(&["windows-1253\"   \"Καφές\""]);
    let refused = greek.work.traxload_with(&["check", "job.toml"], &[]).ends_with(2);
    refused.says(&["how the file is encoded is an open question"]);
    greek.answered("encoding = \"?\"", "encoding = \"windows-1253\"").reads(2, 2);
    // Typographic quotes are no letters of a Mac.
    drafted(b"Men\x92s care").has(&["encoding = \"windows-1252\""]).has_not(&["\"?\""]).reads(2, 2);
}

#[test]
fn a_scene_key_is_a_column_that_does_not_repeat() {
    let visits = || rows("visit_id,store,date,start", 4, |n| format!("V{n},10{n},2026-11-23,2026-11-23T08:00:0{n}Z"));
    // Photos of a form: one label for all, and a running number.
    let labelled = rows("visit_id,_index,scene_label", 8, |n| format!("V{},{n},Beer", n.div_ceil(2)));
    Drafted::pair(visits(), labelled).has(&["scene_id           = \"_index\""]).reads(4, 8);
    let numbered =
        |name: &str| rows(&format!("visit_id,{name},shelf"), 8, |n| format!("V{},{},Beer", n.div_ceil(2), n % 2 + 1));
    Drafted::pair(visits(), numbered("seq"))
        .asks("no column has the name of a scene's key")
        .has(&["# It may be \"seq\"", "have a number for each scene exported"])
        .answered("scene_id           = \"?\"", "scene_id = \"seq\"")
        .reads(4, 8);
}

#[test]
fn why_an_address_is_left_out_is_said() {
    let visits = rows("visit_id,store,date,start,user", 3, |n| {
        format!("V{n},10{n},2026-11-23,2026-11-23T08:00:0{n}Z,{}", if n == 1 { "Joe Doe" } else { "a@x.com" })
    });
    Drafted::pair(visits, usual_scenes(3))
        .has(&["# email_address is left out: 1 of the 3 sampled values of \"user\" are no e-mail addresses"]);
}

#[test]
fn before_there_is_a_job_file_none_is_blamed() {
    let work = Workdir::with_visits(1);
    std::fs::create_dir(work.path("empty")).expect("a folder");
    let init = |visits: &str| {
        work.traxload_with(&["init", "--visits", visits, "--scenes", "scenes.csv"], &[]).ends_with(2).stderr
    };
    let missing = init("nope.csv");
    assert!(missing.contains("cannot open nope.csv") && !missing.contains("job file"), "{missing}");
    let empty = init("empty");
    assert!(!empty.contains("header line"), "{empty}");
    let job =
        work.traxload_with(&["init", "--visits", "visits.csv", "--scenes", "scenes.csv"], &[]).ends_with(0).stdout;
    work.write("job.toml", job.replace("[time]\n#", "[time]\ntimezone = \"Berlin\"\n#"));
    work.traxload_with(&["check", "job.toml"], &[]).ends_with(2).says(&["did you mean \"Europe/Berlin\"?"]);
}

#[test]
fn a_day_and_a_time_of_day_that_no_name_tells_are_offered_together() {
    let visits = |header: &str, day: &str, time: &str| {
        rows(&format!("visit_id,store,{header}"), 3, |n| {
            let time = time.replace('#', &n.to_string());
            let other = if header.matches(',').count() > 1 { ",09:30" } else { "" };
            format!("V{n},A10{n},{day},{time}{other}")
        })
    };
    for (header, day, time, format) in [
        ("Дата визита,Время начала", "25.03.2026", "08:1#", "%d.%m.%Y %H:%M"),
        ("訪問日,開始時刻,終了時刻", "2026/03/25", "8:1#", "%Y/%m/%d %H:%M"),
        ("ERDAT,ERZET", "20260325", "08150#", "%Y%m%d %H%M%S"),
        ("day,start", "2026-03-25", "08.1#", "%Y-%m-%d %H.%M"),
        ("day,start", "2026-03-25", "8h1#", "%Y-%m-%d %Hh%M"),
    ] {
        let names: Vec<&str> = header.split(',').collect();
        let (first, second) = (names[0], names[1]);
        let line = format!("session_start_time = {{ columns = [{first:?}, {second:?}], format = {format:?} }}");
        let drafted = Drafted::pair(visits(header, day, time), usual_scenes(3)).has(&[&line]);
        let (job, zone) =
            (drafted.job.replace("[time]\n", "[time]\ntimezone = \"Europe/Berlin\"\n"), "timezone = \"?\"\n");
        let job = job.replace(zone, "").replace("session_start_time = \"?\"", &line);
        drafted.work.write("job.toml", job);
        drafted.reads(3, 6);
    }
}

#[test]
fn the_time_of_a_form_is_asked_about_where_a_start_is_there() {
    let visits = rows("Timestamp,visit_id,store,Start,End", 3, |n| {
        format!("2026-03-25 09:00:0{n},V{n},10{n},08:1{n}:00,08:5{n}:00")
    });
    Drafted::pair(visits, usual_scenes(3))
        .asks("\"Timestamp\" may be when a form was sent, and \"Start\" holds the times of day of starts")
        .has(&["#   session_start_time = \"Timestamp\""])
        .has_not(&["no column has the day of each"]);
}
