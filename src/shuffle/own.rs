//! The share of a thread: every one goes over all rows and takes its own, so that none has to wait for another.

/// The rows of which `is_own` is true, by what is known of each; `own` is memory for them.
#[inline]
pub(super) fn own_rows<'o, T: Copy>(own: &'o mut Vec<u32>, rows: &[T], is_own: impl Fn(T) -> bool) -> &'o [u32] {
    own.resize(rows.len(), 0);
    let mut count = 0;
    // Without a decision for each: which thread's the next one is, nobody can guess.
    for (row, &known) in (0..).zip(rows) {
        own[count] = row;
        count += usize::from(is_own(known));
    }
    &own[..count]
}
