//! The date, the start and the end of a visit: which columns hold them, how they are read, and in which time zone.

use super::choice::Choice;
use super::clocks::{clock_beside, joined_clocks, joined_times, or_the_clock};
use super::column_pool::ColumnPool;
use super::day_and_time::midnight_and_clock;
use super::day_month::{self, ColumnFormats, SharedQuestion, orders_in_words};
use super::entry::FieldEntry;
use super::local_day::local_day;
use super::names::{self, ACTUAL, BOOKKEEPING, NAMED, PLANNED};
use super::profile::ColumnProfile;
use super::time_columns::{choose_date, choose_day_of, choose_end, choose_start, zone_column};
use super::times::{TimeStyle, Way, Zoned};
use super::toml_text::{listed, quoted, shown};
use crate::build::SHARED_DATE;
use crate::job::OPEN;

/// What the job file says of its time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ZoneLine {
    /// It is not needed: every time carries its zone, or its row names it.
    NotNeeded,
    /// It cannot be told whether it is needed: there is no start.
    Unclear,
    /// It is a question: times carry no zone.
    AskedForTimes,
    /// It is a question: the dates of visits have to be told from their starts.
    AskedForDates,
}

/// The entries of the fields that hold dates and times, and what is asked once for several columns.
#[derive(Debug)]
pub(super) struct VisitTimes {
    pub(super) date: FieldEntry,
    pub(super) start: FieldEntry,
    pub(super) end: FieldEntry,
    pub(super) zone: ZoneLine,
    pub(super) date_format: Option<SharedQuestion>,
    /// Whether every visit starts at midnight.
    pub(super) is_at_midnight: bool,
}

/// Chooses the columns, and tells how they are read.
pub(super) fn visit_times(pool: &mut ColumnPool<'_>) -> VisitTimes {
    let zone_column = zone_column(pool);
    let start_column = choose_start(pool);
    let first = |choice: &Choice| choice.places().first().copied();
    let named_date = choose_date(pool, first(&start_column));
    let day_of_start = match (&named_date, first(&start_column)) {
        // The day in UTC is not that of the visit.
        (Choice::None, Some(start)) if pool.zoned(start) != Some(Zoned::NamedUtc) => choose_day_of(pool, start),
        _ => None,
    };
    let end_column = choose_end(pool);
    let places = [&named_date, &start_column, &end_column].into_iter().flat_map(Choice::places).copied();
    let offered = if start_column == Choice::None { joined_times(pool) } else { Vec::new() };
    let formats = day_month::decide(pool, &places.chain(day_of_start).chain(offered).collect::<Vec<_>>());

    let has_date = named_date != Choice::None || day_of_start.is_some();
    let zoned = |column: &Choice| {
        // Of several that may be meant, one without a zone is enough for a question.
        let all: Vec<Zoned> = column.places().iter().filter_map(|at| pool.zoned(*at)).collect();
        let one_of = |some: &[Zoned]| all.iter().copied().find(|zoned| some.contains(zoned));
        one_of(&[Zoned::Some, Zoned::None]).or(one_of(&[Zoned::NamedUtc])).or(one_of(&[Zoned::All]))
    };
    let is_zoneless = |column: &Choice| matches!(zoned(column), Some(Zoned::Some | Zoned::None));
    let day_is_written = start_column.places().iter().all(|at| pool.profiles[*at].tells_the_day());
    let mut zone = match zoned(&start_column) {
        None => ZoneLine::Unclear,
        Some(Zoned::Some | Zoned::None) => ZoneLine::AskedForTimes,
        Some(_) if is_zoneless(&end_column) => ZoneLine::AskedForTimes,
        // UTC is the zone of the column then, and the date is asked for.
        Some(Zoned::NamedUtc) => ZoneLine::NotNeeded,
        Some(Zoned::All) if has_date || day_is_written => ZoneLine::NotNeeded,
        Some(Zoned::All) => ZoneLine::AskedForDates,
    };
    let is_asked = matches!(zone, ZoneLine::AskedForTimes | ZoneLine::AskedForDates);
    let zone_column = zone_column.filter(|_| is_asked);
    if zone_column.is_some() {
        zone = ZoneLine::NotNeeded;
    }

    let time = |field, at: usize| {
        let entry = read_by(pool, field, at, &formats);
        match (pool.zoned(at), zone_column) {
            (Some(Zoned::NamedUtc), _) => entry.with("timezone", "UTC"),
            (_, Some(column)) => entry.with("timezone_column", pool.name(column)),
            _ => entry,
        }
    };
    let is_at_midnight = first(&start_column).is_some_and(|at| pool.profiles[at].is_at_midnight());
    let date = match (&named_date, day_of_start) {
        (Choice::None, Some(at)) => {
            read_by(pool, "visit_date", at, &formats).says("told by its values: the day of the start in every row")
        }
        (Choice::None, None) => local_day(pool, &start_column),
        (choice, _) => pool.entry("visit_date", choice, |at| read_by(pool, "visit_date", at, &formats)),
    };
    let start = match &start_column {
        Choice::None => no_start(pool, |at| time("session_start_time", at)),
        Choice::One(at, _) if is_at_midnight => at_midnight(pool, *at, &time("session_start_time", *at)),
        choice => {
            let entry = pool.entry("session_start_time", choice, |at| time("session_start_time", at));
            match clock_beside(pool, choice) {
                Some(clock) => or_the_clock(pool, choice, clock, &entry),
                None => planned_instead(pool, choice, entry),
            }
        }
    };
    let end = match &end_column {
        Choice::None => no_end(pool),
        choice => pool.entry("session_end_time", choice, |at| time("session_end_time", at)),
    };
    VisitTimes { date, start, end, zone, date_format: formats.shared, is_at_midnight }
}

/// Every visit starts at midnight: either the time of day is elsewhere, or a person says that there is none.
fn at_midnight(pool: &ColumnPool<'_>, at: usize, entry: &FieldEntry) -> FieldEntry {
    const FIELD: &str = "session_start_time";
    let clocks = pool.ranked(&names::START, |profile| profile.column.parts.is_empty() && profile.is_clock());
    let clock = clocks.first().filter(|(clock, _)| pool.profiles[*clock].name.score(&names::END) < NAMED);
    let joined = clock.and_then(|(clock, _)| midnight_and_clock(FIELD, &pool.profiles[at], &pool.profiles[*clock]));
    if let (Some(joined), Some((clock, _))) = (joined, clock) {
        let why = format!(
            "every time in {} is midnight; {} may be its time of day.",
            quoted(pool.name(at)),
            quoted(pool.name(*clock))
        );
        return FieldEntry::one_of(FIELD, &why, &[joined]);
    }
    let column = entry.columns().first().copied().map(quoted).unwrap_or_default();
    let why = format!("every time in {column} is midnight: is there an export with the time of day?");
    let entry_as_it_is =
        "If nobody knows the time of day, take it as it is, and take the # off `accept` under [check]:";
    FieldEntry::open(FIELD, &why)
        .says(entry_as_it_is)
        .says(format!("  session_start_time = {}", entry.toml().unwrap_or_default()))
}

/// A time that was planned is not when the visit began, and the only time of an export may be any: a person says what it
/// is.
fn planned_instead(pool: &ColumnPool<'_>, choice: &Choice, entry: FieldEntry) -> FieldEntry {
    let Choice::One(at, _) = choice else { return entry };
    let name = &pool.profiles[*at].name;
    let is_named = name.score(&names::START) >= NAMED || name.score(&names::DATE) >= NAMED;
    let what = match () {
        () if is_named && name.says(ACTUAL) => return entry,
        () if name.says(PLANNED) => "what was planned",
        () if name.says(BOOKKEEPING) => "when the record was made or changed",
        () if is_named => return entry,
        () => {
            let why = format!(
                "{} is the only column of times, and its name does not say that a visit began then.",
                quoted(pool.name(*at))
            );
            return FieldEntry::one_of("session_start_time", &why, &[entry]);
        }
    };
    let why = format!("{} sounds like {what}, and no other column says when a visit began.", quoted(pool.name(*at)));
    FieldEntry::one_of("session_start_time", &why, &[entry])
}

fn no_start(pool: &ColumnPool<'_>, entry: impl Fn(usize) -> FieldEntry) -> FieldEntry {
    let options = joined_clocks(pool, entry);
    if !options.is_empty() {
        let why = "no column has the name of a start. Times of day and their days are in columns of their own.";
        return FieldEntry::one_of("session_start_time", why, &options);
    }
    let unfit = pool.ranked(&names::START, |profile| !profile.may_be_times());
    // Times of day are those of the start, whatever they are called.
    let half_a_time = || unfit.iter().find(|(at, _)| pool.profiles[*at].is_clock());
    let why = match unfit.first().filter(|(_, score)| *score >= NAMED).or_else(half_a_time) {
        Some((at, _)) => why_not_times(pool, *at),
        None => "no column is known to hold the time at which a visit began.".to_owned(),
    };
    let entry = FieldEntry::open("session_start_time", &why);
    let times = pool.ranked(&names::START, |profile| profile.may_be_times() && !profile.needs_a_name());
    let times: Vec<usize> = times.into_iter().map(|(at, _)| at).collect();
    if times.is_empty() { entry } else { entry.says(format!("Times are in {}.", listed(pool.names(&times), 6))) }
}

fn no_end(pool: &ColumnPool<'_>) -> FieldEntry {
    let field = "session_end_time";
    let unfit = pool.named(&names::END, |profile| !profile.may_be_times());
    let entry = FieldEntry::absent(field);
    match unfit.first() {
        Some(at) => entry.says(format!("{field} is left out: {}", why_not_times(pool, *at))),
        None => entry,
    }
}

/// A sentence: what a column that is called like a time holds instead.
fn why_not_times(pool: &ColumnPool<'_>, at: usize) -> String {
    let profile = &pool.profiles[at];
    let has_day = |profile: &&ColumnProfile<'_>| {
        profile.column.parts.is_empty() && !profile.is_empty() && profile.times.is_some()
    };
    let name = quoted(&profile.column.name);
    let example = profile.example().map(shown).unwrap_or_default();
    let day = pool.profiles.iter().find(has_day).map(|day| quoted(&day.column.name));
    if let (true, Some(day)) = (profile.is_clock(), &day) {
        format!(
            "{name} holds times of day without a date, such as {example}, and {day} cannot be joined with them: export day and time in one column."
        )
    } else if profile.is_clock() {
        format!(
            "{name} holds times of day without a date, such as {example}, and no column has the day of each: export the date as well."
        )
    } else if profile.has_day_numbers {
        format!("{name} holds day numbers of a spreadsheet, such as {example}: export it as text or as a date.")
    } else if profile.times.is_some() {
        format!("{name} holds dates without a time of day, such as {example}.")
    } else {
        format!("{name} holds values that cannot be read as times, such as {example}: export them as 2024-03-05 08:15.")
    }
}

/// A column of times or dates, with the settings by which it is read.
fn read_by(pool: &ColumnPool<'_>, field: &'static str, at: usize, formats: &ColumnFormats) -> FieldEntry {
    let profile = &pool.profiles[at];
    let mut entry = FieldEntry::of(field, profile.column).example(profile.example());
    let Some(style) = &profile.times else {
        let name = quoted(&profile.column.name);
        return entry.says(format!("{name} has no values, so it cannot be told how they are written"));
    };
    match &style.way {
        Way::Plain => {}
        Way::Epoch("s") => entry.beside.push_str(", seconds since 1970"),
        Way::Epoch(unit) => entry = entry.with("unit", unit),
        Way::Formats(_) => entry = with_format(entry, pool, at, formats, style),
    }
    if let Some(misfit) = &style.misfit {
        let misfit = shown(misfit);
        entry = entry
            .doubts(&format!("{} of the sampled values are written in another way, such as {misfit}", style.misfits));
    }
    entry
}

fn with_format(
    mut entry: FieldEntry,
    pool: &ColumnPool<'_>,
    at: usize,
    formats: &ColumnFormats,
    style: &TimeStyle,
) -> FieldEntry {
    let left = formats.left.get(&at).map(Vec::as_slice).unwrap_or_default();
    if let [only] = left {
        if let Some(by) = formats.decided_by.get(&at) {
            entry.beside.push_str(&format!(", {} as in {}", only.order, quoted(pool.name(*by))));
        }
        return entry.with("format", only.text());
    }
    let is_shared = formats.shared.as_ref().is_some_and(|shared| shared.columns.contains(&at));
    if let (true, Some(first)) = (is_shared, left.first()) {
        entry.beside.push_str(&format!("; {SHARED_DATE} is the date_format below"));
        return entry.with("format", &first.text().replacen(first.date, SHARED_DATE, 1));
    }
    let example = pool.profiles[at].example().map(shown).unwrap_or_default();
    let orders = orders_in_words(left);
    let why = match style.misfits {
        0 => format!("{example} may be {orders}, and no value that was looked at decides it."),
        _ => format!("{example} may be {orders}, and the values contradict each other."),
    };
    entry.question = Some(format!("{}: {why}", entry.field));
    entry = entry.with("format", OPEN);
    entry.above.push(format!("QUESTION: {why} Put one of these formats in place of \"?\":"));
    for format in left {
        entry.above.push(format!("  format = {}   {}", quoted(format.text()), format.order));
    }
    entry
}
