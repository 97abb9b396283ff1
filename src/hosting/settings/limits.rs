//! `Kestrel:Limits`: from texts to limits, and from a limit that cannot be to where it was set.
//!
//! The names, ranges and Kestrel's words for them are a table of the server's, in
//! `server/limit_rules.rs`; the rates are pairs of keys, and have theirs here.

use std::time::Duration;

use super::parse::{cannot_convert, read_with, shown};
use crate::configuration::text::{
    Span, double, integer, meant_minutes, meant_span, seconds_text, time_span,
};
use crate::configuration::{Configuration, Origin, Problem, Setting, Severity, keys_equal};
use crate::features::{MinDataRate, MinDataRateError};
use crate::server::limit_rules::{self, NUMBERS, SPANS, WRITTEN};
use crate::server::{Http2Limits, Limits};

/// The builder's call that sets limits in code.
const CODE: Origin = Origin::Code("configure_kestrel");

fn key(name: &str) -> String {
    format!("Kestrel:Limits:{name}")
}

/// Reads every limit. One that cannot be keeps its default.
pub(super) fn read(configuration: &Configuration, problems: &mut Vec<Problem>) -> Limits {
    let mut limits = Limits::default();
    for rule in &NUMBERS {
        if let Some(setting) = configuration.setting(&key(rule.name)) {
            number(rule, setting, &mut limits).unwrap_or_else(|problem| problems.push(problem));
        }
    }
    for rule in &SPANS {
        if let Some(setting) = configuration.setting(&key(rule.name)) {
            timeout(rule, setting, &mut limits).unwrap_or_else(|problem| problems.push(problem));
        }
    }
    for (name, limit) in [
        ("MinRequestBodyDataRate", &mut limits.min_request_body_data_rate),
        ("MinResponseDataRate", &mut limits.min_response_data_rate),
    ] {
        *limit = rate(configuration, &key(name), problems);
    }
    limits
}

/// The largest body of a request that a setting says, wherever it stands; `None` is no limit.
pub(super) fn max_request_body_size(setting: &Setting) -> Result<Option<u64>, Problem> {
    let mut limits = Limits::default();
    number(limit_rules::number("MaxRequestBodySize"), setting, &mut limits)?;
    Ok(limits.max_request_body_size)
}

fn number(
    rule: &limit_rules::Number,
    setting: &Setting,
    limits: &mut Limits,
) -> Result<(), Problem> {
    let text = match setting.value.as_deref() {
        None | Some("") if rule.optional => {
            rule.set(limits, None);
            return Ok(());
        }
        None => return Ok(()),
        Some(text) => text,
    };
    let most = i128::from(rule.width.most());
    let whole = integer(text).map(i128::from).filter(|value| (-most - 1..=most).contains(value));
    let Some(value) = whole else {
        let digits = text.trim().trim_start_matches(['+', '-']);
        let fix = if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            format!("write a whole number up to {most}")
        } else {
            "write a whole number, without a unit".to_owned()
        };
        return Err(cannot_convert(setting, text, rule.width.name(), &fix));
    };
    let value =
        rule.check(value, &WRITTEN).map_err(|wrong| refused(&wrong.rule, setting, wrong.fix))?;
    rule.set(limits, Some(value));
    Ok(())
}

fn timeout(
    rule: &limit_rules::Span,
    setting: &Setting,
    limits: &mut Limits,
) -> Result<(), Problem> {
    let Some(text) = setting.value.as_deref() else {
        return Ok(());
    };
    let out_of_range =
        |given| rule.check(Some(given), text, &WRITTEN).err().map(|wrong| wrong.fix.to_string());
    let given = match span(setting, text, out_of_range)? {
        Span::Infinite => {
            rule.set(limits, None);
            return Ok(());
        }
        Span::Of(given) => Some(given),
        Span::Negative => None,
    };
    let given = rule
        .check(given, text, &WRITTEN)
        .map_err(|wrong| refused(&wrong.rule, setting, wrong.fix))?;
    rule.set(limits, Some(given));
    Ok(())
}

/// Reads a length of time. `out_of_range` gives what to write in the place of one that would be
/// refused next: nobody is to be told to write that.
pub(super) fn span(
    setting: &Setting,
    text: &str,
    out_of_range: impl Fn(Duration) -> Option<String>,
) -> Result<Span, Problem> {
    time_span(text).ok_or_else(|| {
        let meant = text.trim().parse().ok().map(|number| (number, seconds_text(number)));
        let bare = meant.filter(|(_, written)| time_span(written).is_some());
        let meant = meant_span(text);
        // Of two numbers nobody knows what they are, and both readings may be too long or too short.
        let minutes = meant_minutes(text).filter(|written| match time_span(written) {
            Some(Span::Of(given)) => out_of_range(given).is_none(),
            _ => false,
        });
        let written = bare.as_ref().map(|(_, written)| written).or(meant.as_ref());
        let refused = match written.and_then(|written| time_span(written)) {
            Some(Span::Of(given)) => out_of_range(given),
            _ => None,
        };
        if let Some(fix) = refused {
            let fix = minutes.map_or(fix, |written| {
                format!("write {written}, which is hours:minutes:seconds")
            });
            return cannot_convert(setting, text, "System.TimeSpan", &fix);
        }
        if let (Some(minutes), Some(hours)) = (&minutes, &meant) {
            let fix = format!(
                "write {minutes} for minutes and seconds, or {hours} for hours and minutes"
            );
            return cannot_convert(setting, text, "System.TimeSpan", &fix);
        }
        let fix = match (bare, meant) {
            (Some((number, written)), _) => {
                let plural = if number == 1 { "" } else { "s" };
                format!(
                    "a bare number would mean {number} day{plural}; for {number} second{plural} write {written}"
                )
            }
            // Two digits would do for all of it, but for the days.
            (None, Some(written)) if text.contains(':') => format!(
                "write {written}: hours end at 23, minutes and seconds at 59, and days stand before them with a dot"
            ),
            (None, Some(written)) => format!("write {written}, which is hours:minutes:seconds"),
            (None, None) => "write hours:minutes:seconds, such as 00:02:10".to_owned(),
        };
        cannot_convert(setting, text, "System.TimeSpan", &fix)
    })
}

/// A rate is two keys, each with a default of its own. Nothing at the key of the whole is no rate,
/// unless a layer as strong has one of the two.
fn rate(
    configuration: &Configuration,
    key: &str,
    problems: &mut Vec<Problem>,
) -> Option<MinDataRate> {
    let default = MinDataRate::DEFAULT;
    let halves = ["BytesPerSecond", "GracePeriod"].map(|half| format!("{key}:{half}"));
    if let Some(whole) = configuration.setting(key) {
        match whole.value.as_deref() {
            None | Some("") => {
                let outdone = |half: &String| {
                    let half = configuration.setting(half);
                    half.is_some_and(|half| half.value.is_some() && half.layer >= whole.layer)
                };
                if !halves.iter().any(outdone) {
                    return None;
                }
            }
            Some(text) => {
                let fix = format!(
                    "write {key}:BytesPerSecond and {key}:GracePeriod, or leave it empty for no such limit"
                );
                let kind = "Microsoft.AspNetCore.Server.Kestrel.Core.MinDataRate";
                problems.push(cannot_convert(whole, text, kind, &fix));
            }
        }
    }
    let [bytes, grace] = &halves;
    let refuse = |setting: &Setting, wrong: MinDataRateError, range: &str| {
        let fix = format!("write {range}; leave {key} empty for no such limit");
        refused(&wrong.to_string(), setting, fix)
    };
    let bytes = read_with(configuration, bytes, problems, |setting, text| {
        let Some(bytes) = double(text) else {
            let fix = "write bytes per second as a number, without a unit, such as 240";
            return Err(cannot_convert(setting, text, "System.Double", fix));
        };
        MinDataRate::new(bytes, default.grace_period())
            .map_err(|wrong| refuse(setting, wrong, "more than 0"))
    });
    let grace = read_with(configuration, grace, problems, |setting, text| {
        let out_of_range = |given| {
            let wrong = MinDataRate::new(default.bytes_per_second(), given).is_err();
            wrong.then(|| format!("write more than 00:00:01; leave {key} empty for no such limit"))
        };
        let given = match span(setting, text, out_of_range)? {
            Span::Of(given) => given,
            // Shorter than any that is long enough.
            Span::Infinite | Span::Negative => Duration::ZERO,
        };
        MinDataRate::new(default.bytes_per_second(), given)
            .map_err(|wrong| refuse(setting, wrong, "more than 00:00:01"))
    });
    let rate = bytes.unwrap_or(default).bytes_per_second();
    MinDataRate::new(rate, grace.unwrap_or(default).grace_period()).ok()
}

/// A value out of its range: Kestrel's words, then which.
fn refused(rule: &str, setting: &Setting, fix: String) -> Problem {
    let value = shown(&setting.key, setting.value.as_deref().unwrap_or_default());
    in_our_words(rule, Problem::error(format!("{rule} '{}' is '{value}'.", setting.key)))
        .key(setting.key.clone())
        .origin(setting.origin.clone())
        .fix(fix)
}

/// Says what .NET's word for a length of time means, where the rule has it.
fn in_our_words(rule: &str, problem: Problem) -> Problem {
    match rule.contains("TimeSpan") {
        true => problem.cause("A TimeSpan is a length of time."),
        false => problem,
    }
}

/// Checks the limits as they are at last: what code made of those that were `configured`, and
/// those that do not go together.
pub(super) fn check(
    configuration: &Configuration,
    configured: &Limits,
    limits: &Limits,
    problems: &mut Vec<Problem>,
) {
    // A limit that was refused has its default here, which nobody wrote.
    let refused: Vec<String> = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .filter_map(|problem| problem.key.clone())
        .collect();
    let ends = Ends { configuration, configured, limits, refused };
    for wrong in limits.validate() {
        let Some(other) = wrong.against else {
            // Reading lets nothing pass that is out of its range.
            let key = key(wrong.name);
            let message = format!("{} '{key}' is '{}'.", wrong.rule, wrong.value);
            let problem = in_our_words(&wrong.rule, Problem::error(message));
            problems.push(problem.key(key).origin(CODE).fix(wrong.fix));
            continue;
        };
        let least = limits.max_request_line_size.max(limits.max_request_headers_total_size);
        let raise = format!("write {least} or more, or lower");
        let lower = format!("write {} or less, or raise", wrong.value);
        ends.tell(Problem::error(wrong.rule), (wrong.name, &raise), (other, &lower), problems);
    }
    let Http2Limits { initial_stream_window_size, initial_connection_window_size, .. } =
        limits.http2;
    if initial_stream_window_size > initial_connection_window_size {
        let message = format!(
            "An HTTP/2 request body cannot use its window of {initial_stream_window_size} bytes: its connection has {initial_connection_window_size}."
        );
        ends.tell(
            Problem::warning(message),
            (
                "Http2:InitialStreamWindowSize",
                &format!("write {initial_connection_window_size} or less, or raise"),
            ),
            (
                "Http2:InitialConnectionWindowSize",
                &format!("write {initial_stream_window_size} or more, or lower"),
            ),
            problems,
        );
    }
}

/// Where the limits come from that do not go together.
struct Ends<'a> {
    configuration: &'a Configuration,
    configured: &'a Limits,
    limits: &'a Limits,
    /// The keys that are refused already.
    refused: Vec<String>,
}

impl Ends<'_> {
    /// The key as it was spelled, and who set it.
    fn of(&self, name: &str) -> (String, Origin) {
        let key = key(name);
        let number = NUMBERS.iter().find(|number| number.name == name);
        if number.is_some_and(|number| !number.same(self.configured, self.limits)) {
            return (key, CODE);
        }
        match self.configuration.setting(&key) {
            Some(Setting { key, value: Some(_), origin, .. }) => (key.clone(), origin.clone()),
            _ => (key, Origin::Default),
        }
    }

    /// Tells of two limits that do not go together, each with what can be done about it: the first
    /// is to blame, unless only the second was set.
    fn tell(
        &self,
        problem: Problem,
        (first, fix_first): (&str, &str),
        (second, fix_second): (&str, &str),
        problems: &mut Vec<Problem>,
    ) {
        let (first, second) = (self.of(first), self.of(second));
        if self.refused.iter().any(|key| keys_equal(key, &first.0) || keys_equal(key, &second.0)) {
            return;
        }
        let (to_blame, fix, other) = if first.1 == Origin::Default {
            (second, fix_second, first)
        } else {
            (first, fix_first, second)
        };
        let ((key, origin), (other, whence)) = (to_blame, other);
        let whence = match whence {
            Origin::Default => "which has its default".to_owned(),
            set => format!("which is set by {set}"),
        };
        problems.push(problem.key(key).origin(origin).fix(format!("{fix} {other}, {whence}")));
    }
}
