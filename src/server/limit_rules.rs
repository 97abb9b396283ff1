//! The range of every limit, in Kestrel's words.
//!
//! One row per limit, so that what is read from the configuration and what code sets are held to
//! the same range, and refused with the same text. In go values, out come [`InvalidLimit`]s; which
//! key was set where is none of its business.

use std::fmt::Display;
use std::time::Duration;

use super::limits::{InvalidLimit, Limits};

/// A limit that is a number.
#[derive(Debug)]
pub(crate) struct Number {
    /// Its key below `Kestrel:Limits`.
    pub(crate) name: &'static str,
    /// How .NET counts it.
    pub(crate) width: Width,
    /// Whether there may be no such limit.
    pub(crate) optional: bool,
    /// The least and the most it can be.
    range: (u64, u64),
    rule: &'static str,
    get: fn(&Limits) -> Option<u64>,
    set: fn(&mut Limits, Option<u64>),
}

/// How .NET counts something: a larger number is none at all to its binder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    /// In 32 bits, with a sign.
    Int32,
    /// In 64 bits, with a sign.
    Int64,
}

impl Width {
    /// The name of the type in .NET.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Int32 => "System.Int32",
            Self::Int64 => "System.Int64",
        }
    }

    /// The largest number.
    pub(crate) const fn most(self) -> u64 {
        match self {
            Self::Int32 => i32::MAX as u64,
            Self::Int64 => i64::MAX as u64,
        }
    }
}

/// How no limit is written, which depends on where.
#[derive(Debug)]
pub(crate) struct Words {
    none: &'static str,
    never: &'static str,
}

/// In the configuration.
pub(crate) const WRITTEN: Words = Words { none: "leave it empty", never: "-00:00:00.0010000" };

/// In Rust.
const CODED: Words = Words { none: "None", never: "Limits::NEVER" };

impl Number {
    /// Sets it in `limits`; `None` is no limit.
    pub(crate) fn set(&self, limits: &mut Limits, value: Option<u64>) {
        (self.set)(limits, value);
    }

    /// Takes `value` if it is in range.
    pub(crate) fn check(&self, value: i128, words: &Words) -> Result<u64, InvalidLimit> {
        let (least, most) = self.range;
        u64::try_from(value).ok().filter(|value| (least..=most).contains(value)).ok_or_else(|| {
            let none = if self.optional {
                format!(", or {} for no limit", words.none)
            } else {
                String::new()
            };
            // The end of what .NET can count is worth a word only to those who passed it.
            let range = if most == self.width.most() && value <= i128::from(most) {
                format!("{least} or more")
            } else {
                format!("{least} to {most}")
            };
            InvalidLimit::new(self.name, self.rule, value, format!("write {range}{none}"))
        })
    }

    /// Whether it is the same in both.
    pub(crate) fn same(&self, one: &Limits, other: &Limits) -> bool {
        (self.get)(one) == (self.get)(other)
    }
}

/// A limit that is a time.
#[derive(Debug)]
pub(crate) struct Span {
    /// Its key below `Kestrel:Limits`.
    pub(crate) name: &'static str,
    least: Duration,
    rule: &'static str,
    fix: &'static str,
    get: fn(&Limits) -> Option<Duration>,
    set: fn(&mut Limits, Option<Duration>),
}

impl Span {
    /// Sets it in `limits`; `None` is never.
    pub(crate) fn set(&self, limits: &mut Limits, value: Option<Duration>) {
        (self.set)(limits, value);
    }

    /// Takes `value` if it is in range. `None` is a time before now; `written` is what the user
    /// wrote.
    pub(crate) fn check(
        &self,
        value: Option<Duration>,
        written: impl Display,
        words: &Words,
    ) -> Result<Duration, InvalidLimit> {
        value.filter(|value| *value >= self.least).ok_or_else(|| {
            // Nobody means a timeout of nothing: what is meant is mostly none.
            let fix = format!("write {}, or {} for never", self.fix, words.never);
            InvalidLimit::new(self.name, self.rule, written, fix)
        })
    }
}

/// What the tables of the documents say.
#[cfg(test)]
impl Number {
    pub(crate) fn default(&self) -> Option<u64> {
        (self.get)(&Limits::default())
    }

    pub(crate) fn range(&self) -> (u64, u64) {
        self.range
    }
}

/// What the tables of the documents say.
#[cfg(test)]
impl Span {
    /// `None` is never.
    pub(crate) fn default(&self) -> Option<Duration> {
        (self.get)(&Limits::default())
    }

    pub(crate) fn range(&self) -> &'static str {
        self.fix
    }
}

const POSITIVE: &str = "Value must be a positive number.";
const POSITIVE_OR_NULL: &str = "Value must be null or a positive number.";
const NOT_NEGATIVE_OR_NULL: &str = "Value must be null or a non-negative number.";
const ABOVE_ZERO: &str = "A value greater than zero is required.";
const FROM_ZERO: &str = "A value greater than or equal to zero is required.";
const FRAME_SIZE: &str = "A value between 16384 and 16777215 is required.";
const WINDOW_SIZE: &str = "A value between 65535 and 2147483647 is required.";
const POSITIVE_SPAN: &str = "Value must be a positive TimeSpan.";
const FROM_A_SECOND: &str = "A TimeSpan value greater than or equal to 00:00:01 is required.";

const INT32: u64 = Width::Int32.most();
const INT64: u64 = Width::Int64.most();

/// A limit that is always there.
macro_rules! always {
    ($name:literal, $range:expr, $rule:expr, $($field:ident).+) => {
        Number {
            name: $name,
            width: Width::Int32,
            optional: false,
            range: $range,
            rule: $rule,
            get: |limits| wide(limits.$($field).+),
            set: |limits, value| {
                // What is out of range has been refused before.
                if let Some(value) = value.and_then(|value| value.try_into().ok()) {
                    limits.$($field).+ = value;
                }
            },
        }
    };
}

/// A limit that may not be there.
macro_rules! optional {
    ($name:literal, $range:expr, $rule:expr, $field:ident) => {
        Number {
            name: $name,
            width: Width::Int64,
            optional: true,
            range: $range,
            rule: $rule,
            get: |limits| limits.$field.and_then(wide),
            set: |limits, value| limits.$field = value.and_then(|value| value.try_into().ok()),
        }
    };
}

/// Every limit that is a number.
#[rustfmt::skip]
pub(crate) static NUMBERS: [Number; 14] = [
    optional!("MaxConcurrentConnections", (1, INT64), POSITIVE_OR_NULL, max_concurrent_connections),
    optional!("MaxConcurrentUpgradedConnections", (0, INT64), NOT_NEGATIVE_OR_NULL, max_concurrent_upgraded_connections),
    optional!("MaxRequestBodySize", (0, INT64), NOT_NEGATIVE_OR_NULL, max_request_body_size),
    always!("MaxRequestLineSize", (1, INT32), POSITIVE, max_request_line_size),
    always!("MaxRequestHeadersTotalSize", (1, INT32), POSITIVE, max_request_headers_total_size),
    always!("MaxRequestHeaderCount", (1, INT32), POSITIVE, max_request_header_count),
    optional!("MaxRequestBufferSize", (1, INT64), POSITIVE_OR_NULL, max_request_buffer_size),
    optional!("MaxResponseBufferSize", (0, INT64), NOT_NEGATIVE_OR_NULL, max_response_buffer_size),
    always!("Http2:MaxStreamsPerConnection", (1, INT32), ABOVE_ZERO, http2.max_streams_per_connection),
    always!("Http2:HeaderTableSize", (0, INT32), FROM_ZERO, http2.header_table_size),
    always!("Http2:MaxFrameSize", (16_384, 16_777_215), FRAME_SIZE, http2.max_frame_size),
    always!("Http2:MaxRequestHeaderFieldSize", (1, INT32), ABOVE_ZERO, http2.max_request_header_field_size),
    always!("Http2:InitialConnectionWindowSize", (65_535, INT32), WINDOW_SIZE, http2.initial_connection_window_size),
    always!("Http2:InitialStreamWindowSize", (65_535, INT32), WINDOW_SIZE, http2.initial_stream_window_size),
];

/// Every limit that is a time.
pub(crate) static SPANS: [Span; 4] = [
    Span {
        name: "KeepAliveTimeout",
        least: Duration::from_nanos(1),
        rule: POSITIVE_SPAN,
        fix: "more than 00:00:00",
        get: |limits| Some(limits.keep_alive_timeout),
        set: |limits, value| limits.keep_alive_timeout = value.unwrap_or(Limits::NEVER),
    },
    Span {
        name: "RequestHeadersTimeout",
        least: Duration::from_nanos(1),
        rule: POSITIVE_SPAN,
        fix: "more than 00:00:00",
        get: |limits| Some(limits.request_headers_timeout),
        set: |limits, value| limits.request_headers_timeout = value.unwrap_or(Limits::NEVER),
    },
    Span {
        name: "Http2:KeepAlivePingDelay",
        least: Duration::from_secs(1),
        rule: FROM_A_SECOND,
        fix: "00:00:01 or more",
        get: |limits| limits.http2.keep_alive_ping_delay,
        set: |limits, value| limits.http2.keep_alive_ping_delay = value,
    },
    Span {
        name: "Http2:KeepAlivePingTimeout",
        least: Duration::from_secs(1),
        rule: FROM_A_SECOND,
        fix: "00:00:01 or more",
        get: |limits| Some(limits.http2.keep_alive_ping_timeout),
        set: |limits, value| {
            limits.http2.keep_alive_ping_timeout = value.unwrap_or(Limits::NEVER);
        },
    },
];

/// The rule of the number of this name. It is asked for while this is compiled: without one, that fails.
pub(crate) const fn number(name: &str) -> &'static Number {
    let mut at = 0;
    while !same(NUMBERS[at].name, name) {
        at += 1;
    }
    &NUMBERS[at]
}

/// The rule of the time of this name, as [`number`].
pub(crate) const fn span(name: &str) -> &'static Span {
    let mut at = 0;
    while !same(SPANS[at].name, name) {
        at += 1;
    }
    &SPANS[at]
}

/// `==`, which is not there yet while this is compiled.
const fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut at = 0;
    while at < left.len() && at < right.len() && left[at] == right[at] {
        at += 1;
    }
    at == left.len() && at == right.len()
}

/// A number of any width; a `usize` is no `u64` on its own.
fn wide<T: TryInto<u64>>(value: T) -> Option<u64> {
    Some(value.try_into().unwrap_or(u64::MAX))
}

impl Limits {
    /// Everything that is wrong with these limits: what is out of its range, and a buffer that
    /// could not hold what it has to. Empty if all is well.
    ///
    /// A host asks this before it starts.
    #[must_use]
    pub fn validate(&self) -> Vec<InvalidLimit> {
        let numbers = NUMBERS.iter().filter_map(|number| {
            (number.get)(self).and_then(|value| number.check(value.into(), &CODED).err())
        });
        let spans = SPANS.iter().filter_map(|span| {
            (span.get)(self)
                .and_then(|value| span.check(Some(value), format!("{value:?}"), &CODED).err())
        });
        numbers.chain(spans).chain(self.too_small_buffers()).collect()
    }

    /// The request line and the headers have to fit in the buffer, or no request could come in.
    fn too_small_buffers(&self) -> impl Iterator<Item = InvalidLimit> {
        let parts = [
            ("MaxRequestLineSize", "maximum request line size", self.max_request_line_size),
            (
                "MaxRequestHeadersTotalSize",
                "maximum request header size",
                self.max_request_headers_total_size,
            ),
        ];
        let buffer = self.max_request_buffer_size;
        let largest = self.max_request_line_size.max(self.max_request_headers_total_size);
        parts.into_iter().filter_map(move |(name, words, least)| {
            let buffer = buffer.filter(|buffer| *buffer < least)?;
            let rule = format!("Maximum request buffer size ({buffer}) must be greater than or equal to {words} ({least}).");
            Some(InvalidLimit {
                name: "MaxRequestBufferSize",
                against: Some(name),
                rule,
                value: buffer.to_string(),
                fix: format!("write {largest} or more, or lower {name}"),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(Limits::default().validate(), []);
    }

    #[test]
    fn what_is_set_is_what_is_got() {
        for number in &NUMBERS {
            let (least, most) = number.range;
            for value in [least, most.min(1 << 31)] {
                let mut limits = Limits::default();
                number.set(&mut limits, Some(value));
                assert_eq!((number.get)(&limits), Some(value), "{}", number.name);
                assert_eq!(number.check(value.into(), &CODED), Ok(value));
            }
            let mut limits = Limits::default();
            number.set(&mut limits, None);
            assert_eq!((number.get)(&limits).is_none(), number.optional, "{}", number.name);
            for value in [-1, i128::from(least) - 1, i128::from(most) + 1] {
                assert!(number.check(value, &CODED).is_err(), "{} {value}", number.name);
            }
        }
        for span in &SPANS {
            let mut limits = Limits::default();
            span.set(&mut limits, Some(span.least));
            assert_eq!((span.get)(&limits), Some(span.least), "{}", span.name);
            span.set(&mut limits, None);
            assert!((span.get)(&limits).is_none_or(|never| never == Limits::NEVER));
            assert!(span.check(None, "", &CODED).is_err());
        }
    }

    #[test]
    fn a_rule_that_is_broken_is_told_with_what_it_is_about() {
        let limits = Limits { max_request_buffer_size: Some(10_000), ..Limits::default() };
        let wrong = limits.validate();
        assert_eq!(wrong.len(), 1);
        assert_eq!(wrong[0].against, Some("MaxRequestHeadersTotalSize"));
        assert_eq!(
            wrong[0].to_string(),
            "MaxRequestBufferSize: Maximum request buffer size (10000) must be greater than or equal to maximum request header size (32768)."
        );
    }

    #[test]
    fn no_timeout_is_too_long_for_the_clock() {
        let mut limits = Limits { keep_alive_timeout: Duration::MAX, ..Limits::default() };
        limits.http2.keep_alive_ping_delay = Some(Duration::MAX);
        assert_eq!(limits.validate(), []);
        let limits = limits.bounded();
        assert_eq!(limits.keep_alive_timeout, Limits::NEVER);
        assert_eq!(limits.http2.keep_alive_ping_delay, Some(Limits::NEVER));
        assert_eq!(limits.request_headers_timeout, Duration::from_secs(30));
        assert!(std::time::Instant::now().checked_add(Limits::NEVER).is_some());
    }
}
