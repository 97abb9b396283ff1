//! A client connection that remembers what came, and when.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

use crate::suite::app::is_timeout;

pub(crate) const OK: &str = "GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n";
pub(crate) const UPGRADE: &str =
    "GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";

pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}

pub(crate) fn post(path: &str, length: usize) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n")
}

/// How long the server may take to accept, or to take what is sent.
const PATIENCE: Duration = Duration::from_secs(5);

/// Of an answer that is larger than any head, only the length is kept.
const KEPT: usize = 64 * 1024;

/// One connection.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    began: Instant,
    data: Vec<u8>,
    pub(crate) received: usize,
    first: Option<f64>,
    end: Option<(&'static str, f64)>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> io::Result<Self> {
        Self::with_buffer(address, None)
    }

    /// A client whose system takes little before the client reads.
    pub(crate) fn with_buffer(address: SocketAddr, size: Option<usize>) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        if let Some(size) = size {
            socket.set_recv_buffer_size(size)?;
        }
        socket.connect_timeout(&address.into(), PATIENCE)?;
        let stream = TcpStream::from(socket);
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            began: Instant::now(),
            data: Vec::new(),
            received: 0,
            first: None,
            end: None,
        })
    }

    /// Begins to count seconds.
    pub(crate) fn mark(&mut self) -> &mut Self {
        self.began = Instant::now();
        self
    }

    pub(crate) fn elapsed(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// Sends; false if the server takes no more.
    pub(crate) fn send(&mut self, text: &str) -> bool {
        let sent = self.stream.write_all(text.as_bytes()).is_ok();
        if !sent && self.end.is_none() {
            self.end = Some(("RST", self.elapsed()));
        }
        sent
    }

    /// Reads for that long, or until the end.
    pub(crate) fn read(&mut self, seconds: f64) -> &mut Self {
        self.read_until(seconds, None, None)
    }

    /// Reads for that long, or until this text has come.
    pub(crate) fn read_text(&mut self, seconds: f64, text: &str) -> &mut Self {
        self.read_until(seconds, Some(text), None)
    }

    /// Reads no more than that.
    pub(crate) fn read_bytes(&mut self, seconds: f64, limit: usize) -> &mut Self {
        self.read_until(seconds, None, Some(limit))
    }

    fn read_until(&mut self, seconds: f64, text: Option<&str>, limit: Option<usize>) -> &mut Self {
        let stop = Instant::now() + Duration::from_secs_f64(seconds);
        let mut got = 0;
        let mut buffer = vec![0; 64 * 1024];
        while self.end.is_none() && !text.is_some_and(|text| self.has(text)) {
            let left = stop.saturating_duration_since(Instant::now());
            if left.is_zero() || limit.is_some_and(|limit| got >= limit) {
                break;
            }
            // Only a wait of nothing at all can be refused.
            let _ = self.stream.set_read_timeout(Some(left));
            let room = limit.map_or(buffer.len(), |limit| (limit - got).min(buffer.len()));
            match self.stream.read(&mut buffer[..room]) {
                Ok(0) => self.end = Some(("FIN", self.elapsed())),
                Ok(read) => {
                    self.first.get_or_insert(self.began.elapsed().as_secs_f64());
                    got += read;
                    self.received += read;
                    let kept = KEPT.saturating_sub(self.data.len()).min(read);
                    self.data.extend_from_slice(&buffer[..kept]);
                }
                Err(error) if is_timeout(&error) => break,
                Err(_) => self.end = Some(("RST", self.elapsed())),
            }
        }
        self
    }

    pub(crate) fn ended(&self) -> bool {
        self.end.is_some()
    }

    /// Forgets that sending failed: what the server has said may still be read.
    pub(crate) fn read_on(&mut self) -> &mut Self {
        self.end = None;
        self
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.data.windows(text.len()).any(|window| window == text.as_bytes())
    }

    pub(crate) fn ends_with(&self, text: &str) -> bool {
        self.data.ends_with(text.as_bytes())
    }

    /// What came, as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.data).into_owned()
    }

    /// What was seen, in the shape of the recordings.
    pub(crate) fn seen(&self) -> Value {
        let heads = heads(&String::from_utf8_lossy(&self.data));
        let (statuses, connections): (Vec<_>, Vec<_>) = heads.into_iter().unzip();
        json!({
            "status": statuses,
            "connection_header": connections,
            "bytes": self.received,
            "first_byte_s": self.first.map(hundredths),
            "end": self.end.map_or("open", |(end, _)| end),
            "end_s": self.end.map(|(_, after)| hundredths(after)),
        })
    }
}

/// Statuses and Connection headers of the answers in `text`.
pub(crate) fn heads(text: &str) -> Vec<(u16, Option<String>)> {
    let mut heads = Vec::new();
    for (at, _) in text.match_indices("HTTP/1.1 ") {
        let Some(head) = text[at..].split("\r\n\r\n").next() else { continue };
        let Some(status) = head.get(9..12).and_then(|status| status.parse().ok()) else { continue };
        let connection = head.split("\r\n").find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("connection").then(|| value.trim().to_owned())
        });
        heads.push((status, connection));
    }
    heads
}

pub(crate) fn hundredths(seconds: f64) -> f64 {
    (seconds * 100.0).round() / 100.0
}

/// What `client` sees in `count` threads that begin `gap` seconds apart, and how its ends spread.
pub(crate) fn spread(count: u32, gap: f64, client: impl Fn() -> io::Result<Value> + Sync) -> Value {
    let run = |at: u32| {
        thread::sleep(Duration::from_secs_f64(gap * f64::from(at)));
        client()
            .unwrap_or_else(|error| json!({"end": error.to_string(), "end_s": null, "status": []}))
    };
    let seen: Vec<Value> = thread::scope(|scope| {
        let clients: Vec<_> = (0..count).map(|at| scope.spawn(move || run(at))).collect();
        clients.into_iter().map(|one| one.join().expect("a client does not panic")).collect()
    });
    let mut times: Vec<f64> = seen.iter().filter_map(|one| one["end_s"].as_f64()).collect();
    times.sort_by(f64::total_cmp);
    let mut ends: Vec<&str> = seen.iter().filter_map(|one| one["end"].as_str()).collect();
    ends.sort_unstable();
    ends.dedup();
    let statuses = seen.iter().flat_map(|one| one["status"].as_array().into_iter().flatten());
    let mut statuses: Vec<u64> = statuses.filter_map(Value::as_u64).collect();
    statuses.sort_unstable();
    statuses.dedup();
    json!({
        "n": count, "ends": ends, "status": statuses, "min_s": times.first(), "max_s": times.last(),
    })
}

/// The harness's test of this file.
pub(crate) fn check() {
    let text = "HTTP/1.1 200 OK\r\nA: b\r\n\r\nokHTTP/1.1 408 \r\nConnection: close\r\n\r\n";
    assert_eq!(heads(text), [(200, None), (408, Some("close".to_owned()))]);
}
