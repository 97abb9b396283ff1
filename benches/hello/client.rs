//! The client: connections that ask for the same thing again and again.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::process::Server;
use crate::{CONNECTIONS, Result};

/// A connection that stays open, and the length of its answers: with a body and a date of fixed
/// length, all are as long as the first.
pub(crate) struct Client {
    stream: TcpStream,
    /// As many requests as are sent at once.
    requests: Vec<u8>,
    answer: Vec<u8>,
    /// The answers to all of `requests`.
    answers: Vec<u8>,
}

impl Client {
    /// Connects and takes the answer to a first request; then `depth` are sent at once.
    pub(crate) fn connect(address: SocketAddr, path: &str, depth: usize) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").into_bytes();
        let mut client =
            Self { stream, requests: request, answer: Vec::new(), answers: Vec::new() };
        client.ask()?;
        while client.missing()? > 0 {
            let mut piece = [0; 4096];
            let length = client.stream.read(&mut piece)?;
            if length == 0 {
                return Err("the server closed the connection".into());
            }
            client.answer.extend_from_slice(&piece[..length]);
        }
        client.check(&client.answer)?;
        client.requests = client.requests.repeat(depth);
        client.answers = vec![0; client.answer.len() * depth];
        Ok(client)
    }

    /// Sends the requests.
    pub(crate) fn ask(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.requests)
    }

    /// Takes the answers to them.
    pub(crate) fn take(&mut self) -> Result<()> {
        self.stream.read_exact(&mut self.answers)?;
        self.answers.chunks(self.answer.len()).try_for_each(|answer| self.check(answer))
    }

    /// The connection alone, which needs no memory of ours.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }

    fn check(&self, answer: &[u8]) -> Result<()> {
        if answer.starts_with(b"HTTP/1.1 200 OK\r\n") {
            Ok(())
        } else {
            let answer = String::from_utf8_lossy(answer);
            Err(format!("not the answer that was expected: {answer}").into())
        }
    }

    /// How many bytes of the first answer are still to come; at least 1 until its head is complete.
    fn missing(&self) -> Result<usize> {
        let text = String::from_utf8_lossy(&self.answer);
        let Some((_, body)) = text.split_once("\r\n\r\n") else {
            return Ok(1);
        };
        let length: usize = match self.headers().get("content-length") {
            Some(length) => length.parse()?,
            None => return Err("the answer has no length".into()),
        };
        Ok(length.saturating_sub(body.len()))
    }

    /// The headers of the first answer, their names in lower case.
    pub(crate) fn headers(&self) -> BTreeMap<String, String> {
        let text = String::from_utf8_lossy(&self.answer);
        let head = text.split("\r\n\r\n").next().unwrap_or_default();
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect()
    }

    pub(crate) fn body(&self) -> String {
        let text = String::from_utf8_lossy(&self.answer);
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
        body.unwrap_or_default()
    }
}

/// What a server did in a while.
pub(crate) struct Load {
    pub(crate) requests: f64,
    pub(crate) seconds: f64,
    pub(crate) processor: Option<f64>,
}

/// Keeps `depth` requests in flight on each of `CONNECTIONS` connections for `time`.
pub(crate) fn load(server: &Server, path: &str, depth: usize, time: Duration) -> Result<Load> {
    let threads = thread::available_parallelism()?.get().min(CONNECTIONS);
    let stop = AtomicBool::new(false);
    let drive = |clients: &mut [Client]| -> Result<u64> {
        let mut answers = 0;
        for client in &mut *clients {
            client.ask()?;
        }
        while !stop.load(Ordering::Relaxed) {
            // In turn: while one is read, the server works on all the others.
            for client in &mut *clients {
                client.take()?;
                client.ask()?;
                answers += depth as u64;
            }
        }
        for client in clients {
            client.take()?;
            answers += depth as u64;
        }
        Ok(answers)
    };
    let mut clients = (0..CONNECTIONS)
        .map(|_| Client::connect(server.address, path, depth))
        .collect::<Result<Vec<_>>>()?;
    let before = server.processor_time();
    let start = Instant::now();
    let requests = thread::scope(|scope| {
        let workers: Vec<_> = clients
            .chunks_mut(CONNECTIONS.div_ceil(threads))
            .map(|clients| scope.spawn(|| drive(clients)))
            .collect();
        thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
        workers
            .into_iter()
            .map(|worker| worker.join().map_err(|_| "a client panicked")?)
            .sum::<Result<u64>>()
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let after = server.processor_time();
    Ok(Load {
        requests: requests as f64,
        seconds,
        processor: after.zip(before).map(|(after, before)| after - before),
    })
}
