//! A header of several lines as one text.

use http::{HeaderMap, HeaderName, HeaderValue};

/// What stands in the place of a value that is not shown, such as that of a line which a stage has marked as a secret.
pub(super) const REDACTED: &str = "[Redacted]";

/// The lines of a header with commas between (RFC 9110 section 5.3). What is no UTF-8 is replaced.
pub(super) fn joined(headers: &HeaderMap, name: &HeaderName) -> String {
    let lines = headers.get_all(name).iter();
    let shown = |line: &HeaderValue| match line.is_sensitive() {
        true => REDACTED.to_owned(),
        false => String::from_utf8_lossy(line.as_bytes()).into_owned(),
    };
    let lines: Vec<_> = lines.map(shown).collect();
    lines.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_marked_as_a_secret_is_not_shown() {
        let name = HeaderName::from_static("x-a");
        let mut headers = HeaderMap::new();
        headers.append(&name, HeaderValue::from_static("1"));
        let mut secret = HeaderValue::from_static("hunter2");
        secret.set_sensitive(true);
        headers.append(&name, secret);
        headers.append(&name, HeaderValue::from_static("2"));
        assert_eq!(joined(&headers, &name), "1,[Redacted],2");
    }
}
