//! A client that asks over many connections in turn, in clear text or by TLS.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::certificates::Certificate;
use crate::process::Server;
use crate::{Part, Result};

/// What is asked beside the path.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Condition {
    None,
    /// That the file is not as the client has it.
    Unchanged,
}

/// A connection.
trait Wire: Read + Write {}

impl<T: Read + Write> Wire for T {}

/// Connections that stay open, and what is asked over them.
pub(crate) struct Client {
    connections: Vec<(Box<dyn Wire>, Instant)>,
    requests: Vec<Vec<u8>>,
    /// Which one is next.
    next: usize,
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
    pub(crate) fn new(
        server: &Server,
        paths: &[String],
        part: &Part,
        certificate: Option<&Certificate>,
    ) -> Result<Self> {
        let request = |path: &str, more: &str| {
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n").into_bytes()
        };
        let config = certificate.map(trusting).transpose()?;
        let connect = || -> Result<Box<dyn Wire>> {
            let stream = TcpStream::connect(server.address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            let Some(config) = &config else { return Ok(Box::new(stream)) };
            let session =
                ClientConnection::new(Arc::clone(config), ServerName::try_from("localhost")?)?;
            Ok(Box::new(StreamOwned::new(session, stream)))
        };
        let mut first = connect()?;
        let (head, body) = ask(&mut *first, &request(&paths[0], ""), true)?;
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
                let (head, _) = ask(&mut *first, &request(&paths[0], &more), false)?;
                assert!(head.starts_with("HTTP/1.1 304 "), "{head}");
                (more, head.len())
            }
        };
        let now = Instant::now();
        let mut connections = Vec::new();
        for _ in 0..part.connections {
            let mut wire = connect()?;
            // The handshake is not what is measured.
            ask(&mut *wire, &request(&paths[0], &more), part.condition == Condition::None)?;
            connections.push((wire, now));
        }
        let requests = paths.iter().map(|path| request(path, &more)).collect();
        Ok(Self { connections, requests, next: 0, answer, buffer: vec![0; answer.min(1 << 18)] })
    }

    /// Loads the server for `time`.
    pub(crate) fn load(&mut self, time: Duration) -> Result<Load> {
        let Self { connections, requests, next, answer, buffer } = self;
        let mut ask = |(wire, asked): &mut (Box<dyn Wire>, Instant)| {
            *next = (*next + 1) % requests.len();
            *asked = Instant::now();
            wire.write_all(&requests[*next])
        };
        let mut take = |wire: &mut dyn Wire| -> Result<()> {
            let mut left = *answer;
            while left > 0 {
                let most = left.min(buffer.len());
                match wire.read(&mut buffer[..most])? {
                    0 => return Err("the server closed the connection".into()),
                    read => left -= read,
                }
            }
            Ok(())
        };
        let (start, mut took) = (Instant::now(), Vec::new());
        for connection in connections.iter_mut() {
            ask(connection)?;
        }
        while start.elapsed() < time {
            // In turn: while one is read, the server works on all the others.
            for connection in connections.iter_mut() {
                take(&mut *connection.0)?;
                took.push(connection.1.elapsed());
                ask(connection)?;
            }
        }
        for connection in connections.iter_mut() {
            take(&mut *connection.0)?;
            took.push(connection.1.elapsed());
        }
        let seconds = start.elapsed().as_secs_f64();
        took.sort_unstable();
        let p99 = took[(took.len() * 99 / 100).min(took.len() - 1)].as_secs_f64();
        Ok(Load { answers: took.len() as u64, seconds, p99 })
    }
}

/// What trusts a certificate alone.
fn trusting(certificate: &Certificate) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&certificate.path)?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Asks once: the head with the line that ends it, and the body if one is there.
fn ask(wire: &mut dyn Wire, request: &[u8], has_body: bool) -> Result<(String, Vec<u8>)> {
    wire.write_all(request)?;
    let mut answer = Vec::new();
    let mut ends: Option<(usize, usize)> = None;
    let mut piece = vec![0; 64 * 1024];
    loop {
        let length = wire.read(&mut piece)?;
        if length == 0 {
            return Err("the server closed the connection".into());
        }
        answer.extend_from_slice(&piece[..length]);
        if ends.is_none() {
            let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
                continue;
            };
            let head = std::str::from_utf8(&answer[..end + 4])?;
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().ok())?
            });
            let body = length.filter(|_| has_body).unwrap_or_default();
            ends = Some((end + 4, end + 4 + body));
        }
        if let Some((head, all)) = ends
            && answer.len() >= all
        {
            let body = answer.split_off(head);
            return Ok((String::from_utf8(answer)?, body));
        }
    }
}
