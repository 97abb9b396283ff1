//! Which steps a server takes for a request, and the bytes of a scripted answer.

use serde_json::{Value, json};

use crate::http1::latin1;
use crate::proxy::text::{count, list, pair, repeated};

/// How many bytes of a body go into a chunk.
const CHUNK: usize = 4096;

/// The steps for a request that `before` came before.
pub(super) fn steps(script: &Value, path: &str, before: usize) -> Vec<Value> {
    let by_path = script["paths"].as_object().into_iter().flatten();
    let mut by_path = by_path.filter(|(prefix, _)| path.starts_with(prefix.as_str()));
    let in_turn = list(&script["seq"]);
    let steps = match (by_path.next(), in_turn.get(before).or(in_turn.last())) {
        (Some((_, steps)), _) | (None, Some(steps)) => list(steps),
        (None, None) => list(&script["do"]),
    };
    match steps {
        [] => vec!["body".into(), json!({"reply": {}})],
        steps => steps.to_vec(),
    }
}

/// The bytes of an answer to a request of `method`; server `number` says its name if no body is
/// given.
pub(super) fn reply(answer: &Value, method: &str, number: usize) -> Vec<u8> {
    let text = |name: &str| answer[name].as_str();
    let own = format!("up{number}");
    let body = latin1(&repeated(text("body").unwrap_or(&own), &answer["times"]));
    let status = count(&answer["status"]).unwrap_or(200);
    let reason = text("reason").unwrap_or(if status == 200 { "OK" } else { "X" });
    let mut head = format!("{} {status} {reason}\r\n", text("version").unwrap_or("HTTP/1.1"));
    for (name, value) in list(&answer["headers"]).iter().map(pair) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let framing = text("framing").unwrap_or("length");
    match framing {
        "length" => head.push_str(&format!("Content-Length: {}\r\n", body.len())),
        "chunked" => head.push_str("Transfer-Encoding: chunked\r\n"),
        _ => {}
    }
    let mut bytes = latin1(&(head + "\r\n"));
    match framing {
        _ if method == "HEAD" => {}
        "none" => {}
        "chunked" => bytes.extend(chunks(&body, list(&answer["trailers"]))),
        _ => bytes.extend(body),
    }
    bytes
}

fn chunks(body: &[u8], trailers: &[Value]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in body.chunks(CHUNK) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"0\r\n");
    for (name, value) in trailers.iter().map(pair) {
        bytes.extend(latin1(&format!("{name}: {value}\r\n")));
    }
    bytes.extend(b"\r\n");
    bytes
}

/// The harness's test of this file.
pub(super) fn check() {
    let script = json!({"paths": {"/a": ["close"]}, "seq": [["reset"], ["hang"]]});
    assert_eq!(steps(&script, "/ab", 0), ["close"]);
    assert_eq!(steps(&script, "/b", 0), ["reset"]);
    assert_eq!(steps(&script, "/b", 7), ["hang"]);
    assert_eq!(steps(&json!({}), "/", 0).len(), 2);
    let text = |answer: Value, method: &str| {
        String::from_utf8(reply(&answer, method, 2)).expect("an answer")
    };
    assert_eq!(text(json!({}), "GET"), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nup2");
    assert_eq!(text(json!({}), "HEAD"), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
    let chunked = json!({"status": 404, "framing": "chunked", "trailers": [["a", "b"]]});
    assert_eq!(
        text(chunked, "GET"),
        "HTTP/1.1 404 X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nup2\r\n0\r\na: b\r\n\r\n"
    );
}
