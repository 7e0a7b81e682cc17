//! Characters that cannot be seen: which there are, and what each is called.
//!
//! What follows from one is up to who finds it. White space that can be seen, such as a tab, is not among them.

/// The kinds of characters that cannot be seen, or not told from a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unseen {
    /// Of both sets of control characters, and DEL. Tab, CR and LF are blanks.
    Control,
    NoBreakSpace,
    ByteOrderMark,
    ZeroWidthSpace,
    WordJoiner,
    SoftHyphen,
    /// Scripts and emoji need them inside text.
    Joiner,
    /// What changes or overrides the direction of text.
    Direction,
    /// Of lines and paragraphs.
    LineSeparator,
    /// Selectors and fillers, which choose the shapes of a script or an emoji.
    Shaper,
    /// What else has no shape, by Unicode.
    Format,
}

impl Unseen {
    /// What a character is, if it cannot be seen.
    pub(crate) fn of(c: char) -> Option<Unseen> {
        Some(match c {
            '\t' | '\r' | '\n' | ' '..='~' => return None,
            c if c.is_control() => Unseen::Control,
            '\u{a0}' | '\u{2007}' | '\u{202f}' => Unseen::NoBreakSpace,
            '\u{feff}' => Unseen::ByteOrderMark,
            '\u{200b}' => Unseen::ZeroWidthSpace,
            '\u{2060}' => Unseen::WordJoiner,
            '\u{ad}' => Unseen::SoftHyphen,
            '\u{200c}' | '\u{200d}' => Unseen::Joiner,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                Unseen::Direction
            }
            '\u{2028}' | '\u{2029}' => Unseen::LineSeparator,
            '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{3164}' => {
                Unseen::Shaper
            }
            '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' => {
                Unseen::Shaper
            }
            '\u{e0100}'..='\u{e01ef}' => Unseen::Shaper,
            '\u{2061}'..='\u{206f}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}' => Unseen::Format,
            _ => return None,
        })
    }

    /// What it is called, with its article.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Unseen::Control => "a control character",
            Unseen::NoBreakSpace => "a no-break space",
            Unseen::ByteOrderMark => "a byte order mark",
            Unseen::ZeroWidthSpace => "a zero-width space",
            Unseen::WordJoiner => "a word joiner",
            Unseen::SoftHyphen => "a soft hyphen",
            Unseen::Joiner => "a joiner",
            Unseen::Direction => "a text-direction mark",
            Unseen::LineSeparator => "a line separator",
            Unseen::Shaper | Unseen::Format => "an invisible character",
        }
    }
}

/// Whether a character has no shape and no width. Blanks of any kind have a width.
pub(crate) fn has_no_shape(c: char) -> bool {
    Unseen::of(c).is_some() && !c.is_whitespace()
}
