//! Rows past the memory budget: parted by a piece of their key's hash into temporary files, and read back part by part.
//! A file holds the visits of a part (`streams.rs`) and behind them its scenes (`blocks.rs`).

use super::blocks::{self, BlockWriter, Origin};
use super::carried::{FileNames, with_places, without_places};
use super::groups::Groups;
use super::own::own_rows;
use super::records::columns;
use super::streams::{self, VisitWriter};
use super::temporary::disk;
use super::{Grouped, KEY, ShuffleError, Tally};
use crate::index::hash;
use crate::scan::{Lines, Rows};
use arrow::array::{Array, AsArray, BooleanArray, UInt32Array};
use arrow::compute::take_record_batch;
use hashbrown::DefaultHashBuilder;
use rayon::prelude::*;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::sync::Arc;

/// A part should fill so much of the budget when it is grouped again: a few are there at once.
const SHARE: u64 = 8;
const PARTS: std::ops::RangeInclusive<u64> = 8..=240;
/// Of the budget, what rows may fill that are collected; past it all are written, however few are of a part.
const COLLECTED: u64 = 8;
/// Batches that are parted at once, unless they fill more than such a piece of the budget.
const AT_ONCE: usize = 8;
const UNPARTED: u64 = 16;
/// Bytes of the buffer of a file that is read.
const READ_AHEAD: usize = 128 << 10;

/// Takes rows in: first all visits, then all scenes.
#[derive(Debug)]
pub(super) struct Spill {
    hasher: DefaultHashBuilder,
    memory: u64,
    parts: Vec<Part>,
    /// Batches that are not parted yet, and their bytes.
    unparted: Vec<Rows>,
    bytes: u64,
    /// Whether the first scenes are there.
    at_scenes: bool,
    /// Of a scene.
    cells: usize,
    files: FileNames,
    tally: Tally,
}

#[derive(Debug, Default)]
struct Part {
    visits: VisitWriter,
    visit_rows: u64,
    scenes: BlockWriter,
    /// Hashes of keys that filters left out.
    left_out: Vec<u64>,
}

impl Spill {
    /// `memory`: the budget in bytes; `expected`: the bytes of everything, about.
    pub(super) fn new(hasher: DefaultHashBuilder, memory: u64, expected: u64) -> Spill {
        let parts = (expected.saturating_mul(SHARE) / memory.max(1)).clamp(*PARTS.start(), *PARTS.end());
        let parts = (0..parts).map(|_| Part::default()).collect();
        Spill {
            hasher,
            memory,
            parts,
            unparted: Vec::new(),
            bytes: 0,
            at_scenes: false,
            cells: 0,
            files: FileNames::default(),
            tally: Tally::default(),
        }
    }

    /// Counts of rows that were grouped before there was a need for files.
    pub(super) fn count(&mut self, tally: &Tally) {
        self.tally.add(tally);
    }

    pub(super) fn leave_out(&mut self, hash: u64) {
        let part = part_of(hash, self.parts.len());
        self.parts[part].left_out.push(hash);
    }

    /// Notes the keys of rows that are not kept.
    pub(super) fn leave_out_of(&mut self, rows: &Rows, keep: &BooleanArray) {
        for row in (0..keep.len()).filter(|&row| !keep.value(row)) {
            self.tally.visits_left_out += 1;
            let key = rows.text(KEY, row);
            if !key.is_empty() {
                self.leave_out(hash(&self.hasher, key.as_bytes()));
            }
        }
    }

    pub(super) fn add_visits(&mut self, rows: Rows) -> Result<(), ShuffleError> {
        debug_assert!(!self.at_scenes, "all visits come before all scenes");
        self.add(rows)
    }

    pub(super) fn add_scenes(&mut self, rows: Rows) -> Result<(), ShuffleError> {
        if !self.at_scenes {
            self.begin_scenes()?;
        }
        self.add(rows)
    }

    fn add(&mut self, rows: Rows) -> Result<(), ShuffleError> {
        self.bytes += rows.memory_size() as u64;
        self.unparted.push(rows);
        if self.unparted.len() >= AT_ONCE || self.bytes >= self.memory / UNPARTED { self.part() } else { Ok(()) }
    }

    fn begin_scenes(&mut self) -> Result<(), ShuffleError> {
        self.part()?;
        self.parts.par_iter_mut().try_for_each(|part| {
            part.visit_rows = part.visits.all_rows;
            let visits = std::mem::take(&mut part.visits).finish()?;
            part.scenes = BlockWriter::behind(visits).map_err(disk)?;
            Ok::<_, ShuffleError>(())
        })?;
        self.at_scenes = true;
        Ok(())
    }

    /// Parts the rows of some batches.
    fn part(&mut self) -> Result<(), ShuffleError> {
        let batches = std::mem::take(&mut self.unparted);
        self.bytes = 0;
        let (hasher, count) = (&self.hasher, self.parts.len());
        let parts: Vec<Vec<u8>> = batches.par_iter().map(|rows| parts_of(rows, hasher, count)).collect();
        if self.at_scenes { self.write_scenes(&batches, &parts) } else { self.write_visits(&batches, &parts) }
    }

    /// Has every core write some of the parts: the rows of a batch for one part are taken out of it together.
    fn write_visits(&mut self, batches: &[Rows], parts: &[Vec<u8>]) -> Result<(), ShuffleError> {
        let count = self.parts.len();
        let members: Vec<Vec<Vec<u32>>> = parts.par_iter().map(|parts| members(parts, count)).collect();
        let files = &mut self.files;
        let batches = batches.iter().map(|rows| with_places(rows, files)).collect::<Result<Vec<_>, _>>()?;
        self.parts.par_iter_mut().enumerate().try_for_each(|(part, into)| {
            for (batch, members) in batches.iter().zip(&members).filter(|(_, members)| !members[part].is_empty()) {
                let taken = take_record_batch(batch, &UInt32Array::from(members[part].clone()))?;
                into.visits.push(taken)?;
            }
            Ok::<_, ShuffleError>(())
        })?;
        let collected: u64 = self.parts.iter().map(|part| part.visits.bytes).sum();
        if collected > self.memory / COLLECTED {
            self.parts.par_iter_mut().try_for_each(|part| part.visits.write())?;
        }
        Ok(())
    }

    /// Has every core go over all rows and write those of its own parts.
    fn write_scenes(&mut self, batches: &[Rows], parts: &[Vec<u8>]) -> Result<(), ShuffleError> {
        let files = &mut self.files;
        let batches: Vec<_> = batches.iter().map(|rows| (rows, Numbered::new(rows, files), columns(rows))).collect();
        self.cells = batches.first().map_or(self.cells, |(_, _, columns)| columns.len());
        let most = blocks::collected(self.memory / COLLECTED, self.parts.len());
        let each = self.parts.len().div_ceil(rayon::current_num_threads());
        self.parts.par_chunks_mut(each).enumerate().try_for_each(|(at, own_parts)| {
            let mut own = Vec::new();
            for ((rows, numbered, columns), parts) in batches.iter().zip(parts) {
                let is_own = |part: u8| usize::from(part).wrapping_sub(at * each) < own_parts.len();
                for &row in own_rows(&mut own, parts, is_own) {
                    let row = row as usize;
                    let part = &mut own_parts[usize::from(parts[row]) - at * each];
                    part.scenes.push(most, numbered.origin(row), columns, row, rows.faults_of(row))?;
                }
            }
            Ok(())
        })
    }

    pub(super) fn finish(mut self) -> Result<Spilled, ShuffleError> {
        if !self.at_scenes {
            self.begin_scenes()?;
        }
        self.part()?;
        let mut parts = Vec::with_capacity(self.parts.len());
        for Part { scenes, visit_rows, mut left_out, .. } in self.parts {
            left_out.shrink_to_fit();
            let file = scenes.finish()?.map(|(file, scenes_at)| PartFile { file, scenes_at });
            parts.push(FinishedPart { file, visit_rows, left_out });
        }
        Ok(Spilled { hasher: self.hasher, parts, cells: self.cells, files: self.files.into_names(), tally: self.tally })
    }
}

/// The part of each row.
fn parts_of(rows: &Rows, hasher: &DefaultHashBuilder, parts: usize) -> Vec<u8> {
    const { assert!(*PARTS.end() <= 1 << u8::BITS, "the number of a part is a byte") };
    let keys = rows.batch.column(KEY).as_string_opt::<i32>();
    let key = |row| keys.filter(|keys| keys.is_valid(row)).map_or("", |keys| keys.value(row));
    (0..rows.batch.num_rows()).map(|row| part_of(hash(hasher, key(row).as_bytes()), parts) as u8).collect()
}

/// For each part the rows that belong to it.
fn members(parts: &[u8], count: usize) -> Vec<Vec<u32>> {
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); count];
    for (row, &part) in (0..).zip(parts) {
        members[usize::from(part)].push(row);
    }
    members
}

/// Where the rows of a batch stand, with numbers for files.
enum Numbered<'r> {
    One(u32, &'r Lines),
    Several { numbers: Vec<u32>, file: &'r [u32], line: &'r [u64] },
}

impl Numbered<'_> {
    fn new<'r>(rows: &'r Rows, files: &mut FileNames) -> Numbered<'r> {
        match &rows.lines {
            Lines::Spread { files: names, file, line } => {
                Numbered::Several { numbers: names.iter().map(|name| files.number(name)).collect(), file, line }
            }
            lines => Numbered::One(files.number(&rows.file), lines),
        }
    }

    #[inline]
    fn origin(&self, row: usize) -> Origin {
        match self {
            Numbered::One(file, lines) => Origin { file: *file, line: lines.of(row) },
            Numbered::Several { numbers, file, line } => Origin { file: numbers[file[row] as usize], line: line[row] },
        }
    }
}

fn part_of(hash: u64, parts: usize) -> usize {
    // Not the lowest bits, by which the table of a part is looked up.
    ((hash >> 24) as usize & 0xff_ffff) % parts
}

/// Written parts.
#[derive(Debug)]
pub(super) struct Spilled {
    hasher: DefaultHashBuilder,
    parts: Vec<FinishedPart>,
    /// Of a scene.
    cells: usize,
    files: Arc<[Arc<str>]>,
    tally: Tally,
}

#[derive(Debug)]
struct FinishedPart {
    file: Option<PartFile>,
    visit_rows: u64,
    left_out: Vec<u64>,
}

/// Streams of visits, and from a place on blocks of scenes.
#[derive(Debug)]
struct PartFile {
    file: File,
    scenes_at: u64,
}

impl Spilled {
    pub(super) fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Counts of rows that no part counts.
    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Reads a part and groups it.
    pub(super) fn load(&self, part: usize) -> Result<Grouped, ShuffleError> {
        let part = &self.parts[part];
        let mut groups = Groups::of_part(self.hasher.clone(), &part.left_out);
        if let Some(PartFile { file, scenes_at }) = &part.file {
            let mut file = file.try_clone().map_err(disk)?;
            file.rewind().map_err(disk)?;
            let mut visits = BufReader::with_capacity(READ_AHEAD, (&file).take(*scenes_at));
            let mut rows = 0;
            streams::read(&mut visits, |batch| {
                rows += batch.num_rows() as u64;
                Ok(groups.add_visits(without_places(&batch, &self.files)?, None)?)
            })?;
            // A stream that was cut off is one to Arrow.
            if rows != part.visit_rows {
                return Err(disk(io::ErrorKind::InvalidData.into()));
            }
            let mut scenes = BufReader::with_capacity(READ_AHEAD, file);
            while let Some(block) = blocks::read(&mut scenes)? {
                let name =
                    self.files.get(block.file as usize).ok_or_else(|| disk(io::ErrorKind::InvalidData.into()))?;
                groups.add_block(block, name.clone(), self.cells)?;
            }
        }
        groups.finish()
    }
}
