//! A server of a case that speaks HTTP/1.1: it reads a request and takes the steps of its script.

use std::io;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tungstenite::handshake::derive_accept_key;

use super::got::Entry;
use super::{PATIENCE, Shared, hang, script};
use crate::http1::{from_latin1, latin1};
use crate::proxy::text::{find, repeated, text};
use crate::proxy::wire::{Came, Wire};

/// What ends a tunnel on the server's side, once a client has sent it.
const CLOSE: &[u8] = b"CLOSE";

/// How long a server waits before it resets: what it has sent is to arrive.
const BEFORE_RESET: Duration = Duration::from_millis(50);

/// What becomes of a connection after a step.
enum Then {
    Next(Reader),
    Over,
}

/// Serves a connection until it ends.
pub(super) fn serve(shared: &Shared, wire: Wire, number: usize) -> io::Result<()> {
    let mut reader = Reader { wire, buffer: Vec::new() };
    loop {
        let head = match reader.until(b"\r\n\r\n") {
            Ok(head) => from_latin1(&head),
            Err(error) => {
                if !reader.buffer.is_empty() {
                    let entry = shared.got.note(shared.number, number);
                    entry.set("partial", text(&reader.buffer));
                }
                return Err(error);
            }
        };
        let before = shared.request();
        let request = Request {
            number: shared.number,
            entry: shared.got.note(shared.number, number),
            head: head.split("\r\n").map(str::to_owned).collect(),
        };
        request.entry.set("head", request.head.clone());
        for step in script::steps(&shared.script(), request.path(), before) {
            match request.take(reader, &step)? {
                Then::Next(same) => reader = same,
                Then::Over => return Ok(()),
            }
        }
    }
}

/// A connection and what was read of it too early.
struct Reader {
    wire: Wire,
    buffer: Vec<u8>,
}

impl Reader {
    fn more(&mut self) -> io::Result<()> {
        match self.wire.read(PATIENCE) {
            Came::Bytes(bytes) => self.buffer.extend(bytes),
            Came::End | Came::Nothing => return Err(io::ErrorKind::UnexpectedEof.into()),
            Came::Reset => return Err(io::ErrorKind::ConnectionReset.into()),
        }
        Ok(())
    }

    /// What comes before `mark`, which is taken, too.
    fn until(&mut self, mark: &[u8]) -> io::Result<Vec<u8>> {
        loop {
            if let Some(at) = find(&self.buffer, mark) {
                let mut taken: Vec<u8> = self.buffer.drain(..at + mark.len()).collect();
                taken.truncate(at);
                return Ok(taken);
            }
            self.more()?;
        }
    }

    /// Moves `length` bytes into `body`, as they come.
    fn take_into(&mut self, body: &mut Vec<u8>, length: usize) -> io::Result<()> {
        let end = body.len() + length;
        while body.len() < end {
            if self.buffer.is_empty() {
                self.more()?;
            }
            let take = self.buffer.len().min(end - body.len());
            body.extend(self.buffer.drain(..take));
        }
        Ok(())
    }
}

/// A request that is answered.
struct Request {
    number: usize,
    entry: Entry,
    head: Vec<String>,
}

impl Request {
    fn path(&self) -> &str {
        self.head[0].split(' ').nth(1).unwrap_or_default()
    }

    fn method(&self) -> &str {
        self.head[0].split(' ').next().unwrap_or_default()
    }

    /// The values of a header.
    fn header(&self, name: &str) -> impl Iterator<Item = &str> {
        self.head[1..].iter().filter_map(move |line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Takes one step of the script.
    fn take(&self, mut reader: Reader, step: &Value) -> io::Result<Then> {
        if let Some(word) = step.as_str() {
            return self.word(reader, word);
        }
        if let Some(seconds) = step["sleep"].as_f64() {
            thread::sleep(Duration::from_secs_f64(seconds));
        } else if let Some(text) = step["send"].as_str() {
            reader.wire.send(&latin1(&repeated(text, &step["times"])))?;
        } else if let Some(answer) = step.get("reply") {
            reader.wire.send(&script::reply(answer, self.method(), self.number))?;
            if answer["framing"] == "close" {
                return Ok(Then::Over);
            }
        } else {
            return Err(self.unknown(step.to_string()));
        }
        Ok(Then::Next(reader))
    }

    fn word(&self, mut reader: Reader, word: &str) -> io::Result<Then> {
        match word {
            "body" => {
                self.read_body(&mut reader)?;
                return Ok(Then::Next(reader));
            }
            "close" => {}
            "reset" => {
                thread::sleep(BEFORE_RESET);
                reader.wire.reset();
            }
            "hang" => hang(&mut reader.wire),
            "ws" => {
                let key = self.header("sec-websocket-key").next().unwrap_or_default();
                let accept = derive_accept_key(key.as_bytes());
                let head = format!(
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\
                     \r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
                );
                reader.wire.send(head.as_bytes())?;
                self.echo(reader)?;
            }
            "echo" => self.echo(reader)?,
            other => return Err(self.unknown(other.to_owned())),
        }
        Ok(Then::Over)
    }

    /// A step that nobody here knows is seen in what the server got.
    fn unknown(&self, step: String) -> io::Error {
        self.entry.set("unknown_step", step);
        io::ErrorKind::Unsupported.into()
    }

    /// Sends back what comes.
    fn echo(&self, mut reader: Reader) -> io::Result<()> {
        let mut all = std::mem::take(&mut reader.buffer);
        if !all.is_empty() {
            reader.wire.send(&all)?;
        }
        while let Came::Bytes(bytes) = reader.wire.read(PATIENCE) {
            all.extend(&bytes);
            if all.ends_with(CLOSE) || reader.wire.send(&bytes).is_err() {
                break;
            }
        }
        self.entry.set("tunnel", text(&all));
        Ok(())
    }

    /// Reads the body and takes note of it, of what came if it does not come whole.
    fn read_body(&self, reader: &mut Reader) -> io::Result<()> {
        let mut body = Vec::new();
        let chunked = self
            .header("transfer-encoding")
            .any(|value| value.to_ascii_lowercase().contains("chunked"));
        let length = self.header("content-length").next().map(str::to_owned);
        let read = match (chunked, length) {
            (true, _) => {
                self.entry.set("framing", "chunked");
                self.read_chunks(reader, &mut body)
            }
            (false, Some(length)) => {
                self.entry.set("framing", "length");
                let length = length.parse().map_err(io::Error::other)?;
                reader.take_into(&mut body, length)
            }
            (false, None) => return Ok(()),
        };
        self.entry.set("body", text(&body));
        read
    }

    fn read_chunks(&self, reader: &mut Reader, body: &mut Vec<u8>) -> io::Result<()> {
        loop {
            let line = from_latin1(&reader.until(b"\r\n")?);
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
            if size == 0 {
                break;
            }
            // Of a chunk that does not come whole nothing counts.
            let mut chunk = Vec::new();
            reader.take_into(&mut chunk, size + 2)?;
            body.extend(&chunk[..size]);
        }
        let mut trailers = Vec::new();
        loop {
            let line = from_latin1(&reader.until(b"\r\n")?);
            if line.is_empty() {
                break;
            }
            trailers.push(line);
        }
        if !trailers.is_empty() {
            self.entry.set("trailers", trailers);
        }
        Ok(())
    }
}
