//! The columns of both exports, `[time]` and `[check]`: how visits are read and checked.

use super::column_keys::{Column, FieldKind};
use super::columns::Picks;
use super::diagnostics::Diagnostics;
use super::formats::{date_format, ignored_utc};
use super::keys::JobKeys;
use super::lists::known_values;
use super::paths::Placeholders;
use super::quantities::{self, MaxInvalid};
use super::values::{Scalar, Spanned};
use super::vocabulary::{LOCAL_DAYS, meaning};
use crate::build::{Ids, Rules, Zone};
use crate::scan::Pick;
use std::collections::HashSet;

/// The rules, and the columns that they read of the visits and of the scenes. `zone` is the job's.
pub(super) fn rules(
    keys: &JobKeys,
    ids: Ids,
    zone: Option<Zone>,
    placeholders: &Placeholders<'_>,
    diagnostics: &mut Diagnostics<'_>,
) -> (Rules, Vec<Pick>, Vec<Pick>) {
    let date_format = date_format(keys.time.date_format.as_ref(), diagnostics);
    let of_visits = &keys.visits.columns;
    let mut visits = Picks::new(&of_visits.visit_id, date_format, placeholders, diagnostics);
    let of_scenes = &keys.scenes.columns;
    let mut scenes = Picks::new(&of_scenes.visit_id, None, placeholders, diagnostics);
    let store_number = visits.field("store_number", FieldKind::Text, &of_visits.store_number, diagnostics);
    let session_start_time =
        visits.field("session_start_time", FieldKind::Time, &of_visits.session_start_time, diagnostics);
    let mut optional = |name, kind, column: &Option<Spanned<Column>>| {
        column.as_ref().map(|column| visits.field(name, kind, column, diagnostics))
    };
    let visit_date = optional("visit_date", FieldKind::Date, &of_visits.visit_date);
    let client_session_uid = optional("client_session_uid", FieldKind::Text, &of_visits.client_session_uid);
    let visit_type_id = optional("visit_type_id", FieldKind::Number, &of_visits.visit_type_id);
    let session_end_time = optional("session_end_time", FieldKind::Time, &of_visits.session_end_time);
    let email_address = optional("email_address", FieldKind::Text, &of_visits.email_address);
    let scene_count = optional("scene_count", FieldKind::Number, &of_visits.scene_count);
    let scene_id = scenes.field("scene_id", FieldKind::Key, &of_scenes.scene_id, diagnostics);
    let task_code = of_scenes.task_code.as_ref();
    let task_code = task_code.map(|column| scenes.field("task_code", FieldKind::Text, column, diagnostics));
    let mut list = |path: &Option<Spanned<String>>| -> Option<HashSet<String>> {
        diagnostics.parsed(path, |path| known_values(placeholders.base_dir, &placeholders.dated(path)?))
    };
    let rules = Rules {
        ids,
        client_session_uid,
        store_number,
        visit_date,
        session_start_time,
        visit_type_id,
        session_end_time,
        email_address,
        scene_id,
        task_code,
        scene_count,
        task_code_required: keys.check.task_code_required.as_ref().is_some_and(|required| *required.get_ref()),
        zone,
        local_day: meaning(&LOCAL_DAYS, keys.time.local_day.as_ref()),
        stores: list(&keys.check.stores),
        users: list(&keys.check.users),
        task_codes: list(&keys.check.task_codes),
        visit_types: list(&keys.check.visit_types),
        accepted: Vec::new(),
    };
    check_date(keys, &rules, diagnostics);
    check_task_code(keys, &rules, diagnostics);
    warn_of_ignored_utc(&rules, diagnostics);
    (rules, visits.finish(), scenes.finish())
}

/// How many invalid visits are too many; half of the result rows where the job does not say.
pub(super) fn max_invalid(max: Option<&Spanned<Scalar>>, diagnostics: &mut Diagnostics<'_>) -> MaxInvalid {
    let max = max.and_then(|max| diagnostics.take(max.span(), quantities::max_invalid(&max.get_ref().0)));
    max.unwrap_or(MaxInvalid::Percent(50.0))
}

/// Without a column of its own, the date of a visit is the local date of its start. Where starts cannot carry an offset, the
/// job has to name the zone.
fn check_date(keys: &JobKeys, rules: &Rules, diagnostics: &mut Diagnostics<'_>) {
    let start = &keys.visits.columns.session_start_time;
    // A zone or a start that is wrong, or an open question, is a mistake of its own.
    let is_reported = keys.time.timezone.is_some() || start.get_ref().0.is_open;
    let field = &rules.session_start_time;
    let has_no_offset = match (&start.get_ref().0.format, &field.pattern) {
        (_, Some(pattern)) => !pattern.reads_an_offset(),
        (Some(_), None) => false,
        // Numbers.
        (None, None) => field.unit.is_some(),
    };
    let names_a_zone = field.zone.is_some() || field.zone_column.is_some();
    if rules.visit_date.is_none() && has_no_offset && !is_reported && !names_a_zone {
        diagnostics.add_missing(
            start.span(),
            "without a column for visit_date, the date is that of the start in its zone, which must be known: set \
             `timezone` under [time] or on this column, or map visit_date",
        );
    }
}

fn check_task_code(keys: &JobKeys, rules: &Rules, diagnostics: &mut Diagnostics<'_>) {
    if let (true, None, Some(required)) = (rules.task_code_required, &rules.task_code, &keys.check.task_code_required) {
        diagnostics.add_missing(
            required.span(),
            "task codes are required, but no column has them; add task_code under [scenes.columns]",
        );
    }
}

fn warn_of_ignored_utc(rules: &Rules, diagnostics: &mut Diagnostics<'_>) {
    let start = ignored_utc("session_start_time", &rules.session_start_time, rules.zone);
    let end = rules.session_end_time.as_ref();
    let end = end.and_then(|field| ignored_utc("session_end_time", field, rules.zone));
    start.into_iter().chain(end).for_each(|warning| diagnostics.warn(warning));
}
