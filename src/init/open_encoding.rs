//! Whether the bytes of a text leave its encoding open, and how one of its values reads in each that may be meant.
//!
//! Encodings of one byte a letter read any text. Where the letters that come out are those of words in one of them alone,
//! it is clear; where nothing decides, a person has to see which of the words is one.

use encoding_rs::{
    BIG5, EUC_KR, Encoding, GBK, IBM866, KOI8_R, MACINTOSH, SHIFT_JIS, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252,
    WINDOWS_1253, WINDOWS_1254, WINDOWS_1255, WINDOWS_1256,
};

/// The encodings that are offered, the likeliest first.
const ALL: [&Encoding; 14] = [
    WINDOWS_1252,
    SHIFT_JIS,
    EUC_KR,
    GBK,
    WINDOWS_1251,
    WINDOWS_1253,
    WINDOWS_1255,
    WINDOWS_1256,
    WINDOWS_1250,
    WINDOWS_1254,
    KOI8_R,
    BIG5,
    IBM866,
    MACINTOSH,
];
/// Values that are looked at.
const VALUES: usize = 400;
/// Encodings that are offered at most.
const MOST: usize = 4;
/// The share of sound letters that makes an encoding one that may be meant.
const SOUND: f64 = 0.9;

/// An encoding that may be meant, and a value as it reads in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) encoding: &'static Encoding,
    pub(super) value: String,
}

/// The encodings that may be meant, the likeliest first; none where `guess` is clear.
pub(super) fn open(head: &[u8], guess: &'static Encoding, hint: Option<&'static Encoding>) -> Vec<Candidate> {
    if !guess.is_single_byte() {
        return Vec::new();
    }
    let is_end = |b: &u8| matches!(b, b'\n' | b'\r' | b',' | b';' | b'\t' | b'"');
    let mut values: Vec<&[u8]> = head.split(is_end).filter(|value| !value.is_ascii()).take(VALUES).collect();
    values.dedup();
    let share = |encoding: &'static Encoding| sound(&values, encoding);
    // What the other export is in, where it fits, and what reads the same in all that fit, leave nothing to ask.
    let of_guess = share(guess);
    if hint == Some(guess) && of_guess >= SOUND || guess == WINDOWS_1252 && is_western(&values) {
        return Vec::new();
    }
    if guess == WINDOWS_1251 && of_guess >= SOUND && has_vowels(&values) {
        return Vec::new();
    }
    let mut ranked: Vec<(f64, &'static Encoding)> = ALL.iter().map(|encoding| (share(encoding), *encoding)).collect();
    ranked.retain(|(share, encoding)| *share >= SOUND || *encoding == guess);
    ranked.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let text = |encoding: &'static Encoding| -> Vec<String> {
        values.iter().map(|value| encoding.decode_without_bom_handling(value).0.into_owned()).collect()
    };
    let mut found: Vec<(Candidate, Vec<String>)> = Vec::new();
    for (_, encoding) in ranked {
        let text = text(encoding);
        if found.iter().all(|(_, known)| *known != text) {
            let value = shown_value(&values, encoding);
            found.push((Candidate { encoding, value }, text));
        }
    }
    found.truncate(MOST);
    let found: Vec<Candidate> = found.into_iter().map(|(candidate, _)| candidate).collect();
    // One alone is clear, unless it is odd itself.
    if found.len() < 2 && of_guess >= SOUND { Vec::new() } else { with_the_usual(found, &values) }
}

/// With the usual encoding among them: a question has two answers at least.
fn with_the_usual(mut found: Vec<Candidate>, values: &[&[u8]]) -> Vec<Candidate> {
    for encoding in [WINDOWS_1252, WINDOWS_1250] {
        let is_needed = encoding == WINDOWS_1252 || found.len() < 2;
        if is_needed && found.iter().all(|known| known.encoding != encoding) {
            found.truncate(MOST - 1);
            found.push(Candidate { encoding, value: shown_value(values, encoding) });
        }
    }
    found
}

/// The first value as it reads in an encoding. A job file is handed around: no e-mail address belongs in it.
fn shown_value(values: &[&[u8]], encoding: &'static Encoding) -> String {
    let value = values.iter().find(|value| !value.contains(&b'@')).copied().unwrap_or_default();
    encoding.decode_without_bom_handling(value).0.chars().take(30).collect()
}

/// The share of the letters beyond ASCII that stand as in words of the encoding's languages.
fn sound(values: &[&[u8]], encoding: &'static Encoding) -> f64 {
    let (mut good, mut all) = (0usize, 0usize);
    for value in values {
        let (text, has_errors) = encoding.decode_without_bom_handling(value);
        if has_errors {
            return 0.0;
        }
        let letters: Vec<char> = text.chars().collect();
        let (mut before, mut run) = (' ', 0);
        for (at, &letter) in letters.iter().enumerate() {
            run = if letter.is_ascii() { 0 } else { run + 1 };
            if !letter.is_ascii() {
                all += 1;
                let next = letters.get(at + 1).copied().unwrap_or(' ');
                let is_odd = letter.is_uppercase() && before.is_lowercase();
                good += usize::from(!is_odd && is_of(encoding, letter, (before, next), run));
            }
            before = letter;
        }
    }
    if all == 0 { 0.0 } else { good as f64 / all as f64 }
}

fn is_of(encoding: &'static Encoding, letter: char, (before, next): (char, char), run: usize) -> bool {
    let is_latin = |letters: &str| run < 3 && letters.contains(letter);
    // Words of other scripts have no Latin letters in them.
    let is_alone = !before.is_ascii_alphabetic() && !next.is_ascii_alphabetic();
    // Men’s; and no dash or quote within a word, which is a letter of another encoding.
    let is_within = before.is_alphabetic() && next.is_alphabetic() && letter != '’';
    let is_in_front = matches!(letter, '…' | '€' | '•') && next.is_alphabetic();
    match encoding {
        _ if encoding == WINDOWS_1252 || encoding == MACINTOSH => {
            is_latin("àâäáãåæçéèêëíìîïñóòôöõøúùûüßœÿÀÂÄÁÃÅÆÇÉÈÊËÍÌÎÏÑÓÒÔÖÕØÚÙÛÜŒ")
                || is_sign(letter) && encoding == WINDOWS_1252 && !is_within && !is_in_front
        }
        _ if encoding == WINDOWS_1250 => is_latin("ąćęłńóśźżĄĆĘŁŃÓŚŹŻčďěňřšťůúýžáéíČĎŘŠŤŽÚÝÁÉÍľĽäáôöüőűÖÜŐŰßăâîșțşţ"),
        _ if encoding == WINDOWS_1254 => is_latin("çğıöşüÇĞİÖŞÜâîû"),
        _ if encoding == WINDOWS_1253 => matches!(letter, '\u{386}'..='\u{3ce}') && is_alone,
        _ if encoding == WINDOWS_1255 => matches!(letter, '\u{5d0}'..='\u{5ea}') && is_alone,
        _ if encoding == WINDOWS_1256 => matches!(letter, '\u{621}'..='\u{652}' | '\u{67e}' | '\u{686}') && is_alone,
        _ if encoding == EUC_KR => matches!(letter, '\u{ac00}'..='\u{d7a3}') && is_alone,
        _ if encoding == SHIFT_JIS || encoding == GBK || encoding == BIG5 => {
            matches!(letter, '\u{3041}'..='\u{30fe}' | '\u{4e00}'..='\u{9fff}') && is_alone
        }
        _ => matches!(letter, '\u{401}'..='\u{45f}') && is_alone,
    }
}

/// Signs that texts of all languages have.
fn is_sign(letter: char) -> bool {
    "’‘“”„–—€…•°²³½¼«»¿¡§®™©´·ºª£\u{a0}".contains(letter)
}

/// Whether all that is beyond ASCII is what Western words have and other languages have not, or have as well.
fn is_western(values: &[&[u8]]) -> bool {
    if sound(values, WINDOWS_1252) < 1.0 {
        return false;
    }
    let is_french =
        |value: &&[u8]| WINDOWS_1252.decode_without_bom_handling(value).0.contains(['é', 'è', 'à', 'ç', 'ô', 'î']);
    // Without these, ê may be a Polish ę.
    let has_french = values.iter().any(is_french);
    values.iter().all(|value| {
        let (text, other) =
            (WINDOWS_1252.decode_without_bom_handling(value).0, WINDOWS_1250.decode_without_bom_handling(value).0);
        let letters: Vec<char> = text.chars().collect();
        letters.iter().zip(other.chars()).enumerate().all(|(at, (letter, other))| {
            let next = letters.get(at + 1).copied().unwrap_or(' ').to_ascii_lowercase();
            let is_vowel = matches!(next, 'a' | 'e' | 'i' | 'o' | 'u' | 'y');
            match letter {
                _ if *letter == other || is_sign(*letter) => true,
                'à' | 'ã' | 'À' | 'Ã' | 'å' | 'Å' => true,
                'ê' | 'Ê' => has_french && !is_vowel,
                'ù' | 'Ù' | 'û' | 'Û' => !is_vowel,
                // crème, caffè; and pečivo, which would be peèivo.
                'è' | 'È' => !is_vowel && at > 0 && letters[at - 1].is_ascii_alphabetic(),
                'ñ' | 'Ñ' => is_vowel,
                _ => false,
            }
        })
    })
}

/// Whether the Cyrillic words have as many vowels as words have.
fn has_vowels(values: &[&[u8]]) -> bool {
    let (mut vowels, mut all, mut words, mut mute) = (0usize, 0usize, 0usize, 0usize);
    for value in values {
        let text = WINDOWS_1251.decode_without_bom_handling(value).0.to_lowercase();
        for word in text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_ascii()) {
            let of_word = word.chars().filter(|letter| "аеёиоуыэюяіїє".contains(*letter)).count();
            let length = word.chars().count();
            (vowels, all, words) = (vowels + of_word, all + length, words + 1);
            mute += usize::from(length > 2 && of_word == 0);
        }
    }
    all >= 6 && vowels * 3 >= all && vowels * 3 <= 2 * all && mute * 10 <= words
}

#[cfg(test)]
mod tests {
    use super::super::encoding::encoding;
    use super::*;

    fn offered(text: &str, encoded: &'static Encoding) -> Vec<Candidate> {
        let (bytes, _, _) = encoded.encode(text);
        open(&bytes, encoding(&bytes, true, None), None)
    }

    #[test]
    fn what_is_western_or_typographic_is_clear() {
        for text in
            ["Müller;Köln Süd;Größe", "Men’s care;Joe’s Market – 5th;“ok”", "Crème fraîche;À la carte", "Jalapeño;5€"]
        {
            assert_eq!(offered(text, WINDOWS_1252), [], "{text}");
        }
        assert_eq!(offered("Магазин;Москва;Пиво", WINDOWS_1251), []);
    }

    #[test]
    fn what_nothing_decides_is_offered_as_it_would_read() {
        for (text, encoding) in [
            ("Καφές;Μπύρα", WINDOWS_1253),
            ("ビール;飲料", SHIFT_JIS),
            ("啤酒;饮料", GBK),
            ("맥주;음료", EUC_KR),
            ("בירה;משקאות", WINDOWS_1255),
            ("Пиво;Соки", KOI8_R),
            ("Pečivo", WINDOWS_1250),
            ("Wędliny", WINDOWS_1250),
            ("Šunka", WINDOWS_1250),
        ] {
            let offered = offered(text, encoding);
            let first = text.split(';').next().unwrap_or_default();
            let is_right = |candidate: &Candidate| candidate.encoding == encoding && candidate.value == first;
            assert!(offered.len() > 1 && offered.len() <= MOST && offered.iter().any(is_right), "{text}: {offered:?}");
        }
    }
}
