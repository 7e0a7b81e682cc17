//! What a visit is called and where it comes from.

use crate::scan::Location;
use uuid::Uuid;

/// What a visit is called and where it comes from: the part of a result row that is known before the visit is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The key, as the export has it.
    pub visit_id: String,
    /// The id of its session. `None` for a visit without a usable key.
    pub session_uid: Option<Uuid>,
    /// Empty where it could not be read.
    pub store_number: String,
    /// YYYY-MM-DD. Empty where it could not be read.
    pub visit_date: String,
    /// How many scenes it has. Identical rows count once.
    pub scenes: u32,
    /// The row of the visit.
    pub source: Location,
}

/// The key of a scene and its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SceneId {
    /// The key, as the export has it.
    pub(crate) scene_id: String,
    /// The id that the API knows the scene by.
    pub(crate) scene_uid: Uuid,
}

/// A scene of no visit, with its cells as far as they can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OrphanScene<'a> {
    /// The key of the visit that it names.
    pub(crate) visit_id: &'a str,
    /// Its own key.
    pub(crate) scene_id: &'a str,
    pub(crate) task_code: &'a str,
    /// Its row.
    pub(crate) source: Location,
}
