//! A header of several lines as one text.

use http::{HeaderMap, HeaderName};

/// The lines of a header with commas between (RFC 9110 section 5.3). What is no UTF-8 is replaced.
pub(super) fn joined(headers: &HeaderMap, name: &HeaderName) -> String {
    let lines = headers.get_all(name).iter();
    let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
    lines.join(",")
}
