//! What of a recording, and of what was seen, counts.

use serde_json::{Map, Value};

use super::text::{list, pair};

/// What a destination saw that is not looked at: which of the connections it was, how it ended.
const LEFT_OUT: [&str; 6] =
    ["conn", "peer_ended", "peer_ended_s", "tunnel_end", "body_end", "tls_failed"];

/// Header lines, lines of text or pairs, with names in lower case and in any order, without what is
/// the server's or the proxy's own.
pub(super) fn lines(headers: &Value) -> Vec<String> {
    let headers = list(headers).iter().map(|header| match header.as_str() {
        Some(line) => line.split_once(": ").unwrap_or((line, "")),
        None => pair(header),
    });
    let mut lines: Vec<_> = headers.filter_map(|(name, value)| line(name, value.trim())).collect();
    lines.sort_unstable();
    lines
}

/// None if it is the server's own.
fn line(name: &str, value: &str) -> Option<String> {
    let name = match name.starts_with(':') {
        true => name.to_owned(),
        false => name.trim_end_matches(':').to_lowercase(),
    };
    let own = match name.as_str() {
        "date" => true,
        "server" => value.eq_ignore_ascii_case("kestrel"),
        "traceparent" => value.contains("{trace}"),
        "user-agent" => value.to_lowercase().contains("health"),
        _ => false,
    };
    (!own).then(|| format!("{name}: {value}"))
}

/// What the destinations got; the tally of it as it is.
pub(super) fn of_upstreams(got: &Value) -> Value {
    match got {
        Value::Array(entries) => entries.iter().map(of_entry).collect(),
        tally => tally.clone(),
    }
}

fn of_entry(entry: &Value) -> Value {
    let mut facts = Map::new();
    for (name, value) in entry.as_object().into_iter().flatten() {
        let value = match name.as_str() {
            "tls_failed" => true.into(),
            left_out if LEFT_OUT.contains(&left_out) => continue,
            "head" => {
                let (first, rest) = list(value).split_first().unwrap_or((&Value::Null, &[]));
                let rest = lines(&Value::from(rest));
                [first.clone()].into_iter().chain(rest.into_iter().map(Value::from)).collect()
            }
            "h2" | "trailers" => lines(value).into(),
            _ => value.clone(),
        };
        facts.insert(name.clone(), value);
    }
    Value::Object(facts)
}

/// The request lines, or paths, that the destinations got.
pub(super) fn heads(facts: &Value) -> Vec<String> {
    let head = |entry: &Value| {
        let line = match entry.get("head") {
            Some(head) => head[0].as_str(),
            None => list(entry.get("h2")?)
                .iter()
                .find_map(|line| line.as_str()?.strip_prefix(":path: "))
                .or(Some("")),
        };
        line.map(str::to_owned)
    };
    list(facts).iter().filter_map(head).collect()
}

/// Whether seconds are the same as far as a clock of tenths on a busy machine can tell.
pub(super) fn near(recorded: &Value, ours: &Value) -> bool {
    match (recorded.as_f64(), ours.as_f64()) {
        (Some(recorded), Some(ours)) => (recorded - ours).abs() <= f64::max(0.6, recorded / 3.0),
        _ => false,
    }
}

/// The harness's test of this file.
pub(super) fn check() {
    use serde_json::json;
    let headers = json!([
        ["X-B", "1"],
        ["date", "x"],
        "x-a: 2 ",
        ["Server", "Kestrel"],
        ":path: /",
        ["Server", "x"],
    ]);
    assert_eq!(lines(&headers), [":path: /", "server: x", "x-a: 2", "x-b: 1"]);
    let got = json!([
        {"up": 1, "conn": 2, "head": ["GET / HTTP/1.1", "B: 1", "A: 2"], "tls_failed": "why"},
        {"up": 1, "h2": [":path: /x"]},
        {"up": 1, "partial": "x"},
    ]);
    let facts = of_upstreams(&got);
    let head = json!(["GET / HTTP/1.1", "a: 2", "b: 1"]);
    assert_eq!(facts[0], json!({"up": 1, "head": head, "tls_failed": true}));
    assert_eq!(heads(&facts), ["GET / HTTP/1.1", "/x"]);
    for (recorded, ours, same) in [(1.0, 1.5, true), (1.0, 1.7, false), (6.0, 8.0, true)] {
        assert_eq!(near(&json!(recorded), &json!(ours)), same, "{recorded} {ours}");
    }
    assert!(!near(&Value::Null, &json!(1)));
}
