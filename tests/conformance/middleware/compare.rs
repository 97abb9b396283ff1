//! An answer against the recording, and against what we mean to have otherwise.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Headers that are the server's own, and not what these cases are about.
const UNSPOKEN: [&str; 3] = ["date", "server", "connection"];

/// Headers whose value is a list in any order.
const LISTS: [&str; 5] = [
    "vary",
    "access-control-expose-headers",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "allow",
];

/// The headers that count, by name; a list is one line.
pub(super) fn known(headers: &Value) -> BTreeMap<String, Vec<String>> {
    let mut known: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for header in headers.as_array().into_iter().flatten() {
        let name = header[0].as_str().unwrap_or_default().to_ascii_lowercase();
        let value = header[1].as_str().unwrap_or_default();
        if UNSPOKEN.contains(&&*name) {
            continue;
        }
        let value = match LISTS.contains(&&*name) {
            true => sorted(value, name == "vary"),
            false => value.to_owned(),
        };
        known.entry(name).or_default().push(value);
    }
    if let Some(lines) = known.get_mut("vary") {
        *lines = vec![sorted(&lines.join(","), true)];
    }
    known.values_mut().for_each(|lines| lines.sort());
    known
}

/// The members of a list in the order of the alphabet, each once.
fn sorted(list: &str, in_any_case: bool) -> String {
    let member = |member: &str| match in_any_case {
        true => member.trim().to_ascii_lowercase(),
        false => member.trim().to_owned(),
    };
    let members: BTreeSet<_> = list.split(',').map(member).filter(|it| !it.is_empty()).collect();
    members.into_iter().collect::<Vec<_>>().join(", ")
}

/// How an answer differs from the recording.
pub(super) fn differences(case: &Value, recorded: &Value, seen: &Value) -> Vec<String> {
    let mut all = Vec::new();
    let refused = |it: &Value| it.get("start").is_some();
    if refused(recorded) != refused(seen) {
        return vec![difference("start", &recorded["start"], &seen["start"])];
    }
    if refused(recorded) {
        return all;
    }
    if recorded["status"] != seen["status"] {
        all.push(difference("status", &recorded["status"], &seen["status"]));
    }
    if recorded["status"].is_null() || seen["status"].is_null() {
        return all;
    }
    // A length is better than none.
    let shorter = matches!(recorded["framing"].as_str(), Some("chunked" | "close"))
        && seen["framing"] == "length"
        && seen.get("cut").is_none();
    if recorded["framing"] != seen["framing"] && !shorter {
        all.push(difference("framing", &recorded["framing"], &seen["framing"]));
    }
    all.extend(header_differences(case, (recorded, seen), shorter));
    for name in ["cut", "encoded", "decoded_len", "decoded_sha256"] {
        if recorded[name] != seen[name] {
            all.push(difference(name, &recorded[name], &seen[name]));
        }
    }
    all.extend(encoded_differences(case, seen));
    all.extend(body_differences(recorded, seen));
    all.extend(late(case, recorded, seen));
    all
}

fn difference(name: &str, recorded: &Value, seen: &Value) -> String {
    let short = |value: &Value| value.to_string().chars().take(300).collect::<String>();
    format!("{name}: recorded {}, ours {}", short(recorded), short(seen))
}

fn header_differences(
    case: &Value,
    (recorded, seen): (&Value, &Value),
    shorter: bool,
) -> Vec<String> {
    let (wanted, have) = (known(&recorded["headers"]), known(&seen["headers"]));
    let is_page = matches!(case["keep"].as_str(), Some("outline" | "text"));
    let encoded = seen.get("encoded").is_some();
    let names: BTreeSet<_> = wanted.keys().chain(have.keys()).collect();
    let differs = |name: &&&String| {
        let (wanted, have) = (wanted.get(**name), have.get(**name));
        let both = wanted.zip(have);
        let may = match name.as_str() {
            "content-length" | "transfer-encoding" if shorter => true,
            "content-length" => (is_page || encoded) && both.is_some(),
            // A file's tag is another one on every machine; one that compression made weak is right.
            "etag" => both.is_some_and(|(wanted, have)| {
                is_tag_of_file(&wanted[0]) && is_weak(&wanted[0]) == is_weak(&have[0])
                    || encoded && is_weak(&have[0])
            }),
            _ => false,
        };
        wanted != have && !may
    };
    let line = |name: &String| {
        let text = |lines: Option<&Vec<String>>| lines.map_or(Value::Null, |it| it.clone().into());
        difference(name, &text(wanted.get(name)), &text(have.get(name)))
    };
    names.iter().filter(differs).map(|name| line(name)).collect()
}

fn is_weak(tag: &str) -> bool {
    tag.starts_with("W/")
}

/// Whether it is made of a file's time and size.
fn is_tag_of_file(tag: &str) -> bool {
    let inside =
        tag.trim_start_matches("W/").strip_prefix("\"1").and_then(|it| it.strip_suffix('"'));
    inside.is_some_and(|it| it.len() == 14 && it.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// What is wrong with an encoded body by itself.
fn encoded_differences(case: &Value, seen: &Value) -> Vec<String> {
    let target = case["request"]["target"].as_str().unwrap_or_default();
    // One that the app names is its own word, while its content is plain.
    let is_the_apps = target.contains("Content-Encoding");
    if seen.get("encoded").is_none() || seen["whole"] == true || is_the_apps {
        return Vec::new();
    }
    if seen.get("whole") == Some(&Value::Bool(false)) {
        return vec!["the encoded body is cut".to_owned()];
    }
    // The recordings do not tell it.
    let Some(length) = seen.get("br_len") else { return Vec::new() };
    match (length.as_u64(), content_length(target)) {
        (None, _) => vec!["the encoded body is broken".to_owned()],
        (Some(length), Some(wanted)) if length != wanted => {
            vec![format!("the encoded body holds {length} bytes, and not {wanted}")]
        }
        _ => Vec::new(),
    }
}

/// How long the content is that a query orders, if it does.
fn content_length(target: &str) -> Option<u64> {
    let (_, query) = target.split_once('?')?;
    let value = |name: &str| {
        query.split('&').find_map(|pair| pair.split_once('=').filter(|(own, _)| *own == name))
    };
    let once = match (value("text"), value("n")) {
        (Some((_, text)), _) => percent_encoding::percent_decode_str(text).count() as u64,
        (None, Some((_, number))) => number.parse().ok()?,
        (None, None) => return None,
    };
    Some(once * value("parts").map_or(1, |(_, parts)| parts.parse().unwrap_or(1)))
}

fn body_differences(recorded: &Value, seen: &Value) -> Vec<String> {
    if let Some(rows) = recorded.get("outline") {
        if seen.get("outline") == Some(rows) {
            return Vec::new();
        }
        return link_differences(&rows["rows"], &seen["links"]);
    }
    if recorded["body"] == seen["body"] && recorded["body_sha256"] == seen["body_sha256"] {
        return Vec::new();
    }
    let parsed = |body: &Value| serde_json::from_str::<Value>(body.as_str()?).ok();
    if parsed(&recorded["body"]).is_some_and(|body| parsed(&seen["body"]) == Some(body)) {
        return Vec::new();
    }
    vec![difference("body", &recorded["body"], &seen["body"])]
}

/// The names that a page lists; its looks are ours.
fn link_differences(rows: &Value, links: &Value) -> Vec<String> {
    let links: BTreeSet<&str> =
        links.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let listed = rows.as_array().into_iter().flatten();
    let listed = listed.filter(|row| matches!(row["class"].as_str(), Some("directory" | "file")));
    let names: BTreeSet<String> = listed
        .filter_map(|row| row["cells"][0][1].as_str().map(text_of))
        .filter(|name| name != "broken.txt")
        .collect();
    let missing = names.iter().filter(|name| !links.contains(&***name));
    let mut all: Vec<_> = missing.map(|name| format!("no link to {name}")).collect();
    for hidden in [".hidden.txt", ".hid/"] {
        if links.contains(hidden) && !names.contains(hidden) {
            all.push(format!("a link to {hidden}"));
        }
    }
    all
}

/// The text of a piece of HTML.
fn text_of(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for character in html.chars() {
        match character {
            '<' => inside = true,
            '>' if inside => inside = false,
            character if !inside => text.push(character),
            _ => {}
        }
    }
    let mut decoded = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        let end = rest[at..].find(';').map(|end| at + end);
        let name = end.map(|end| &rest[at + 1..end]);
        let character = name.and_then(|name| match name.strip_prefix("#x") {
            Some(digits) => char::from_u32(u32::from_str_radix(digits, 16).ok()?),
            None => match name {
                "lt" => Some('<'),
                "gt" => Some('>'),
                "amp" => Some('&'),
                "quot" => Some('"'),
                name => char::from_u32(name.strip_prefix('#')?.parse().ok()?),
            },
        });
        match (character, end) {
            (Some(character), Some(end)) => {
                decoded.push(character);
                rest = &rest[end + 1..];
            }
            _ => {
                decoded.push('&');
                rest = &rest[at + 1..];
            }
        }
    }
    decoded + rest
}

/// Whether something came later than it should.
fn late(case: &Value, recorded: &Value, seen: &Value) -> Option<String> {
    let wanted = recorded.get("seen")?;
    let target = case["request"]["target"].as_str().unwrap_or_default();
    if wanted == &seen["seen"] || target.contains("noflush") && !target.contains("nobuffer") {
        return None;
    }
    let steps = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let is_late = match steps(wanted).first().and_then(Value::as_str) {
        Some(text) => {
            // Bytes arrive so many times, once for each flush.
            let times = |text: &str| {
                text.chars().filter(char::is_ascii_digit).collect::<String>().parse::<i64>()
            };
            let ours = steps(&seen["seen"]);
            let ours = ours.first().and_then(Value::as_str).unwrap_or_default();
            times(ours).unwrap_or(0) < times(text).unwrap_or(0) - 1
        }
        None => {
            let ours = steps(&seen["seen"]);
            steps(wanted).iter().any(|amount| *amount != 0 && !ours.contains(amount))
        }
    };
    is_late.then(|| difference("seen", wanted, &seen["seen"]))
}

/// How an answer is not what the case says that ours should be.
pub(super) fn not_as_meant(case: &Value, recorded: &Value, seen: &Value) -> Vec<String> {
    if let Some(wanted) = case.get("ours_answer") {
        return not_these(wanted, seen);
    }
    if recorded.get("start").is_some() != seen.get("start").is_some() {
        return differences(case, recorded, seen);
    }
    let changes = &case["ours_changes"];
    let mut all = not_these(changes, seen);
    let (recorded, seen) = (without(recorded, changes), without(seen, changes));
    all.extend(differences(case, &recorded, &seen));
    all
}

/// How an answer does not have these facts; of several of them any may be.
fn not_these(wanted: &Value, seen: &Value) -> Vec<String> {
    if let Some(alternatives) = wanted.as_array() {
        let missed = alternatives.iter().map(|wanted| not_these(wanted, seen));
        return missed.min_by_key(Vec::len).unwrap_or_default();
    }
    let mut all = Vec::new();
    let mut one = |name: &str, wanted: &Value, have: &Value| {
        let fits = |wanted: &Value| wanted == have || wanted == "*" && !have.is_null();
        let fits = match wanted.as_array() {
            Some(any) => any.iter().any(fits),
            None => fits(wanted),
        };
        if !fits {
            all.push(difference(name, wanted, have).replace("recorded", "meant"));
        }
    };
    for (name, fact) in wanted.as_object().into_iter().flatten() {
        match name.as_str() {
            "start" => {
                let start = if seen.get("start").is_some() { "refused" } else { "up" };
                one("start", fact, &start.into());
            }
            "headers" => {
                let have = known(&seen["headers"]);
                for (name, wanted) in fact.as_object().into_iter().flatten() {
                    let value = have.get(name).map(|lines| lines.join(", "));
                    one(name, wanted, &value.map_or(Value::Null, Value::from));
                }
            }
            "body_has" | "body_not" => {
                let text = ["page", "body"].iter().find_map(|it| seen[*it].as_str());
                let texts = fact.as_array().cloned().unwrap_or_else(|| vec![fact.clone()]);
                for wanted in texts.iter().filter_map(Value::as_str) {
                    let has = text.unwrap_or_default().contains(wanted);
                    one(name, &(name == "body_has").into(), &has.into());
                }
            }
            name => one(name, fact, &seen[name]),
        }
    }
    all
}

/// An answer without what we mean to have otherwise.
fn without(answer: &Value, changes: &Value) -> Value {
    let mut answer = answer.clone();
    let Some(members) = answer.as_object_mut() else { return answer };
    for (name, change) in changes.as_object().into_iter().flatten() {
        match name.as_str() {
            "headers" => {
                if let Some(headers) = members.get_mut("headers").and_then(Value::as_array_mut) {
                    let is_changed = |header: &Value| {
                        let name = header[0].as_str().unwrap_or_default().to_ascii_lowercase();
                        change.get(&name).is_some()
                    };
                    headers.retain(|header| !is_changed(header));
                }
            }
            "body_has" | "body_not" => {
                members.remove("body");
                members.remove("body_sha256");
            }
            name => drop(members.remove(name)),
        }
    }
    answer
}

/// The harness's tests of this file.
pub(super) fn check() {
    let value = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    let answer = |more: &str| {
        value(&format!(
            r#"{{"status": 200, "framing": "length", "headers": [["A", "b"], ["Vary", "X, y"]], "body": "x"{more}}}"#
        ))
    };
    let case = value(r#"{"request": {"target": "/"}}"#);
    let same = value(
        r#"{"status": 200, "framing": "length", "headers": [["vary", "Y,x"], ["a", "b"], ["Date", "1"]], "body": "x"}"#,
    );
    assert_eq!(differences(&case, &answer(""), &same), [""; 0]);
    for (more, count) in [
        (r#", "status": 404"#, 1),
        (r#", "body": "y""#, 1),
        (r#", "headers": []"#, 2),
        (r#", "cut": true"#, 1),
        (r#", "start": "no""#, 1),
        (r#", "framing": "chunked""#, 1),
    ] {
        assert_eq!(differences(&case, &answer(""), &answer(more)).len(), count, "{more}");
    }
    for (wanted, count) in [
        (r#"{"status": 200, "headers": {"a": "b", "c": null}}"#, 0),
        (r#"{"status": [404, 200], "headers": {"a": "*"}}"#, 0),
        (r#"{"status": 404, "headers": {"a": null}}"#, 2),
        (r#"[{"status": 404}, {"body_has": "x", "body_not": "y"}]"#, 0),
        (r#"{"start": "refused"}"#, 1),
    ] {
        assert_eq!(not_these(&value(wanted), &answer("")).len(), count, "{wanted}");
    }
    let changed =
        value(r#"{"request": {"target": "/"}, "ours_changes": {"headers": {"a": null}}}"#);
    let without_a = value(
        r#"{"status": 200, "framing": "length", "headers": [["Vary", "x, y"]], "body": "x"}"#,
    );
    assert_eq!(not_as_meant(&changed, &answer(""), &without_a), [""; 0]);
    assert_eq!(not_as_meant(&changed, &answer(""), &answer("")).len(), 1);
    assert_eq!(text_of("<a href=\"x\">a&amp;b&#xFC;&#x27;&c</a>"), "a&bü'&c");
    assert_eq!(content_length("/r?n=5&parts=3"), Some(15));
}
