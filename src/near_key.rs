//! Keys that are nearly the same: most likely one key, which two systems have written differently.
//!
//! Two keys are near where they differ and their folds are equal. A fold is made for comparing alone: no id is made from it,
//! and it is never shown. It knows text, and not what has a key.

use crate::unseen::{Unseen, has_no_shape};
use icu_normalizer::ComposingNormalizerBorrowed;
use std::borrow::Cow;
use std::fmt::Write as _;

/// What near keys may differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    /// White space at the ends, and runs of it.
    Blanks,
    /// Characters without a shape.
    Invisible,
    /// Characters that Unicode takes for the same in its form NFKC.
    UnicodeForm,
    /// Upper and lower case.
    Case,
    /// Zeros in front.
    Zeros,
    /// A point with zeros behind it.
    Fraction,
    /// Braces and hyphens of a UUID.
    Uuid,
    /// A Salesforce id has 15 characters, or 18 where upper and lower case may get lost.
    Salesforce,
}

impl Difference {
    const ALL: [Difference; 8] = [
        Difference::Blanks,
        Difference::Invisible,
        Difference::UnicodeForm,
        Difference::Case,
        Difference::Zeros,
        Difference::Fraction,
        Difference::Uuid,
        Difference::Salesforce,
    ];

    /// What two keys differ in that are alike after each single step but one.
    fn without_own_step(a: &str, b: &str) -> Difference {
        let blanks = |key| str::chars(key).filter(|c| c.is_whitespace());
        match blanks(a).eq(blanks(b)) {
            // Of an id with 18 characters, the last three say what is upper case.
            true => Difference::Case,
            // One blank for another, which the Unicode form makes the same as well.
            false => Difference::Blanks,
        }
    }

    /// A word or two for people, of two keys that differ in this.
    fn words(self, a: &str, b: &str) -> &'static str {
        match self {
            Difference::Blanks => {
                let no_break = |key: &str| key.chars().filter(|c| Unseen::of(*c) == Some(Unseen::NoBreakSpace)).count();
                if no_break(a) == no_break(b) { "blanks" } else { Unseen::NoBreakSpace.name() }
            }
            Difference::Invisible => {
                let mut names =
                    a.chars().chain(b.chars()).filter(|c| has_no_shape(*c)).filter_map(Unseen::of).map(Unseen::name);
                let first = names.next().unwrap_or("an invisible character");
                if names.all(|name| name == first) { first } else { "invisible characters" }
            }
            Difference::UnicodeForm => "the Unicode form",
            Difference::Case => "upper and lower case",
            Difference::Zeros => "zeros in front",
            Difference::Fraction => "a fraction of zeros",
            Difference::Uuid => "braces or hyphens of a UUID",
            Difference::Salesforce => "15 and 18 characters of a Salesforce id",
        }
    }
}

/// How the keys of an export are folded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Folding {
    /// What stands between the parts of a composite key, each of which is folded by itself.
    separator: Option<String>,
}

impl Folding {
    /// `separator`: what stands between the parts of a composite key.
    pub(crate) fn new(separator: Option<&str>) -> Folding {
        // Blanks around it belong to the parts, whose ends are trimmed.
        let cleaned = separator.map(|separator| match clean(separator, None).trim() {
            "" if separator.is_empty() => String::new(),
            "" => " ".to_owned(),
            trimmed => trimmed.to_owned(),
        });
        Folding { separator: cleaned.filter(|separator| !separator.is_empty()) }
    }

    /// The fold of a key.
    pub(crate) fn fold(&self, key: &str) -> String {
        let mut fold = String::new();
        self.write(key, None, &mut fold);
        fold
    }

    /// The fold of a key without an allocation: the key itself, or what was written over `scratch`.
    #[inline]
    pub(crate) fn folded<'a>(&self, key: &'a str, scratch: &'a mut String) -> &'a str {
        if self.separator.is_none() && is_its_own_fold(key.as_bytes()) {
            return key;
        }
        self.write(key, None, scratch);
        scratch
    }

    /// Whether two keys are nearly the same.
    pub(crate) fn are_near(&self, a: &str, b: &str) -> bool {
        a != b && self.fold(a) == self.fold(b)
    }

    /// Whether two near keys are not near where upper and lower case tell keys apart.
    pub(crate) fn need_case(&self, a: &str, b: &str) -> bool {
        self.differ_without(Difference::Case, a, b)
    }

    /// What two near keys differ in, for people.
    pub(crate) fn differences(&self, a: &str, b: &str) -> String {
        let found = Difference::ALL.into_iter().filter(|&difference| self.differ_without(difference, a, b));
        let mut words = String::new();
        for difference in found {
            let between = if words.is_empty() { "" } else { ", " };
            // Writing to memory does not fail.
            let _ = write!(words, "{between}{}", difference.words(a, b));
        }
        if words.is_empty() { Difference::without_own_step(a, b).words(a, b).to_owned() } else { words }
    }

    fn differ_without(&self, difference: Difference, a: &str, b: &str) -> bool {
        let fold = |key| {
            let mut fold = String::new();
            self.write(key, Some(difference), &mut fold);
            fold
        };
        fold(a) != fold(b)
    }

    /// Writes a key's fold over `fold`. `kept`: what is to be told apart all the same.
    fn write(&self, key: &str, kept: Option<Difference>, fold: &mut String) {
        /// One step of Unicode may make another one necessary.
        const ROUNDS: usize = 4;
        self.write_once(key, kept, fold);
        if key.is_ascii() {
            return;
        }
        for _ in 0..ROUNDS {
            let before = std::mem::take(fold);
            self.write_once(&before, kept, fold);
            if *fold == before {
                return;
            }
        }
    }

    fn write_once(&self, key: &str, kept: Option<Difference>, fold: &mut String) {
        fold.clear();
        let key = clean(key, kept);
        let Some(separator) = &self.separator else { return push_part(&key, kept, fold) };
        for (at, part) in key.split(separator.as_str()).enumerate() {
            if at > 0 {
                fold.push_str(separator);
            }
            push_part(part, kept, fold);
        }
    }
}

/// Two keys that are the same but for upper and lower case have the same.
pub(crate) fn without_case(key: &str) -> Cow<'_, str> {
    match key.is_ascii() {
        true if !key.bytes().any(|byte| byte.is_ascii_uppercase()) => Cow::Borrowed(key),
        true => Cow::Owned(key.to_ascii_lowercase()),
        // By way of upper case, ß is ss, and there is one sigma.
        false => Cow::Owned(key.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()),
    }
}

/// Whether a glance tells that a key is its own fold, as most keys are that are no parts.
#[inline]
fn is_its_own_fold(key: &[u8]) -> bool {
    let (mut is_odd, mut has_point) = (false, false);
    for &byte in key {
        is_odd |= byte <= b' ' || byte >= 0x7f || byte.is_ascii_uppercase();
        has_point |= byte == b'.';
    }
    !is_odd && !has_point && !matches!(key.first(), Some(b'0' | b'{')) && !matches!(key.len(), 15 | 18 | 32)
}

/// The key without invisible characters, in the form NFKC.
fn clean(key: &str, kept: Option<Difference>) -> Cow<'_, str> {
    if key.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(key);
    }
    let key = match kept {
        Some(Difference::Invisible) => Cow::Borrowed(key),
        _ if !key.contains(has_no_shape) => Cow::Borrowed(key),
        _ => Cow::Owned(key.replace(has_no_shape, "")),
    };
    match kept {
        Some(Difference::UnicodeForm) => key,
        _ if key.is_ascii() => key,
        _ => Cow::Owned(nfkc(&key)),
    }
}

fn nfkc(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfkc().normalize(text).into_owned()
}

/// Folds a part of a cleaned key, and appends it.
fn push_part(part: &str, kept: Option<Difference>, fold: &mut String) {
    let is_folded = |difference| kept != Some(difference);
    let start = fold.len();
    if is_folded(Difference::Blanks) && part.contains(char::is_whitespace) {
        for word in part.split_whitespace() {
            if fold.len() > start {
                fold.push(' ');
            }
            fold.push_str(word);
        }
    } else {
        fold.push_str(part);
    }
    if is_folded(Difference::Salesforce) && becomes_salesforce_id(fold, start) {
        return;
    }
    let uuid = if is_folded(Difference::Uuid) { uuid(&fold.as_bytes()[start..]) } else { None };
    if let Some(uuid) = uuid {
        fold.truncate(start);
        fold.extend(uuid.map(char::from));
    } else {
        if is_folded(Difference::Zeros) {
            fold.drain(start..start + zeros_in_front(&fold[start..]));
        }
        if is_folded(Difference::Fraction) {
            fold.truncate(start + length_without_fraction(&fold[start..]));
        }
        if is_folded(Difference::Salesforce) && becomes_salesforce_id(fold, start) {
            return;
        }
    }
    if is_folded(Difference::Case) {
        if fold[start..].is_ascii() {
            fold[start..].make_ascii_lowercase();
        } else {
            let folded = without_case(&fold[start..]);
            let folded = if is_folded(Difference::UnicodeForm) { nfkc(&folded) } else { folded.into_owned() };
            fold.replace_range(start.., &folded);
        }
    }
}

/// How many zeros stand in front of other digits or letters.
fn zeros_in_front(text: &str) -> usize {
    let zeros = text.len() - text.trim_start_matches('0').len();
    match text[zeros..].chars().next() {
        Some(next) if next.is_alphanumeric() => zeros,
        // One of them is the number itself, or stands before a point.
        _ => zeros.saturating_sub(1),
    }
}

/// The length of `1001` in `1001.00`, of any other text its own.
fn length_without_fraction(text: &str) -> usize {
    match text.rsplit_once('.') {
        Some((whole, zeros))
            if !whole.is_empty()
                && !zeros.is_empty()
                && whole.bytes().all(|byte| byte.is_ascii_digit())
                && zeros.bytes().all(|byte| byte == b'0') =>
        {
            whole.len()
        }
        _ => text.len(),
    }
}

/// A UUID with its hyphens and without braces.
fn uuid(text: &[u8]) -> Option<[u8; 36]> {
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    let text = match text {
        [b'{', inside @ .., b'}'] => inside,
        text => text,
    };
    if text.len() == 36 && HYPHENS.iter().any(|&at| text[at] != b'-') || !matches!(text.len(), 32 | 36) {
        return None;
    }
    let mut digits = text.iter().copied();
    let mut uuid = [b'-'; 36];
    for (at, into) in uuid.iter_mut().enumerate() {
        if HYPHENS.contains(&at) {
            if text.len() == 36 {
                digits.next();
            }
            continue;
        }
        *into = digits.next().filter(u8::is_ascii_hexdigit)?;
    }
    Some(uuid)
}

/// The last three characters of a Salesforce id of 18 say which letters of each five are upper case.
const SUFFIX: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// Puts the one form of a Salesforce id in place of what stands from `start` on, where that is one. Whether that is its fold,
/// in which no case matters any more: its 18 characters, of an id in which case tells ids apart. Any other is folded on as the
/// 15 characters that it stands for.
///
/// Any key of 15 letters and digits could be an id. One in a single case, such as VISIT2024030500, is folded as other keys
/// are: ids that differ in nothing but the case of all letters are a slip as well.
fn becomes_salesforce_id(fold: &mut String, start: usize) -> bool {
    let text = &fold.as_bytes()[start..];
    let Some(id) = salesforce_id(text) else { return false };
    let is_mixed = id.iter().any(u8::is_ascii_uppercase) && id.iter().any(u8::is_ascii_lowercase);
    // What kind of object an id is of stands in front, and has a digit: 001, a0B. A word like Visit2024030500 has none there.
    let is_told_by_case = is_mixed && id[..3].iter().any(u8::is_ascii_digit);
    if !is_told_by_case && text.len() == 15 {
        return false;
    }
    fold.truncate(start);
    fold.extend(id.map(char::from));
    if is_told_by_case {
        fold[start..].make_ascii_lowercase();
        fold.extend(id.chunks(5).map(|five| char::from(SUFFIX[upper_letters(five)])));
    }
    is_told_by_case
}

/// The 15 characters of what may be a Salesforce id. Those of one of 18 get the case that its last three say, whatever became
/// of it on the way; where these cannot be right, it is none.
fn salesforce_id(text: &[u8]) -> Option<[u8; 15]> {
    if !text.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let (id, suffix) = text.split_first_chunk::<15>().filter(|(_, suffix)| matches!(suffix.len(), 0 | 3))?;
    let mut id = *id;
    for (five, says) in id.chunks_mut(5).zip(suffix) {
        let upper = SUFFIX.iter().position(|of| of.eq_ignore_ascii_case(says))?;
        five.make_ascii_lowercase();
        for (_, letter) in five.iter_mut().enumerate().filter(|(at, _)| upper >> at & 1 == 1) {
            letter.make_ascii_uppercase();
        }
        // Digits have no case.
        if upper_letters(five) != upper {
            return None;
        }
    }
    Some(id)
}

/// A bit for each upper-case letter, the lowest for the first.
fn upper_letters(five: &[u8]) -> usize {
    five.iter().rev().fold(0, |bits, byte| bits << 1 | usize::from(byte.is_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain() -> Folding {
        Folding::new(None)
    }

    fn composite() -> Folding {
        Folding::new(Some("-"))
    }

    #[test]
    fn near_keys_are_near_and_what_they_differ_in_is_told() {
        let near = [
            ("V003", "v003", "upper and lower case"),
            ("V003", "V003\u{a0}", "a no-break space"),
            ("V 3", "V\u{a0}3", "a no-break space"),
            ("V 3", "V\u{2003}3", "blanks"),
            ("Visit 3", " Visit  3\t", "blanks"),
            ("V003", "V\u{200b}003", "a zero-width space"),
            ("V003", "\u{feff}V003", "a byte order mark"),
            ("V003", "V0\u{2}03", "a control character"),
            ("V003", "V0\u{ad}03", "a soft hyphen"),
            ("V003", "\u{200e}V003\u{200f}", "a text-direction mark"),
            ("V\u{200e}003", "V003\u{200b}", "invisible characters"),
            ("V003", "Ｖ００３", "the Unicode form"),
            ("Caf\u{e9} 1", "Cafe\u{301} 1", "the Unicode form"),
            ("Straße 1", "STRASSE 1", "upper and lower case"),
            ("Σίσυφος", "ΣΊΣΥΦΟΣ", "upper and lower case"),
            ("0010004", "10004", "zeros in front"),
            ("007", "07", "zeros in front"),
            ("0", "000", "zeros in front"),
            ("00A12", "a12", "upper and lower case, zeros in front"),
            ("1001", "1001.0", "a fraction of zeros"),
            ("1001.00", "1001.0", "a fraction of zeros"),
            ("0.0", "0", "a fraction of zeros"),
            ("001001", "1001.0", "zeros in front, a fraction of zeros"),
            (
                "550e8400-e29b-41d4-a716-446655440000",
                "{550E8400-E29B-41D4-A716-446655440000}",
                "upper and lower case, braces or hyphens of a UUID",
            ),
            ("550e8400-e29b-41d4-a716-446655440000", "550e8400e29b41d4a716446655440000", "braces or hyphens of a UUID"),
            ("001A0000006Vm9r", "001A0000006Vm9rIAC", "15 and 18 characters of a Salesforce id"),
            ("001A0000006Vm9rIAC", "001a0000006vm9riac", "upper and lower case"),
            ("001A0000006Vm9r", "001A0000006VM9RIAC ", "blanks, 15 and 18 characters of a Salesforce id"),
            ("0015000000XyZab", "0015000000XyZabAAF", "15 and 18 characters of a Salesforce id"),
            ("a0x500000000001", "a0x500000000001AAA", "15 and 18 characters of a Salesforce id"),
            ("00A123456789012", "00A123456789012EAA", "15 and 18 characters of a Salesforce id"),
            // As long as an id of Salesforce, and most likely none.
            ("VISIT2024030500", "visit2024030500", "upper and lower case"),
            ("Visit2024030500", "visit2024030500", "upper and lower case"),
            ("00A123456789012", "A123456789012", "zeros in front"),
            ("VISIT2024030500123", "visit2024030500123", "upper and lower case"),
        ];
        for (a, b, words) in near {
            assert!(plain().are_near(a, b) && plain().are_near(b, a), "{a:?} and {b:?}");
            assert_eq!(plain().differences(a, b), words, "{a:?} and {b:?}");
        }
    }

    #[test]
    fn the_nearest_harmless_keys_are_not_near() {
        let far = [
            ("V003", "V003"),
            ("A1", "A10"),
            ("V-1", "V-01"),
            ("V1", "V01"),
            ("V 1", "V1"),
            ("V_1", "V-1"),
            ("1001", "1001.5"),
            ("1.10", "1.1"),
            ("V1.0", "V1"),
            ("1001.0a", "1001"),
            ("10", "1"),
            ("e", "\u{e9}"),
            ("", "0"),
            ("{V003}", "V003"),
            ("550e8400-e29b41d4a716446655440000", "550e8400-e29b-41d4-a716-446655440000"),
            // Upper and lower case tell ids of 15 characters apart.
            ("001A0000006Vm9r", "001A0000006VM9r"),
            ("001A0000006VM9r", "001A0000006Vm9rIAC"),
            ("001A0000006Vm9r", "001A0000006Vm9s"),
            ("001A0000006Vm9rIAC", "001A0000006Vm9rIAD"),
            ("001A0000006Vm9r", "001a0000006vm9r"),
            ("VISIT2024030500", "VISIT2024030501"),
            ("VISIT2024030500", "VISIT2024030500123"),
        ];
        for (a, b) in far {
            assert!(!plain().are_near(a, b) && !plain().are_near(b, a), "{a:?} and {b:?}");
        }
    }

    #[test]
    fn each_part_of_a_composite_key_is_folded_by_itself() {
        for (a, b) in [
            ("V-1", "V-01"),
            ("1001-2024-03-05", "01001-2024-3-5"),
            ("1001.0-7", "1001-7"),
            ("S1 - 7", "S1-7"),
            ("001A0000006Vm9r-7", "001A0000006Vm9rIAC-7"),
            ("S1－7", "s1-7"),
        ] {
            assert!(composite().are_near(a, b), "{a:?} and {b:?}");
        }
        for (a, b) in [("V-1", "V-10"), ("1-2", "12"), ("1-23", "12-3"), ("a-", "a")] {
            assert!(!composite().are_near(a, b), "{a:?} and {b:?}");
        }
        assert!(Folding::new(Some(" | ")).are_near("S1 | 07", "S1|7"));
        assert!(Folding::new(Some("")).are_near("S1", "s1"));
        assert!(!Folding::new(Some("")).are_near("S1", "S01"));
    }

    #[test]
    fn where_case_tells_keys_apart_the_other_differences_are_near_still() {
        for (a, b, needed) in [
            ("V003", "v003", true),
            ("V003", "V003 ", false),
            ("V003", "v003 ", true),
            ("007", "7", false),
            ("001A0000006Vm9rIAC", "001A0000006Vm9r", false),
        ] {
            assert_eq!(plain().need_case(a, b), needed, "{a:?} and {b:?}");
        }
    }

    /// Keys of few characters, so that many of them are near.
    fn keys() -> impl Strategy<Value = String> {
        prop_oneof![
            "[aA01.\\- {}\u{a0}\u{200b}\u{1}éE\u{301}ßſıΣς１]{0,8}",
            "0{0,2}[01]{1,3}(\\.0{1,2})?",
            "[aAbB0]{14,19}",
            "0{0,2}[aA0]{3}0{10}[aA0]{2}([AEaI][AI]A)?",
            "\\{?[0aA]{8}-?[0aA]{4}-?[0aA]{4}-?[0aA]{4}-?[0aA]{12}\\}?",
            any::<String>(),
        ]
    }

    proptest! {
        #[test]
        fn a_fold_is_its_own_fold(key in keys()) {
            let fold = plain().fold(&key);
            prop_assert_eq!(plain().fold(&fold), fold);
        }

        #[test]
        fn near_is_symmetric_and_no_key_is_near_itself(a in keys(), b in keys()) {
            prop_assert_eq!(plain().are_near(&a, &b), plain().are_near(&b, &a));
            prop_assert!(!plain().are_near(&a, &a));
        }

        #[test]
        fn a_glance_says_the_same_as_the_fold(key in keys()) {
            let mut scratch = String::new();
            prop_assert_eq!(plain().folded(&key, &mut scratch), plain().fold(&key));
        }

        #[test]
        fn what_is_added_to_a_key_is_folded_away(key in "[a-z][a-z0-9]{1,9}", at in 0..3usize, of in 0..6usize) {
            let added = ["\u{a0}", "\u{200b}", "\u{feff}", "\u{ad}", "\u{7f}", "\u{202e}"][of];
            let mut other = key.clone();
            other.insert_str([0, 0, key.len()][at], added);
            prop_assert!(plain().are_near(&key, &other));
            prop_assert!(plain().are_near(&key, &key.to_uppercase()));
            let longer = format!("{key}0");
            prop_assert!(!plain().are_near(&key, &longer));
        }
    }
}
