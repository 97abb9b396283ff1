//! A client that speaks HTTP/2: one request on a connection of its own.

use std::io;
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::{Clients, LIMIT, seconds};
use crate::http1::latin1;
use crate::proxy::http2::{Event, Field, Heard, Http2, are_trailers};
use crate::proxy::text::{list, pair, tenths, text};

/// The stream of the only request.
const STREAM: u32 = 1;

/// Sends a request and says what came of it.
pub(super) fn send(clients: &Clients<'_>, request: &Value) -> Value {
    let began = Instant::now();
    let mut seen = Seen::default();
    let listened = match begin(clients, request) {
        Ok(mut connection) => seen.listen(&mut connection, request, began),
        Err(error) => return json!({"connect_failed": error.to_string()}),
    };
    if listened.is_err() {
        seen.more.insert("timed_out".to_owned(), true.into());
    }
    if request["timing"] == true {
        seen.more.insert("secs".to_owned(), tenths(began.elapsed().as_secs_f64()).into());
    }
    let mut all = seen.more;
    all.insert("h2".to_owned(), json!(seen.heads));
    all.insert("body".to_owned(), text(&seen.body).into());
    Value::Object(all)
}

/// Connects, and sends what is known of the request.
fn begin(clients: &Clients<'_>, request: &Value) -> io::Result<Http2> {
    let mut connection = Http2::client(clients.connect(request)?)?;
    let member =
        |name: &str, usual: &'static str| request[name].as_str().unwrap_or(usual).to_owned();
    let own = |name: &str, value: String| (name.to_owned(), value);
    let mut head = vec![
        own(":method", member("method", "GET")),
        own(":path", member("path", "/")),
        own(":scheme", if clients.secure { "https" } else { "http" }.to_owned()),
        own(":authority", member("host", "app.test")),
    ];
    head.extend(request["protocol"].as_str().map(|name| own(":protocol", name.to_owned())));
    let headers = list(&request["headers"]).iter().map(pair);
    head.extend(headers.map(|(name, value)| (name.to_lowercase(), clients.fill(value))));
    let trailers: Vec<Field> = list(&request["trailers"])
        .iter()
        .map(pair)
        .map(|(name, value)| own(name, value.to_owned()))
        .collect();
    let body = request["body"].as_str();
    let ends = trailers.is_empty() && request["open"] != true;
    connection.fields(STREAM, &head, body.is_none() && ends)?;
    if let Some(body) = body {
        connection.data(STREAM, &latin1(body), ends)?;
    }
    if !trailers.is_empty() {
        connection.fields(STREAM, &trailers, true)?;
    }
    Ok(connection)
}

#[derive(Default)]
struct Seen {
    /// The lines of each head.
    heads: Vec<Vec<String>>,
    body: Vec<u8>,
    more: Map<String, Value>,
}

impl Seen {
    /// Listens until the answer is over.
    ///
    /// # Errors
    /// When it is not in time.
    fn listen(
        &mut self,
        connection: &mut Http2,
        request: &Value,
        began: Instant,
    ) -> io::Result<()> {
        let limit = seconds(request, "limit", LIMIT);
        loop {
            // Each wait is bounded by the whole, so that a trickle does not go on for ever.
            let left = (limit * 3).saturating_sub(began.elapsed()).min(limit);
            match connection.listen(left)? {
                Heard::Events(events) => {
                    let mut over = false;
                    for event in events {
                        over |= self.take(event, connection, request)?;
                    }
                    if over {
                        return Ok(());
                    }
                }
                Heard::Nothing => return Err(io::ErrorKind::TimedOut.into()),
                Heard::End => {
                    self.more.insert("closed".to_owned(), "eof".into());
                    return Ok(());
                }
            }
        }
    }

    /// True when it was the last.
    fn take(&mut self, event: Event, connection: &mut Http2, request: &Value) -> io::Result<bool> {
        match event {
            Event::Fields(_, lines) if are_trailers(&lines) => {
                self.more.insert("trailers".to_owned(), json!(lines));
            }
            Event::Fields(_, lines) => {
                self.heads.push(lines);
                if let Some(more) = request["after_head"].as_str() {
                    connection.data(STREAM, &latin1(more), true)?;
                }
            }
            Event::Data(_, data) => self.body.extend(data),
            Event::End(_) => return Ok(true),
            Event::Reset(_, code) => {
                self.more.insert("stream_reset".to_owned(), code.into());
                return Ok(true);
            }
            Event::Goaway(code) => {
                self.more.insert("goaway".to_owned(), code.into());
                return Ok(true);
            }
        }
        Ok(false)
    }
}
