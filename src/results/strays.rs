//! Rows that name another visit than their session_uid was made from. A spreadsheet has made 7 of the key 007; or the ids
//! of the job have changed. The API knows visits by the uid alone, so a visit of the exports is looked for by that one.
//!
//! Almost always there are none of them, and then nothing is spent on them.

use super::visits::{Place, Visit, Visits};
use crate::key_index::{self, KeyIndex};
use crate::outcome::Status;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use uuid::Uuid;

/// Such rows by their session_uid.
#[derive(Debug, Default)]
pub(super) struct Strays {
    rows: Visits,
    /// What is known of each row besides, in the same order.
    known: Vec<Known>,
    /// The keys that the rows name. Many may name one: `1E+14`.
    names: KeyIndex,
    /// Which of them are in the exports, as the key of a visit that has no row of its own.
    is_name_met: Vec<AtomicBool>,
}

#[derive(Debug)]
struct Known {
    /// The number of the key that the row names.
    name: u32,
    /// The key of the visit that it belongs to, once that is known.
    key: OnceLock<Box<str>>,
}

impl Strays {
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The rows; a row's key is its session_uid.
    pub(super) fn rows(&self) -> &Visits {
        &self.rows
    }

    pub(super) fn add(&mut self, uid: Uuid, name: &str, status: Status, place: Place) {
        let Some(at) = self.rows.add(uid.as_bytes(), status, place) else { return };
        let hash = self.names.hash(name.as_bytes());
        let number = self.names.find(hash, name.as_bytes()).unwrap_or_else(|| {
            self.is_name_met.push(AtomicBool::new(false));
            self.names.add(hash, name.as_bytes())
        });
        let known = Known { name: number, key: OnceLock::new() };
        match self.known.get_mut(at) {
            Some(of_another_row) => *of_another_row = known,
            None => self.known.push(known),
        }
    }

    /// Takes out the rows of which `is_taken` says that their visits have rows of their own.
    pub(super) fn without(self, is_taken: &[bool]) -> Strays {
        let mut rest = Strays::default();
        for (at, known) in self.known.iter().enumerate().filter(|(at, _)| !is_taken[*at]) {
            let row = self.rows.get(at);
            rest.add(self.uid(at), self.name(known.name), row.status, row.place.clone());
        }
        rest
    }

    /// How it ended for visits of the exports that have no row under their key, where they have one here.
    pub(super) fn meet(&self, visits: &[(&str, Uuid)]) -> Vec<Option<Status>> {
        let rows = self.rows.find_all(visits.iter().map(|(_, uid)| uid.as_bytes().as_slice()));
        let names = self.names.find_all(visits.iter().map(|(key, _)| key.as_bytes()));
        // A visit that has a row of its own takes no other for one that may be its.
        let without = names.into_iter().zip(&rows).filter(|(_, row)| **row == key_index::NOT_FOUND);
        for (name, _) in without.filter(|(name, _)| *name != key_index::NOT_FOUND) {
            self.is_name_met[name as usize].store(true, Ordering::Relaxed);
        }
        let of = |(row, (key, _)): (u32, &(&str, Uuid))| {
            let known = self.known.get(row as usize)?;
            known.key.get_or_init(|| (*key).into());
            let row = self.rows.get(row as usize);
            row.meet();
            Some(row.status)
        };
        rows.into_iter().zip(visits).map(of).collect()
    }

    /// The key of the visit that a row belongs to, if that visit was met.
    pub(super) fn key(&self, at: usize) -> Option<&str> {
        self.known[at].key.get().map(AsRef::as_ref)
    }

    /// Whether the key that a row names is in the exports, without a row that is its own.
    pub(super) fn is_name_met(&self, at: usize) -> bool {
        self.is_name_met[self.known[at].name as usize].load(Ordering::Relaxed)
    }

    /// A delivered row whose uid is that of no visit met, but whose name is: the name, and the uid. It may say that the
    /// visit of this name was delivered under an id of then.
    pub(super) fn unclear(&self) -> Option<(&str, Uuid)> {
        let is_unclear =
            |(at, row): &(usize, &Visit)| row.status.is_delivered() && !row.is_met() && self.is_name_met(*at);
        let (at, _) = self.rows.iter().enumerate().find(is_unclear)?;
        Some((self.name(self.known[at].name), self.uid(at)))
    }

    fn name(&self, number: u32) -> &str {
        // It was text when it was added.
        std::str::from_utf8(self.names.key(number)).unwrap_or_default()
    }

    fn uid(&self, at: usize) -> Uuid {
        Uuid::from_slice(self.rows.key(at)).unwrap_or_default()
    }
}
