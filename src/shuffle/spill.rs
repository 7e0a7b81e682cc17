//! Rows past the memory budget: parted by a piece of their key's hash into temporary Arrow files, and read back part
//! by part.
//!
//! The files have no name from the start: whatever happens to the process, nothing of them stays behind. Where a row
//! stands and what is wrong with it goes with it, in columns of its own.

use super::groups::Groups;
use super::index::hash;
use super::{Grouped, KEY, ShuffleError, Tally};
use crate::scan::{CellFault, Fault, Lines, Rows};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray, UInt32Array, UInt64Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{Field, Schema, SchemaRef, UInt32Type, UInt64Type};
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use hashbrown::DefaultHashBuilder;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek};
use std::path::PathBuf;
use std::sync::Arc;

/// A part should fill so much of the budget when it is grouped again: a few are there at once.
const SHARE: u64 = 8;
const PARTS: std::ops::RangeInclusive<u64> = 8..=160;
/// Rows of a part that are collected before they are written.
const TOGETHER: usize = 4096;
/// Batches that are parted at once.
const AT_ONCE: usize = 8;

/// Takes rows in.
#[derive(Debug)]
pub(super) struct Spill {
    hasher: DefaultHashBuilder,
    parts: Vec<Part>,
    /// Batches that are not parted yet.
    visits: Vec<Rows>,
    scenes: Vec<Rows>,
    files: FileNames,
    tally: Tally,
}

#[derive(Debug, Default)]
struct Part {
    visits: Section,
    scenes: Section,
    /// Hashes of keys that filters left out.
    left_out: Vec<u64>,
}

/// The names of the exports' files, of which rows keep the number.
#[derive(Debug, Default)]
struct FileNames(Vec<Arc<str>>);

impl FileNames {
    fn number(&mut self, name: &Arc<str>) -> u32 {
        let known = self.0.iter().rposition(|known| known == name).unwrap_or_else(|| {
            self.0.push(name.clone());
            self.0.len() - 1
        });
        known as u32
    }
}

impl Spill {
    /// `memory`: the budget in bytes; `expected`: the bytes of everything, about.
    pub(super) fn new(hasher: DefaultHashBuilder, memory: u64, expected: u64) -> Result<Spill, ShuffleError> {
        let parts = (expected * SHARE / memory.max(1)).clamp(*PARTS.start(), *PARTS.end());
        let parts = (0..parts).map(|_| Part::default()).collect();
        Ok(Spill {
            hasher,
            parts,
            visits: Vec::new(),
            scenes: Vec::new(),
            files: FileNames::default(),
            tally: Tally::default(),
        })
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
        self.visits.push(rows);
        if self.visits.len() >= AT_ONCE { self.write_visits() } else { Ok(()) }
    }

    pub(super) fn add_scenes(&mut self, rows: Rows) -> Result<(), ShuffleError> {
        self.scenes.push(rows);
        if self.scenes.len() >= AT_ONCE { self.write_scenes() } else { Ok(()) }
    }

    fn write_visits(&mut self) -> Result<(), ShuffleError> {
        let batches = std::mem::take(&mut self.visits);
        self.write(batches, |part| &mut part.visits)
    }

    fn write_scenes(&mut self) -> Result<(), ShuffleError> {
        let batches = std::mem::take(&mut self.scenes);
        self.write(batches, |part| &mut part.scenes)
    }

    /// Parts the rows of some batches, and has every core write some of the parts.
    fn write(
        &mut self,
        batches: Vec<Rows>,
        section: impl Fn(&mut Part) -> &mut Section + Sync,
    ) -> Result<(), ShuffleError> {
        let (hasher, count) = (&self.hasher, self.parts.len());
        let members: Vec<Vec<Vec<u32>>> = batches.par_iter().map(|rows| members(rows, hasher, count)).collect();
        let files = &mut self.files;
        let batches = batches.iter().map(|rows| with_places(rows, files)).collect::<Result<Vec<_>, _>>()?;
        self.parts.par_iter_mut().enumerate().try_for_each(|(part, into)| {
            for (batch, members) in batches.iter().zip(&members).filter(|(_, members)| !members[part].is_empty()) {
                let taken = take_record_batch(batch, &UInt32Array::from(members[part].clone()))?;
                section(into).push(taken)?;
            }
            Ok(())
        })
    }

    pub(super) fn finish(mut self) -> Result<Spilled, ShuffleError> {
        self.write_visits()?;
        self.write_scenes()?;
        let mut parts = Vec::with_capacity(self.parts.len());
        for part in self.parts {
            let Part { visits, scenes, mut left_out } = part;
            left_out.shrink_to_fit();
            parts.push(WrittenPart { visits: visits.finish()?, scenes: scenes.finish()?, left_out });
        }
        Ok(Spilled { hasher: self.hasher, parts, files: self.files.0.into(), tally: self.tally })
    }
}

/// For each part the rows that belong to it.
fn members(rows: &Rows, hasher: &DefaultHashBuilder, parts: usize) -> Vec<Vec<u32>> {
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); parts];
    let keys = rows.batch.column(KEY).as_string_opt::<i32>();
    for row in 0..rows.batch.num_rows() {
        let key = keys.filter(|keys| keys.is_valid(row)).map_or("", |keys| keys.value(row));
        members[part_of(hash(hasher, key.as_bytes()), parts)].push(row as u32);
    }
    members
}

fn part_of(hash: u64, parts: usize) -> usize {
    // Not the bits that the hash table of a part uses.
    ((hash >> 24) as usize & 0xff_ffff) % parts
}

/// The rows of one section in one part: written, or waiting to be.
#[derive(Default)]
struct Section {
    waiting: Vec<RecordBatch>,
    rows: usize,
    /// Files may differ in their types: each change begins a new stream in the same file.
    writer: Option<(SchemaRef, StreamWriter<BufWriter<File>>)>,
}

impl std::fmt::Debug for Section {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Section").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Section {
    fn push(&mut self, batch: RecordBatch) -> Result<(), ShuffleError> {
        if self.waiting.last().is_some_and(|last| last.schema() != batch.schema()) {
            self.write()?;
        }
        self.rows += batch.num_rows();
        self.waiting.push(batch);
        if self.rows >= TOGETHER { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), ShuffleError> {
        let Some(first) = self.waiting.first() else { return Ok(()) };
        let schema = first.schema();
        let batch = concat_batches(&schema, &self.waiting)?;
        self.waiting.clear();
        self.rows = 0;
        if self.writer.as_ref().is_none_or(|(known, _)| *known != schema) {
            let file = match self.close()? {
                Some(file) => file,
                None => BufWriter::with_capacity(64 << 10, tempfile::tempfile().map_err(disk)?),
            };
            let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
            let writer = StreamWriter::try_new_with_options(file, &schema, options).map_err(broken)?;
            self.writer = Some((schema, writer));
        }
        match &mut self.writer {
            Some((_, writer)) => writer.write(&batch).map_err(broken),
            None => Ok(()),
        }
    }

    fn close(&mut self) -> Result<Option<BufWriter<File>>, ShuffleError> {
        let Some((_, mut writer)) = self.writer.take() else { return Ok(None) };
        writer.finish().map_err(broken)?;
        writer.into_inner().map(Some).map_err(broken)
    }

    fn finish(mut self) -> Result<Option<File>, ShuffleError> {
        self.write()?;
        let file = self.close()?;
        file.map(|file| file.into_inner().map_err(|error| disk(error.into_error()))).transpose()
    }
}

fn disk(source: io::Error) -> ShuffleError {
    ShuffleError::Disk { folder: folder().display().to_string(), source }
}

fn broken(error: arrow::error::ArrowError) -> ShuffleError {
    match error {
        arrow::error::ArrowError::IoError(_, source) => disk(source),
        other => ShuffleError::Arrow(other),
    }
}

/// Where temporary files are made.
fn folder() -> PathBuf {
    std::env::temp_dir()
}

/// Written parts.
#[derive(Debug)]
pub(super) struct Spilled {
    hasher: DefaultHashBuilder,
    parts: Vec<WrittenPart>,
    files: Arc<[Arc<str>]>,
    tally: Tally,
}

#[derive(Debug)]
struct WrittenPart {
    visits: Option<File>,
    scenes: Option<File>,
    left_out: Vec<u64>,
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
        self.read(&part.visits, |rows| Ok(groups.add_visits(rows, None)?))?;
        self.read(&part.scenes, |rows| groups.add_scenes(vec![rows]))?;
        groups.finish()
    }

    fn read(
        &self,
        file: &Option<File>,
        mut take: impl FnMut(Rows) -> Result<(), ShuffleError>,
    ) -> Result<(), ShuffleError> {
        let Some(file) = file else { return Ok(()) };
        let mut file = file.try_clone().map_err(disk)?;
        file.rewind().map_err(disk)?;
        let mut file = BufReader::with_capacity(256 << 10, file);
        while !file.fill_buf().map_err(disk)?.is_empty() {
            for batch in StreamReader::try_new(&mut file, None).map_err(broken)? {
                take(without_places(&batch.map_err(broken)?, &self.files)?)?;
            }
        }
        Ok(())
    }
}

/// The columns that carry what a batch knows beside its cells.
const CARRIED: [&str; 3] = ["@file", "@line", "@faults"];

/// A fault as it is written.
#[derive(Serialize, Deserialize)]
struct CarriedFault {
    column: Option<u16>,
    kind: u8,
    value: String,
    found: usize,
    expected: usize,
}

impl CarriedFault {
    fn new(fault: &Fault) -> CarriedFault {
        let (kind, value, found, expected) = match &fault.what {
            CellFault::Undecodable(value) => (0, value.clone(), 0, 0),
            CellFault::Mangled(value) => (1, value.clone(), 0, 0),
            CellFault::Boolean(value) => (2, value.clone(), 0, 0),
            CellFault::Cells { found, expected } => (3, String::new(), *found, *expected),
        };
        CarriedFault { column: fault.column, kind, value, found, expected }
    }

    fn fault(self, row: u32) -> Fault {
        let what = match self.kind {
            0 => CellFault::Undecodable(self.value),
            1 => CellFault::Mangled(self.value),
            2 => CellFault::Boolean(self.value),
            _ => CellFault::Cells { found: self.found, expected: self.expected },
        };
        Fault { row, column: self.column, what }
    }
}

fn with_places(rows: &Rows, files: &mut FileNames) -> Result<RecordBatch, ShuffleError> {
    let count = rows.batch.num_rows();
    let mut number: Option<(Arc<str>, u32)> = None;
    let mut file = Vec::with_capacity(count);
    let mut line = Vec::with_capacity(count);
    for row in 0..count {
        let name = rows.file_of(row);
        let same = number.as_ref().filter(|(known, _)| Arc::ptr_eq(known, name)).map(|(_, number)| *number);
        let this = same.unwrap_or_else(|| files.number(name));
        number = Some((name.clone(), this));
        file.push(this);
        line.push(rows.lines.of(row));
    }
    let faults: StringArray = if rows.faults.is_empty() {
        StringArray::new_null(count)
    } else {
        let carried = (0..count).map(|row| {
            let faults: Vec<CarriedFault> = rows.faults_of(row).iter().map(CarriedFault::new).collect();
            if faults.is_empty() { None } else { serde_json::to_string(&faults).ok() }
        });
        carried.collect()
    };
    let mut columns = rows.batch.columns().to_vec();
    let mut fields: Vec<Field> = rows.batch.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    let carried: [ArrayRef; 3] =
        [Arc::new(UInt32Array::from(file)), Arc::new(UInt64Array::from(line)), Arc::new(faults)];
    for (name, column) in CARRIED.into_iter().zip(carried) {
        fields.push(Field::new(name, column.data_type().clone(), true));
        columns.push(column);
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

fn without_places(batch: &RecordBatch, files: &Arc<[Arc<str>]>) -> Result<Rows, ShuffleError> {
    let own = batch.num_columns() - CARRIED.len();
    let file = batch.column(own).as_primitive::<UInt32Type>().values().to_vec();
    let line = batch.column(own + 1).as_primitive::<UInt64Type>().values().to_vec();
    let carried = batch.column(own + 2).as_string::<i32>();
    let mut faults = Vec::new();
    if carried.null_count() < carried.len() {
        for (row, text) in carried.iter().enumerate() {
            let Some(text) = text else { continue };
            let own: Vec<CarriedFault> = serde_json::from_str(text).map_err(|error| disk(error.into()))?;
            faults.extend(own.into_iter().map(|fault| fault.fault(row as u32)));
        }
    }
    let own: Vec<usize> = (0..own).collect();
    let lines = Lines::Spread { files: files.clone(), file, line };
    Ok(Rows { batch: batch.project(&own)?, file: "".into(), lines, faults, keep: None })
}
