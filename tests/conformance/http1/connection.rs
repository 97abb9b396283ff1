//! One connection: what is sent, and what is heard until the server ends it or is silent.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::suite::app::is_timeout;

/// How long the server may take to accept, or to take what is sent.
const PATIENCE: Duration = Duration::from_secs(5);

/// Something that is done on the connection.
#[derive(Debug)]
pub(crate) enum Part {
    Send(Vec<u8>),
    Repeat(Vec<u8>, usize),
    /// Meanwhile what comes is read.
    Wait(Duration),
}

impl Part {
    /// The text, unless it is a repeated one.
    pub(crate) fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Send(text) => Some(text),
            Self::Repeat(..) | Self::Wait(_) => None,
        }
    }
}

/// What came back.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) bytes: Vec<u8>,
    /// The server ended the connection.
    pub(crate) closed: bool,
    /// It did so by a reset, or took no more.
    pub(crate) reset: bool,
}

/// Does the parts, up to the end of the connection, and then reads until nothing came for `idle`.
///
/// # Errors
/// When there is no connection.
pub(crate) fn talk(
    address: SocketAddr,
    parts: &[Part],
    half_close: bool,
    idle: Duration,
) -> io::Result<Heard> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut heard = Heard::default();
    if send(&mut stream, parts, half_close, &mut heard).is_err() {
        heard.reset = true;
    }
    while !heard.closed {
        match hear(&mut stream, idle, &mut heard) {
            Ok(true) => {}
            Ok(false) => break,
            Err(_) => (heard.closed, heard.reset) = (true, true),
        }
    }
    Ok(heard)
}

fn send(
    stream: &mut TcpStream,
    parts: &[Part],
    half_close: bool,
    heard: &mut Heard,
) -> io::Result<()> {
    for part in parts {
        match part {
            Part::Send(text) => stream.write_all(text)?,
            Part::Repeat(text, times) => stream.write_all(&text.repeat(*times))?,
            Part::Wait(time) => {
                let end = Instant::now() + *time;
                while !heard.closed {
                    let left = end.saturating_duration_since(Instant::now());
                    if left.is_zero() || !hear(stream, left, heard)? {
                        break;
                    }
                }
                // Nothing more is sent once the server has closed.
                if heard.closed {
                    return Ok(());
                }
            }
        }
    }
    if half_close { stream.shutdown(Shutdown::Write) } else { Ok(()) }
}

/// Reads once. False if nothing came in that time.
fn hear(stream: &mut TcpStream, time: Duration, heard: &mut Heard) -> io::Result<bool> {
    stream.set_read_timeout(Some(time))?;
    let mut buffer = [0; 64 * 1024];
    match stream.read(&mut buffer) {
        Ok(0) => heard.closed = true,
        Ok(read) => heard.bytes.extend_from_slice(&buffer[..read]),
        Err(error) if is_timeout(&error) => return Ok(false),
        Err(error) => return Err(error),
    }
    Ok(true)
}
