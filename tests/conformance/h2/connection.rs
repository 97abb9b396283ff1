//! The connection: what comes is taken note of and, where a client has to, answered.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::Result;
use fluke_hpack::Decoder;
use serde_json::Value;

use super::frames::{self, Kind};
use super::seen::{End, Goaway, Seen};
use super::steps;
use crate::suite::Line;
use crate::suite::app::{App, is_timeout};

/// How long a case may last after its last step.
const LIMIT: f64 = 4.8;

/// How long nothing may come after the last step for the case to be over.
const QUIET: f64 = 0.7;

/// How long the server may take to accept.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it may take to take what is sent.
const SEND: Duration = Duration::from_secs(3);

/// Plays a case.
///
/// # Errors
/// When there is no connection, or a step is not known.
pub(crate) fn play(app: &App, case: &Line) -> Result<Seen> {
    let case = &case.all;
    let mut connection = Connection::begin(app, case)?;
    if case["preface"] != false {
        let settings = steps::settings(&case["settings"]);
        connection.send(&[frames::MAGIC, &frames::settings(0, &settings)].concat());
        connection.read(Duration::from_millis(500), None, |seen| seen.settings.is_some());
        connection.read(Duration::from_millis(50), None, |_| false);
    }
    connection.began = Instant::now();
    for step in case["send"].as_array().into_iter().flatten() {
        steps::take(&mut connection, app, step)?;
    }
    let seconds =
        |name: &str, default: f64| Duration::from_secs_f64(case[name].as_f64().unwrap_or(default));
    connection.read(seconds("limit", LIMIT), Some(seconds("quiet", QUIET)), |_| false);
    Ok(connection.seen)
}

/// A connection of a client that does what it is told.
pub(crate) struct Connection<'a> {
    stream: TcpStream,
    decoder: Decoder<'a>,
    /// What came and is no whole frame yet.
    buffer: Vec<u8>,
    /// The header block that has begun: its stream, its flags.
    block: Option<(u32, u8, Vec<u8>)>,
    pub(crate) began: Instant,
    pub(crate) seen: Seen,
    /// The server takes no more.
    pub(crate) send_failed: bool,
    /// The stream of the next request, and the one used last.
    pub(crate) next: u32,
    pub(crate) last: u32,
    /// Whether the client acknowledges, and whether it makes room for more.
    acknowledges: bool,
    refills: bool,
}

impl Connection<'_> {
    fn begin(app: &App, case: &Value) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&app.address(), PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(SEND))?;
        let mut decoder = Decoder::new();
        decoder.set_max_allowed_table_size(65536);
        Ok(Self {
            stream,
            decoder,
            buffer: Vec::new(),
            block: None,
            began: Instant::now(),
            seen: Seen::default(),
            send_failed: false,
            next: 1,
            last: 1,
            acknowledges: case["ack"] != false,
            refills: case["flow"] != false,
        })
    }

    /// Sends, as long as the server takes it.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        if !self.send_failed && self.stream.write_all(bytes).is_err() {
            self.send_failed = true;
        }
    }

    /// Reads for that long, or until `ready` holds, or until nothing came for `quiet`.
    pub(crate) fn read(
        &mut self,
        time: Duration,
        quiet: Option<Duration>,
        ready: impl Fn(&Seen) -> bool,
    ) {
        let stop = Instant::now() + time;
        let mut buffer = vec![0; 1 << 18];
        while self.seen.end.is_none() && !ready(&self.seen) {
            let left = stop.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let wait = quiet.map_or(left, |quiet| quiet.min(left));
            // Only a wait of nothing at all can be refused.
            let _ = self.stream.set_read_timeout(Some(wait));
            match self.stream.read(&mut buffer) {
                Ok(0) => self.seen.end = Some(End::Fin),
                Ok(read) => self.heard(&buffer[..read]),
                Err(error) if is_timeout(&error) => {
                    if quiet.is_some_and(|quiet| left > quiet) {
                        return;
                    }
                }
                Err(_) => self.seen.end = Some(End::Reset),
            }
            if self.seen.end.is_some() {
                self.seen.ended_after = self.began.elapsed();
            }
        }
    }

    fn heard(&mut self, bytes: &[u8]) {
        let begin = &mut self.seen.raw;
        let room = 400_usize.saturating_sub(begin.len());
        begin.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if begin.starts_with(b"HTTP/") {
            return;
        }
        self.buffer.extend_from_slice(bytes);
        let buffer = std::mem::take(&mut self.buffer);
        let mut rest = &buffer[..];
        while rest.len() >= frames::HEAD {
            let length = (frames::number(rest, 0) >> 8) as usize;
            let Some(payload) = rest.get(frames::HEAD..frames::HEAD + length) else { break };
            let stream = frames::number(rest, 5) & 0x7fff_ffff;
            self.take(&Kind::of(rest[3]), rest[4], stream, payload);
            rest = &rest[frames::HEAD + length..];
        }
        self.buffer = rest.to_vec();
    }

    /// Takes note of a frame.
    fn take(&mut self, kind: &Kind, flags: u8, stream: u32, payload: &[u8]) {
        let seen = &mut self.seen;
        match kind {
            Kind::Data => self.take_data(flags, stream, payload),
            Kind::Headers => {
                self.block = Some((stream, flags, payload.to_vec()));
                self.take_block(flags);
            }
            Kind::Continuation => {
                if let Some((_, _, block)) = &mut self.block {
                    block.extend_from_slice(payload);
                }
                self.take_block(flags);
            }
            Kind::RstStream => {
                seen.stream(stream).reset = Some(frames::code(frames::number(payload, 0)));
            }
            Kind::Settings if flags & frames::ACK != 0 => seen.settings_acks += 1,
            Kind::Settings => {
                let pairs = payload
                    .chunks_exact(6)
                    .map(|pair| (u16::from_be_bytes([pair[0], pair[1]]), frames::number(pair, 2)));
                seen.settings.get_or_insert_with(|| pairs.collect());
                if self.acknowledges {
                    self.send(&frames::settings_ack());
                }
            }
            Kind::Ping if flags & frames::ACK != 0 => seen.ping_acks += 1,
            Kind::Ping => {
                seen.pings += 1;
                if self.acknowledges {
                    self.send(&frames::ping(frames::ACK, 0, payload));
                }
            }
            Kind::Goaway => {
                let last = frames::number(payload, 0) & 0x7fff_ffff;
                let code = frames::code(frames::number(payload, 4));
                seen.goaway.push(Goaway { last, code, after: self.began.elapsed() });
            }
            Kind::WindowUpdate if stream == 0 => {
                seen.connection_window.get_or_insert(frames::number(payload, 0));
            }
            Kind::WindowUpdate => {
                let window = &mut seen.stream(stream).window;
                *window = window.saturating_add(frames::number(payload, 0));
            }
            Kind::Other => {}
        }
    }

    fn take_data(&mut self, flags: u8, stream: u32, payload: &[u8]) {
        let own = self.seen.stream(stream);
        let end = flags & frames::END_STREAM != 0;
        own.take_data(payload);
        own.end |= end;
        if !payload.is_empty() && self.refills {
            let room = u32::try_from(payload.len()).expect("a frame is no larger");
            self.send(&frames::window_update(0, room));
            if !end {
                self.send(&frames::window_update(stream, room));
            }
        }
    }

    /// Reads the header block, if this was the end of it.
    fn take_block(&mut self, flags: u8) {
        if flags & frames::END_HEADERS == 0 {
            return;
        }
        let Some((stream, flags, block)) = self.block.take() else { return };
        let own = self.seen.stream(stream);
        match self.decoder.decode(&block) {
            Ok(fields) => own.take_fields(fields),
            Err(error) => own.unreadable = Some(format!("{error:?}")),
        }
        own.end |= flags & frames::END_STREAM != 0;
    }
}
