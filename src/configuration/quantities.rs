//! Lengths of time and sizes, as people write them.

use std::fmt;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use super::text::{Span, time_span, unit_of_time};

/// What is taken for a length of time, for messages.
pub(super) const LENGTH_OF_TIME: &str = "a length of time, such as 30s, 1h30m or 00:00:30";

/// What is taken for a size, for messages.
pub(super) const SIZE: &str = "a size, such as 10MB, 64KiB or a number of bytes";

/// By this name of its type a reader knows a [`ByteSize`], and says of it what it says of numbers.
pub(super) const SIZE_TYPE: &str = "kestrel::ByteSize";

/// A length of time: as .NET writes it (`[d.]hh:mm[:ss[.fffffff]]`), or by numbers with units
/// (`250ms`, `1h30m`, `1.5 s`).
pub(super) fn length_of_time(text: &str) -> Option<Duration> {
    match time_span(text) {
        Some(Span::Of(length)) => Some(length),
        Some(Span::Infinite | Span::Negative) => None,
        None => with_units(text.trim()),
    }
}

fn with_units(text: &str) -> Option<Duration> {
    let (mut rest, mut sum) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let (number, behind) = split_number(rest)?;
        let end = behind.find(|it: char| !it.is_ascii_alphabetic()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(end);
        let nanoseconds = times(number, unit_of_time(unit)?.as_nanos())?;
        let (seconds, part) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
        let length = Duration::new(seconds.try_into().ok()?, part.try_into().ok()?);
        sum = sum.checked_add(length)?;
        rest = behind.trim_start();
    }
    (!text.is_empty()).then_some(sum)
}

/// A number at the beginning, and what stands behind it.
fn split_number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(text.len());
    (end > 0).then(|| (&text[..end], text[end..].trim_start()))
}

/// A number without a sign, times `unit`, if that is a whole number.
fn times(number: &str, unit: u128) -> Option<u128> {
    let (whole, fraction) = match number.split_once('.') {
        None => (number, ""),
        Some((_, "")) => return None,
        Some(parts) => parts,
    };
    let digits = |it: &str| it.bytes().all(|digit| digit.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let ten = 10_u128.checked_pow(fraction.len().try_into().ok()?)?;
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let product = digits.checked_mul(unit)?;
    (product % ten == 0).then_some(product / ten)
}

/// A size in bytes: a plain number, or one with its unit, of thousands (`kB`, `MB`, `GB`, `TB`) or of
/// 1024s (`KiB`, `MiB`, `GiB`, `TiB`).
pub(super) fn size(text: &str) -> Option<u64> {
    let (number, unit) = split_number(text.trim())?;
    let unit: u128 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" | "byte" | "bytes" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return None,
    };
    times(number, unit)?.try_into().ok()
}

/// A size, written as a number of bytes or with a unit: `10MB`, `64 KiB`, `1.5GB`. Units that end in
/// `iB` are of 1024s, the others of thousands; their case does not matter.
///
/// ```
/// use kestrel::configuration::ByteSize;
///
/// #[derive(serde::Deserialize)]
/// struct Uploads {
///     max_size: ByteSize,
/// }
///
/// let host = kestrel::Host::builder()
///     .use_setting("Uploads:MaxSize", "64KiB")
///     .without_logging()
///     .build()?;
/// let uploads: Uploads = host.configuration().get("Uploads")?;
/// assert_eq!(uploads.max_size.bytes(), 65_536);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(u64);

impl ByteSize {
    /// A number of bytes as a size, for defaults.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// Reads one; `None` if it is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        size(text).map(Self)
    }

    /// The number of bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Size;

        impl<'de> Visitor<'de> for Size {
            type Value = ByteSize;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(SIZE)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<ByteSize, E> {
                size(text).map(ByteSize).ok_or_else(|| E::invalid_value(unexpected(text), &self))
            }

            // From a reader that knows the type; where serde keeps values for later, a plain number is one.
            fn visit_u64<E: Error>(self, bytes: u64) -> Result<ByteSize, E> {
                Ok(ByteSize(bytes))
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<ByteSize, D::Error> {
                deserializer.deserialize_str(self)
            }
        }

        deserializer.deserialize_newtype_struct(SIZE_TYPE, Size)
    }
}

/// Reads a length of time from a text, for `#[serde(deserialize_with = "...")]`, where serde keeps
/// values for later: below `flatten`, and in enums with a `tag`. Elsewhere, and in
/// [`Configuration::get`](super::Configuration::get), a [`Duration`] is read as it is.
///
/// ```
/// #[derive(serde::Deserialize)]
/// #[serde(tag = "kind", rename_all = "snake_case")]
/// enum Retry {
///     Fixed {
///         #[serde(deserialize_with = "kestrel::configuration::duration")]
///         delay: std::time::Duration,
///     },
/// }
///
/// let host = kestrel::Host::builder()
///     .use_setting("Retry:Kind", "fixed")
///     .use_setting("Retry:Delay", "250ms")
///     .without_logging()
///     .build()?;
/// let Retry::Fixed { delay } = host.configuration().get("Retry")?;
/// assert_eq!(delay.as_millis(), 250);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// It is none.
pub fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    struct Length;

    impl Visitor<'_> for Length {
        type Value = Duration;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(LENGTH_OF_TIME)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
            length_of_time(text).ok_or_else(|| E::invalid_value(unexpected(text), &self))
        }
    }

    deserializer.deserialize_str(Length)
}

fn unexpected(text: &str) -> serde::de::Unexpected<'_> {
    serde::de::Unexpected::Str(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        let (second, minute, hour) = (1_000, 60_000, 3_600_000);
        for (text, milliseconds) in [
            ("00:00:30", Some(30 * second)),
            ("1.00:00", Some(24 * hour)),
            ("00:00:00.25", Some(250)),
            ("30s", Some(30 * second)),
            ("5m", Some(5 * minute)),
            ("1h30m", Some(90 * minute)),
            (" 1 h 30 min ", Some(90 * minute)),
            ("250ms", Some(250)),
            ("1.5S", Some(1_500)),
            ("2 days", Some(48 * hour)),
            ("0s", Some(0)),
            ("30", None),
            ("", None),
            ("s", None),
            ("1.s", None),
            (".5s", None),
            ("1.2.3s", None),
            ("-5s", None),
            ("-00:00:01", None),
            ("1h30", None),
            ("1fortnight", None),
            ("99999999999999999999d", None),
            ("1,5s", None),
            ("soon", None),
        ] {
            let length = milliseconds.map(Duration::from_millis);
            assert_eq!(length_of_time(text), length, "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("1024", Some(1024)),
            ("10MB", Some(10_000_000)),
            ("64KiB", Some(65_536)),
            ("64 kib", Some(65_536)),
            ("1.5kB", Some(1_500)),
            ("1.5KiB", Some(1_536)),
            ("2TiB", Some(2 << 40)),
            ("3 bytes", Some(3)),
            ("0.5B", None),
            ("10M", None),
            ("10 MB more", None),
            ("-1", None),
            ("MB", None),
            ("", None),
            ("18446744073709551616", None),
            ("99999999999999999999TB", None),
        ] {
            assert_eq!(size(text), bytes, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_them_panic(text in "\\PC*|[0-9.:smhdkMGiB -]*") {
            let _ = (length_of_time(&text), size(&text));
        }
    }
}
