//! Signs that a text is in another encoding than the single-byte one that it is decoded from. Such a decoder takes any
//! bytes, so nothing else would show it.

use memchr::memchr2;
use std::sync::{Arc, Mutex, PoisonError};

/// So many lines are kept, the rest is counted.
const LINES: usize = 5;

/// Lines on which something was seen, from 1: the first ones, and how many there are.
#[derive(Clone, Debug, Default)]
pub(super) struct SeenLines {
    pub(super) count: u64,
    pub(super) first: Vec<u64>,
    last: u64,
}

impl SeenLines {
    fn add(&mut self, line: u64) {
        if self.last != line {
            self.last = line;
            self.count += 1;
            if self.first.len() < LINES {
                self.first.push(line);
            }
        }
    }
}

/// What has been seen of one file so far.
#[derive(Clone, Debug, Default)]
pub(super) struct EncodingSigns {
    /// Lines that have ended.
    ended: u64,
    /// Whether the last byte was `\r`, which ends a line unless `\n` follows.
    was_return: bool,
    /// Lines with a control character from U+0080 to U+009F, which no text has.
    pub(super) controls: SeenLines,
    beyond_ascii: SeenLines,
    /// The bytes of a UTF-8 character that is not complete yet.
    rest: Vec<u8>,
    is_no_utf8: bool,
}

/// Signs that the decoder of a file writes and its reader reads.
#[derive(Clone, Debug, Default)]
pub(in crate::scan) struct SharedSigns(Arc<Mutex<EncodingSigns>>);

impl SharedSigns {
    /// Looks at a piece of a file before and after it was decoded.
    pub(super) fn look(&self, raw: &[u8], text: &[u8]) {
        let mut signs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        signs.look_at_bytes(raw);
        signs.look_at_text(text);
    }

    /// What was seen.
    pub(super) fn take(&self) -> EncodingSigns {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl EncodingSigns {
    /// Lines with bytes beyond ASCII, if all of these bytes are UTF-8.
    pub(super) fn utf8(&self) -> Option<&SeenLines> {
        let is_utf8 = !self.is_no_utf8 && self.rest.is_empty() && self.beyond_ascii.count > 0;
        is_utf8.then_some(&self.beyond_ascii)
    }

    fn look_at_bytes(&mut self, raw: &[u8]) {
        if self.is_no_utf8 || self.rest.is_empty() && raw.is_ascii() {
            return;
        }
        self.rest.extend_from_slice(raw);
        match std::str::from_utf8(&self.rest) {
            Ok(_) => self.rest.clear(),
            Err(error) if error.error_len().is_none() => {
                self.rest.drain(..error.valid_up_to());
            }
            Err(_) => {
                self.is_no_utf8 = true;
                self.rest = Vec::new();
            }
        }
    }

    fn look_at_text(&mut self, text: &[u8]) {
        let is_ascii = text.is_ascii();
        let mut rest = text;
        while let Some(first) = rest.first() {
            if std::mem::take(&mut self.was_return) && *first != b'\n' {
                self.ended += 1;
            }
            let end = memchr2(b'\n', b'\r', rest);
            let (line, behind) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
            rest = behind;
            if !is_ascii && !line.is_ascii() {
                self.beyond_ascii.add(self.ended + 1);
                if line.windows(2).any(|two| two[0] == 0xc2 && (0x80..=0x9f).contains(&two[1])) {
                    self.controls.add(self.ended + 1);
                }
            }
            match line.last() {
                Some(b'\n') => self.ended += 1,
                last => self.was_return = last == Some(&b'\r'),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(raw: &[u8], text: &str) -> (Vec<u64>, Option<Vec<u64>>) {
        let mut signs = EncodingSigns::default();
        raw.iter().for_each(|byte| signs.look_at_bytes(&[*byte]));
        text.chars().for_each(|letter| signs.look_at_text(letter.to_string().as_bytes()));
        (signs.controls.first.clone(), signs.utf8().map(|seen| seen.first.clone()))
    }

    #[test]
    fn utf8_and_control_characters_are_seen_with_their_lines() {
        assert_eq!(seen(b"a\r\nCaf\xc3\xa9\rb", "a\r\nCafÃ©\rb"), (vec![], Some(vec![2])));
        assert_eq!(seen(b"a\nCaf\xe9\n\x81\r\r\x90", "a\nCafé\n\u{81}\r\r\u{90}"), (vec![3, 5], None));
        assert_eq!(seen(b"Caf\xe9, \x93x\x94", "Café, “x”"), (vec![], None));
        assert_eq!(seen(b"\xc3", "Ã"), (vec![], None), "half a letter is no UTF-8");
        assert_eq!(seen(b"plain\n", "plain\n"), (vec![], None));
    }
}
