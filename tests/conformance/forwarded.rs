//! What proxies tell, and what a request is taken for by it.
//!
//! A case of `forwarded.jsonl` has options, a peer and headers. The app is asked with them (`/fwd`,
//! `examples/conformance/forwarded.rs`), and tells address, scheme, host, path base and the headers that are
//! left. A path base before the stage cannot be put on the wire: what hangs on it is left out.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::http1::latin1;
use crate::programs::Programs;
use crate::suite::app::{App, Start};
use crate::suite::{Line, Observed, Ours, Wanted, lines, pool};

pub(crate) const RECORDINGS: &str = include_str!("forwarded.jsonl");

const WORKERS: usize = 4;

const PATIENCE: Duration = Duration::from_secs(10);

/// Plays the wanted cases on one app.
///
/// # Errors
/// When the recordings cannot be read, or the app cannot be started.
pub(crate) fn play(wanted: Wanted<'_>, programs: &Programs) -> Result<Vec<Observed>> {
    let cases: Vec<Line> = forwarded_cases()?
        .into_iter()
        .filter(|case| wanted(&case.id) && case.all["ours"] != "n/a")
        .collect();
    let code = json!({"FORWARDED": "cases"});
    let start = Start::new(Some("http://127.0.0.1:0"), &Value::Null, &code);
    let app = App::start(programs.app(), &start)?;
    let observed = pool::map(&cases, WORKERS, |case| match ask(app.address(), &case.all) {
        Ok(seen) => judge(case, seen),
        Err(error) => Observed::broken(case.clone(), &format!("{error:#}")),
    });
    app.stop(PATIENCE);
    Ok(observed)
}

/// The cases, whose recordings are called otherwise here.
fn forwarded_cases() -> Result<Vec<Line>> {
    let mut cases = lines(RECORDINGS)?;
    for case in &mut cases {
        case.title = case.all["desc"].as_str().unwrap_or_default().to_owned();
        case.recorded = case.all["out"].clone();
    }
    Ok(cases)
}

fn ask(address: SocketAddr, case: &Value) -> Result<Value> {
    let input = &case["in"];
    let mut head = format!(
        "GET /fwd HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nCase-Options: {}\r\n",
        input["host"].as_str().unwrap_or_default(),
        ascii(&case["options"].to_string()),
    );
    if let Some(ip) = input["remote"]["ip"].as_str() {
        let port = input["remote"]["port"].as_u64().unwrap_or(0);
        head.push_str(&format!("Case-Peer: {ip}\r\nCase-Peer-Port: {port}\r\n"));
    }
    let mut message = head.into_bytes();
    for (name, value) in headers(&input["headers"]) {
        message.extend(format!("{name}: ").into_bytes());
        // Beyond Latin-1 a text goes as UTF-8.
        match value.chars().all(|c| u32::from(c) < 256) {
            true => message.extend(latin1(&value)),
            false => message.extend(value.as_bytes()),
        }
        message.extend(b"\r\n");
    }
    message.extend(b"\r\n");
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&message)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8(answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
    let (start, end) = (body.find('{'), body.rfind('}'));
    match (head.starts_with("HTTP/1.1 200"), start.zip(end)) {
        // It may be chunked; there is one object in it.
        (true, Some((start, end))) => Ok(serde_json::from_str(&body[start..=end])?),
        _ => bail!("{head}"),
    }
}

/// JSON with what is not ASCII escaped, so that it can be a header.
fn ascii(json: &str) -> String {
    let mut text = String::new();
    for character in json.chars() {
        match character.is_ascii() {
            true => text.push(character),
            false => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    text.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    text
}

/// Headers with a text or a list of texts for each, or as pairs.
fn headers(value: &Value) -> Vec<(String, String)> {
    let texts = |value: &Value| -> Vec<String> {
        match value {
            Value::Array(texts) => {
                texts.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect()
            }
            value => value.as_str().map(str::to_owned).into_iter().collect(),
        }
    };
    let mut all = Vec::new();
    for (name, value) in value.as_object().into_iter().flatten() {
        all.extend(texts(value).into_iter().map(|text| (name.clone(), text)));
    }
    for pair in value.as_array().into_iter().flatten() {
        let name = pair[0].as_str().unwrap_or_default();
        all.extend(texts(&pair[1]).into_iter().map(|text| (name.to_owned(), text)));
    }
    all
}

fn judge(case: &Line, seen: Value) -> Observed {
    let with = |over: &Value| {
        let mut out = case.recorded.clone();
        for (name, value) in over.as_object().into_iter().flatten() {
            out[name] = value.clone();
        }
        out
    };
    // The reference's app shows some texts in another form.
    let alternatives = [case.recorded.clone(), with(&case.all["shown"])];
    let differ = |wanted: &Value| differences(case, wanted, &seen);
    let differences = alternatives.iter().map(differ).min_by_key(Vec::len).unwrap_or_default();
    let mean = || {
        let missed = differ(&with(&case.all["ours_answer"]));
        if missed.is_empty() { Ok(()) } else { Err(missed.join("; ")) }
    };
    let ours = match case.all["ours"].as_str() {
        None => Ours::Same,
        Some("either") => Ours::Either(mean()),
        Some("strict") => Ours::Instead(mean()),
        Some(other) => Ours::Instead(Err(format!("nobody here knows ours `{other}`"))),
    };
    Observed { case: case.clone(), differences, ours, seen }
}

fn differences(case: &Line, wanted: &Value, seen: &Value) -> Vec<String> {
    let mut all = Vec::new();
    let mut one = |name: &str, wanted: &Value, have: &Value| {
        if wanted != have {
            all.push(format!("{name}: recorded {wanted}, ours {have}"));
        }
    };
    let (ip, port) = (&wanted["remote"]["ip"], &wanted["remote"]["port"]);
    for (name, wanted) in [
        ("remote", ip),
        ("port", port),
        ("scheme", &wanted["scheme"]),
        ("host", &wanted["host"]),
        ("pathBase", &wanted["pathBase"]),
    ] {
        if !wanted.is_null() {
            one(name, wanted, &seen[name]);
        }
    }
    let lists = |value: &Value| {
        let mut lists = std::collections::BTreeMap::<String, String>::new();
        for (name, text) in headers(value) {
            let list = lists.entry(name.to_ascii_lowercase()).or_default();
            if !list.is_empty() {
                list.push(',');
            }
            list.push_str(&text.replace(' ', ""));
        }
        lists
    };
    let (mut wanted, have) = (lists(&wanted["headers"]), lists(&seen["headers"]));
    if case.all["in"]["pathBase"].as_str().is_some_and(|it| !it.is_empty()) {
        wanted.remove("x-original-prefix");
    }
    one("headers", &json!(wanted), &json!(have));
    all
}

/// The harness's tests of this file.
pub(crate) fn check() {
    assert_eq!(ascii("\"點a\""), "\"\\u9edea\"");
    let pairs = headers(&json!({"A": ["1", "2"], "B": "3"}));
    assert_eq!(
        pairs.iter().map(|(name, value)| format!("{name}{value}")).collect::<String>(),
        "A1A2B3"
    );
    for case in forwarded_cases().expect("the recordings are readable") {
        let seen = json!({
            "remote": case.recorded["remote"]["ip"], "port": case.recorded["remote"]["port"],
            "scheme": case.recorded["scheme"], "host": case.recorded["host"],
            "pathBase": case.recorded["pathBase"], "headers": case.recorded["headers"],
        });
        let mut other = seen.clone();
        other["scheme"] = json!("other");
        assert!(judge(&case, other).differs(), "{}", case.id);
        if case.all["in"]["pathBase"] == "" {
            assert!(!judge(&case, seen).differs(), "{}", case.id);
        }
    }
}
