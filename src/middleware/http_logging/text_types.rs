//! Which bodies are text, and in which characters. Pure.

/// Types of bodies that are logged: `text/*`, `application/json` or `application/*+json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TextTypes(Vec<String>);

impl TextTypes {
    /// What is text unless something else is said. A form is not: it may be that of a login.
    pub(crate) const DEFAULT: [&str; 5] = [
        "application/json",
        "application/*+json",
        "application/xml",
        "application/*+xml",
        "text/*",
    ];

    pub(crate) fn new(types: &[String]) -> Self {
        let lower = |name: &String| essence(name).to_ascii_lowercase();
        Self(types.iter().map(lower).collect())
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The characters of a body of this type; `None` if it is not logged.
    pub(super) fn charset(&self, content_type: &str) -> Option<Charset> {
        let name = essence(content_type).to_ascii_lowercase();
        self.names().any(|pattern| fits(pattern, &name)).then_some(())?;
        match parameter(content_type, "charset") {
            None => Some(Charset::Utf8),
            Some(charset) => Charset::called(charset),
        }
    }
}

/// A type without its parameters.
fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

fn fits(pattern: &str, name: &str) -> bool {
    let (Some((group, kind)), Some((group_of_name, kind_of_name))) =
        (pattern.split_once('/'), name.split_once('/'))
    else {
        return false;
    };
    let of_kind = match kind.strip_prefix('*') {
        Some("") => true,
        // `*+json` is anything that is JSON, and has a name of its own.
        Some(suffix) => kind_of_name.strip_suffix(suffix).is_some_and(|before| !before.is_empty()),
        None => kind == kind_of_name,
    };
    of_kind && (group == "*" || group == group_of_name)
}

fn parameter<'a>(content_type: &'a str, name: &str) -> Option<&'a str> {
    let parameters = content_type.split(';').skip(1);
    let mut values = parameters.filter_map(|parameter| {
        let (called, value) = parameter.split_once('=')?;
        called.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    });
    values.next()
}

/// How the bytes of a text are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    Utf8,
    Utf16,
    Ascii,
    Latin1,
}

impl Charset {
    fn called(name: &str) -> Option<Self> {
        let is = |names: &[&str]| names.iter().any(|it| it.eq_ignore_ascii_case(name));
        match () {
            () if is(&["utf-8", "utf8"]) => Some(Self::Utf8),
            () if is(&["utf-16", "utf-16le", "unicode"]) => Some(Self::Utf16),
            () if is(&["us-ascii", "ascii"]) => Some(Self::Ascii),
            () if is(&["iso-8859-1", "latin1"]) => Some(Self::Latin1),
            () => None,
        }
    }

    /// The text of bytes. What is none is replaced; of a text that was cut (`is_cut`), a character that
    /// is not whole at its end is left out.
    pub(super) fn text(self, bytes: &[u8], is_cut: bool) -> String {
        match self {
            Self::Utf8 => {
                let last = bytes.utf8_chunks().last().map_or(&[][..], |chunk| chunk.invalid());
                // What more bytes could still make a character of.
                let is_begun = std::str::from_utf8(last).is_err_and(|it| it.error_len().is_none());
                let left_out = if is_cut && is_begun { last.len() } else { 0 };
                String::from_utf8_lossy(&bytes[..bytes.len() - left_out]).into_owned()
            }
            Self::Utf16 => {
                let units: Vec<_> =
                    bytes.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect();
                String::from_utf16_lossy(&units)
            }
            Self::Ascii => {
                bytes
                    .iter()
                    .map(|byte| {
                        if byte.is_ascii() {
                            char::from(*byte)
                        } else {
                            char::REPLACEMENT_CHARACTER
                        }
                    })
                    .collect()
            }
            Self::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_text_are_known_by_their_type() {
        let default = TextTypes::DEFAULT.map(str::to_owned);
        for (types, content_type, expected) in [
            (&default[..], "application/json", Some(Charset::Utf8)),
            (&default, "Application/JSON; charset=UTF-8", Some(Charset::Utf8)),
            (&default, "application/vnd.x+json", Some(Charset::Utf8)),
            (&default, "application/+json", None),
            (&default, "application/x+xml", Some(Charset::Utf8)),
            (&default, "image/svg+xml", None),
            (&default, "application/x-www-form-urlencoded", None),
            (&default, "text/anything; charset=\"iso-8859-1\"", Some(Charset::Latin1)),
            (&default, "text/plain;charset=us-ascii", Some(Charset::Ascii)),
            (&default, "text/plain;charset=utf-16", Some(Charset::Utf16)),
            (&default, "text/plain;charset=koi8-r", None),
            (&default, "nonsense", None),
            (&default, "", None),
            (&["application/x-own".to_owned()], "application/x-own", Some(Charset::Utf8)),
            (&["application/x-own".to_owned()], "text/plain", None),
            (&[String::new()], "", None),
            (&["*/*".to_owned()], "image/png", Some(Charset::Utf8)),
        ] {
            let types = TextTypes::new(types);
            assert_eq!(types.charset(content_type), expected, "{content_type} of {types:?}");
        }
    }

    #[test]
    fn bytes_become_text() {
        for (charset, bytes, is_cut, expected) in [
            (Charset::Utf8, &b"abcd\xc3"[..], true, "abcd"),
            (Charset::Utf8, b"abcd\xc3", false, "abcd\u{fffd}"),
            (Charset::Utf8, b"a\xe9b", false, "a\u{fffd}b"),
            (Charset::Utf8, b"a\xe9b\xe2\x82", true, "a\u{fffd}b"),
            (Charset::Utf8, b"a\xff", true, "a\u{fffd}"),
            (Charset::Utf8, b"", true, ""),
            (Charset::Latin1, b"a\xe9b", false, "a\u{e9}b"),
            (Charset::Ascii, b"a\xe9b", false, "a\u{fffd}b"),
            (Charset::Utf16, b"a\0\xfc\0x", true, "a\u{fc}"),
        ] {
            assert_eq!(charset.text(bytes, is_cut), expected, "{charset:?} {bytes:?}");
        }
    }
}
