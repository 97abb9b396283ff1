//! A client that speaks HTTP/1.1, and does what clients should not where the case says so.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::answers::{self, Answers};
use super::{Clients, LIMIT, seconds};
use crate::http1::latin1;
use crate::proxy::text::{find, list, pair, repeated, tenths, text};
use crate::proxy::wire::{Came, Wire};

/// How long a client listens whether more comes than the answer.
const IDLE: f64 = 0.12;

/// How long a client waits for a text before it goes on, unless the case says so.
const AWAIT: f64 = 3.0;

/// No answers are looked for in more than this: only the end of the connection ends that.
const PARSED: usize = 1_000_000;

/// How many arrivals are told.
const ARRIVALS: usize = 20;

/// Sends a request and says what came of it.
pub(super) fn send(clients: &Clients<'_>, request: &Value, quick: bool) -> Value {
    let said = said(clients, request);
    let methods = answers::methods(&said);
    let parts: Vec<Part> = said.iter().map(Part::read).collect();
    let name = request["conn"].as_str();
    let began = Instant::now();
    let kept = name.and_then(|name| clients.kept().remove(name));
    let wire = match kept.map_or_else(|| clients.connect(request), Ok) {
        Ok(wire) => wire,
        Err(error) => return json!({"connect_failed": error.to_string()}),
    };
    let mut talk = Talk::new(wire, began);
    talk.say(&parts, request);
    let done = talk.listen(request, &methods, quick);
    let total = match done {
        Some(done) if !talk.closed => done - began,
        _ => began.elapsed(),
    };
    let Talk { wire, buffer, closed, was_reset, arrivals, .. } = talk;
    match name {
        _ if request.get("close_after").is_some() && !closed => {
            if request["close_how"] == "reset" {
                wire.reset();
            }
        }
        Some(name) if !closed => drop(clients.kept().insert(name.to_owned(), wire)),
        _ => drop(wire),
    }
    let Answers { all, rest } = answers::read(&buffer, &methods, closed);
    clients.remember(&all);
    let mut seen = Map::new();
    let mut put = |name: &str, value: Value| drop(seen.insert(name.to_owned(), value));
    put("responses", all.into());
    if !rest.is_empty() {
        put("rest", text(&rest).into());
    }
    if closed {
        put("closed", if was_reset { "reset" } else { "eof" }.into());
    }
    if request["timing"] == true {
        put("secs", tenths(total.as_secs_f64()).into());
        put("arrivals", json!(arrivals));
    }
    Value::Object(seen)
}

/// A part of what a client does.
enum Part {
    Say(Vec<u8>),
    Pause(Duration),
    /// Go on once this has come, or the time is over.
    Await(Vec<u8>, Duration),
}

impl Part {
    fn read(part: &Value) -> Self {
        match (part.as_str(), part["await"].as_str()) {
            (Some(text), _) => Self::Say(latin1(text)),
            (None, Some(mark)) => Self::Await(latin1(mark), seconds(part, "limit", AWAIT)),
            (None, None) => Self::Pause(Duration::from_secs_f64(part.as_f64().unwrap_or(0.0))),
        }
    }
}

/// What is said, one after the other: texts, pauses in seconds, texts to be waited for.
fn said(clients: &Clients<'_>, request: &Value) -> Vec<Value> {
    if let Some(parts) = request["parts"].as_array() {
        let fill = |part: &Value| match part {
            Value::String(text) => clients.fill(text).into(),
            other => other.clone(),
        };
        return parts.iter().map(fill).collect();
    }
    let member =
        |name: &str, usual: &'static str| request[name].as_str().unwrap_or(usual).to_owned();
    let mut head = format!("{} {} HTTP/1.1\r\n", member("method", "GET"), member("path", "/"));
    if request.get("host").is_none_or(|host| !host.is_null()) {
        head.push_str(&format!("Host: {}\r\n", member("host", "app.test")));
    }
    let headers: Vec<_> = list(&request["headers"]).iter().map(pair).collect();
    for (name, value) in &headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let body = request["body"].as_str().map(|body| repeated(body, &request["times"]));
    let is_framed = headers.iter().any(|(name, _)| {
        ["content-length", "transfer-encoding"].contains(&name.to_lowercase().as_str())
    });
    if let Some(body) = body.as_ref().filter(|_| !is_framed) {
        head.push_str(&format!("Content-Length: {}\r\n", body.chars().count()));
    }
    vec![(clients.fill(&(head + "\r\n")) + &body.unwrap_or_default()).into()]
}

/// A connection while a request is sent and answered.
struct Talk {
    wire: Wire,
    began: Instant,
    buffer: Vec<u8>,
    closed: bool,
    was_reset: bool,
    /// When how many bytes came.
    arrivals: Vec<(f64, usize)>,
}

impl Talk {
    fn new(wire: Wire, began: Instant) -> Self {
        let (buffer, arrivals) = (Vec::new(), Vec::new());
        Self { wire, began, buffer, closed: false, was_reset: false, arrivals }
    }

    /// Takes what comes in that time, once.
    fn pull(&mut self, limit: Duration) {
        match self.wire.read(limit) {
            Came::Bytes(bytes) => {
                if self.arrivals.len() < ARRIVALS {
                    self.arrivals.push((tenths(self.began.elapsed().as_secs_f64()), bytes.len()));
                }
                self.buffer.extend(bytes);
            }
            Came::Nothing => {}
            Came::End => self.closed = true,
            Came::Reset => (self.closed, self.was_reset) = (true, true),
        }
    }

    /// Takes what comes until the time is over, or `ready` holds.
    fn pull_until(&mut self, end: Instant, ready: impl Fn(&[u8]) -> bool) {
        while !self.closed && !ready(&self.buffer) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            self.pull(left);
        }
    }

    fn say(&mut self, parts: &[Part], request: &Value) {
        for part in parts {
            match part {
                Part::Say(bytes) => {
                    if self.wire.send(bytes).is_err() {
                        self.was_reset = true;
                        return;
                    }
                }
                Part::Pause(pause) => self.pull_until(Instant::now() + *pause, |_| false),
                Part::Await(mark, limit) => {
                    self.pull_until(Instant::now() + *limit, |got| find(got, mark).is_some());
                }
            }
        }
        thread::sleep(seconds(request, "stall", 0.0));
        if request["half_close"] == true && self.wire.finish().is_err() {
            self.was_reset = true;
        }
    }

    /// Listens until all is answered, and a little longer. Says since when all was.
    fn listen(&mut self, request: &Value, methods: &[String], quick: bool) -> Option<Instant> {
        let goes = request.get("close_after").is_some();
        let limit = match goes {
            true => seconds(request, "close_after", 0.0),
            false => seconds(request, "limit", LIMIT),
        };
        let limit = self.began + limit;
        let idle = seconds(request, "idle", if quick { 0.0 } else { IDLE });
        let mut done = None;
        while !self.closed {
            let end = if !goes && self.is_answered(methods) {
                *done.get_or_insert_with(Instant::now) + idle
            } else {
                limit
            };
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            self.pull(left);
        }
        done
    }

    fn is_answered(&self, methods: &[String]) -> bool {
        if self.buffer.len() >= PARSED {
            return false;
        }
        let answers = answers::read(&self.buffer, methods, false);
        answers.last_ones().count() >= methods.len()
            && !answers.last_ones().any(|answer| answer["incomplete"] == true)
    }
}

/// The harness's test of this file.
pub(super) fn check() {
    use crate::proxy::names::Names;
    let names = Names::new(vec![("http://127.0.0.1:1".to_owned(), 1)], "/".into()).expect("names");
    let clients = Clients::new(&names, false);
    clients.remember(&[json!({"headers": [["Set-Cookie", "a=b; path=/"], ["X-A", "c"]]})]);
    let request = json!({
        "method": "POST", "path": "/x", "body": "ab", "times": 2,
        "headers": [["A", "{cookie:a}{header:x-a}{up1.port}"]],
    });
    assert_eq!(
        said(&clients, &request),
        ["POST /x HTTP/1.1\r\nHost: app.test\r\nA: bc1\r\nContent-Length: 4\r\n\r\nabab"]
    );
    let said = said(&clients, &json!({"host": null, "path": "/{up1}"}));
    assert_eq!(said, ["GET /http://127.0.0.1:1 HTTP/1.1\r\n\r\n"]);
}
