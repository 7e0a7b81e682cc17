//! What stands behind the text of a file and is no part of it: zeros, and Ctrl-Z before them.

/// What old systems write behind the end of a text: Ctrl-Z.
pub(super) const END_MARK: u8 = 0x1a;

/// How many zeros, and how many Ctrl-Z before them, a text ends with.
pub(super) fn zeros_and_end_marks(text: &[u8]) -> (usize, usize) {
    let zeros = text.iter().rev().take_while(|byte| **byte == 0).count();
    let text = &text[..text.len() - zeros];
    (zeros, text.iter().rev().take_while(|byte| **byte == END_MARK).count())
}
