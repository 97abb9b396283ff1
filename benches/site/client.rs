//! A client that asks over many connections in turn.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::process::Server;
use crate::{Part, Result};

/// What is asked beside the path.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Condition {
    None,
    /// That the file is not as the client has it.
    Unchanged,
}

/// Connections that stay open, and what is asked over them.
pub(crate) struct Client {
    connections: Vec<TcpStream>,
    requests: Vec<Vec<u8>>,
    /// Which one is next.
    next: usize,
    /// All answers are so long.
    answer: Vec<u8>,
}

impl Client {
    /// Connects, and looks at the first answer.
    pub(crate) fn new(server: &Server, paths: &[String], part: &Part) -> Result<Self> {
        let request = |path: &str, more: &str| {
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n").into_bytes()
        };
        let connect = || {
            let stream = TcpStream::connect(server.address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            Ok(stream)
        };
        let mut first: TcpStream = connect()?;
        let (head, body) = ask(&mut first, &request(&paths[0], ""), true)?;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(
            body.len() == part.size
                && body.iter().enumerate().all(|(at, it)| *it == (at % 251) as u8)
        );
        let (more, answer) = match part.condition {
            Condition::None => (String::new(), head.len() + body.len()),
            Condition::Unchanged => {
                let tag = head.lines().find_map(|line| {
                    let (name, value) = line.split_once(": ")?;
                    name.eq_ignore_ascii_case("etag").then_some(value)
                });
                let more = format!("If-None-Match: {}\r\n", tag.ok_or("a file without a tag")?);
                let (head, _) = ask(&mut first, &request(&paths[0], &more), false)?;
                assert!(head.starts_with("HTTP/1.1 304 "), "{head}");
                (more, head.len())
            }
        };
        let connections = (0..part.connections).map(|_| connect()).collect::<Result<_>>()?;
        let requests = paths.iter().map(|path| request(path, &more)).collect();
        Ok(Self { connections, requests, next: 0, answer: vec![0; answer] })
    }

    /// Loads the server for `time`: how many answers came, and in how many seconds.
    pub(crate) fn load(&mut self, time: Duration) -> Result<(u64, f64)> {
        let Self { connections, requests, next, answer } = self;
        let mut ask = |stream: &mut TcpStream| {
            *next = (*next + 1) % requests.len();
            stream.write_all(&requests[*next])
        };
        let (start, mut done) = (Instant::now(), 0);
        for stream in connections.iter_mut() {
            ask(stream)?;
        }
        while start.elapsed() < time {
            // In turn: while one is read, the server works on all the others.
            for stream in connections.iter_mut() {
                stream.read_exact(answer)?;
                ask(stream)?;
                done += 1;
            }
        }
        for stream in connections.iter_mut() {
            stream.read_exact(answer)?;
            done += 1;
        }
        Ok((done, start.elapsed().as_secs_f64()))
    }
}

/// Asks once: the head with the line that ends it, and the body if one is there.
fn ask(stream: &mut TcpStream, request: &[u8], has_body: bool) -> Result<(String, Vec<u8>)> {
    stream.write_all(request)?;
    let mut answer = Vec::new();
    loop {
        let mut piece = [0; 64 * 1024];
        let length = stream.read(&mut piece)?;
        if length == 0 {
            return Err("the server closed the connection".into());
        }
        answer.extend_from_slice(&piece[..length]);
        let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(answer[..end + 4].to_vec())?;
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().ok())?
        });
        if !has_body || length.is_some_and(|length| answer.len() >= end + 4 + length) {
            return Ok((head, answer.split_off(end + 4)));
        }
    }
}
