//! Where ours is meant to differ from a recording: whether it does so as it is meant to.
//!
//! `ours_answer` names the only facts that count, or is a list of such, of which any will do.
//! `ours_changes` names some, and everything else is as recorded; `swap` there lists texts that
//! change places, because the reference goes through its destinations in another order. Of a fact,
//! null is that it is absent, `*` that it is there, and a list that it is any of these.

use serde_json::{Map, Value};

use super::compare::differences;
use super::facts::{heads, lines, near, of_upstreams};
use super::text::{any_text, list, map_texts};

/// Whether ours is what the case says that it should be.
pub(super) fn met(case: &Value, seen: &Value) -> Result<(), String> {
    let found = match (case.get("ours_answer"), case.get("ours_changes")) {
        (Some(answer), _) => names_fit(answer, seen),
        (None, Some(changes)) => {
            let mut found = names_fit(changes, seen);
            let (recorded, seen) = but_for(changes, &case["recorded"], seen);
            found.extend(differences(&case["varies"], &recorded, &seen));
            found
        }
        (None, None) => vec!["nothing is said about ours".to_owned()],
    };
    if found.is_empty() { Ok(()) } else { Err(found.join("; ")) }
}

/// Where ours is not what is named.
fn names_fit(wanted: &Value, seen: &Value) -> Vec<String> {
    match wanted {
        Value::Array(any) => {
            let each = any.iter().map(|one| names_fit(one, seen));
            each.min_by_key(Vec::len).unwrap_or_default()
        }
        Value::Object(named) => {
            let mut found = Vec::new();
            for (name, value) in named {
                named_fit(name, value, seen, &mut found);
            }
            found
        }
        other => vec![format!("nobody here knows `{other}`")],
    }
}

fn named_fit(name: &str, value: &Value, seen: &Value, found: &mut Vec<String>) {
    let facts = of_upstreams(&seen["upstream"]);
    let has = |wanted: &Value| {
        let wanted = wanted.as_str().unwrap_or_default();
        any_text(&facts, &|text| text.contains(wanted))
    };
    match name {
        "start" => {
            let start = if seen.get("start").is_some() { "refused" } else { "up" };
            one("start", value, &start.into(), found);
        }
        "steps" => {
            for (number, wanted) in value.as_object().into_iter().flatten() {
                let at = number.parse::<usize>().unwrap_or(usize::MAX);
                let step = Step { number, seen: &seen["steps"][at] };
                for (fact, value) in wanted.as_object().into_iter().flatten() {
                    step.fits(fact, value, found);
                }
            }
        }
        "heads" => {
            let (wanted, own) = (list(value), heads(&facts));
            let fits = wanted.len() == own.len()
                && wanted.iter().zip(&own).all(|(wanted, own)| fits(wanted, &own.as_str().into()));
            if !fits {
                found.push(format!("heads: meant {value}, ours {own:?}"));
            }
        }
        "upstream_has" => {
            found.extend(
                list(value)
                    .iter()
                    .filter(|text| !has(text))
                    .map(|text| format!("upstream_has {text}: ours {facts}")),
            );
        }
        "upstream_not" => {
            found.extend(
                list(value)
                    .iter()
                    .filter(|text| has(text))
                    .map(|text| format!("upstream_not {text}: ours {facts}")),
            );
        }
        // What these are is said by `but_for`.
        "swap" => {}
        "upstream" if value == "free" => {}
        other => found.push(format!("nobody here knows `{other}` of ours")),
    }
}

/// One step and what is named of it.
struct Step<'a> {
    number: &'a str,
    seen: &'a Value,
}

impl Step<'_> {
    /// The answer that is not followed by another one.
    fn last(&self) -> &Value {
        let all = list(&self.seen["responses"]).iter();
        let mut all =
            all.filter(|one| one["status"].as_u64().is_some_and(|it| it >= 200 || it == 101));
        all.next_back().unwrap_or(&Value::Null)
    }

    /// The statuses of heads of HTTP/2.
    fn statuses(&self) -> Vec<u64> {
        let of = |head: &Value| {
            let line = list(head).iter().find_map(|line| line.as_str()?.strip_prefix(":status: "));
            line?.parse().ok()
        };
        list(&self.seen["h2"]).iter().filter_map(of).collect()
    }

    fn status(&self) -> Value {
        match self.last()["status"].as_u64().or(self.statuses().last().copied()) {
            Some(status) => status.into(),
            None => Value::Null,
        }
    }

    /// The statuses of the answers before the last.
    fn interim(&self) -> Value {
        let all = list(&self.seen["responses"]).iter().filter_map(|one| one["status"].as_u64());
        let interim: Vec<u64> = all.filter(|status| *status < 200).collect();
        let statuses = self.statuses();
        let before_last = statuses.split_last().map_or(&[][..], |(_, before)| before);
        if interim.is_empty() { before_last.into() } else { interim.into() }
    }

    /// The value of a header of the last answer.
    fn header(&self, name: &str) -> Value {
        let heads = list(&self.seen["h2"]);
        let headers = self.last().get("headers").or(heads.last()).unwrap_or(&Value::Null);
        let lines = lines(headers);
        let values: Vec<&str> =
            lines.iter().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect();
        if values.is_empty() { Value::Null } else { values.join(", ").into() }
    }

    fn fits(&self, fact: &str, wanted: &Value, found: &mut Vec<String>) {
        let place = format!("step {} {fact}", self.number);
        let own = |name: &str| self.last().get(name).unwrap_or(&self.seen[name]).clone();
        match fact {
            "status" => one(&place, wanted, &self.status(), found),
            "interim" => one(&place, wanted, &self.interim(), found),
            "headers" => {
                for (name, value) in wanted.as_object().into_iter().flatten() {
                    one(&format!("{place} {name}"), value, &self.header(name), found);
                }
            }
            "secs" if near(wanted, &self.seen["secs"]) => {}
            "secs" => found.push(format!("{place}: meant {wanted}, ours {}", self.seen["secs"])),
            "arrivals_first" => {
                let first = self.seen["arrivals"][0][0].as_f64().unwrap_or(f64::INFINITY);
                if wanted.as_f64().is_none_or(|limit| first > limit) {
                    found.push(format!("{place}: meant within {wanted} s, ours {first}"));
                }
            }
            "trailers" => one(&place, wanted, &lines(&own(fact)).into(), found),
            "order" => one(&place, &[wanted.clone()][..].into(), &self.seen["order"], found),
            "body" | "tally" | "incomplete" => one(&place, wanted, &own(fact), found),
            other => found.push(format!("nobody here knows `{other}` of a step")),
        }
    }
}

fn fits(wanted: &Value, own: &Value) -> bool {
    match wanted {
        Value::Array(any) if any.contains(own) => true,
        Value::String(any) if any == "*" => !own.is_null(),
        wanted => wanted == own && !wanted.is_array(),
    }
}

fn one(place: &str, wanted: &Value, own: &Value, found: &mut Vec<String>) {
    if !fits(wanted, own) {
        found.push(format!("{place}: meant {wanted}, ours {own}"));
    }
}

/// The recording and what was seen without what `changes` names.
fn but_for(changes: &Value, recorded: &Value, seen: &Value) -> (Value, Value) {
    let named = ["heads", "upstream_has", "upstream_not"].into_iter();
    let upstream = named.filter_map(|name| changes.get(name)).next().is_some()
        || changes["upstream"] == "free";
    let without = |whole: &Value| {
        let mut whole = whole.clone();
        for (number, _) in changes["steps"].as_object().into_iter().flatten() {
            let at = number.parse::<usize>().unwrap_or(usize::MAX);
            if let Some(step) = whole["steps"].get_mut(at) {
                *step = Value::Object(Map::new());
            }
        }
        if upstream {
            whole["upstream"] = Value::Array(Vec::new());
        }
        whole
    };
    (without(recorded), swapped(&without(seen), list(&changes["swap"])))
}

/// What was seen with the texts of each pair in each other's place; the name of a destination
/// stands for its number, too.
fn swapped(seen: &Value, pairs: &[Value]) -> Value {
    let mut seen = seen.clone();
    for pair in pairs {
        let (one, other) = super::text::pair(pair);
        seen = map_texts(&seen, &|text| {
            let hidden = text.replace(one, "{swap}");
            hidden.replace(other, one).replace("{swap}", other)
        });
        let number = |name: &str| name.strip_prefix("up")?.parse::<u64>().ok();
        let (Some(one), Some(other)) = (number(one), number(other)) else { continue };
        for entry in seen["upstream"].as_array_mut().into_iter().flatten() {
            match entry["up"].as_u64() {
                Some(up) if up == one => entry["up"] = other.into(),
                Some(up) if up == other => entry["up"] = one.into(),
                _ => {}
            }
        }
    }
    seen
}

/// The harness's test of this file.
pub(super) fn check() {
    use serde_json::json;
    let seen = json!({
        "steps": [{
            "responses": [
                {"status": 103, "headers": []},
                {"status": 200, "headers": [["A", "1"], ["a", "2"]], "body": "up1"},
            ],
            "secs": 1.0, "arrivals": [[0.2, 3]], "order": ["x", "y"],
        }, {"h2": [[":status: 103"], [":status: 404", "b: 1"]]}],
        "upstream": [{"up": 1, "head": ["GET /x HTTP/1.1", "A: secret"]}],
    });
    for (wanted, fits) in [
        (json!({"start": "up"}), true),
        (json!({"start": "refused"}), false),
        (json!([{"start": "refused"}, {"start": "up"}]), true),
        (
            json!({"steps": {"0": {"status": 200, "interim": [[103]], "body": ["up1", "up2"]}}}),
            true,
        ),
        (json!({"steps": {"0": {"status": [502, 504]}}}), false),
        (json!({"steps": {"0": {"headers": {"a": "1, 2", "b": null}}}}), true),
        (json!({"steps": {"0": {"headers": {"a": "*", "b": "*"}}}}), false),
        (json!({"steps": {"0": {"secs": 1.5, "arrivals_first": 0.2, "order": ["x", "y"]}}}), true),
        (json!({"steps": {"0": {"arrivals_first": 0.1}}}), false),
        (json!({"steps": {"1": {"status": 404, "interim": [[103]], "headers": {"b": "1"}}}}), true),
        (json!({"steps": {"2": {"status": 404}}}), false),
        (json!({"heads": [["GET /x HTTP/1.1", "GET /y HTTP/1.1"]]}), true),
        (json!({"heads": []}), false),
        (json!({"upstream_has": ["a: secret"], "upstream_not": ["up1"]}), true),
        (json!({"upstream_not": ["secret"]}), false),
        (json!({"unknown": 1}), false),
    ] {
        let found = names_fit(&wanted, &seen);
        assert_eq!(found.is_empty(), fits, "{wanted}: {found:?}");
    }
    let step = |body: &str, up: u64| json!({"steps": [{"tally": {body: 1}}, {"body": body}], "upstream": [{"up": up}]});
    let case = |changes: Value| json!({"ours_changes": changes, "recorded": step("up1", 1)});
    for (changes, ours, is_met) in [
        (json!({"swap": [["up1", "up2"]]}), step("up2", 2), true),
        (json!({"swap": [["up1", "up2"]]}), step("up1", 1), false),
        (json!({"steps": {"1": {"body": "up2"}}}), step("up2", 1), false),
        (json!({"steps": {"1": {"body": "up1"}}, "upstream": "free"}), step("up1", 3), true),
    ] {
        let label = format!("{changes} {ours}");
        assert_eq!(met(&case(changes), &ours).is_ok(), is_met, "{label}");
    }
}
