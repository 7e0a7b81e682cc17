//! How many visits and scenes have each field of the API: what is left out by mistake shows there.

use crate::build::{Built, Rules};
use crate::summary::{CoveredRows, FieldCoverage};

/// Counts the fields of valid visits and of their scenes, as they go into bodies.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Coverage {
    visits: u64,
    visit_type_id: u64,
    session_end_time: u64,
    email_address: u64,
    scenes: u64,
    task_code: u64,
}

impl Coverage {
    /// Counts a valid visit.
    pub(super) fn count(&mut self, built: &Built) {
        let has = built.has;
        self.visits += 1;
        self.visit_type_id += u64::from(has.visit_type_id);
        self.session_end_time += u64::from(has.session_end_time);
        self.email_address += u64::from(has.email_address);
        self.scenes += u64::from(built.scenes);
        self.task_code += u64::from(has.task_codes);
    }

    pub(super) fn add(&mut self, other: Coverage) {
        self.visits += other.visits;
        self.visit_type_id += other.visit_type_id;
        self.session_end_time += other.session_end_time;
        self.email_address += other.email_address;
        self.scenes += other.scenes;
        self.task_code += other.task_code;
    }

    /// Every field, in the vendor's order.
    pub(super) fn fields(&self, rules: &Rules) -> Vec<FieldCoverage> {
        let of_visits = |field, filled, mapped| (field, CoveredRows::Visits, filled, self.visits, mapped);
        let of_scenes = |field, filled, mapped| (field, CoveredRows::Scenes, filled, self.scenes, mapped);
        let fields = [
            of_visits("client_session_uid", self.visits, rules.client_session_uid.is_some()),
            of_visits("store_number", self.visits, true),
            of_visits("visit_date", self.visits, rules.visit_date.is_some()),
            of_visits("session_start_time", self.visits, true),
            of_visits("visit_type_id", self.visit_type_id, rules.visit_type_id.is_some()),
            of_visits("session_end_time", self.session_end_time, rules.session_end_time.is_some()),
            of_visits("email_address", self.email_address, rules.email_address.is_some()),
            of_scenes("scene_uid", self.scenes, true),
            of_scenes("task_code", self.task_code, rules.task_code.is_some()),
        ];
        fields.map(|(field, of, filled, all, mapped)| FieldCoverage { field, of, filled, all, mapped }).to_vec()
    }
}
