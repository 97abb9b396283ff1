//! Values of settings, as .NET's binder converts them, and the problems when it cannot.

use std::borrow::Cow;

use http::StatusCode;

use crate::configuration::text::{boolean, integer};
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
        "System.Double" if value.trim().parse::<f64>().is_ok() => "a number that is not taken here",
        "System.Double" => "no number",
        kind if kind.ends_with("MinDataRate") => "one text, and a rate is two numbers",
        kind if kind.ends_with("LogLevel") => "no level of the log",
        kind if kind.ends_with("HeaderName") => "no name of a header",
        _ => "none of the words that are known here",
    }
}

/// Whether one of these is a mistake: what follows from it, such as that nothing is left to do, is not worth a word.
pub(super) fn is_any_wrong(problems: &[Problem]) -> bool {
    problems.iter().any(Problem::is_error)
}

/// Reads `key` with `convert`; absent and null mean "not set", and the empty text is a mistake like
/// another.
pub(super) fn read<T>(
    configuration: &Configuration,
    key: &str,
    problems: &mut Vec<Problem>,
    (kind, expected): (&str, &str),
    convert: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    let setting = configuration.setting(key)?;
    let value = setting.value.as_deref()?;
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
    read(configuration, key, problems, kind, boolean)
}

/// A status that says that a request was not served.
pub(super) fn error_status(setting: &Setting, text: &str) -> Result<StatusCode, Problem> {
    let status = integer(text).and_then(|number| u16::try_from(number).ok());
    let status = status.filter(|number| (400..=599).contains(number));
    status.and_then(|number| StatusCode::from_u16(number).ok()).ok_or_else(|| {
        cannot_convert(setting, text, "System.Int32", "write a status from 400 to 599, such as 503")
    })
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
