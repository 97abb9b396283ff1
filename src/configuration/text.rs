//! Text to values, as .NET's binder converts it.

use std::time::Duration;

/// `true` or `false` in any case, blanks around it allowed.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.trim() {
        text if text.eq_ignore_ascii_case("true") => Some(true),
        text if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// A whole number: decimal with a sign, or hexadecimal as `0x1F`, `#1F` or `&h1F`.
pub(crate) fn integer(text: &str) -> Option<i64> {
    wide_integer(text)?.try_into().ok()
}

/// The same, of any size that has a name.
pub(crate) fn wide_integer(text: &str) -> Option<i128> {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    for prefix in ["0x", "#", "&h"] {
        if let Some(digits) = lower.strip_prefix(prefix) {
            let unsigned = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            return unsigned.then(|| i128::from_str_radix(digits, 16).ok()).flatten();
        }
    }
    text.parse().ok()
}

/// A number that may have a fraction and an exponent, as .NET reads a double. Its words for what
/// is not finite are no numbers to us.
pub(crate) fn double(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse().ok().filter(|_| plain)
}

/// A span of time as it can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    /// From nothing on.
    Of(Duration),
    /// .NET's `Timeout.InfiniteTimeSpan`, minus a millisecond.
    Infinite,
    /// Any other that is less than nothing.
    Negative,
}

/// A span of time: `[-][d.]hh:mm[:ss[.fraction]]`. A bare number would be days; nobody means that.
pub(crate) fn time_span(text: &str) -> Option<Span> {
    let text = text.trim();
    let Some(text) = text.strip_prefix('-') else {
        return positive_time_span(text).map(Span::Of);
    };
    positive_time_span(text).map(|span| match span {
        Duration::ZERO => Span::Of(span),
        span if span == Duration::from_millis(1) => Span::Infinite,
        _ => Span::Negative,
    })
}

/// What a text that is no span was probably meant to be, as it has to be written: one whose hours
/// do not end at 23, or a number with its unit.
pub(crate) fn meant_span(text: &str) -> Option<String> {
    let text = text.trim();
    let written =
        |seconds: u64| Some(seconds_text(seconds)).filter(|text| time_span(text).is_some());
    let with_unit = || {
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = (text[..digits].parse::<u64>().ok()?, text[digits..].trim());
        let milliseconds = unit_of_time(unit)?.as_millis().checked_mul(number.into())?;
        let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
        let whole = written(seconds.try_into().ok()?)?;
        Some(if rest == 0 { whole } else { format!("{whole}.{rest:03}") })
    };
    let with_colons = || {
        let (days, clock) = match text.split_once('.') {
            Some((days, clock)) if clock.contains(':') => (days.parse::<u64>().ok()?, clock),
            _ => (0, text),
        };
        let parts: Option<Vec<u64>> = clock.split(':').map(|part| number(part, u64::MAX)).collect();
        let (hours, minutes, seconds) = match parts?[..] {
            [hours, minutes] => (hours, minutes, 0),
            [hours, minutes, seconds] => (hours, minutes, seconds),
            // Days, as other systems write them.
            [more_days, hours, minutes, seconds] if days == 0 => {
                (more_days.checked_mul(24)?.checked_add(hours)?, minutes, seconds)
            }
            _ => return None,
        };
        let hours = days.checked_mul(24)?.checked_add(hours)?;
        let minutes = hours.checked_mul(60)?.checked_add(minutes)?;
        written(minutes.checked_mul(60)?.checked_add(seconds)?)
    };
    with_colons().or_else(with_unit)
}

/// What `30:00` means to whoever has minutes and seconds in mind, as it has to be written: to `time_span`, two
/// numbers are hours and minutes.
pub(crate) fn meant_minutes(text: &str) -> Option<String> {
    let (minutes, seconds) = text.trim().split_once(':')?;
    let (minutes, seconds) = (number(minutes, u64::MAX)?, number(seconds, u64::MAX)?);
    let seconds = minutes.checked_mul(60)?.checked_add(seconds)?;
    Some(seconds_text(seconds)).filter(|text| time_span(text).is_some())
}

/// How long a unit of time is, of a millisecond or more.
pub(crate) fn unit_of_time(unit: &str) -> Option<Duration> {
    let milliseconds = match unit.to_ascii_lowercase().as_str() {
        "ms" | "msec" | "millisecond" | "milliseconds" => 1,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
        "h" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        _ => return None,
    };
    Some(Duration::from_millis(milliseconds))
}

/// A span as [`time_span`] reads it, in whole seconds.
pub(crate) fn seconds_text(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let clock = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    if days == 0 { clock } else { format!("{days}.{clock}") }
}

fn positive_time_span(text: &str) -> Option<Duration> {
    let (days, clock) = match text.split_once('.') {
        Some((days, clock)) if clock.contains(':') => (number(days, 10_675_199)?, clock),
        _ => (0, text),
    };
    let mut parts = clock.split(':');
    let hours = number(parts.next()?, 23)?;
    let minutes = number(parts.next()?, 59)?;
    let (seconds, fraction) = match parts.next() {
        None => (0, 0),
        Some(seconds) => match seconds.split_once('.') {
            None => (number(seconds, 59)?, 0),
            Some((seconds, fraction)) => (number(seconds, 59)?, nanoseconds(fraction)?),
        },
    };
    if parts.next().is_some() {
        return None;
    }
    let seconds = ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
    Some(Duration::new(seconds, fraction))
}

fn number(digits: &str, most: u64) -> Option<u64> {
    let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|number| plain && *number <= most)
}

fn nanoseconds(fraction: &str) -> Option<u32> {
    let plain =
        (1..=7).contains(&fraction.len()) && fraction.bytes().all(|digit| digit.is_ascii_digit());
    plain.then(|| format!("{fraction:0<9}").parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers() {
        for (text, read) in [
            ("12", Some(12)),
            (" 12 ", Some(12)),
            ("-3", Some(-3)),
            ("+3", Some(3)),
            ("0x2000", Some(8192)),
            ("#1F", Some(31)),
            ("&h1F", Some(31)),
            ("0x", None),
            ("0x-1", None),
            ("1.5", None),
            ("1,000", None),
            ("8k", None),
            ("", None),
        ] {
            assert_eq!(integer(text), read, "{text}");
        }
    }

    #[test]
    fn spans_of_time() {
        for (text, seconds) in [
            ("00:00:30", Some(30.0)),
            ("00:02", Some(120.0)),
            ("1.00:00:00", Some(86_400.0)),
            ("00:00:00.5", Some(0.5)),
            ("00:00:01.2500000", Some(1.25)),
            ("5", None),
            ("30s", None),
            ("24:00:00", None),
            ("00:60", None),
            ("00:00:00.", None),
            ("1:2:3:4", None),
            ("::", None),
        ] {
            let span = seconds.map(|seconds| Span::Of(Duration::from_secs_f64(seconds)));
            assert_eq!(time_span(text), span, "{text}");
        }
        for (text, span) in [
            ("-00:00:01", Some(Span::Negative)),
            ("-1.00:00:00", Some(Span::Negative)),
            ("-00:00:00.001", Some(Span::Infinite)),
            ("-00:00:00.0010000", Some(Span::Infinite)),
            ("-00:00:00", Some(Span::Of(Duration::ZERO))),
            ("--00:00:01", None),
            ("-5", None),
            ("-", None),
        ] {
            assert_eq!(time_span(text), span, "{text}");
        }
        for seconds in [0, 90, 3600, 86_399, 86_400, 90_061] {
            let span = Some(Span::Of(Duration::from_secs(seconds)));
            assert_eq!(time_span(&seconds_text(seconds)), span, "{seconds}");
        }
    }

    #[test]
    fn a_span_that_is_written_otherwise_is_understood() {
        for (text, meant) in [
            ("99:00:00", Some("4.03:00:00")),
            ("24:00", Some("1.00:00:00")),
            ("00:90", Some("01:30:00")),
            ("00:00:90", Some("00:01:30")),
            ("1.25:00:00", Some("2.01:00:00")),
            ("1:02:03:04", Some("1.02:03:04")),
            ("30s", Some("00:00:30")),
            ("5 minutes", Some("00:05:00")),
            ("36h", Some("1.12:00:00")),
            ("1500ms", Some("00:00:01.500")),
            ("2000ms", Some("00:00:02")),
            ("5", None),
            ("soon", None),
            ("1:2:3:4:5", None),
            ("18446744073709551615:00", None),
            ("18446744073709551615d", None),
            ("99999999999999h", None),
            (":", None),
            ("", None),
        ] {
            assert_eq!(meant_span(text).as_deref(), meant, "{text}");
            assert!(meant.is_none_or(|meant| time_span(meant).is_some()), "{text}");
        }
    }

    #[test]
    fn two_numbers_may_be_minutes_and_seconds() {
        for (text, meant) in [
            ("30:00", Some("00:30:00")),
            ("90:00", Some("01:30:00")),
            ("00:90", Some("00:01:30")),
            ("0:30:00", None),
            ("1.30:00", None),
            ("18446744073709551615:00", None),
            ("30", None),
            (":", None),
        ] {
            assert_eq!(meant_minutes(text).as_deref(), meant, "{text}");
        }
    }

    #[test]
    fn numbers_with_a_fraction() {
        for (text, number) in [
            ("240", Some(240.0)),
            (" 0.5 ", Some(0.5)),
            (".5", Some(0.5)),
            ("1e3", Some(1000.0)),
            ("-1", Some(-1.0)),
            ("1e999", Some(f64::INFINITY)),
            ("1,5", None),
            ("240 B", None),
            ("NaN", None),
            ("inf", None),
            ("", None),
        ] {
            assert_eq!(double(text), number, "{text}");
        }
    }

    #[test]
    fn booleans() {
        for (text, read) in
            [("true", Some(true)), (" FALSE ", Some(false)), ("1", None), ("yes", None)]
        {
            assert_eq!(boolean(text), read, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_them_panic(text in "\\PC*|[0-9.:x#&h+-]*") {
            let _ = (integer(&text), time_span(&text), boolean(&text), double(&text));
            let _ = (meant_span(&text), meant_minutes(&text));
        }
    }
}
