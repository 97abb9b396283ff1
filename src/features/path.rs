//! The path of a request as an app means it.

use percent_encoding::percent_decode_str;

/// The path with its percent-encoded characters decoded, except `%2F`, which would change where
/// its segments end, and `.` and `..` segments taken out (RFC 3986 section 5.2.4).
///
/// Bytes that are no UTF-8 stay as they were written.
pub(crate) fn decoded_path(raw: &str) -> String {
    let decoded = if raw.contains('%') { decode(raw) } else { raw.to_owned() };
    if decoded.contains("/.") { without_dots(&decoded) } else { decoded }
}

fn decode(raw: &str) -> String {
    // An encoded slash is kept: what stands between two of them is decoded piece by piece.
    let mut decoded = String::with_capacity(raw.len());
    let mut rest = raw;
    loop {
        let slash = rest.as_bytes().windows(3).position(|three| three.eq_ignore_ascii_case(b"%2f"));
        let piece = &rest[..slash.unwrap_or(rest.len())];
        match percent_decode_str(piece).decode_utf8() {
            Ok(text) => decoded.push_str(&text),
            Err(_) => decoded.push_str(piece),
        }
        let Some(slash) = slash else { return decoded };
        decoded.push_str(&rest[slash..slash + 3]);
        rest = &rest[slash + 3..];
    }
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
    fn paths_are_decoded_once_and_without_dots() {
        for (raw, decoded) in [
            ("/", "/"),
            ("/a%20b", "/a b"),
            ("/a%2Fb%2fc", "/a%2Fb%2fc"),
            ("/%C3%A5", "/å"),
            ("/%FF", "/%FF"),
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
