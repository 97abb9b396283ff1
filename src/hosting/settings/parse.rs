//! Text to values, as .NET's binder converts it, and the problems when it cannot.

use std::borrow::Cow;
use std::time::Duration;

use crate::configuration::{
    Configuration, Origin, Problem, Section, Setting, Sourced, address_without_user_info,
    speaks_of_secrets,
};

/// A value as it may be shown: not where its key speaks of secrets, or is that of a certificate, whose
/// password may be meant; and without a password in a URL.
pub(super) fn shown<'a>(key: &str, value: &'a str) -> Cow<'a, str> {
    match speaks_of_secrets(key) || is_certificate(key) {
        true => Cow::Borrowed("(hidden)"),
        false => address_without_user_info(value),
    }
}

/// Whether `key`, or the variable that is called so, is that of a whole certificate, or of all.
fn is_certificate(key: &str) -> bool {
    let mut parts = key.rsplit([':', '_']).filter(|part| !part.is_empty());
    let (last, above) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let is = |part: &str, name: &str| part.eq_ignore_ascii_case(name);
    is(last, "Certificate") || is(last, "Certificates") || is(above, "Certificates")
}

/// A problem with the value of `setting`, in the words of .NET's binder, and then in ours.
pub(super) fn cannot_convert(
    setting: &Setting,
    value: &str,
    kind: &str,
    expected: &str,
) -> Problem {
    let value = &*shown(&setting.key, value);
    Problem::error(format!(
        "Failed to convert configuration value '{value}' at '{}' to type '{kind}'.",
        setting.key
    ))
    .cause(format!("'{value}' is {}.", is_not(kind, value)))
    .key(setting.key.clone())
    .origin(setting.origin.clone())
    .fix(expected)
}

/// What a text is not that could not be read as one of .NET's types.
fn is_not(kind: &str, value: &str) -> &'static str {
    let digits = value.trim().trim_start_matches(['+', '-']);
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    match kind {
        "System.TimeSpan" => "no length of time, hours:minutes:seconds",
        "System.Boolean" => "neither true nor false",
        "System.Int32" | "System.Int64" if is_number => "a number that is not taken here",
        "System.Int32" | "System.Int64" => "no whole number",
        "System.Double" => "no number",
        kind if kind.ends_with("MinDataRate") => "one text, and a rate is two numbers",
        kind if kind.ends_with("LogLevel") => "no level of the log",
        _ => "none of the words that are known here",
    }
}

/// `true` or `false` in any case, blanks around it allowed.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.trim() {
        text if text.eq_ignore_ascii_case("true") => Some(true),
        text if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// A whole number: decimal with a sign, or hexadecimal as `0x1F`, `#1F` or `&h1F`.
pub(super) fn integer(text: &str) -> Option<i64> {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    for prefix in ["0x", "#", "&h"] {
        if let Some(digits) = lower.strip_prefix(prefix) {
            let unsigned = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            return unsigned.then(|| i64::from_str_radix(digits, 16).ok()).flatten();
        }
    }
    text.parse().ok()
}

/// A number that may have a fraction and an exponent, as .NET reads a double. Its words for what
/// is not finite are no numbers to us.
pub(super) fn double(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse().ok().filter(|_| plain)
}

/// A span of time as it can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// From nothing on.
    Of(Duration),
    /// .NET's `Timeout.InfiniteTimeSpan`, minus a millisecond.
    Infinite,
    /// Any other that is less than nothing.
    Negative,
}

/// A span of time: `[-][d.]hh:mm[:ss[.fraction]]`. A bare number would be days; nobody means that.
pub(super) fn time_span(text: &str) -> Option<Span> {
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
pub(super) fn meant_span(text: &str) -> Option<String> {
    let text = text.trim();
    let written =
        |seconds: u64| Some(seconds_text(seconds)).filter(|text| time_span(text).is_some());
    let with_unit = || {
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = (text[..digits].parse::<u64>().ok()?, text[digits..].trim());
        let seconds = match unit.to_ascii_lowercase().as_str() {
            "ms" | "msec" | "millisecond" | "milliseconds" => {
                let rest = number % 1000;
                let whole = written(number / 1000)?;
                return Some(if rest == 0 { whole } else { format!("{whole}.{rest:03}") });
            }
            "s" | "sec" | "secs" | "second" | "seconds" => 1,
            "m" | "min" | "mins" | "minute" | "minutes" => 60,
            "h" | "hour" | "hours" => 3_600,
            "d" | "day" | "days" => 86_400,
            _ => return None,
        };
        written(number.checked_mul(seconds)?)
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

/// A span as [`time_span`] reads it, in whole seconds.
pub(super) fn seconds_text(seconds: u64) -> String {
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

/// What the empty text means for a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Empty {
    /// Not set: the setting may be absent.
    Unset,
    /// A mistake: the setting always has a value.
    Refuse,
}

/// Reads `key` with `convert`; absent and null mean "not set".
pub(super) fn read<T>(
    configuration: &Configuration,
    key: &str,
    problems: &mut Vec<Problem>,
    (kind, expected): (&str, &str),
    empty: Empty,
    convert: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    let setting = configuration.setting(key)?;
    let value = setting.value.as_deref()?;
    if value.is_empty() && empty == Empty::Unset {
        return None;
    }
    let converted = convert(value);
    if converted.is_none() {
        problems.push(cannot_convert(setting, value, kind, expected));
    }
    converted
}

/// Reads `key` with a conversion that knows best what is wrong; absent and null mean "not set".
pub(super) fn read_with<T>(
    configuration: &Configuration,
    key: &str,
    problems: &mut Vec<Problem>,
    convert: impl FnOnce(&Setting, &str) -> Result<T, Problem>,
) -> Option<T> {
    let setting = configuration.setting(key)?;
    let value = setting.value.as_deref()?;
    convert(setting, value).map_err(|problem| problems.push(problem)).ok()
}

/// Reads a boolean that .NET would bind.
pub(super) fn read_boolean(
    configuration: &Configuration,
    key: &str,
    problems: &mut Vec<Problem>,
) -> Option<bool> {
    let kind = ("System.Boolean", "write true or false");
    read(configuration, key, problems, kind, Empty::Refuse, boolean)
}

/// Reads a boolean of the web host: true if `true` or `1`, else false, which is told of a text that
/// does not say so.
pub(super) fn host_boolean(
    configuration: &Configuration,
    key: &str,
    problems: &mut Vec<Problem>,
) -> Option<Sourced<bool>> {
    let text = configuration.non_empty(key)?;
    let value = match text.value {
        "1" => true,
        "0" => false,
        text if text.eq_ignore_ascii_case("true") => true,
        text if text.eq_ignore_ascii_case("false") => false,
        other => {
            problems.push(counts_as(other, false, key, text.origin.clone()));
            false
        }
    };
    Some(text.map(|_| value))
}

/// A boolean that counts as `otherwise` if it cannot be read, which is told.
pub(super) fn boolean_or(
    section: &Section<'_>,
    key: &str,
    otherwise: bool,
    problems: &mut Vec<Problem>,
) -> bool {
    let Some(text) = section.non_empty(key) else {
        return otherwise;
    };
    boolean(text.value).unwrap_or_else(|| {
        let key = format!("{}:{key}", section.path());
        problems.push(counts_as(text.value, otherwise, &key, text.origin));
        otherwise
    })
}

/// A text in the place of a boolean that .NET passes over in silence.
pub(super) fn counts_as(text: &str, value: bool, key: &str, origin: Origin) -> Problem {
    let text = shown(key, text);
    Problem::warning(format!("'{text}' is neither true nor false: it counts as {value}."))
        .key(key)
        .origin(origin)
        .fix("write true or false")
}

/// Reads a text of several parts with `;` between. A list of texts in its place is taken for one
/// such text, and told: it is plain what is meant.
pub(super) fn separated(
    configuration: &Configuration,
    key: &str,
    problems: &mut Vec<Problem>,
) -> Option<Sourced<String>> {
    let Some((key, list)) = list_in_place_of(configuration, key) else {
        return configuration.non_empty(key).map(|text| text.map(str::to_owned));
    };
    let name = key.rsplit(':').next().unwrap_or_default();
    let text = address_without_user_info(&list.value);
    problems.push(
        Problem::warning(format!("'{key}' is one text: its list is taken for '{text}'."))
            .key(key)
            .origin(list.origin.clone())
            .fix(format!("write \"{name}\": \"{text}\"")),
    );
    Some(list)
}

/// The texts of a list, joined by `;`, and its key as it is spelled, unless a source as strong has a
/// text in its place.
fn list_in_place_of<'a>(
    configuration: &'a Configuration,
    key: &str,
) -> Option<(&'a str, Sourced<String>)> {
    let section = configuration.section(key);
    let elements = section.children();
    let texts = elements.iter().map(|element| {
        element.name().parse::<u32>().ok()?;
        let setting = element.setting()?;
        Some((setting, setting.value.as_deref()?))
    });
    let texts = texts.collect::<Option<Vec<_>>>()?;
    let (first, _) = texts.first()?;
    let (spelled, _) = first.key.rsplit_once(':')?;
    let layer = texts.iter().map(|(setting, _)| setting.layer).max()?;
    let outdone = section.setting().is_some_and(|text| text.layer >= layer);
    let joined = texts.iter().map(|(_, text)| *text).collect::<Vec<_>>().join(";");
    (!outdone && !joined.is_empty()).then(|| (spelled, Sourced::new(joined, first.origin.clone())))
}

/// The name among `known` that `text` was probably meant to be.
pub(crate) fn did_you_mean<'a>(
    text: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let lower = text.to_lowercase();
    let length = lower.chars().count();
    let allowed = match length {
        0..=2 => return None,
        3..=5 => 1,
        6..=9 => 2,
        _ => 3,
    };
    known
        .into_iter()
        // The distance is at least the difference of the lengths.
        .filter(|name| name.chars().count().abs_diff(length) <= allowed)
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The name among `known` that a value was probably meant to be: near, or begun (`Warn`).
pub(super) fn meant_value<'a>(text: &str, known: &[&'a str]) -> Option<&'a str> {
    let text = text.trim();
    let begun = |name: &&&str| {
        text.len() >= 3
            && name.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text))
    };
    known.iter().find(begun).copied().or_else(|| did_you_mean(text, known.iter().copied()))
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

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["urls", "Endpoints", "Kestrel", "Http1AndHttp2"];
        for (text, meant) in [
            ("url", Some("urls")),
            ("EndPoint", Some("Endpoints")),
            ("Kestrl", Some("Kestrel")),
            ("http1andhttp", Some("Http1AndHttp2")),
            ("L", None),
            ("Foo", None),
            ("Items", None),
        ] {
            assert_eq!(did_you_mean(text, known), meant, "{text}");
        }
    }

    #[test]
    fn a_value_may_be_begun() {
        let levels = ["Information", "Warning", "Error"];
        for (text, meant) in [
            ("Warn", Some("Warning")),
            ("info", Some("Information")),
            ("Errror", Some("Error")),
            ("Loud", None),
        ] {
            assert_eq!(meant_value(text, &levels), meant, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_them_panic(text in "\\PC*|[0-9.:x#&h+-]*") {
            let _ = (integer(&text), time_span(&text), boolean(&text), double(&text));
            let _ = (did_you_mean(&text, ["urls"]), meant_span(&text));
        }
    }
}
