//! How what was seen of a case differs from its recording.
//!
//! What counts are whether the proxy starts, what its clients got (statuses, headers in any order,
//! bodies, framing, trailers, resets, tallies and their order, times) and what the destinations got.
//! Log events, reason phrases, whether a client's connection was closed and in which pieces bytes
//! arrived do not; neither does a Content-Length where the reference sends chunks.

use serde_json::Value;

use super::facts::{lines, near, of_upstreams};
use super::text::{any_text, list, map_texts};

/// What stands in a recording for a text that is another at each run.
const ENCRYPTED: &str = "{encrypted}";

/// How `seen` differs from `recorded`. `varies` names what differed between two recordings.
pub(super) fn differences(varies: &Value, recorded: &Value, seen: &Value) -> Vec<String> {
    let start = |of: &Value| of.get("start").map_or_else(|| "up".to_owned(), Value::to_string);
    if recorded.get("start").is_some() != seen.get("start").is_some() {
        return vec![format!("start: recorded {}, ours {}", start(recorded), start(seen))];
    }
    if recorded.get("start").is_some() {
        return Vec::new();
    }
    let seen = &with_encrypted(recorded, seen);
    let varies = |what: &str| list(varies).iter().any(|own| own == what);
    let mut found = Vec::new();
    found.extend(seen.get("died").map(|exit| format!("died: {exit}")));
    for (at, step) in list(&recorded["steps"]).iter().enumerate() {
        if !varies(&format!("steps.{at}")) {
            let mut step_found = Found { place: format!("step {at}"), all: &mut found };
            step_found.step(step, &seen["steps"][at]);
        }
    }
    if !varies("upstream") {
        found.extend(upstream(&recorded["upstream"], &seen["upstream"]));
    }
    found
}

/// Where differences are, and those that were found.
struct Found<'a> {
    place: String,
    all: &'a mut Vec<String>,
}

impl Found<'_> {
    fn differ(&mut self, what: &str, recorded: &Value, ours: &Value) {
        if recorded != ours {
            self.all.push(format!("{} {what}: recorded {recorded}, ours {ours}", self.place));
        }
    }

    fn lines_differ(&mut self, what: &str, recorded: Vec<String>, ours: Vec<String>) {
        if recorded != ours {
            let only = |these: &[String], those: &[String]| {
                Value::from_iter(these.iter().filter(|one| !those.contains(one)).cloned())
            };
            let (missing, more) = (only(&recorded, &ours), only(&ours, &recorded));
            self.all.push(format!("{} {what}: recorded {missing}, ours {more}", self.place));
        }
    }

    /// The answers to one step.
    fn step(&mut self, recorded: &Value, ours: &Value) {
        let (theirs, own) = (&recorded["responses"], &ours["responses"]);
        let statuses = |of: &Value| -> Value {
            match of {
                Value::Array(all) => all.iter().map(|one| one["status"].clone()).collect(),
                other => other.clone(),
            }
        };
        self.differ("statuses", &statuses(theirs), &statuses(own));
        for (at, (one, other)) in list(theirs).iter().zip(list(own)).enumerate() {
            if one["status"] == other["status"] {
                let place = format!("{}.{at}", self.place);
                Found { place, all: self.all }.answer(one, other);
            }
        }
        for what in ["body", "tally", "order", "until", "rest", "connect_failed"] {
            self.differ(what, &recorded[what], &ours[what]);
        }
        let heads = |of: &Value| list(&of["h2"]).iter().map(lines).collect::<Vec<_>>();
        let (one, other) = (heads(recorded), heads(ours));
        self.differ("h2", &one.into(), &other.into());
        self.lines_differ("trailers", lines(&recorded["trailers"]), lines(&ours["trailers"]));
        // NO_ERROR behind the end of a stream may come too late to be seen.
        let code = |of: &Value| of["stream_reset"].as_u64().unwrap_or(0);
        self.differ("stream_reset", &code(recorded).into(), &code(ours).into());
        if recorded.get("secs").is_some() && !near(&recorded["secs"], &ours["secs"]) {
            self.differ("secs", &recorded["secs"], &ours["secs"]);
        }
    }

    /// Two answers with the same status.
    fn answer(&mut self, recorded: &Value, ours: &Value) {
        let in_pieces = recorded["framing"] == "chunked" || recorded["framing"] == "close";
        let with_length = ours["framing"] == "length" && ours["incomplete"] != true;
        let better = in_pieces && with_length;
        if !better {
            self.differ("framing", &recorded["framing"], &ours["framing"]);
        }
        for what in ["body", "incomplete", "version"] {
            self.differ(what, &recorded[what], &ours[what]);
        }
        self.lines_differ("trailers", lines(&recorded["trailers"]), lines(&ours["trailers"]));
        let is_framing = |line: &String| {
            line.starts_with("content-length:") || line.starts_with("transfer-encoding:")
        };
        let headers = |of: &Value| -> Vec<String> {
            let all = lines(&of["headers"]).into_iter();
            all.filter(|line| !(better && is_framing(line))).collect()
        };
        self.lines_differ("headers", headers(recorded), headers(ours));
    }
}

/// How what the destinations got differs, in any order.
fn upstream(recorded: &Value, ours: &Value) -> Option<String> {
    let (recorded, ours) = (of_upstreams(recorded), of_upstreams(ours));
    let (Value::Array(theirs), Value::Array(own)) = (&recorded, &ours) else {
        return (recorded != ours).then(|| format!("upstream: recorded {recorded}, ours {ours}"));
    };
    let mut extra: Vec<&Value> = own.iter().collect();
    let mut missing = Vec::new();
    for entry in theirs {
        match extra.iter().position(|one| *one == entry) {
            Some(at) => drop(extra.remove(at)),
            None => missing.push(entry),
        }
    }
    (!missing.is_empty() || !extra.is_empty()).then(|| {
        let all = |entries: Vec<&Value>| entries.into_iter().cloned().collect::<Value>();
        format!("upstream: recorded {}, ours {}", all(missing), all(extra))
    })
}

/// What was seen, with `{encrypted}` where the recording has it in a header.
fn with_encrypted(recorded: &Value, seen: &Value) -> Value {
    if !any_text(recorded, &|text| text.contains(ENCRYPTED)) {
        return seen.clone();
    }
    let mut hidden = Vec::new();
    for (step, own_step) in list(&recorded["steps"]).iter().zip(list(&seen["steps"])) {
        for (one, other) in list(&step["responses"]).iter().zip(list(&own_step["responses"])) {
            for header in list(&one["headers"]) {
                let own = list(&other["headers"]).iter();
                hidden.extend(own.filter_map(|own| encrypted(header, own)));
            }
        }
    }
    map_texts(seen, &|text| {
        hidden.iter().fold(text.to_owned(), |text, one| text.replace(one, ENCRYPTED))
    })
}

/// The value that stands in `own` where the recorded header has `{encrypted}`.
fn encrypted(header: &Value, own: &Value) -> Option<String> {
    let (name, value) = super::text::pair(header);
    let (own_name, own_value) = super::text::pair(own);
    let (before, behind) = value.split_once(ENCRYPTED)?;
    let found = own_value.strip_prefix(before)?;
    let end = found.find([';', ',', ' ']).unwrap_or(found.len());
    let fits = own_name.eq_ignore_ascii_case(name) && found[end..].starts_with(behind) && end > 0;
    fits.then(|| found[..end].to_owned())
}

/// The harness's test of this file.
pub(super) fn check() {
    use serde_json::json;
    let none = Value::Null;
    let answer = |more: Value| {
        let mut answer =
            json!({"status": 200, "headers": [["A", "b"]], "body": "x", "framing": "length"});
        for (name, value) in more.as_object().into_iter().flatten() {
            answer[name] = value.clone();
        }
        json!({"steps": [{"responses": [answer], "secs": 1.0}], "upstream": [{"up": 1}, {"up": 2}]})
    };
    let recorded = answer(json!({}));
    for (ours, number) in [
        (answer(json!({})), 0),
        (answer(json!({"headers": [["a", "b"], ["Date", "x"]]})), 0),
        (answer(json!({"headers": []})), 1),
        (answer(json!({"body": "y", "incomplete": true})), 2),
        (answer(json!({"status": 201})), 1),
        (answer(json!({"reason": "other"})), 0),
        (json!({"start": {"exit": 1}}), 1),
        (json!({"steps": recorded["steps"], "upstream": [{"up": 2}, {"up": 1}]}), 0),
        (json!({"steps": recorded["steps"], "upstream": [{"up": 2}, {"up": 2}]}), 1),
        (json!({"steps": recorded["steps"], "upstream": recorded["upstream"], "died": 1}), 1),
    ] {
        let found = differences(&none, &recorded, &ours);
        assert_eq!(found.len(), number, "{ours}: {found:?}");
    }
    let chunked =
        answer(json!({"framing": "chunked", "headers": [["Transfer-Encoding", "chunked"]]}));
    let length = answer(json!({"headers": [["Content-Length", "1"]]}));
    assert!(differences(&none, &chunked, &length).is_empty());
    assert_eq!(differences(&none, &length, &chunked).len(), 2);
    let varies = json!(["steps.0", "upstream"]);
    assert!(differences(&varies, &recorded, &json!({"steps": [{}]})).is_empty());
    let cookie =
        |value: &str| answer(json!({"headers": [["Set-Cookie", format!("a={value}; b")]]}));
    assert!(differences(&none, &cookie(ENCRYPTED), &cookie("123")).is_empty());
    assert_eq!(differences(&none, &cookie(ENCRYPTED), &cookie("1;3")).len(), 1);
}
