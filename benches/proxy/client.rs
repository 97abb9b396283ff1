//! A client that asks over many connections in turn.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::{Part, Result};

/// Connections that stay open, and what is asked over them.
pub(crate) struct Client {
    connections: Vec<(TcpStream, Instant)>,
    request: Vec<u8>,
    /// All answers are so long.
    answer: usize,
    buffer: Vec<u8>,
}

/// What came of a load.
pub(crate) struct Load {
    pub(crate) answers: u64,
    pub(crate) seconds: f64,
    /// The time within which 99 of 100 answers were there, in seconds.
    pub(crate) p99: f64,
}

impl Client {
    /// Connects, and looks at the first answer.
    pub(crate) fn new(address: SocketAddr, part: &Part) -> Result<Self> {
        let mut request = match part.upload {
            0 => b"GET /some/path?a=b HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
            length => format!(
                "POST /some/path HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
            )
            .into_bytes(),
        };
        request.resize(request.len() + part.upload, b'x');
        let mut connections = Vec::new();
        let mut answer = 0;
        for _ in 0..part.connections {
            let mut stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            answer = ask(&mut stream, &request, part.size)?;
            connections.push((stream, Instant::now()));
        }
        Ok(Self { connections, request, answer, buffer: vec![0; answer.min(1 << 18)] })
    }

    /// Loads the server for `time`.
    pub(crate) fn load(&mut self, time: Duration) -> Result<Load> {
        let Self { connections, request, answer, buffer } = self;
        let ask = |(stream, asked): &mut (TcpStream, Instant)| {
            *asked = Instant::now();
            stream.write_all(request)
        };
        let mut take = |stream: &mut TcpStream| -> Result<()> {
            let mut left = *answer;
            while left > 0 {
                let most = left.min(buffer.len());
                match stream.read(&mut buffer[..most])? {
                    0 => return Err("the server closed the connection".into()),
                    read => left -= read,
                }
            }
            Ok(())
        };
        let (start, mut took) = (Instant::now(), Vec::new());
        connections.iter_mut().try_for_each(ask)?;
        while start.elapsed() < time {
            // In turn: while one is read, the server works on all the others.
            for connection in connections.iter_mut() {
                take(&mut connection.0)?;
                took.push(connection.1.elapsed());
                ask(connection)?;
            }
        }
        for connection in connections.iter_mut() {
            take(&mut connection.0)?;
            took.push(connection.1.elapsed());
        }
        let seconds = start.elapsed().as_secs_f64();
        took.sort_unstable();
        let p99 = took[(took.len() * 99 / 100).min(took.len() - 1)].as_secs_f64();
        Ok(Load { answers: took.len() as u64, seconds, p99 })
    }
}

/// Asks once, and gives how long the answer is, whose body has to be of this size.
fn ask(stream: &mut TcpStream, request: &[u8], size: usize) -> Result<usize> {
    stream.write_all(request)?;
    let mut answer = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        let length = stream.read(&mut piece)?;
        if length == 0 {
            return Err("the server closed the connection".into());
        }
        answer.extend_from_slice(&piece[..length]);
        let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&answer[..end + 4])?;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let told = format!("content-length: {size}\r\n");
        assert!(head.to_ascii_lowercase().contains(&told), "{head}");
        let whole = end + 4 + size;
        if answer.len() == whole {
            let body = &answer[end + 4..];
            assert!(body.iter().enumerate().all(|(at, it)| *it == (at % 251) as u8));
            return Ok(whole);
        }
    }
}
