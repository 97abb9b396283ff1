//! Numbers, times, sizes and paths of the section.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::configuration::text::{Span, meant_span, seconds_text, time_span};
use crate::configuration::{ByteSize, Configuration, Problem, Setting};
use crate::hosting::settings::limits::span;
use crate::hosting::settings::parse::{cannot_convert, read_with, shown};

/// Which lengths of time are taken, in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) least: u64,
    pub(super) most: u64,
}

/// A path, from the content root on.
pub(super) fn file(configuration: &Configuration, key: &str, root: &Path) -> Option<PathBuf> {
    configuration.non_empty(key).map(|text| root.join(text.value))
}

/// A whole number in a range.
pub(super) fn number(
    configuration: &Configuration,
    key: &str,
    (least, most): (u64, u64),
    problems: &mut Vec<Problem>,
) -> Option<u64> {
    read_with(configuration, key, problems, |setting, text| {
        let number = text.trim().parse::<u64>().ok();
        number.filter(|number| (least..=most).contains(number)).ok_or_else(|| {
            let fix = match most {
                u64::MAX => format!("write a whole number, {least} or more"),
                most => format!("write a whole number from {least} to {most}"),
            };
            cannot_convert(setting, text, "System.Int32", &fix)
        })
    })
}

/// A length of time: seconds as the module has them, or hours, minutes and seconds, of which the hours need not end
/// at 23.
pub(super) fn time(
    configuration: &Configuration,
    key: &str,
    times: Times,
    problems: &mut Vec<Problem>,
) -> Option<Duration> {
    read_with(configuration, key, problems, |setting, text| {
        let refused = |given: Duration| out_of_range(given, times);
        let given = match text.trim().parse() {
            Ok(seconds) => Span::Of(Duration::from_secs(seconds)),
            Err(_) => match of_many_hours(text) {
                Some(given) => Span::Of(given),
                None => span(setting, text, refused)?,
            },
        };
        let fix = match given {
            Span::Of(given) => match refused(given) {
                None => return Ok(given),
                Some(fix) => fix,
            },
            Span::Infinite | Span::Negative => range(times),
        };
        Err(wrong(setting, text, "is a time that is not taken here", fix))
    })
}

fn out_of_range(given: Duration, times: Times) -> Option<String> {
    let is_in =
        given >= Duration::from_secs(times.least) && given <= Duration::from_secs(times.most);
    (!is_in).then(|| range(times))
}

fn range(Times { least, most }: Times) -> String {
    let (from, to) = (seconds_text(least), seconds_text(most));
    match most > 360 * 3600 {
        true => format!("write {from} or more, or so many seconds"),
        false => format!("write {from} to {to}, or {least} to {most} seconds"),
    }
}

/// `360:00:00`, which .NET would write with days.
fn of_many_hours(text: &str) -> Option<Duration> {
    let parts: Vec<u64> = text.trim().split(':').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [_, minutes, seconds] = parts[..] else { return None };
    let written = meant_span(text).filter(|_| minutes < 60 && seconds < 60)?;
    match time_span(&written)? {
        Span::Of(given) => Some(given),
        Span::Infinite | Span::Negative => None,
    }
}

/// A number of bytes, or a size with its unit.
pub(super) fn size(
    configuration: &Configuration,
    key: &str,
    least: u64,
    problems: &mut Vec<Problem>,
) -> Option<u64> {
    read_with(configuration, key, problems, |setting, text| {
        let size = ByteSize::parse(text).map(ByteSize::bytes);
        size.filter(|size| *size >= least).ok_or_else(|| {
            let fix = "write a number of bytes, or a size with its unit, such as 512MiB";
            wrong(setting, text, "is no size", fix.to_owned())
        })
    })
}

/// The rights that are taken from files, in octal digits.
pub(super) fn octal(
    configuration: &Configuration,
    key: &str,
    problems: &mut Vec<Problem>,
) -> Option<u32> {
    read_with(configuration, key, problems, |setting, text| {
        let digits = text.trim();
        let is_one = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        let mask = u32::from_str_radix(digits, 8).ok().filter(|_| is_one);
        mask.filter(|mask| *mask <= 0o777).ok_or_else(|| {
            let fix = "write three octal digits, such as 027: what others and the group may not do";
            wrong(setting, text, "is no umask", fix.to_owned())
        })
    })
}

fn wrong(setting: &Setting, text: &str, what: &str, fix: String) -> Problem {
    Problem::error(format!("'{}' at '{}' {what}.", shown(&setting.key, text), setting.key))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix(fix)
}
