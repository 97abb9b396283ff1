//! What the client saw of a connection.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::http1::{from_latin1, latin1};

/// From this many streams on only counts are kept.
const MANY: usize = 6;

/// How much of an answer's text is kept.
const TEXT: usize = 300;

/// Everything that came.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The first bytes, which tell when the server does not speak HTTP/2.
    pub(crate) raw: Vec<u8>,
    pub(crate) streams: BTreeMap<u32, Stream>,
    pub(crate) settings: Option<Vec<(u16, u32)>>,
    pub(crate) connection_window: Option<u32>,
    pub(crate) goaway: Vec<Goaway>,
    pub(crate) ping_acks: u32,
    /// The server's own.
    pub(crate) pings: u32,
    pub(crate) settings_acks: u32,
    pub(crate) end: Option<End>,
    pub(crate) ended_after: Duration,
    /// How the app ended, where it had to: its exit code, or none in time.
    pub(crate) exit: Option<Option<i32>>,
}

/// One stream.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    pub(crate) status: Option<u16>,
    interim: Vec<u16>,
    headers: Fields,
    trailers: Option<Fields>,
    data: usize,
    text: Vec<u8>,
    pub(crate) end: bool,
    pub(crate) reset: Option<String>,
    pub(crate) window: u32,
    /// Why its header block could not be read.
    pub(crate) unreadable: Option<String>,
}

type Fields = Vec<(String, String)>;

#[derive(Debug)]
pub(crate) struct Goaway {
    pub(crate) last: u32,
    pub(crate) code: String,
    pub(crate) after: Duration,
}

/// How the server ended the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Fin,
    Reset,
}

impl End {
    fn name(end: Option<Self>) -> &'static str {
        match end {
            None => "open",
            Some(Self::Fin) => "FIN",
            Some(Self::Reset) => "RST",
        }
    }
}

impl Seen {
    pub(crate) fn stream(&mut self, id: u32) -> &mut Stream {
        self.streams.entry(id).or_default()
    }

    /// In the shape of the recording of `case`.
    pub(crate) fn to_json(&self, case: &Value) -> Value {
        if self.raw.starts_with(b"HTTP/") {
            let end = self.end.map(|end| End::name(Some(end)));
            return json!({"http1": without_date(&from_latin1(&self.raw)), "end": end});
        }
        let mut all = Map::new();
        if case["show_settings"] == true {
            let settings = self.settings.iter().flatten();
            let settings: Map<String, Value> =
                settings.map(|(id, value)| (id.to_string(), (*value).into())).collect();
            all.insert("settings".to_owned(), settings.into());
            all.insert("connection_window_update".to_owned(), self.connection_window.into());
        }
        if self.streams.len() > MANY {
            self.put_counts(&mut all);
        } else {
            let streams = self.streams.iter();
            let mut streams: Map<String, Value> =
                streams.map(|(id, stream)| (id.to_string(), stream.to_json(case))).collect();
            if self.pings > 0 {
                streams.insert("ping".to_owned(), json!({"from_server": self.pings}));
            }
            all.insert("streams".to_owned(), streams.into());
        }
        let goaway = self.goaway.iter().map(|goaway| {
            json!({"last": goaway.last, "code": goaway.code, "after_s": seconds(goaway.after)})
        });
        all.insert("goaway".to_owned(), goaway.collect());
        all.insert("end".to_owned(), End::name(self.end).into());
        if self.end.is_some() {
            all.insert("end_s".to_owned(), seconds(self.ended_after));
        }
        if self.ping_acks > 0 {
            all.insert("ping_acks".to_owned(), self.ping_acks.into());
        }
        if self.settings_acks != 1 {
            all.insert("settings_acks".to_owned(), self.settings_acks.into());
        }
        if let Some(exit) = self.exit {
            let told = exit.map_or_else(|| "still running".into(), Value::from);
            all.insert("exit".to_owned(), told);
        }
        all.into()
    }

    fn put_counts(&self, all: &mut Map<String, Value>) {
        let count = |values: &mut dyn Iterator<Item = String>| {
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            values.for_each(|value| *counts.entry(value).or_default() += 1);
            serde_json::to_value(counts).expect("counts are JSON")
        };
        let streams = || self.streams.values();
        let mut statuses = streams().filter_map(|own| own.status).map(|status| status.to_string());
        let mut resets = streams().filter_map(|own| own.reset.clone());
        let last = self.streams.iter().rev().take(2).rev().map(|(id, own)| {
            let mut told = Map::new();
            if let Some(status) = own.status {
                told.insert("status".to_owned(), status.into());
            }
            if let Some(reset) = &own.reset {
                told.insert("rst".to_owned(), reset.as_str().into());
            }
            (id.to_string(), Value::from(told))
        });
        all.insert("streams_seen".to_owned(), self.streams.len().into());
        all.insert("status_counts".to_owned(), count(&mut statuses));
        all.insert("rst_counts".to_owned(), count(&mut resets));
        all.insert("last_streams".to_owned(), last.collect::<Map<_, _>>().into());
    }
}

impl Stream {
    pub(crate) fn take_data(&mut self, payload: &[u8]) {
        self.data += payload.len();
        if self.text.len() < TEXT {
            self.text.extend_from_slice(payload);
        }
    }

    /// Takes the fields of a header block: an answer, an interim one, or trailers.
    pub(crate) fn take_fields(&mut self, fields: Vec<(Vec<u8>, Vec<u8>)>) {
        let fields: Fields =
            fields.iter().map(|(name, value)| (from_latin1(name), from_latin1(value))).collect();
        let status = fields.iter().find(|(name, _)| name == ":status");
        match status.and_then(|(_, status)| status.parse().ok()) {
            None => self.trailers = Some(fields),
            Some(status @ 100..200) => self.interim.push(status),
            Some(status) => {
                self.status = Some(status);
                let kept = |(name, _): &(String, String)| {
                    !matches!(&**name, ":status" | "date" | "server")
                };
                self.headers = fields.into_iter().filter(kept).collect();
            }
        }
    }

    fn to_json(&self, case: &Value) -> Value {
        let mut all = Map::new();
        let mut put = |name: &str, value: Value| drop(all.insert(name.to_owned(), value));
        if let Some(status) = self.status {
            put("status", status.into());
        }
        if !self.interim.is_empty() {
            put("interim", self.interim.clone().into());
        }
        let shown =
            |(name, _): &&(String, String)| case["all_headers"] == true || name != "content-type";
        let headers: Vec<_> = self.headers.iter().filter(shown).collect();
        if !headers.is_empty() {
            put("headers", json!(headers));
        }
        if let Some(trailers) = &self.trailers {
            put("trailers", json!(trailers));
        }
        if self.data > 0 {
            put("data", self.data.into());
        }
        if case["text"] == true {
            let text = from_latin1(&self.text);
            match text.starts_with("{\"method\"") {
                true => put("echo", echo(&text)),
                false => put("text", text.into()),
            }
        }
        if self.end {
            put("end", true.into());
        }
        if let Some(reset) = &self.reset {
            put("rst", reset.as_str().into());
        }
        if let Some(why) = &self.unreadable {
            put("unreadable", why.as_str().into());
        }
        all.into()
    }
}

/// What the app saw, but for the address it saw it from.
fn echo(text: &str) -> Value {
    let mut echo: Value = serde_json::from_slice(&latin1(text)).unwrap_or(Value::Null);
    if let Some(echo) = echo.as_object_mut() {
        echo.remove("remoteIp");
    }
    echo
}

fn seconds(time: Duration) -> Value {
    json!((time.as_secs_f64() * 10.0).round() / 10.0)
}

fn without_date(text: &str) -> String {
    let lines = text.split("\r\n").map(|line| match line.starts_with("Date: ") {
        true => "Date: {date}",
        false => line,
    });
    lines.collect::<Vec<_>>().join("\r\n")
}

/// What two servers must have in common: no times, no texts, no fields.
pub(crate) fn in_common(seen: &Value) -> Value {
    const LEFT_OUT: [&str; 8] =
        ["text", "window", "debug", "after_s", "end_s", "headers", "settings_acks", "data"];
    match seen {
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()));
            kept.map(|(name, value)| (name.clone(), in_common(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(elements) => elements.iter().map(in_common).collect(),
        other => other.clone(),
    }
}

/// The harness's test of this file.
pub(crate) fn check() {
    let mut seen = Seen { settings_acks: 1, ..Seen::default() };
    let fields = [(":status", "200"), ("date", "now"), ("x", "y")];
    let fields = fields.map(|(name, value)| (name.into(), value.into()));
    let stream = seen.stream(1);
    stream.take_fields(fields.into());
    stream.take_data(b"ok");
    stream.end = true;
    seen.end = Some(End::Fin);
    assert_eq!(
        in_common(&seen.to_json(&Value::Null)),
        json!({"streams": {"1": {"status": 200, "end": true}}, "goaway": [], "end": "FIN"})
    );
    (0..7).for_each(|at| seen.stream(at * 2 + 1).status = Some(200));
    let counted = seen.to_json(&Value::Null);
    assert_eq!(
        (&counted["streams_seen"], &counted["status_counts"]["200"]),
        (&json!(7), &json!(7))
    );
    assert_eq!(without_date("a\r\nDate: now\r\n\r\n"), "a\r\nDate: {date}\r\n\r\n");
}
