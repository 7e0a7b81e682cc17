//! Finds a secret in a text in every spelling that a server may echo: as it is, percent-encoded, as an entity of HTML, as an
//! escape of JSON, each more than once, in Base64 and in hexadecimal digits, in either case.
//!
//! A spelling is read letter by letter, so that mixed ones are found as well. When in doubt, more is hidden.

use crate::text::base64;

/// So much of the beginning or the end of a secret gives it away, where it is twice as long: servers cut what they echo.
const BEGINNING: usize = 8;
/// Letters of Base64 that are found whatever stands around them.
const FEWEST_OF_BASE64: usize = 6;

/// The text with `hidden` in place of a secret. `at_end`: how many letters of it are hidden where the text ends with them.
pub(super) fn without(text: &str, secret: &str, hidden: &str, at_end: usize) -> String {
    let as_it_is = |_: &[u8], _: &[u8]| (0, 0);
    let mut done = hide(&text.replace(secret, hidden), secret.as_bytes(), hidden, at_end, as_it_is);
    for encoded in encodings(secret) {
        done = hide(&done, encoded.as_bytes(), hidden, at_end.max(FEWEST_OF_BASE64), of_the_same_word);
    }
    if secret.len() >= 2 * BEGINNING {
        // What is left of it has lost its beginning.
        let (before, ending) = secret.as_bytes().split_at(secret.len() - BEGINNING);
        let as_before = |text: &[u8], _: &[u8]| {
            let alike = text.iter().rev().zip(before.iter().rev());
            (alike.take_while(|(one, other)| one.eq_ignore_ascii_case(other)).count(), 0)
        };
        done = hide(&done, ending, hidden, usize::MAX, as_before);
    }
    done
}

/// How much of the same word of Base64 stands before a match and behind it.
fn of_the_same_word(before: &[u8], after: &[u8]) -> (usize, usize) {
    let is_of_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_=%".contains(byte);
    let of_word = |bytes: &mut dyn Iterator<Item = &u8>| bytes.take_while(|byte| is_of_word(byte)).count();
    (of_word(&mut before.iter().rev()), of_word(&mut after.iter()))
}

/// What of a secret's Base64 does not depend on where in a longer text it stands, and its hexadecimal digits.
fn encodings(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let mut found = vec![bytes.iter().map(|byte| format!("{byte:02x}")).collect()];
    for before in 0..3_usize {
        let moved = [&vec![0; before], bytes].concat();
        // The letters that have only bits of the secret.
        let (from, to) = ((before * 8).div_ceil(6), moved.len() * 8 / 6);
        let plain = base64(&moved).get(from..to).unwrap_or_default().to_owned();
        if plain.len() >= FEWEST_OF_BASE64 {
            let in_addresses = plain.replace('+', "-").replace('/', "_");
            if in_addresses != plain {
                found.push(in_addresses);
            }
            found.push(plain);
        }
    }
    found
}

/// `around`: how many bytes before a match and behind it are hidden with it.
fn hide(
    text: &str,
    secret: &[u8],
    hidden: &str,
    at_end: usize,
    around: impl Fn(&[u8], &[u8]) -> (usize, usize),
) -> String {
    let bytes = text.as_bytes();
    let first = [secret[0].to_ascii_lowercase(), secret[0].to_ascii_uppercase(), b'%', b'&', b'\\'];
    let (mut done, mut kept, mut at) = (String::new(), 0, 0);
    while at < bytes.len() {
        let end = if first.contains(&bytes[at]) { matched(bytes, at, secret, at_end) } else { None };
        let Some(end) = end else {
            at += 1;
            continue;
        };
        let (before, behind) = around(&bytes[kept..at], &bytes[end..]);
        let (start, end) = (at - before, end + behind);
        // Every end of a match is that of a whole letter.
        done.push_str(text.get(kept..start).unwrap_or_default());
        done.push_str(hidden);
        (kept, at) = (end, end);
    }
    done.push_str(text.get(kept..).unwrap_or_default());
    done
}

/// Where the secret ends that begins here.
fn matched(text: &[u8], start: usize, secret: &[u8], at_end: usize) -> Option<usize> {
    let mut at = start;
    for (count, letter) in secret.iter().enumerate() {
        match spelled(&text[at..], *letter) {
            Spelled::Here(length) => at += length,
            Spelled::Cut if count >= at_end => return Some(text.len()),
            Spelled::Not | Spelled::Cut => {
                return (count >= BEGINNING && secret.len() >= 2 * BEGINNING).then_some(at);
            }
        }
    }
    Some(at)
}

enum Spelled {
    /// With so many bytes.
    Here(usize),
    Not,
    /// The text ends here, or in the middle of an escape.
    Cut,
}

/// Whether a text begins with this letter, in any spelling.
fn spelled(text: &[u8], letter: u8) -> Spelled {
    let is_it = |code: u32| u8::try_from(code).is_ok_and(|code| code.eq_ignore_ascii_case(&letter));
    // These begin escapes themselves: as such, written once or more often.
    let again =
        |with: &[u8]| text[1..].chunks_exact(with.len()).take_while(|chunk| *chunk == with).count() * with.len();
    match (text.first(), letter) {
        (Some(b'%'), b'%') => return Spelled::Here(1 + again(b"25")),
        (Some(b'&'), b'&') if text[1..].starts_with(b"amp;") => return Spelled::Here(1 + again(b"amp;")),
        _ => {}
    }
    let escape = match text.first() {
        None => return Spelled::Cut,
        Some(b'%') => percent(text),
        Some(b'&') => entity(text),
        Some(b'\\') => backslash(text),
        Some(_) => Escape::None,
    };
    match escape {
        Escape::Of(code, length) if is_it(code) => Spelled::Here(length),
        _ if text[0].eq_ignore_ascii_case(&letter) => Spelled::Here(1),
        Escape::Cut => Spelled::Cut,
        Escape::Of(..) | Escape::None => Spelled::Not,
    }
}

enum Escape {
    /// This letter, written with so many bytes.
    Of(u32, usize),
    None,
    Cut,
}

/// A number of at most `most` digits: itself, and how many there are.
fn number(text: &[u8], radix: u32, most: usize) -> (u32, usize) {
    let digits = text.iter().take(most).map_while(|byte| char::from(*byte).to_digit(radix));
    digits.fold((0, 0), |(number, count), digit| (number * radix + digit, count + 1))
}

fn fixed(text: &[u8], before: usize, digits: usize) -> Escape {
    match number(&text[before..], 16, digits) {
        (code, found) if found == digits => Escape::Of(code, before + digits),
        (_, found) if before + found == text.len() => Escape::Cut,
        _ => Escape::None,
    }
}

/// `%2F`, and encoded again `%252F`.
fn percent(text: &[u8]) -> Escape {
    let mut at = 1;
    while text[at..].starts_with(b"25") && text.len() > at + 2 {
        at += 2;
    }
    fixed(text, at, 2)
}

/// `&#47;`, `&#x2F;`, `&sol;`, and encoded again `&amp;#47;`.
fn entity(text: &[u8]) -> Escape {
    let mut at = 1;
    while text[at..].starts_with(b"amp;")
        && matches!(text.get(at + 4), Some(byte) if *byte == b'#' || byte.is_ascii_alphabetic())
    {
        at += 4;
    }
    let rest = &text[at..];
    let end = |length: usize| at + length + usize::from(rest.get(length) == Some(&b';'));
    if let Some(digits) = rest.strip_prefix(b"#") {
        let (sign, radix) =
            if digits.first().is_some_and(|x| x.eq_ignore_ascii_case(&b'x')) { (2, 16) } else { (1, 10) };
        let zeros = rest[sign..].iter().take_while(|byte| **byte == b'0').count();
        return match number(&rest[sign + zeros..], radix, 4) {
            (_, 0) if sign + zeros == rest.len() => Escape::Cut,
            (_, found) if found > 0 && sign + zeros + found == rest.len() => Escape::Cut,
            (code, found) => Escape::Of(code, end(sign + zeros + found)),
        };
    }
    let length = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    if length == rest.len() && length < 8 {
        return Escape::Cut;
    }
    match NAMED.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(&rest[..length])) {
        Some((_, letter)) => Escape::Of(u32::from(*letter), end(length)),
        None => Escape::None,
    }
}

const NAMED: [(&str, u8); 33] = [
    ("amp", b'&'),
    ("lt", b'<'),
    ("gt", b'>'),
    ("quot", b'"'),
    ("apos", b'\''),
    ("sol", b'/'),
    ("bsol", b'\\'),
    ("plus", b'+'),
    ("equals", b'='),
    ("period", b'.'),
    ("comma", b','),
    ("colon", b':'),
    ("semi", b';'),
    ("lowbar", b'_'),
    ("UnderBar", b'_'),
    ("hyphen", b'-'),
    ("dash", b'-'),
    ("num", b'#'),
    ("dollar", b'$'),
    ("percnt", b'%'),
    ("ast", b'*'),
    ("midast", b'*'),
    ("commat", b'@'),
    ("excl", b'!'),
    ("quest", b'?'),
    ("lpar", b'('),
    ("rpar", b')'),
    ("lsqb", b'['),
    ("rsqb", b']'),
    ("lcub", b'{'),
    ("rcub", b'}'),
    ("Hat", b'^'),
    ("verbar", b'|'),
];

/// `\/`, `\u003d`, `\x3d`, behind any number of backslashes: text in JSON may be in JSON again.
fn backslash(text: &[u8]) -> Escape {
    let slashes = text.iter().take_while(|byte| **byte == b'\\').count();
    match text.get(slashes) {
        None => Escape::Cut,
        Some(b'u') if text.get(slashes + 1) == Some(&b'{') => match number(&text[slashes + 2..], 16, 6) {
            (code, found) if text.get(slashes + 2 + found) == Some(&b'}') => Escape::Of(code, slashes + 3 + found),
            _ => Escape::None,
        },
        Some(b'u') => or_itself(fixed(text, slashes + 1, 4), slashes),
        Some(b'x') => or_itself(fixed(text, slashes + 1, 2), slashes),
        Some(letter) if !letter.is_ascii_alphanumeric() => Escape::Of(u32::from(*letter), slashes + 1),
        // Two of them are one.
        Some(_) => Escape::Of(u32::from(b'\\'), slashes),
    }
}

fn or_itself(escape: Escape, slashes: usize) -> Escape {
    match escape {
        Escape::None => Escape::Of(u32::from(b'\\'), slashes),
        escape => escape,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "q7R+9/xk=&Zm_04-tail";

    fn hidden(text: &str) -> String {
        without(text, SECRET, "[token]", usize::MAX)
    }

    #[test]
    fn a_secret_is_found_in_every_spelling() {
        for written in [
            SECRET,
            "Q7R+9/XK=&ZM_04-TAIL",
            "q7R%2B9%2Fxk%3D%26Zm_04-tail",
            "q7R%2b9%2fxk%3d%26Zm%5f04-tail",
            "q7R%252B9%252Fxk%253D%2526Zm_04-tail",
            "q7R+9&#x2F;xk=&amp;Zm_04-tail",
            "q7R&#43;9&#47;xk&#061;&#38;Zm_04-tail",
            "q7R&plus;9&sol;xk&equals;&amp;Zm&lowbar;04-tail",
            "q7R+9&amp;#x2f;xk=&amp;amp;Zm_04-tail",
            "q7R+9\\/xk\\u003d\\u0026Zm_04-tail",
            "q7R+9\\\\/xk\\\\u003D\\\\u0026Zm_04-tail",
            "q7R\\x2b9/xk=&Zm_04-tail",
            "\\u0071\\u0037R+9/xk=&Zm_04-tail",
        ] {
            assert_eq!(hidden(&format!("é ?key={written}!")), "é ?key=[token]!", "{written}");
        }
        for before in ["", "x", "Auth-Token ", "user:"] {
            let encoded = base64(format!("{before}{SECRET}.").as_bytes());
            for encoded in [encoded.replace('+', "-").replace('/', "_"), encoded.replace('=', "%3D"), encoded] {
                let shown = hidden(&format!("header {encoded}"));
                assert!(shown.starts_with("header [token]") && shown.len() < 20, "{before} {encoded} -> {shown}");
            }
        }
        let hex: String = SECRET.bytes().map(|byte| format!("{byte:02X}")).collect();
        assert_eq!(hidden(&format!("0x {hex}")), "0x [token]");
    }

    #[test]
    fn a_cut_secret_is_hidden_as_well() {
        assert_eq!(hidden("key q7R+9/xk=&… is invalid"), "key [token]… is invalid");
        for ending in ["04-tail", "_04-tail", "&Zm_04-tail", "=&Zm_04-TAIL", "Zm&lowbar;04-tail"] {
            let is_hidden = hidden(&format!("key …{ending}.")).ends_with("[token].");
            assert_eq!(is_hidden, ending.len() >= BEGINNING, "{ending}");
        }
        assert_eq!(hidden("key …&Zm_04-tail."), "key …[token].");
        for cut in ["q7R+", "q7R+9/x", "q7R%2B9%2", "q7R+9/xk=&amp;Z", "q7R+9&#x2", "q7R+9/xk\\u00"] {
            assert_eq!(without(&format!("key {cut}"), SECRET, "[token]", 4), "key [token]", "{cut}");
        }
    }

    #[test]
    fn what_is_none_stays() {
        for text in
            ["", "100 % of q7R", "é%2", "q7R+9", "a & b &amp; c \\u00e9 \\", "%25%", "&#", "\\u{", "&#x110000000000;"]
        {
            assert_eq!(hidden(text), text);
        }
    }
}
