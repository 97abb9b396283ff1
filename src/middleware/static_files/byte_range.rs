//! Which part of a file a request asks for (RFC 9110 section 14.2). Pure.

use std::ops::Range;

use http::HeaderMap;
use http::header::RANGE;

/// What is sent of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// These bytes, at least one.
    Bytes(Range<u64>),
    /// Nothing: it has none of what was asked for.
    Unsatisfiable,
}

impl Part {
    /// What a request asks for of a file of this length. Several ranges, another unit and what is no range are
    /// passed over, so that the whole file is sent.
    pub(super) fn of(headers: &HeaderMap, length: u64) -> Self {
        let mut values = headers.get_all(RANGE).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => Self::of_text(value.as_bytes(), length),
            _ => Self::Whole,
        }
    }

    /// What the text of a `Range` header asks for.
    pub(super) fn of_text(text: &[u8], length: u64) -> Self {
        match Asked::parse(text) {
            None => Self::Whole,
            Some(Asked::From(first)) if first >= length => Self::Unsatisfiable,
            Some(Asked::From(first)) => Self::Bytes(first..length),
            Some(Asked::Between(first, _)) if first >= length => Self::Unsatisfiable,
            Some(Asked::Between(first, last)) => {
                Self::Bytes(first..length.min(last.saturating_add(1)))
            }
            Some(Asked::Last(0)) => Self::Unsatisfiable,
            // There is no way to write a range of an empty file, and its end is all of it.
            Some(Asked::Last(_)) if length == 0 => Self::Whole,
            Some(Asked::Last(count)) => Self::Bytes(length.saturating_sub(count)..length),
        }
    }
}

/// One range as it is written.
enum Asked {
    Between(u64, u64),
    From(u64),
    Last(u64),
}

impl Asked {
    fn parse(text: &[u8]) -> Option<Self> {
        let unit = text.get(..5).filter(|unit| unit.eq_ignore_ascii_case(b"bytes"))?;
        let range = text[unit.len()..].trim_ascii_start().strip_prefix(b"=")?;
        let dash = range.iter().position(|byte| *byte == b'-')?;
        let (first, last) = (range[..dash].trim_ascii(), range[dash + 1..].trim_ascii());
        match (first.is_empty(), last.is_empty()) {
            (true, true) => None,
            (true, false) => Some(Self::Last(number(last)?)),
            (false, true) => Some(Self::From(number(first)?)),
            (false, false) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Self::Between(first, last))
            }
        }
    }
}

/// A number of any length: what is larger than any file is as good as the largest.
fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |sum, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        Some(sum.saturating_mul(10).saturating_add(digit))
    })
}

/// Checks what any text comes to, for a file whose length is its first eight bytes.
#[cfg(any(test, fuzzing))]
pub(crate) fn check(input: &[u8]) {
    let (length, text) = input.split_at(input.len().min(8));
    let length = length.iter().fold(0, |length, byte| length << 8 | u64::from(*byte));
    match Part::of_text(text, length) {
        Part::Bytes(range) => assert!(range.start < range.end && range.end <= length),
        Part::Unsatisfiable | Part::Whole => {}
    }
    // Lists are several ranges, or none.
    if text.contains(&b',') {
        assert_eq!(Part::of_text(text, length), Part::Whole);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_range_of_bytes_is_a_part() {
        use Part::{Bytes, Unsatisfiable, Whole};
        for (text, length, part) in [
            ("bytes=0-3", 17, Bytes(0..4)),
            ("Bytes=0-3", 17, Bytes(0..4)),
            ("bytes=4-", 17, Bytes(4..17)),
            ("bytes=16-16", 17, Bytes(16..17)),
            ("bytes=0-100", 17, Bytes(0..17)),
            ("bytes=-5", 17, Bytes(12..17)),
            ("bytes=-100", 17, Bytes(0..17)),
            ("bytes = 0 - 3 ", 17, Bytes(0..4)),
            ("bytes=0-99999999999999999999", 17, Bytes(0..17)),
            ("bytes=17-17", 17, Unsatisfiable),
            ("bytes=100-", 17, Unsatisfiable),
            ("bytes=-0", 17, Unsatisfiable),
            ("bytes=0-", 0, Unsatisfiable),
            ("bytes=0-0", 0, Unsatisfiable),
            ("bytes=99999999999999999999-", 17, Unsatisfiable),
            ("bytes=-1", 0, Whole),
            ("bytes=0-1,4-5", 17, Whole),
            ("bytes=0-1,", 17, Whole),
            ("bytes", 17, Whole),
            ("bytes=", 17, Whole),
            ("bytes=-", 17, Whole),
            ("bytes=--3", 17, Whole),
            ("bytes=5-2", 17, Whole),
            ("bytes=99999999999999999999-2", 17, Whole),
            ("bytes=+1-2", 17, Whole),
            ("bytes=a-b", 17, Whole),
            ("items=0-3", 17, Whole),
            ("", 17, Whole),
        ] {
            assert_eq!(Part::of_text(text.as_bytes(), length), part, "{text} of {length}");
        }
    }

    #[test]
    fn two_headers_are_several_ranges() {
        let mut headers = HeaderMap::new();
        headers.append(RANGE, "bytes=0-3".parse().unwrap());
        assert_eq!(Part::of(&headers, 17), Part::Bytes(0..4));
        headers.append(RANGE, "bytes=0-3".parse().unwrap());
        assert_eq!(Part::of(&headers, 17), Part::Whole);
    }

    proptest! {
        #[test]
        fn a_part_is_a_part_of_the_file(text in "(bytes=)?[0-9 ,-]{0,30}", length: u64) {
            check(&[&length.to_be_bytes(), text.as_bytes()].concat());
        }
    }
}
