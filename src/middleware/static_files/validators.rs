//! What tells two states of a file apart: when it was changed, in whole seconds, and an entity tag of that and
//! its length, as ASP.NET Core makes it. Two states of one second and length are one to clients. Pure.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;

use super::encodings::Encoding;

/// The validators of a file in a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Validators {
    /// A strong entity tag (RFC 9110 section 8.8.3).
    pub(super) etag: HeaderValue,
    /// When it was changed, in whole seconds.
    pub(super) modified: SystemTime,
}

impl Validators {
    /// Those of a file that was changed then and is so long. What is encoded has a tag of its own.
    pub(super) fn of(modified: SystemTime, length: u64, encoding: Option<Encoding>) -> Self {
        let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        // No date has more than four digits of years.
        let seconds = since.min(LAST_SECOND);
        let modified = UNIX_EPOCH + Duration::from_secs(seconds);
        let ticks = (seconds + SECONDS_BEFORE_1970) * 10_000_000;
        let tag = ticks ^ length;
        let tag = match encoding {
            None => format!("\"{tag:x}\""),
            Some(encoding) => format!("\"{tag:x}-{}\"", encoding.name()),
        };
        Self { etag: of_text(&tag), modified }
    }

    /// When it was changed, as it is written.
    pub(super) fn last_modified(&self) -> HeaderValue {
        of_text(&httpdate::fmt_http_date(self.modified))
    }
}

/// Between 1601, where .NET's file times begin, and 1970.
const SECONDS_BEFORE_1970: u64 = 11_644_473_600;

/// 9999-12-31T23:59:59Z.
const LAST_SECOND: u64 = 253_402_300_799;

fn of_text(text: &str) -> HeaderValue {
    // Digits, letters and quotes are a value.
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_those_of_the_reference() {
        for (date, length, tag) in [
            ("Wed, 01 Jan 2020 00:00:00 GMT", 1234, "\"1d5c036690504d2\""),
            ("Fri, 20 Nov 2026 12:00:00 GMT", 0, "\"1dd78e6ab232000\""),
            ("Thu, 29 Feb 2024 23:59:59 GMT", 1_048_576, "\"1da6b6b66aa2980\""),
        ] {
            let modified = httpdate::parse_http_date(date).unwrap();
            let later = modified + Duration::from_millis(999);
            let of_it = Validators::of(later, length, None);
            assert_eq!((of_it.etag.to_str().unwrap(), of_it.modified), (tag, modified));
            assert_eq!(of_it.last_modified(), date);
            let encoded = Validators::of(later, length, Some(Encoding::Brotli));
            assert_eq!(encoded.etag.to_str().unwrap(), format!("{}-br\"", &tag[..tag.len() - 1]));
        }
    }

    #[test]
    fn odd_times_are_some_date() {
        let before = UNIX_EPOCH - Duration::from_secs(5);
        assert_eq!(Validators::of(before, 0, None).modified, UNIX_EPOCH);
        let never = UNIX_EPOCH + Duration::from_secs(1 << 40);
        assert_eq!(Validators::of(never, 0, None).last_modified(), "Fri, 31 Dec 9999 23:59:59 GMT");
    }
}
