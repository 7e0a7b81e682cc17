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

#[cfg(test)]
mod tests {
    use super::append;

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
