//! The path of a request as an app means it.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The path with its percent-encoded characters decoded, except `%2F`, which would change where
/// its segments end, and `.` and `..` segments taken out (RFC 3986 section 5.2.4).
///
/// Bytes that are no UTF-8 stay as they were written.
pub(crate) fn decoded_path(raw: &str) -> String {
    let decoded = path_of_escapes(raw);
    if decoded.contains("/.") { without_dots(&decoded) } else { decoded }
}

/// The same with its `.` and `..` segments.
pub(crate) fn path_of_escapes(raw: &str) -> String {
    let mut decoded = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('%') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        // Escapes one behind the other: a character may take several of them.
        let length = 3 * rest.as_bytes().chunks(3).take_while(|three| is_escape(three)).count();
        if length == 0 {
            decoded.push('%');
            rest = &rest[1..];
            continue;
        }
        let bytes: Vec<u8> = percent_decode_str(&rest[..length]).collect();
        let mut at = 0;
        for part in bytes.utf8_chunks() {
            decoded.push_str(part.valid());
            at += part.valid().len();
            decoded.push_str(&rest[3 * at..3 * (at + part.invalid().len())]);
            at += part.invalid().len();
        }
        rest = &rest[length..];
    }
    decoded.push_str(rest);
    decoded
}

/// A decoded path as it stands in a URL. What looks like an escape in it was not decoded, and stays one.
pub(crate) fn escaped_path(decoded: &str) -> Cow<'_, str> {
    if !decoded.contains('%') {
        return utf8_percent_encode(decoded, NOT_OF_PATHS).into();
    }
    let mut escaped = String::with_capacity(decoded.len());
    for (place, part) in decoded.split('%').enumerate() {
        if place > 0 {
            let is_one = part.len() >= 2 && part.bytes().take(2).all(|it| it.is_ascii_hexdigit());
            escaped.push_str(if is_one { "%" } else { "%25" });
        }
        escaped.extend(utf8_percent_encode(part, NOT_OF_PATHS));
    }
    escaped.into()
}

/// What is written as escapes in a path (RFC 3986 section 3.3).
const NOT_OF_PATHS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// Whether it is an escape that is decoded: any but that of the slash.
fn is_escape(three: &[u8]) -> bool {
    matches!(three, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
        && !three.eq_ignore_ascii_case(b"%2f")
}

fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
        if last && matches!(segment, "." | "..") {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoded_path_is_written_with_its_escapes() {
        for (decoded, escaped) in [
            ("", ""),
            ("/a-b/c.d_e~!$&'()*+,;=:@", "/a-b/c.d_e~!$&'()*+,;=:@"),
            ("/a b", "/a%20b"),
            ("/å", "/%C3%A5"),
            ("/\r\nX: y", "/%0D%0AX:%20y"),
            ("/<a>\"?#\\", "/%3Ca%3E%22%3F%23%5C"),
            ("/a%2Fb%2f %ff", "/a%2Fb%2f%20%ff"),
            ("/100% %2 %zz%", "/100%25%20%252%20%25zz%25"),
            ("/%å", "/%25%C3%A5"),
        ] {
            assert_eq!(escaped_path(decoded), escaped, "{decoded}");
        }
    }

    #[test]
    fn paths_are_decoded_once_and_without_dots() {
        for (raw, decoded) in [
            ("/", "/"),
            ("/a%20b", "/a b"),
            ("/a%2Fb%2fc", "/a%2Fb%2fc"),
            ("/%C3%A5", "/å"),
            ("/%FF", "/%FF"),
            ("/%20%ff%C3%A5%20", "/ %ffå "),
            ("/%C3%20%A5", "/%C3 %A5"),
            ("/%C3%2F%A5", "/%C3%2F%A5"),
            ("/%C3x%A5", "/%C3x%A5"),
            ("/%E2%82%20%E2%82%AC", "/%E2%82 €"),
            ("/%ED%A0%80", "/%ED%A0%80"),
            ("/%%2000", "/% 00"),
            ("/%zz%2%", "/%zz%2%"),
            ("/%20å%", "/ å%"),
            ("/%25%32%30", "/%20"),
            ("/a/./b/../c", "/a/c"),
            ("/a/..", "/"),
            ("/a/b/.", "/a/b/"),
            ("/%2e%2e/x", "/x"),
            ("/...", "/..."),
            ("*", "*"),
            ("", ""),
        ] {
            assert_eq!(decoded_path(raw), decoded, "{raw}");
        }
    }
}
