//! The encoding of a text file, guessed from its first bytes: UTF-8 and UTF-16 show themselves; among the encodings of one
//! byte a letter, the one in which most of what is beyond ASCII are letters of its languages.

use encoding_rs::{
    Encoding, MACINTOSH, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1254,
};

/// The encodings of one byte a letter, with the letters of their languages, the likeliest first.
const SINGLE: [(&Encoding, &str); 5] = [
    (WINDOWS_1252, WESTERN),
    (WINDOWS_1250, "ąćęłńóśźżĄĆĘŁŃÓŚŹŻčďěňřšťůúýžáéíČĎŘŠŤŽáäôöüőűÖÜŐŰß"),
    (WINDOWS_1254, "çğıöşüÇĞİÖŞÜâîû"),
    (MACINTOSH, WESTERN),
    (WINDOWS_1251, CYRILLIC),
];
const WESTERN: &str = "àâäáãåæçéèêëíìîïñóòôöõøúùûüßœÀÂÄÁÃÅÆÇÉÈÊËÍÌÎÏÑÓÒÔÖÕØÚÙÛÜŒ";
/// What word processors put in place of plain quotes, dashes and dots.
const TYPOGRAPHIC: &str = "’‘“”–—€…•";
const CYRILLIC: &str = "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁІЇЄ";

/// The encoding that the job file has to name. With a byte order mark it need not: the reader follows the mark.
///
/// `hint` is that of the other export, which decides where this one leaves it open.
pub(super) fn encoding(head: &[u8], whole: bool, hint: Option<&'static Encoding>) -> &'static Encoding {
    if let [0xef, 0xbb, 0xbf, ..] | [0xff, 0xfe, ..] | [0xfe, 0xff, ..] = head {
        return UTF_8;
    }
    // Half of the bytes of a Latin text in UTF-16 are zero.
    let sample = &head[..head.len().min(4096)];
    let zeros = |odd: usize| sample.iter().skip(odd).step_by(2).filter(|b| **b == 0).count() * 3 > sample.len() / 2;
    match (zeros(0), zeros(1)) {
        (true, false) => return UTF_16BE,
        (false, true) => return UTF_16LE,
        _ => {}
    }
    match std::str::from_utf8(head) {
        Ok(_) => UTF_8,
        // A letter may be cut off where the head ends.
        Err(error) if !whole && error.error_len().is_none() => UTF_8,
        // A few broken cells among sound letters do not make it another encoding.
        Err(_) => {
            let (mut sound, mut broken) = (0, 0);
            for chunk in head.utf8_chunks() {
                sound += chunk.valid().chars().filter(|letter| !letter.is_ascii()).count();
                broken += usize::from(!chunk.invalid().is_empty());
            }
            if sound > broken { UTF_8 } else { single(head, hint) }
        }
    }
}

/// The encoding of one byte a letter in which most is a letter of its languages.
fn single(head: &[u8], hint: Option<&'static Encoding>) -> &'static Encoding {
    const BYTES: usize = 256 << 10;
    let head = &head[..head.len().min(BYTES)];
    let letters = |(encoding, letters): &(&'static Encoding, &str)| {
        let (text, _) = encoding.decode_without_bom_handling(head);
        let (mut before, mut run, mut count) = (' ', 0, 0usize);
        for letter in text.chars() {
            run = if letter.is_ascii() { 0 } else { run + 1 };
            // Latin words have ASCII letters too, Cyrillic ones have none. A capital behind a small letter is hardly one.
            let is_odd = match *encoding == WINDOWS_1251 {
                true => before.is_ascii_alphabetic(),
                false => run > 2 || letter.is_uppercase() && before.is_lowercase(),
            };
            // Quotes, dashes and the euro are letters in other encodings.
            let is_right = letters.contains(letter) || *encoding == WINDOWS_1252 && TYPOGRAPHIC.contains(letter);
            count += usize::from(!letter.is_ascii() && !is_odd && is_right);
            before = letter;
        }
        count
    };
    let best = SINGLE.iter().rev().max_by_key(|encoding| (letters(encoding), Some(encoding.0) == hint));
    best.map_or(WINDOWS_1252, |(encoding, _)| encoding)
}

/// A word of UTF-8 text that was read as windows-1252 and saved as UTF-8 once more: `CafÃ©`.
pub(super) fn mangled_word(text: &str) -> Option<&str> {
    let is_mangled = |word: &&str| {
        let letters: Vec<char> = word.chars().collect();
        letters.windows(2).any(|pair| matches!(pair, ['Ã' | 'Å' | 'Ä', '\u{80}'..='\u{bf}' | 'Ÿ' | '„' | '‚' | '…']))
    };
    text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '"')).find(is_mangled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_tell_the_encoding() {
        for (text, encoding) in [
            ("Müller; Köln Süd; Größe", WINDOWS_1252),
            ("Łódź Główna; Kraków", WINDOWS_1250),
            ("Mağaza; İşçi; Başlangıç", WINDOWS_1254),
            ("Магазин; Москва", WINDOWS_1251),
            ("Men’s care – “Promo” 5 €…", WINDOWS_1252),
            ("L’été; Getränke", WINDOWS_1252),
        ] {
            let (bytes, _, _) = encoding.encode(text);
            assert_eq!(super::encoding(&bytes, true, None), encoding, "{text}");
        }
        assert_eq!(mangled_word("V1,CafÃ© Nord"), Some("CafÃ©"));
        assert_eq!(mangled_word("V1,Café,São Paulo,ÃO"), None);
    }
}
