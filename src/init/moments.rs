//! The dates and times of a visit: which columns hold them, how they are written, and of which zone they are. Columns of
//! one export that are written alike share what decides day and month, and what nothing decides is asked once.

use super::entry::{Entry, Value};
use super::guess::{Guess, NAMED, WELL_NAMED};
use super::looks::Looks;
use super::names;
use super::text::{listed, quoted, shown};
use super::times::{Order, Reading, Way, Zoned};
use crate::job::OPEN;
use crate::scan::ScanError;
use chrono::NaiveDate;
use std::collections::HashMap;

/// What stands in a format for the date that the job says once.
const ONCE: &str = "%x";

/// A column for a field, and others that are named nearly as well.
pub(super) type Chosen = (usize, Vec<usize>);

/// What is to be said of the job's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    /// Every time carries its own, or each row names it.
    Known,
    /// Times carry none.
    Asked,
    /// Times carry one, but the date of a visit has to be told from them.
    AskedForDates,
    /// There is no start of which it could be said.
    Unknown,
}

/// How dates are written, as far as several columns leave it open in the same way.
#[derive(Clone, Debug)]
pub(super) struct Doubt {
    pub(super) why: String,
    pub(super) orders: Vec<Order>,
}

/// The fields that hold dates and times.
#[derive(Debug)]
pub(super) struct Moments {
    pub(super) date: Entry,
    pub(super) start: Entry,
    pub(super) end: Entry,
    pub(super) zone: Zone,
    pub(super) doubt: Option<Doubt>,
}

/// Chooses the columns and says how they are to be read.
pub(super) fn moments(guess: &mut Guess<'_>) -> Result<Moments, ScanError> {
    let zone_column = guess.zone_column();
    let start_column = guess.start();
    let (date_column, is_by_values) = match guess.date() {
        Some(named) => (Some(named), false),
        None => (start_column.as_ref().and_then(|(start, _)| guess.day_of(*start)), true),
    };
    let end_column = guess.end();
    let columns = [&date_column, &start_column, &end_column];
    let columns: Vec<usize> = columns.into_iter().flatten().map(|(at, _)| *at).collect();
    let orders = Orders::of(guess, &columns)?;

    let start = start_column.as_ref().and_then(|(at, _)| guess.looks[*at].reading.clone());
    let dated = date_column.is_some();
    let needs_zone =
        start.as_ref().is_some_and(|reading| !matches!(reading.zoned, Zoned::All | Zoned::NamedUtc) || !dated);
    let mut zone = match (&start, needs_zone) {
        (None, _) => Zone::Unknown,
        (_, false) => Zone::Known,
        (Some(reading), true) if matches!(reading.zoned, Zoned::All) => Zone::AskedForDates,
        // With its own zone, the column also tells the date.
        (Some(reading), true) if reading.zoned == Zoned::NamedUtc => Zone::Known,
        _ => Zone::Asked,
    };
    let zone_column = zone_column.filter(|_| needs_zone);
    if zone_column.is_some() {
        zone = Zone::Known;
    }
    let date = match date_column {
        Some((at, near)) if !is_by_values => guess.moment("visit_date", at, &orders).or(guess.names(&near)),
        Some((at, _)) => {
            guess.moment("visit_date", at, &orders).says("told by its values: the day of the start in every row")
        }
        None => Entry::absent("visit_date"),
    };
    let start = match start_column {
        Some((at, near)) => guess.time("session_start_time", at, zone_column, &orders).or(guess.names(&near)),
        None => guess.no_start(),
    };
    let end = match end_column {
        Some((at, near)) => guess.time("session_end_time", at, zone_column, &orders).or(guess.names(&near)),
        None => guess.no_end(),
    };
    if zone == Zone::Known && zone_column.is_none() && guess.is_zoneless(&end) {
        zone = Zone::Asked;
    }
    Ok(Moments { date, start, end, zone, doubt: orders.doubt })
}

/// In which order the columns have day and month.
struct Orders {
    /// Those that are left of each column with a format.
    left: HashMap<usize, Vec<Order>>,
    /// The column that has decided for another one.
    by: HashMap<usize, usize>,
    /// What is asked once, and of which columns.
    doubt: Option<Doubt>,
    shared: Vec<usize>,
}

impl Orders {
    fn of(guess: &Guess<'_>, columns: &[usize]) -> Result<Orders, ScanError> {
        let mut left: HashMap<usize, Vec<Order>> = HashMap::new();
        for &at in columns {
            let Some(Reading { way: Way::Formats(orders), misfits, .. }) = &guess.looks[at].reading else { continue };
            let mut orders = orders.clone();
            if orders.len() > 1 && *misfits == 0 {
                guess.sample.narrow(&guess.sample.column(at).name, &mut orders)?;
            }
            left.insert(at, orders);
        }
        // Where the values of a column contradict each other, they decide for no other one, nor does another for them.
        let contradicts = |at: usize| guess.looks[at].reading.as_ref().is_none_or(|reading| reading.misfits > 0);
        let sound = || columns.iter().copied().filter(|at| !contradicts(*at));
        let mut by = HashMap::new();
        for at in sound() {
            let Some(open) = left.get(&at).filter(|orders| orders.len() > 1) else { continue };
            let deciding = |other: &usize| match left.get(other).map(Vec::as_slice) {
                Some([only]) => open.iter().any(|order| order.date == only.date),
                _ => false,
            };
            let decided: Vec<usize> = sound().filter(deciding).collect();
            let date = |at: usize| left.get(&at).and_then(|orders| orders.first()).map(|order| order.date.clone());
            if let Some((first, others)) = decided.split_first()
                && others.iter().all(|other| date(*other) == date(*first))
                && let Some(date) = date(*first)
            {
                by.insert(at, (*first, date));
            }
        }
        for (at, (_, date)) in &by {
            if let Some(orders) = left.get_mut(at) {
                orders.retain(|order| order.date == *date);
            }
        }
        for at in sound() {
            let Some(open) = left.get_mut(&at).filter(|orders| orders.len() > 1) else { continue };
            if let Some((only, other)) =
                columns.iter().find_map(|other| Some((nearest(guess, at, open, *other)?, *other)))
            {
                open.retain(|order| *order == only);
                by.insert(at, (other, only.date));
            }
        }
        let dates =
            |at: usize| -> Vec<&str> { left.get(&at).into_iter().flatten().map(|order| order.date.as_str()).collect() };
        let open: Vec<usize> = sound().filter(|at| dates(*at).len() > 1).collect();
        let alike =
            |at: &usize| -> Vec<usize> { open.iter().copied().filter(|other| dates(*other) == dates(*at)).collect() };
        let shared = open.iter().map(alike).find(|alike| alike.len() > 1).unwrap_or_default();
        let doubt = shared.first().map(|first| {
            let example = guess.sample.column(*first).filled().next().map(shown).unwrap_or_default();
            let orders: Vec<Order> = left.get(first).cloned().unwrap_or_default();
            let columns = listed(guess.names(&shared), 4);
            let why = format!(
                "{example} may be {}, and no value of {columns} that was looked at decides it.",
                readings(&orders)
            );
            Doubt { why, orders }
        });
        let by = by.into_iter().map(|(at, (other, _))| (at, other)).collect();
        Ok(Orders { left, by, doubt, shared })
    }
}

/// The only order by which every day of a column is that of another one, or next to it: a visit starts on its day, and ends
/// soon after.
fn nearest(guess: &Guess<'_>, at: usize, open: &[Order], other: usize) -> Option<Order> {
    let sure = guess.looks[other].reading.as_ref().filter(|reading| reading.misfits == 0 && other != at)?;
    let (values, others) = (&guess.sample.column(at).values, &guess.sample.column(other).values);
    let pairs = || values.iter().zip(others).filter(|(value, other)| !value.is_empty() && !other.is_empty());
    let is_near = |order: &Order, value: &str, other: &str| {
        let days = order.day(value).zip(sure.day(other));
        days.is_some_and(|(day, other)| (day - other).num_days().abs() <= 1)
    };
    let mut fitting = open.iter().filter(|order| pairs().all(|(value, other)| is_near(order, value, other)));
    let only = fitting.next().filter(|_| pairs().next().is_some())?;
    fitting.next().is_none().then(|| only.clone())
}

fn readings(orders: &[Order]) -> String {
    orders.iter().map(|order| order.order).collect::<Vec<_>>().join(" or ")
}

impl Guess<'_> {
    /// The column that tells when a visit began, and others that are named nearly as well.
    fn start(&mut self) -> Option<Chosen> {
        let times = |looks: &Looks| looks.has_times();
        let mut ranked = self.ranked(&names::START, times);
        for (at, score) in &mut ranked {
            // A column called "date" that holds times tells when the visit began.
            *score = (*score).max(self.looks[*at].name.score(&names::DATE) / 2);
            if self.looks[*at].needs_a_name() && *score < WELL_NAMED {
                *score = 0;
            }
        }
        ranked.sort_by_key(|(at, score)| (std::cmp::Reverse(*score), *at));
        let named = ranked.first().filter(|(_, score)| *score >= NAMED).map(|(at, _)| *at);
        // The only times of an export can be nothing else.
        let nameless: Vec<usize> = ranked
            .iter()
            .map(|(at, _)| *at)
            .filter(|at| !self.looks[*at].needs_a_name() && self.looks[*at].name.score(&names::END) < NAMED)
            .collect();
        let found = named.or(match nameless.as_slice() {
            [only] => Some(*only),
            _ => None,
        });
        let found = found?;
        self.used.insert(found);
        let best = ranked.first().map_or(0, |(_, score)| *score);
        let near = ranked.iter().filter(|(at, score)| *at != found && *score >= NAMED && score + 30 >= best);
        // Without a single value it is no rival of one that has them.
        let near = near.filter(|(at, _)| self.looks[found].is_empty || !self.looks[*at].is_empty);
        Some((found, near.map(|(at, _)| *at).collect()))
    }

    fn no_start(&self) -> Entry {
        let field = "session_start_time";
        let unfit = self.ranked(&names::START, |looks| !looks.has_times());
        // Times of day are those of the start, whatever they are called.
        let half_a_time = || unfit.iter().find(|(at, _)| self.looks[*at].times_of_day);
        let why = match unfit.first().filter(|(_, score)| *score >= NAMED).or_else(half_a_time) {
            Some((at, _)) => format!("{} {}", quoted(self.name(*at)), self.why_no_time(*at)),
            None => "no column is known to hold the time at which a visit began.".to_owned(),
        };
        let times: Vec<usize> = self.ranked(&names::START, Looks::has_times).iter().map(|(at, _)| *at).collect();
        let times: Vec<usize> = times.into_iter().filter(|at| !self.looks[*at].needs_a_name()).collect();
        let entry = Entry::open(field, &why);
        if times.is_empty() { entry } else { entry.says(format!("Times are in {}.", listed(self.names(&times), 6))) }
    }

    /// A sentence's end: what a column with the name of a time holds in its place.
    fn why_no_time(&self, at: usize) -> String {
        let looks = &self.looks[at];
        let example = self.sample.column(at).filled().next().map(shown).unwrap_or_default();
        if looks.times_of_day {
            format!(
                "holds times of day without a date, such as {example}: date and time have to be in one column. Put them together in the export, such as SQL's date || ' ' || time."
            )
        } else if looks.day_numbers {
            format!("holds day numbers of a spreadsheet, such as {example}: export it as text or as a date.")
        } else if looks.reading.is_some() {
            format!("holds dates without a time of day, such as {example}.")
        } else {
            format!("holds no times that can be read, such as {example}.")
        }
    }

    /// The column of the visit's day, and others that are named nearly as well.
    fn date(&mut self) -> Option<Chosen> {
        let (at, near) = self.best(&names::DATE, Looks::has_dates)?;
        if self.looks[at].needs_a_name() && self.looks[at].name.score(&names::DATE) < WELL_NAMED {
            return None;
        }
        self.used.insert(at);
        Some((at, near))
    }

    /// The column that has the day of the start in every row, whatever it is called.
    fn day_of(&mut self, start: usize) -> Option<Chosen> {
        let day = |at: usize, value: &str| self.looks[at].reading.as_ref().and_then(|reading| reading.day(value));
        let starts: Vec<Option<NaiveDate>> =
            self.sample.column(start).values.iter().map(|value| day(start, value)).collect();
        let has_it = |at: &usize| {
            let days = self.sample.column(*at).values.iter().zip(&starts);
            !self.looks[*at].is_empty
                && self.looks[*at].has_dates()
                && days.into_iter().all(|(value, start)| start.is_some() && day(*at, value) == *start)
        };
        let found = (0..self.looks.len()).filter(|at| !self.used.contains(at)).find(has_it)?;
        self.used.insert(found);
        Some((found, Vec::new()))
    }

    fn end(&mut self) -> Option<Chosen> {
        let mut ranked = self.ranked(&names::END, Looks::has_times);
        ranked.retain(|(at, score)| *score >= if self.looks[*at].needs_a_name() { WELL_NAMED } else { NAMED });
        let (at, _) = *ranked.first()?;
        self.used.insert(at);
        Some((at, ranked.iter().skip(1).map(|(at, _)| *at).collect()))
    }

    fn no_end(&self) -> Entry {
        let field = "session_end_time";
        let unfit = self.ranked(&names::END, |looks| !looks.has_times());
        match unfit.first().filter(|(_, score)| *score >= NAMED) {
            Some((at, _)) => {
                let why = self.why_no_time(*at);
                Entry::absent(field).says(format!("{field} is left out: {} {why}", quoted(self.name(*at))))
            }
            None => Entry::absent(field),
        }
    }

    fn is_zoneless(&self, entry: &Entry) -> bool {
        let column = match &entry.value {
            Value::Column(column) => column,
            Value::Table(pairs) => match pairs.first() {
                Some((_, column)) => column,
                None => return false,
            },
            _ => return false,
        };
        let at = self.sample.columns.iter().position(|known| known.name == *column);
        let reading = at.and_then(|at| self.looks[at].reading.as_ref());
        reading.is_some_and(|reading| matches!(reading.zoned, Zoned::None | Zoned::Some))
    }

    /// A column of times with all that has to be said to read it.
    fn time(&self, field: &'static str, at: usize, zone_column: Option<usize>, orders: &Orders) -> Entry {
        let entry = self.moment(field, at, orders);
        let zone = self.looks[at].reading.as_ref().map(|reading| reading.zoned);
        match (zone, zone_column) {
            (Some(Zoned::NamedUtc), _) => with(entry, ("timezone", "UTC".to_owned())),
            (_, Some(column)) => with(entry, ("timezone_column", self.name(column).to_owned())),
            _ => entry,
        }
    }

    /// A column of times or dates, and how they are written.
    fn moment(&self, field: &'static str, at: usize, orders: &Orders) -> Entry {
        let column = self.sample.column(at);
        let mut entry = Entry::column(field, &column.name).example(column.filled());
        let Some(reading) = &self.looks[at].reading else {
            return entry.says(format!(
                "{} has no values by which it could be told how they are written",
                quoted(&column.name)
            ));
        };
        match &reading.way {
            Way::Plain => {}
            Way::Epoch("s") => entry.beside.push_str(", seconds since 1970"),
            Way::Epoch(unit) => entry = with(entry, ("unit", (*unit).to_owned())),
            Way::Formats(_) => entry = self.written(entry, at, orders, reading),
        }
        if reading.misfits > 0 {
            let misfit = reading.misfit.as_deref().map(shown).unwrap_or_default();
            let doubt =
                format!("sampled values that are written in another way: {}, such as {misfit}", reading.misfits);
            entry = entry.says(&doubt);
            entry.doubt = Some(format!("{field}: {doubt}"));
        }
        entry
    }

    fn written(&self, mut entry: Entry, at: usize, orders: &Orders, reading: &Reading) -> Entry {
        let left = orders.left.get(&at).map(Vec::as_slice).unwrap_or_default();
        if let [only] = left {
            if let Some(by) = orders.by.get(&at) {
                entry.beside.push_str(&format!(", {} as in {}", only.order, quoted(self.name(*by))));
            }
            return with(entry, ("format", only.format.clone()));
        }
        if let (true, Some(first)) = (orders.shared.contains(&at), left.first()) {
            entry.beside.push_str(&format!("; {ONCE} is the date_format below"));
            return with(entry, ("format", first.format.replacen(&first.date, ONCE, 1)));
        }
        let example = self.sample.column(at).filled().next().map(shown).unwrap_or_default();
        let readings = readings(left);
        let why = match reading.misfits {
            0 => format!("{example} may be {readings}, and no value that was looked at decides it."),
            _ => format!("{example} may be {readings}, and the values contradict each other."),
        };
        let field = entry.field;
        let mut entry = with(entry, ("format", OPEN.to_owned()));
        entry.above.push(format!("QUESTION: {why} Put one of these formats in place of \"?\":"));
        for order in left {
            entry.above.push(format!("  format = {}   {}", quoted(&order.format), order.order));
        }
        entry.question = Some(format!("{field}: {why}"));
        entry
    }
}

/// A key and its value added to a column's table.
fn with(mut entry: Entry, pair: (&'static str, String)) -> Entry {
    entry.value = match entry.value {
        Value::Column(column) => Value::Table(vec![("column", column), pair]),
        Value::Table(mut pairs) => {
            pairs.push(pair);
            Value::Table(pairs)
        }
        other => other,
    };
    entry
}
