//! Characters that let a text be read as another one. Pure.

/// Whether a character is not seen itself, and changes the direction in which others are read
/// ([UAX #9](https://www.unicode.org/reports/tr9/) section 2), or begins a line where nobody looks for one.
pub(crate) fn turns_text(character: char) -> bool {
    matches!(
        character,
        '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
    )
}
