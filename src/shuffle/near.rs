//! Orphan scenes whose key is nearly that of a visit: most likely they are scenes of that visit.
//!
//! Nothing is folded before there is an orphan, and of those only the ones that are near are kept, a few for each visit:
//! where all keys of an export are written differently, every scene of it is one.

use crate::key_index::{self, KeyIndex};
use crate::near_key::{Folding, without_case};
use crate::scan::Location;
use hashbrown::{DefaultHashBuilder, HashMap};
use rayon::prelude::*;

/// How many other keys are listed for a visit.
const MAX_NAMED: usize = 3;

/// A key of orphan scenes.
#[derive(Clone, Debug)]
pub(crate) struct NearKey {
    pub(crate) key: Box<str>,
    /// Where the first of the scenes stands.
    pub(crate) first: Location,
    /// How many scenes have it.
    pub(crate) scenes: u64,
    /// Whether it is near only where case does not tell keys apart.
    needs_case: bool,
}

/// The keys of orphan scenes that are nearly a visit's.
#[derive(Clone, Debug, Default)]
pub(crate) struct NearKeys {
    listed: Vec<NearKey>,
    /// Scenes with other keys, and those of them whose keys are near only where case does not tell keys apart.
    more: u64,
    more_by_case: u64,
}

impl NearKeys {
    /// The first keys, in the order of the export.
    pub(crate) fn listed(&self) -> &[NearKey] {
        &self.listed
    }

    /// How many scenes have a key that is not listed.
    pub(crate) fn more(&self) -> u64 {
        self.more + self.more_by_case
    }

    fn add(&mut self, folding: &Folding, visit: &str, key: &str, location: Location) {
        if let Some(known) = self.listed.iter_mut().find(|known| *known.key == *key) {
            known.scenes += 1;
            return;
        }
        if !folding.are_near(visit, key) {
            return;
        }
        let needs_case = folding.need_case(visit, key);
        if self.listed.iter().filter(|known| known.needs_case == needs_case).count() < MAX_NAMED {
            self.listed.push(NearKey { key: key.into(), first: location, scenes: 1, needs_case });
        } else if needs_case {
            self.more_by_case += 1;
        } else {
            self.more += 1;
        }
    }

    /// Forgets what is near only where case does not tell keys apart.
    fn forget_case(&mut self) {
        self.listed.retain(|known| !known.needs_case);
        self.more_by_case = 0;
    }

    fn limit(&mut self) {
        let unlisted = self.listed.drain(self.listed.len().min(MAX_NAMED)..);
        self.more += unlisted.map(|known| known.scenes).sum::<u64>();
    }
}

/// What was found out about orphans, for the groups of visits.
#[derive(Debug, Default)]
pub(super) struct NearScenes {
    folding: Folding,
    finder: Option<NearFinder>,
    found: HashMap<u32, NearKeys>,
}

impl NearScenes {
    pub(super) fn new(folding: Folding) -> NearScenes {
        NearScenes { folding, ..NearScenes::default() }
    }

    pub(super) fn folding(&self) -> &Folding {
        &self.folding
    }

    /// Looks up orphans by their keys. No visit must come in any more.
    pub(super) fn begin(&mut self, visits: &KeyIndex) {
        let folding = &self.folding;
        self.finder.get_or_insert_with(|| NearFinder::new(visits, folding));
    }

    /// The groups that orphans are probably near, each with the row of its orphan. Empty before [`begin`](Self::begin).
    pub(super) fn groups<'k>(
        &self,
        visits: &KeyIndex,
        orphans: impl Iterator<Item = (u32, &'k str)>,
    ) -> Vec<(u32, u32)> {
        let Some(finder) = &self.finder else { return Vec::new() };
        let (hasher, mut scratch, mut found) = (visits.hasher(), String::new(), Vec::new());
        for (row, key) in orphans {
            let hash = fold_hash(&hasher, &self.folding, key, &mut scratch);
            found.extend(finder.groups(hash).map(|group| (row, group)));
        }
        found
    }

    /// Notes a scene that is probably near the visits of a group.
    pub(super) fn add(&mut self, visits: &KeyIndex, group: u32, key: &str, location: Location) {
        self.found.entry(group).or_default().add(&self.folding, text(visits.key(group)), key, location);
    }

    /// Takes what was found before for a group.
    pub(super) fn take_over(&mut self, group: u32, found: NearKeys) {
        self.found.insert(group, found);
    }

    /// Gives up what was found, for each group.
    pub(super) fn give_up(self) -> impl Iterator<Item = (u32, NearKeys)> {
        self.found.into_iter()
    }

    /// What was found, by group. `case_tells_apart`: whether visits of the export have keys that differ in case only; it is
    /// asked only where that matters.
    ///
    /// # Errors
    /// Those of `case_tells_apart`.
    pub(super) fn finish<E>(
        mut self,
        case_tells_apart: impl FnOnce(&Folding) -> Result<bool, E>,
    ) -> Result<HashMap<u32, NearKeys>, E> {
        let needs_case = |keys: &NearKeys| keys.more_by_case > 0 || keys.listed.iter().any(|known| known.needs_case);
        if self.found.values().any(needs_case) && case_tells_apart(&self.folding)? {
            self.found.values_mut().for_each(NearKeys::forget_case);
        }
        self.found.retain(|_, keys| !keys.listed.is_empty());
        self.found.values_mut().for_each(NearKeys::limit);
        Ok(self.found)
    }
}

/// The groups of visits by the hashes of their keys' folds.
#[derive(Debug)]
struct NearFinder {
    /// The first group.
    by_fold: HashMap<u64, u32>,
    /// The others, by the first one.
    others: HashMap<u32, Vec<u32>>,
}

impl NearFinder {
    fn new(visits: &KeyIndex, folding: &Folding) -> NearFinder {
        let hasher = visits.hasher();
        let hash = |scratch: &mut String, group| fold_hash(&hasher, folding, text(visits.key(group)), scratch);
        let hashes: Vec<u64> = (0..visits.len() as u32).into_par_iter().map_init(String::new, hash).collect();
        let mut finder = NearFinder { by_fold: HashMap::with_capacity(hashes.len()), others: HashMap::new() };
        for (group, hash) in (0..).zip(hashes) {
            let first = *finder.by_fold.entry(hash).or_insert(group);
            if first != group {
                finder.others.entry(first).or_default().push(group);
            }
        }
        finder
    }

    fn groups(&self, hash: u64) -> impl Iterator<Item = u32> {
        let first = self.by_fold.get(&hash).copied();
        let others = first.and_then(|first| self.others.get(&first)).into_iter().flatten().copied();
        first.into_iter().chain(others)
    }
}

/// The hash of a key's fold: what near keys have in common.
#[inline]
pub(super) fn fold_hash(hasher: &DefaultHashBuilder, folding: &Folding, key: &str, scratch: &mut String) -> u64 {
    key_index::hash(hasher, folding.folded(key, scratch).as_bytes())
}

/// Whether two of these keys differ in case only, and yet are near: there case tells keys apart. Ids of Salesforce are
/// told apart by what they say of their case themselves.
pub(super) fn case_tells_apart<'k>(
    keys: impl Iterator<Item = &'k [u8]>,
    folding: &Folding,
    hasher: &DefaultHashBuilder,
) -> bool {
    let (mut known, mut scratch): (HashMap<(u64, u64), u64>, _) = (HashMap::new(), String::new());
    keys.filter(|key| !key.is_empty()).any(|key| {
        let exact = key_index::hash(hasher, key);
        let key = text(key);
        let fold = fold_hash(hasher, folding, key, &mut scratch);
        let lower = key_index::hash(hasher, without_case(key).as_bytes());
        *known.entry((fold, lower)).or_insert(exact) != exact
    })
}

/// Keys are cells of text.
fn text(key: &[u8]) -> &str {
    std::str::from_utf8(key).unwrap_or_default()
}
