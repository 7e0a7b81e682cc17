//! Visits that several files may know, each counted once: by the row that says most. Memory stays bounded; past it, sorted
//! records go to temporary files. It does not know what a status or a cause is, only how they are numbered.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Seek, Write};

/// So many records are kept in memory: 64 MB.
const IN_MEMORY: usize = 4 << 20;

/// One row of a visit, packed so that records of one visit sort together and the best of them first: 83 bits tell the
/// visit, 2 how good the row is, 32 the time (later ones first), 11 what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct VisitRecord(u128);

impl VisitRecord {
    /// `visit`: a hash or id of the visit; `rank`: 0 is best, at most 3; `seconds`: when the row was written; `says`: what it
    /// says, below 2048.
    pub(super) fn new(visit: u128, rank: u8, seconds: u32, says: u16) -> VisitRecord {
        // Some bits of a UUID are the same in all of them, so all bits take part in those that are kept.
        let mixed = visit.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        let rest = u128::from(rank & 3) << 43 | u128::from(!seconds) << 11 | u128::from(says & 0x7ff);
        VisitRecord(mixed >> 45 << 45 | rest)
    }

    fn visit(self) -> u128 {
        self.0 >> 45
    }

    pub(super) fn says(self) -> u16 {
        (self.0 & 0x7ff) as u16
    }
}

/// Records of all files.
#[derive(Debug, Default)]
pub(super) struct DistinctVisits {
    records: Vec<VisitRecord>,
    /// Sorted records that no longer fit into memory.
    spilled: Vec<File>,
}

impl DistinctVisits {
    /// Takes these records, which are gone afterwards.
    pub(super) fn add(&mut self, records: &mut Vec<VisitRecord>) -> io::Result<()> {
        self.records.append(records);
        if self.records.len() >= IN_MEMORY { self.spill() } else { Ok(()) }
    }

    fn sort(&mut self) {
        self.records.sort_unstable();
        self.records.dedup_by_key(|record| record.visit());
    }

    fn spill(&mut self) -> io::Result<()> {
        self.sort();
        let mut file = BufWriter::new(tempfile::tempfile()?);
        for VisitRecord(bits) in self.records.drain(..) {
            file.write_all(&bits.to_le_bytes())?;
        }
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        self.spilled.push(file);
        Ok(())
    }

    /// Calls `each` with the best record of every visit.
    pub(super) fn each(mut self, mut each: impl FnMut(VisitRecord)) -> io::Result<()> {
        self.sort();
        if self.spilled.is_empty() {
            self.records.into_iter().for_each(each);
            return Ok(());
        }
        self.spill()?;
        let mut files: Vec<BufReader<File>> = self.spilled.into_iter().map(BufReader::new).collect();
        let mut heads = BinaryHeap::new();
        for (at, file) in files.iter_mut().enumerate() {
            heads.extend(next(file)?.map(|record| Reverse((record, at))));
        }
        let mut before = None;
        while let Some(Reverse((record, at))) = heads.pop() {
            if before != Some(record.visit()) {
                before = Some(record.visit());
                each(record);
            }
            heads.extend(next(&mut files[at])?.map(|record| Reverse((record, at))));
        }
        Ok(())
    }
}

fn next(file: &mut BufReader<File>) -> io::Result<Option<VisitRecord>> {
    let mut bytes = [0; size_of::<u128>()];
    match file.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(VisitRecord(u128::from_le_bytes(bytes)))),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn uid(visit: u32) -> u128 {
        Uuid::new_v5(&Uuid::NAMESPACE_OID, &visit.to_le_bytes()).as_u128()
    }

    #[test]
    fn a_visit_counts_once_by_its_best_row_in_memory_and_past_it() {
        for spills in [false, true] {
            let mut visits = DistinctVisits::default();
            for file in 0..3u8 {
                // Visit 7 is delivered in the first file alone; of the others, the last word counts.
                let record = |visit: u32| {
                    let rank = if visit == 7 && file == 0 { 0 } else { 2 };
                    VisitRecord::new(uid(visit), rank, 1_700_000_000 + u32::from(file), u16::from(file))
                };
                let mut records: Vec<VisitRecord> = (0..1_000).map(record).collect();
                visits.add(&mut records).expect("room");
                if spills {
                    visits.spill().expect("room");
                }
            }
            let mut says = [0; 3];
            visits.each(|record| says[usize::from(record.says())] += 1).expect("readable");
            assert_eq!(says, [1, 0, 999]);
        }
    }
}
