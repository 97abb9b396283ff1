//! `Kestrel:Limits` and the server's other options.

use std::time::Duration;

use super::values::{self, Empty, cannot_convert, integer, read_boolean, time_span};
use crate::configuration::{Configuration, Problem};
use crate::server::{Limits, ServerOptions};

/// Options of Kestrel that are read but have no effect in this version.
const NOT_YET: [&str; 12] = [
    "AllowAlternateSchemes",
    "AllowHostHeaderOverride",
    "AllowResponseHeaderCompression",
    "Limits:MaxConcurrentUpgradedConnections",
    "Limits:MaxRequestBodySize",
    "Limits:MaxRequestBufferSize",
    "Limits:MaxResponseBufferSize",
    "Limits:MinRequestBodyDataRate",
    "Limits:MinResponseDataRate",
    "Limits:Http2",
    "Limits:Http3",
    "Certificates",
];

pub(super) fn read(configuration: &Configuration, problems: &mut Vec<Problem>) -> ServerOptions {
    let options = ServerOptions {
        add_server_header: read_boolean(configuration, "Kestrel:AddServerHeader", problems)
            .unwrap_or(ServerOptions::default().add_server_header),
        limits: limits(configuration, problems),
        ..ServerOptions::default()
    };
    for name in NOT_YET {
        let section = configuration.section(&format!("Kestrel:{name}"));
        if section.exists() {
            let set = section
                .setting()
                .or_else(|| section.children().first().and_then(|child| child.setting()));
            let mut problem =
                Problem::warning(format!("Kestrel:{name} has no effect in this version."))
                    .key(section.path().to_owned())
                    .fix("remove it, or rely on its default");
            if let Some(setting) = set {
                problem = problem.origin(setting.origin.clone());
            }
            problems.push(problem);
        }
    }
    options
}

fn limits(configuration: &Configuration, problems: &mut Vec<Problem>) -> Limits {
    let max_connections =
        positive(configuration, "MaxConcurrentConnections", "System.Int64", problems);
    let mut limits = Limits { max_concurrent_connections: max_connections, ..Limits::default() };
    for (name, limit) in [
        ("MaxRequestLineSize", &mut limits.max_request_line_size),
        ("MaxRequestHeadersTotalSize", &mut limits.max_request_headers_total_size),
        ("MaxRequestHeaderCount", &mut limits.max_request_header_count),
    ] {
        if let Some(value) = positive(configuration, name, "System.Int32", problems) {
            *limit = usize::try_from(value).unwrap_or(usize::MAX);
        }
    }
    for (name, limit) in [
        ("KeepAliveTimeout", &mut limits.keep_alive_timeout),
        ("RequestHeadersTimeout", &mut limits.request_headers_timeout),
    ] {
        if let Some(value) = span(configuration, name, problems) {
            *limit = value;
        }
    }
    limits
}

fn positive(
    configuration: &Configuration,
    name: &str,
    kind: &str,
    problems: &mut Vec<Problem>,
) -> Option<u64> {
    let key = format!("Kestrel:Limits:{name}");
    // .NET counts bytes and lines in 32 bits, and has a value for each; connections may be without limit.
    let (most, empty) = match kind {
        "System.Int32" => (i64::from(i32::MAX), Empty::Refuse),
        _ => (i64::MAX, Empty::Unset),
    };
    let convert = |text: &str| integer(text).filter(|value| *value <= most);
    let expected = (kind, "write a whole number, without a unit");
    let value = values::read(configuration, &key, problems, expected, empty, convert)?;
    if value < 1 {
        let rule = "Value must be a positive number.";
        out_of_range(configuration, &key, rule, "write 1 or more", problems);
        return None;
    }
    u64::try_from(value).ok()
}

fn span(
    configuration: &Configuration,
    name: &str,
    problems: &mut Vec<Problem>,
) -> Option<Duration> {
    let key = format!("Kestrel:Limits:{name}");
    let setting = configuration.setting(&key)?;
    let value = setting.value.as_deref()?;
    let Some(span) = time_span(value) else {
        let expected = match value.trim().parse::<u64>() {
            Ok(number) => format!(
                "a bare number would mean {number} days; for {number} seconds write {:02}:{:02}:{:02}",
                number / 3600 % 24,
                number / 60 % 60,
                number % 60
            ),
            Err(_) => "write hours:minutes:seconds, such as 00:02:10".to_owned(),
        };
        problems.push(cannot_convert(setting, value, "System.TimeSpan", &expected));
        return None;
    };
    if span.is_zero() {
        let fix = "write more than 00:00:00";
        out_of_range(configuration, &key, "Value must be a positive TimeSpan.", fix, problems);
        return None;
    }
    Some(span)
}

fn out_of_range(
    configuration: &Configuration,
    key: &str,
    rule: &str,
    fix: &str,
    problems: &mut Vec<Problem>,
) {
    let Some(setting) = configuration.setting(key) else {
        return;
    };
    let value = setting.value.as_deref().unwrap_or_default();
    problems.push(
        Problem::error(format!("{rule} '{}' is '{value}'.", setting.key))
            .key(setting.key.clone())
            .origin(setting.origin.clone())
            .fix(fix),
    );
}
