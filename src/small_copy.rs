//! Copies of a dozen bytes, as long as most cells are: a copy of a length that is only known at run time is a call, which
//! takes longer than the copying. So the usual lengths are copied in blocks of a known length.
//!
//! Without them, and with a plain look-up in `key_index`, a check of a million visits takes a sixth more processor time.

/// A piece up to this long is copied as a whole block.
const BLOCK: usize = 16;

/// Appends `from[start..end]` to `into`. A whole block is copied where there is one, and what is too much of it is dropped
/// again.
///
/// # Panics
/// If the range is not one of `from`.
#[inline]
pub(crate) fn append(into: &mut Vec<u8>, from: &[u8], start: usize, end: usize) {
    let length = end - start;
    match from[start..].first_chunk::<BLOCK>() {
        Some(block) if length <= BLOCK => {
            let before = into.len();
            into.extend_from_slice(block);
            into.truncate(before + length);
        }
        _ => into.extend_from_slice(&from[start..end]),
    }
}

/// Appends all of `from`: of the usual lengths as two blocks that may overlap.
#[inline]
pub(crate) fn append_all(into: &mut Vec<u8>, from: &[u8]) {
    #[inline]
    fn ends<const N: usize>(into: &mut Vec<u8>, from: &[u8]) {
        if let (Some(first), Some(last)) = (from.first_chunk::<N>(), from.last_chunk::<N>()) {
            let end = into.len() + from.len();
            into.extend_from_slice(first);
            into.truncate(end - N);
            into.extend_from_slice(last);
        }
    }
    match from.len() {
        1 => into.push(from[0]),
        2..=3 => ends::<2>(into, from),
        4..=7 => ends::<4>(into, from),
        8..=16 => ends::<8>(into, from),
        17..=32 => ends::<16>(into, from),
        _ => into.extend_from_slice(from),
    }
}

/// Copies between slices of the same length: of the usual lengths as two blocks that may overlap.
///
/// # Panics
/// If their lengths differ.
#[inline]
pub(crate) fn copy(into: &mut [u8], from: &[u8]) {
    #[inline]
    fn ends<const N: usize>(into: &mut [u8], from: &[u8]) {
        if let (Some(first), Some(last)) = (from.first_chunk::<N>(), from.last_chunk::<N>()) {
            into[..N].copy_from_slice(first);
            let last_at = into.len() - N;
            into[last_at..].copy_from_slice(last);
        }
    }
    match from.len() {
        8..=16 => ends::<8>(into, from),
        17..=32 => ends::<16>(into, from),
        _ => into.copy_from_slice(from),
    }
}

#[cfg(test)]
mod tests {
    use super::{append, append_all, copy};

    #[test]
    fn every_length_is_copied_over() {
        let text: Vec<u8> = (0..64).collect();
        for length in 0..=text.len() {
            let mut into = vec![255; length];
            copy(&mut into, &text[..length]);
            assert_eq!(into, text[..length]);
            append_all(&mut into, &text[..length]);
            assert_eq!(into, [&text[..length], &text[..length]].concat());
        }
    }

    #[test]
    fn every_length_is_copied_from_every_place() {
        let text: Vec<u8> = (0..64).collect();
        for start in 0..=text.len() {
            for end in start..=text.len() {
                let mut copy = vec![255];
                append(&mut copy, &text, start, end);
                assert_eq!(copy[1..], text[start..end]);
            }
        }
    }
}
