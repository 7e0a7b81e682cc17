//! What is counted while grouping.

use crate::scan::Location;

/// How many locations of orphans, and how many of unreadable scenes, a [`Tally`] lists. All of them are counted.
pub(crate) const MAX_LISTED: usize = 1000;

/// What was counted while grouping, in rows.
///
/// After [`Shuffle::finish`](super::Shuffle::finish) the counts are split: [`Shuffled::tally`](super::Shuffled::tally)
/// has those from before the rows were grouped, and each [`Grouped::tally`](super::Grouped::tally) has its own.
/// [`add`](Tally::add) brings them together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Visit rows that were taken in, without those that filters left out.
    pub(crate) visit_rows: u64,
    /// Visit rows that are identical to an earlier one. `visit_rows` counts them too.
    pub(crate) identical_duplicates: u64,
    /// Visit rows that filters left out.
    pub(crate) visits_left_out: u64,
    /// Scene rows with a key, counted as they came in.
    pub(crate) scenes_taken: u64,
    /// Scene rows with a key, counted again where they are grouped; with orphans and the scenes of visits left out.
    pub(crate) scene_rows: u64,
    /// Scene rows whose visits filters left out. `scene_rows` counts them too.
    pub(crate) scenes_left_out: u64,
    /// Scene rows whose visit is not in the export. `scene_rows` counts them too.
    pub(crate) orphans: u64,
    /// Scene rows whose visit_id is empty. `orphans` counts them too.
    pub(crate) keyless_scenes: u64,
    /// Where the first of them is.
    pub(crate) first_keyless: Option<Location>,
    /// The first orphans, [`MAX_LISTED`] at most: location and key.
    pub(crate) orphan_places: Vec<(Location, String)>,
    /// Scene rows that cannot be assigned to a visit, because their key cannot be read.
    pub(crate) unreadable: u64,
    /// The first unreadable scene rows, [`MAX_LISTED`] at most: location and reason.
    pub(crate) unreadable_places: Vec<(Location, String)>,
}

impl Tally {
    pub(super) fn add_orphan(&mut self, location: Location, key: &str) {
        self.orphans += 1;
        if self.orphan_places.len() < MAX_LISTED {
            self.orphan_places.push((location, key.to_owned()));
        }
    }

    /// A scene without a key belongs to no visit: it is an orphan that need not be looked up.
    pub(super) fn add_keyless_scene(&mut self, location: Location) {
        self.scenes_taken += 1;
        self.scene_rows += 1;
        self.keyless_scenes += 1;
        self.first_keyless.get_or_insert_with(|| location.clone());
        self.add_orphan(location, "");
    }

    pub(super) fn add_unreadable(&mut self, location: Location, reason: String) {
        self.unreadable += 1;
        if self.unreadable_places.len() < MAX_LISTED {
            self.unreadable_places.push((location, reason));
        }
    }

    /// How many scene rows were read: those with a visit, orphans, and unreadable ones.
    pub(crate) fn scenes_read(&self) -> u64 {
        self.scene_rows.saturating_sub(self.scenes_left_out).saturating_add(self.unreadable)
    }

    /// Adds the counts of another tally, and all of its locations, in any order and however many there are: only the order
    /// of the files tells which of them are the first.
    pub(crate) fn add(&mut self, other: &Tally) {
        self.visit_rows += other.visit_rows;
        self.identical_duplicates += other.identical_duplicates;
        self.visits_left_out += other.visits_left_out;
        self.scenes_taken += other.scenes_taken;
        self.scene_rows += other.scene_rows;
        self.scenes_left_out += other.scenes_left_out;
        self.orphans += other.orphans;
        self.keyless_scenes += other.keyless_scenes;
        if self.first_keyless.is_none() {
            self.first_keyless.clone_from(&other.first_keyless);
        }
        self.unreadable += other.unreadable;
        self.orphan_places.extend_from_slice(&other.orphan_places);
        self.unreadable_places.extend_from_slice(&other.unreadable_places);
    }
}
