//! The answers of HTTP/1.1 in a stream of bytes, those before the last among them.

use serde_json::{Map, Value, json};

use crate::http1::from_latin1;
use crate::proxy::text::{find, text};

/// The answers that came, in the shape of the recordings, and what stands behind them.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) all: Vec<Value>,
    pub(super) rest: Vec<u8>,
}

impl Answers {
    /// Those that answer a request: not those that announce another one.
    pub(super) fn last_ones(&self) -> impl Iterator<Item = &Value> {
        self.all.iter().filter(|answer| is_last(status(answer)))
    }
}

fn status(answer: &Value) -> u64 {
    answer["status"].as_u64().unwrap_or(0)
}

const fn is_last(status: u64) -> bool {
    status >= 200 || status == 101
}

/// The methods of the requests in what is sent, as far as one can see from outside: a word in
/// capitals at the start, or behind a blank line, and a version on its line.
pub(super) fn methods(said: &[Value]) -> Vec<String> {
    let sent: String = said.iter().filter_map(Value::as_str).collect();
    let blank = sent.match_indices("\r\n\r\n").map(|(at, found)| at + found.len());
    let starts = [0].into_iter().chain(blank);
    let methods = starts.filter_map(|start| {
        let line = sent[start..].split(['\r', '\n']).next()?;
        let (method, target) = line.split_once(' ')?;
        let is_method = !method.is_empty() && method.bytes().all(|c| c.is_ascii_uppercase());
        (is_method && target.contains(" HTTP/1")).then(|| method.to_owned())
    });
    let methods: Vec<_> = methods.collect();
    if methods.is_empty() { vec!["GET".to_owned()] } else { methods }
}

/// All answers in `bytes` to requests of these methods. `closed`: nothing more will come.
pub(super) fn read(bytes: &[u8], methods: &[String], closed: bool) -> Answers {
    let mut answers = Answers::default();
    let mut rest = bytes;
    let mut answered = 0;
    while let Some(end) = find(rest, b"\r\n\r\n") {
        let Some(head) = Head::read(&rest[..end]) else { break };
        rest = &rest[end + 4..];
        let method = methods.get(answered).or(methods.last());
        let body = match head.has_body(method.is_some_and(|method| method == "HEAD")) {
            true => head.body(rest, closed),
            false => Body { complete: true, framing: "none", length: 0, ..Body::default() },
        };
        rest = &rest[body.length..];
        answered += usize::from(head.status >= 200);
        answers.all.push(shown(&head, &body));
        if head.status == 101 {
            break;
        }
    }
    answers.rest = rest.to_vec();
    answers
}

struct Head {
    version: String,
    status: u16,
    reason: String,
    headers: Vec<(String, String)>,
}

/// A body as far as it is there.
#[derive(Default)]
struct Body {
    framing: &'static str,
    bytes: Vec<u8>,
    trailers: Vec<String>,
    complete: bool,
    /// How much of what came it is.
    length: usize,
}

impl Head {
    /// `HTTP/1.1 200 OK` and the lines below it.
    fn read(bytes: &[u8]) -> Option<Self> {
        let text = from_latin1(bytes);
        let mut lines = text.split("\r\n");
        let (version, line) = lines.next()?.strip_prefix("HTTP/")?.split_once(' ')?;
        let status = line.get(..3)?.parse().ok()?;
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            (name.to_owned(), value.trim_start().to_owned())
        });
        let reason = line.get(3..)?;
        Some(Self {
            version: version.to_owned(),
            status,
            reason: reason.strip_prefix(' ').unwrap_or(reason).to_owned(),
            headers: headers.collect(),
        })
    }

    fn header(&self, name: &str) -> Option<&str> {
        let own = self.headers.iter().rev().find(|(own, _)| own.eq_ignore_ascii_case(name));
        own.map(|(_, value)| value.as_str())
    }

    const fn has_body(&self, to_head: bool) -> bool {
        self.status >= 200 && !matches!(self.status, 204 | 304) && !to_head
    }

    fn body(&self, rest: &[u8], closed: bool) -> Body {
        let encoding = self.header("transfer-encoding").unwrap_or_default();
        if encoding.to_ascii_lowercase().contains("chunked") {
            return chunked(rest);
        }
        let length = self.header("content-length").and_then(|length| length.parse().ok());
        let (framing, wanted) = match length {
            Some(length) => ("length", length),
            None => ("close", rest.len()),
        };
        let length = rest.len().min(wanted);
        let complete = if framing == "close" { closed } else { length == wanted };
        Body { framing, bytes: rest[..length].to_vec(), complete, length, ..Body::default() }
    }
}

fn chunked(whole: &[u8]) -> Body {
    let mut body = Body { framing: "chunked", ..Body::default() };
    let mut rest = whole;
    let mut line = |rest: &mut &[u8]| {
        let end = find(rest, b"\r\n")?;
        let line = from_latin1(&rest[..end]);
        *rest = &rest[end + 2..];
        Some(line)
    };
    body.complete = loop {
        let size = line(&mut rest).and_then(|line| {
            let size = line.split(';').next().unwrap_or_default().trim().to_owned();
            usize::from_str_radix(&size, 16).ok()
        });
        match size {
            None => break false,
            Some(0) => break trailers(&mut rest, &mut line, &mut body.trailers),
            Some(size) => {
                body.bytes.extend(&rest[..rest.len().min(size)]);
                let Some(behind) = rest.get(size + 2..) else {
                    rest = &[];
                    break false;
                };
                rest = behind;
            }
        }
    };
    body.length = whole.len() - rest.len();
    body
}

/// Reads lines up to an empty one; false if there is none.
fn trailers<'a>(
    rest: &mut &'a [u8],
    line: &mut impl FnMut(&mut &'a [u8]) -> Option<String>,
    into: &mut Vec<String>,
) -> bool {
    while let Some(text) = line(rest) {
        if text.is_empty() {
            return true;
        }
        into.push(text);
    }
    false
}

fn shown(head: &Head, body: &Body) -> Value {
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| drop(shown.insert(name.to_owned(), value));
    put("status", head.status.into());
    put("reason", head.reason.clone().into());
    put("headers", json!(head.headers));
    if head.version != "1.1" {
        put("version", head.version.clone().into());
    }
    if head.status >= 200 {
        put("framing", body.framing.into());
        put("body", text(&body.bytes).into());
        if !body.complete {
            put("incomplete", true.into());
        }
    }
    if !body.trailers.is_empty() {
        put("trailers", json!(body.trailers));
    }
    Value::Object(shown)
}

/// The harness's test of this file.
pub(super) fn check() {
    let get = || vec!["GET".to_owned()];
    let said = [json!("HEAD / HTTP/1.1\r\n\r\nGET /a HTT"), json!(1), json!("P/1.1\r\n\r\nAB c")];
    assert_eq!(methods(&said), ["HEAD", "GET"]);
    assert_eq!(methods(&[json!("x")]), ["GET"]);
    let chunks = "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\
                  \r\n0\r\nt: 1\r\n\r\nmore";
    let answers = read(chunks.as_bytes(), &get(), false);
    assert_eq!(answers.rest, b"more");
    assert_eq!(answers.last_ones().count(), 1);
    assert_eq!(answers.all[1]["body"], "ab");
    assert_eq!(answers.all[1]["trailers"], json!(["t: 1"]));
    for (bytes, closed, incomplete) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", true, true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", false, false),
        ("HTTP/1.1 200 OK\r\n\r\nab", false, true),
        ("HTTP/1.1 200 OK\r\n\r\nab", true, false),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab", true, true),
    ] {
        let answers = read(bytes.as_bytes(), &get(), closed);
        assert_eq!(answers.all[0]["incomplete"] == true, incomplete, "{bytes}");
        assert_eq!(answers.all[0]["body"], "ab", "{bytes}");
    }
}
