//! State whose names are not known before: `event.listed`, as an event about headers has it.
//!
//! A field has its name from the code. Names that come with a request stand in one text, entry by entry: a letter for
//! the kind of value (`t` for text, `n` for what JSON writes without quotes), then name and value, each behind its
//! length in bytes and a colon: `t4:Path6:/a b%20n10:StatusCode3:200`.

use super::fields::Value;

/// The field of such a text.
pub(super) const FIELD: &str = "event.listed";

/// The entries of a text. What cannot be read ends them.
pub(super) fn entries(text: &str) -> impl Iterator<Item = (&str, Value<'_>)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let kind = rest.chars().next()?;
        let (name, behind) = counted(&rest[kind.len_utf8()..])?;
        let (value, behind) = counted(behind)?;
        rest = behind;
        match kind {
            't' => Some((name, Value::Text(value))),
            'n' => Some((name, Value::Number(value))),
            _ => None,
        }
    })
}

/// A text behind its length, and what follows it.
fn counted(text: &str) -> Option<(&str, &str)> {
    let (length, rest) = text.split_once(':')?;
    rest.split_at_checked(length.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_have_whatever_text_they_have() {
        let all = |text| entries(text).collect::<Vec<_>>();
        assert_eq!(
            all("t4:Path4:/ü\nt1:X0:n10:StatusCode3:200"),
            [
                ("Path", Value::Text("/ü\n")),
                ("X", Value::Text("")),
                ("StatusCode", Value::Number("200")),
            ]
        );
        assert_eq!(all(""), []);
        assert_eq!(all("t1:A1:bx"), [("A", Value::Text("b"))]);
    }
}
