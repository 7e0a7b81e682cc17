//! Copies short pieces of text quickly.

/// A piece up to this long is copied as a whole block, for which `into` has room for a moment.
pub(crate) const BLOCK: usize = 16;

/// Appends `from[start..end]` to `into`.
///
/// Cells are a dozen bytes, and a copy of a length that is only known at run time costs a call that takes longer than
/// the copying. So a whole block is copied where there is one, and what is too much of it is dropped again.
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

/// Appends all of `from`, the usual lengths without a call.
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

/// Copies between pieces of the same length, the usual lengths without a call: two blocks that may overlap.
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
