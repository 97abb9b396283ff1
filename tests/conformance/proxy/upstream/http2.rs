//! A server of a case that speaks HTTP/2, and answers all requests alike.
//!
//! `answer` says how: `status`, `headers`, `body`, `trailers`; `early`: before the request's body is
//! there; `reset`: the stream with this code; `goaway`: the connection with this code, of which
//! `goaway_last` is the last stream. A CONNECT is a tunnel that sends back what comes.

use std::collections::BTreeMap;
use std::io;

use serde_json::Value;

use super::got::Entry;
use super::{PATIENCE, Shared};
use crate::http1::{from_latin1, latin1};
use crate::proxy::http2::{Event, Field, Heard, Http2, are_trailers};
use crate::proxy::text::{list, pair, text};
use crate::proxy::wire::Wire;

/// Settings by their numbers (RFC 9113 section 6.5.2, RFC 8441 section 3).
const MAX_CONCURRENT_STREAMS: u16 = 3;
const ENABLE_CONNECT_PROTOCOL: u16 = 8;

/// Serves a connection until it ends.
pub(super) fn serve(shared: &Shared, wire: Wire, number: usize) -> io::Result<()> {
    let script = shared.script();
    let mut settings = vec![(MAX_CONCURRENT_STREAMS, 100)];
    if script["connect_protocol"] == true {
        settings.push((ENABLE_CONNECT_PROTOCOL, 1));
    }
    let answer = script["answer"].clone();
    let connection = Http2::server(wire, &settings)?;
    let mut server = Server { shared, number, answer, connection, streams: BTreeMap::new() };
    let mut over = false;
    loop {
        match server.connection.listen(PATIENCE) {
            // Behind a GOAWAY nothing is heard any more.
            Ok(Heard::Events(_)) if over => return Ok(()),
            Ok(Heard::Events(events)) => {
                for event in events {
                    over |= server.take(event)?;
                }
            }
            Ok(Heard::End | Heard::Nothing) => return Ok(()),
            Err(error) => {
                if error.kind() == io::ErrorKind::InvalidData {
                    let entry = shared.got.note(shared.number, number);
                    entry.set("not_h2", text(server.connection.unheard()));
                }
                return Err(error);
            }
        }
    }
}

struct Server<'a> {
    shared: &'a Shared,
    number: usize,
    answer: Value,
    connection: Http2,
    streams: BTreeMap<u32, Stream>,
}

struct Stream {
    entry: Entry,
    tunnel: bool,
}

impl Server<'_> {
    /// True if the connection is over with it.
    fn take(&mut self, event: Event) -> io::Result<bool> {
        match event {
            Event::Fields(stream, lines) if are_trailers(&lines) => {
                if let Some(stream) = self.streams.get(&stream) {
                    stream.entry.set("trailers", lines);
                }
            }
            Event::Fields(stream, lines) => return self.begin(stream, lines),
            Event::Data(stream, data) => {
                let Some(Stream { entry, tunnel }) = self.streams.get(&stream) else {
                    return Ok(false);
                };
                let name = if *tunnel { "tunnel" } else { "body" };
                entry.add(name, &from_latin1(&data));
                if *tunnel {
                    self.connection.data(stream, &data, false)?;
                }
            }
            Event::Reset(stream, code) => {
                if let Some(stream) = self.streams.get(&stream) {
                    stream.entry.set("stream_reset", code);
                }
            }
            Event::End(stream) => {
                let tunnel = self.streams.get(&stream).is_some_and(|stream| stream.tunnel);
                if tunnel {
                    self.connection.data(stream, &[], true)?;
                    return Ok(false);
                }
                let over = self.answer["early"] != true && self.respond(stream)?;
                // Both sides have said all: what the client still says of it is not listened to.
                self.streams.remove(&stream);
                return Ok(over);
            }
            Event::Goaway(_) => {}
        }
        Ok(false)
    }

    fn begin(&mut self, stream: u32, lines: Vec<String>) -> io::Result<bool> {
        self.shared.request();
        let entry = self.shared.got.note(self.shared.number, self.number);
        let tunnel = lines.iter().any(|line| line == ":method: CONNECT");
        entry.set("h2", lines);
        if tunnel {
            entry.set("tunnel", "");
            self.connection.fields(stream, &[field(":status", "200")], false)?;
        }
        self.streams.insert(stream, Stream { entry, tunnel });
        match !tunnel && self.answer["early"] == true {
            true => self.respond(stream),
            false => Ok(false),
        }
    }

    /// Answers. True if the connection is over with it.
    fn respond(&mut self, stream: u32) -> io::Result<bool> {
        let number = |name: &str| self.answer[name].as_u64().and_then(|it| u32::try_from(it).ok());
        if let Some(code) = number("reset") {
            self.connection.reset(stream, code)?;
            return Ok(false);
        }
        if let Some(code) = number("goaway") {
            let last = number("goaway_last").unwrap_or(stream);
            self.connection.goaway(last, code)?;
            return Ok(true);
        }
        let own = format!("up{}", self.shared.number);
        let body = latin1(self.answer["body"].as_str().unwrap_or(&own));
        let status = number("status").unwrap_or(200).to_string();
        let mut head = vec![field(":status", &status)];
        head.extend(fields(&self.answer["headers"]));
        let trailers = fields(&self.answer["trailers"]);
        self.connection.fields(stream, &head, body.is_empty() && trailers.is_empty())?;
        if !body.is_empty() {
            self.connection.data(stream, &body, trailers.is_empty())?;
        }
        if !trailers.is_empty() {
            self.connection.fields(stream, &trailers, true)?;
        }
        Ok(false)
    }
}

fn field(name: &str, value: &str) -> Field {
    (name.to_owned(), value.to_owned())
}

fn fields(named: &Value) -> Vec<Field> {
    list(named).iter().map(pair).map(|(name, value)| field(name, value)).collect()
}
