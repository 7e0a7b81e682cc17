//! The key of the scenes. A scene may have several images, and then an export has a row for each of them: the column that
//! names the images tells its rows apart, and that of the scenes does not. Only a person can say which are meant.

use super::choice::{Choice, choose};
use super::column_pool::ColumnPool;
use super::entry::FieldEntry;
use super::names;
use super::profile::ColumnProfile;
use super::toml_text::quoted;
use std::collections::HashSet;

const FIELD: &str = "scene_id";

/// `reference` is the entry of the visit's key in the scenes.
pub(super) fn scene_id(pool: &mut ColumnPool<'_>, reference: &FieldEntry) -> FieldEntry {
    let reference: Vec<usize> = reference.columns().iter().filter_map(|column| pool.place_of(column)).collect();
    let is_key = |profile: &ColumnProfile<'_>| profile.column.parts.is_empty() && profile.may_be_text();
    let of_scenes = pool.ranked(&names::SCENE, is_key);
    let of_images = pool.ranked(&names::IMAGE, is_key);
    let is_good = |at: usize| pool.profiles[at].is_empty() || tells_scenes_apart(pool, &reference, at);
    let good = |ranked: &[(usize, u32)]| -> Vec<(usize, u32)> {
        ranked.iter().copied().filter(|(at, _)| is_good(*at)).collect()
    };
    let (scenes, images) = (choose(pool, FIELD, &good(&of_scenes)), choose(pool, FIELD, &good(&of_images)));
    let images: Vec<usize> = images.places().iter().copied().chain(files(pool, &reference)).collect();
    let named = of_scenes.iter().find(|(at, score)| *score >= names::NAMED && !is_good(*at)).map(|(at, _)| *at);
    match (scenes, named, images.as_slice()) {
        (Choice::None, Some(scene), [image, ..]) if *image != scene => images_of_scenes(pool, scene, *image),
        (Choice::None, None, [image, others @ ..]) => pool.take(FIELD, *image).or(pool.names(others)),
        (Choice::None, named, _) => by_values(
            pool,
            &reference,
            named.or(of_images.first().filter(|(_, score)| *score >= names::NAMED).map(|(at, _)| *at)),
        ),
        (choice, _, _) => {
            pool.taken.extend(choice.places());
            let others = images.iter().copied().filter(|at| !choice.places().contains(at)).collect::<Vec<_>>();
            pool.entry(FIELD, &choice, |at| pool.text(FIELD, at)).or(pool.names(&others))
        }
    }
}

/// Several rows of a visit have the same scene, and each an image of its own.
fn images_of_scenes(pool: &mut ColumnPool<'_>, scene: usize, image: usize) -> FieldEntry {
    let (scene_name, image_name) = (quoted(pool.name(scene)), quoted(pool.name(image)));
    let why = format!(
        "{scene_name} repeats within a visit and {image_name} does not: is there a row for each image of a scene?"
    );
    let says = |entry: FieldEntry, what: &str| {
        let beside = if entry.beside.is_empty() { what.to_owned() } else { format!("{}; {what}", entry.beside) };
        FieldEntry { beside, ..entry }
    };
    let options = [
        says(pool.take(FIELD, scene), "a scene may have several images; rows that are the same count once"),
        says(pool.take(FIELD, image), "each image is a scene of its own"),
    ];
    FieldEntry::one_of(FIELD, &why, &options)
}

/// No good column has the name of a scene's key. `named` is one that has it and repeats within a visit.
fn by_values(pool: &mut ColumnPool<'_>, reference: &[usize], named: Option<usize>) -> FieldEntry {
    // With a good name, a key may begin anew in every visit. Without one it has to be unique.
    let may_be_key = |at: &usize| {
        let profile = &pool.profiles[*at];
        let is_else = profile.times.is_some() || profile.emails > 0.5 || profile.zones > 0.98 || profile.is_clock();
        !is_else && profile.column.parts.is_empty() && !profile.is_empty() && !reference.contains(at)
    };
    let is_unique = |at: &usize| may_be_key(at) && pool.profiles[*at].uniqueness() >= 0.99;
    let unique: Vec<usize> = pool.free().filter(is_unique).collect();
    match (named, unique.as_slice()) {
        (Some(at), [other, ..]) if *other != at => {
            let why = format!(
                "{} repeats within a visit and {} does not: which names a scene?",
                quoted(pool.name(at)),
                quoted(pool.name(*other))
            );
            let places = unique.iter().copied().take(3).chain([at]);
            let options: Vec<FieldEntry> = places.map(|at| pool.text(FIELD, at)).collect();
            FieldEntry::one_of(FIELD, &why, &options)
        }
        (Some(at), _) => {
            let name = quoted(pool.name(at));
            let entry = pool.take(FIELD, at).or(pool.names(&unique));
            entry.doubts(&format!(
                "{name} repeats within a visit: rows with the same one count once if all else is the same too"
            ))
        }
        (None, [only]) => pool.take(FIELD, *only).says("told by its values alone: none repeats"),
        (None, _) => {
            let tells_apart =
                |at: &usize| may_be_key(at) && !unique.contains(at) && tells_scenes_apart(pool, reference, *at);
            let candidates: Vec<usize> = unique.iter().copied().chain(pool.free().filter(tells_apart)).collect();
            FieldEntry::open(FIELD, "no column has the name of a scene's key.").or(pool.names(&candidates)).says(
                "It has to tell the scenes of a visit apart, and to stay the same in later exports. If there is none, \
                 several columns may do together, { columns = [\"…\", \"…\"] }; else have a number for each scene exported.",
            )
        }
    }
}

/// The free columns that hold the names of image files, and tell the scenes of a visit apart.
fn files(pool: &ColumnPool<'_>, reference: &[usize]) -> Vec<usize> {
    const ENDINGS: [&str; 7] = [".jpg", ".jpeg", ".png", ".heic", ".webp", ".tif", ".bmp"];
    let is_file = |value: &str| {
        let value = value.split('?').next().unwrap_or_default().to_lowercase();
        ENDINGS.iter().any(|ending| value.ends_with(ending))
    };
    let are_files = |at: &usize| {
        let mut values = pool.profiles[*at].column.filled().take(50).peekable();
        values.peek().is_some() && values.all(is_file)
    };
    let is_named = |at: &usize| pool.profiles[*at].name.score(&names::IMAGE) >= names::NAMED;
    let free = pool.free().filter(|at| are_files(at) && !is_named(at));
    free.filter(|at| tells_scenes_apart(pool, reference, *at)).collect()
}

/// Whether a column tells the scenes of a visit apart, but for a few rows that are there twice.
fn tells_scenes_apart(pool: &ColumnPool<'_>, reference: &[usize], at: usize) -> bool {
    let values = |at: usize| &pool.sample.columns[at].values;
    let visit = |row: usize| reference.iter().map(|at| values(*at)[row].as_str()).collect::<Vec<_>>();
    let filled = || values(at).iter().enumerate().filter(|(_, value)| !value.is_empty());
    let distinct: HashSet<_> = filled().map(|(row, value)| (visit(row), value)).collect();
    !distinct.is_empty() && distinct.len() as f64 >= 0.95 * filled().count() as f64
}
