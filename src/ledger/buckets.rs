//! Where in a sorted list of hashes one is: by its upper bits, which say where to look, so that a look-up costs a memory access
//! or two and not the twenty of a binary search.

use std::ops::Range;

/// How many hashes of a set share their upper bits, about: those that one memory access brings.
const TOGETHER: usize = 8;

/// Where hashes with the same upper bits begin in a sorted list.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    shift: u32,
    starts: Vec<u32>,
}

impl Buckets {
    /// `sorted`: the hashes, of which there are `count`; `together`: how many are to share their upper bits, about.
    pub(super) fn new(sorted: impl Iterator<Item = u64>, count: usize, together: usize) -> Buckets {
        let bits = (count / together).checked_ilog2().unwrap_or(0);
        let shift = u64::BITS - bits;
        let mut starts = vec![0; (1 << bits) + 1];
        for hash in sorted {
            starts[upper(hash, shift) + 1] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        Buckets { shift, starts }
    }

    /// The places that hashes with the upper bits of this one have.
    pub(super) fn range(&self, hash: u64) -> Range<usize> {
        let at = upper(hash, self.shift);
        match self.starts.get(at..).unwrap_or_default() {
            [start, end, ..] => *start as usize..*end as usize,
            _ => 0..0,
        }
    }
}

fn upper(hash: u64, shift: u32) -> usize {
    hash.checked_shr(shift).unwrap_or(0) as usize
}

/// A set of hashes, eight bytes each.
#[derive(Debug, Default)]
pub(super) struct HashSet {
    hashes: Vec<u64>,
    buckets: Buckets,
}

impl HashSet {
    pub(super) fn new(mut hashes: Vec<u64>) -> HashSet {
        rayon::slice::ParallelSliceMut::par_sort_unstable(hashes.as_mut_slice());
        hashes.dedup();
        let buckets = Buckets::new(hashes.iter().copied(), hashes.len(), TOGETHER);
        HashSet { hashes, buckets }
    }

    pub(super) fn contains(&self, hash: u64) -> bool {
        self.hashes[self.buckets.range(hash)].contains(&hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_set_contains_what_was_put_in_and_nothing_else(
            put in proptest::collection::vec(any::<u64>(), 0..300), other in any::<u64>(), low in 0u64..4
        ) {
            let put: Vec<u64> = put.into_iter().chain([low]).collect();
            let set = HashSet::new(put.clone());
            prop_assert!(put.iter().all(|hash| set.contains(*hash)));
            prop_assert_eq!(set.contains(other), put.contains(&other));
            prop_assert_eq!(set.contains(low + 1), put.contains(&(low + 1)));
        }
    }

    #[test]
    fn an_empty_set_contains_nothing() {
        assert!(!HashSet::new(Vec::new()).contains(0) && !HashSet::default().contains(u64::MAX));
    }
}
