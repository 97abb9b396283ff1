//! The clients: one that asks over many connections in turn, or at times that are set; and h2load for HTTP/2.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::certificates::Certificate;
use crate::{Part, Result, Work};

/// Connections that stay open, and what is asked over them.
pub(crate) struct Client {
    address: SocketAddr,
    connections: Vec<(Box<dyn Connection>, Instant)>,
    request: Vec<u8>,
    /// All answers are so long.
    answer: usize,
    buffer: Vec<u8>,
    work: Work,
    is_secure: bool,
}

/// A connection, in clear text or not.
trait Connection: Read + Write + Send {}

impl<T: Read + Write + Send> Connection for T {}

/// What came of a load.
pub(crate) struct Load {
    pub(crate) answers: u64,
    pub(crate) seconds: f64,
    /// The times within which 99 of 100 answers and 999 of 1,000 were there, in seconds; h2load does not tell.
    pub(crate) late: Option<[f64; 2]>,
}

/// A WebSocket message of 100 bytes with a mask of zeros, and how long it is when it comes back without one.
const MESSAGE: [u8; 106] = {
    let mut message = [b'x'; 106];
    [message[0], message[1]] = [0x82, 0x80 | 100];
    [message[2], message[3], message[4], message[5]] = [0; 4];
    message
};
const ECHO: usize = 102;

impl Client {
    /// Connects, and looks at the first answer.
    pub(crate) fn new(
        address: SocketAddr,
        part: &Part,
        certificate: Option<&Certificate>,
    ) -> Result<Self> {
        let mut client = Self {
            address,
            connections: Vec::new(),
            request: request(part),
            answer: 0,
            buffer: Vec::new(),
            work: part.work,
            is_secure: certificate.is_some(),
        };
        if part.work == Work::Http2 {
            return Ok(client);
        }
        let config = certificate.map(trusting).transpose()?;
        for _ in 0..part.connections {
            let mut stream = connect(address, config.as_ref())?;
            client.answer = match part.work {
                Work::WebSocket => change_protocol(&mut stream, &client.request)?,
                _ => ask(&mut stream, &client.request, part.size)?,
            };
            client.connections.push((stream, Instant::now()));
        }
        if part.work == Work::WebSocket {
            client.request = MESSAGE.to_vec();
        }
        client.buffer = vec![0; client.answer.min(1 << 18)];
        Ok(client)
    }

    /// Loads the server for `time`.
    pub(crate) fn load(&mut self, time: Duration) -> Result<Load> {
        match self.work {
            Work::Http2 => self.load_http2(time),
            Work::Rate(rate) => self.load_at(rate, time),
            Work::Turns | Work::WebSocket => self.load_in_turn(time),
        }
    }

    fn load_in_turn(&mut self, time: Duration) -> Result<Load> {
        let Self { connections, request, answer, buffer, .. } = self;
        let ask = |(stream, asked): &mut (Box<dyn Connection>, Instant)| {
            *asked = Instant::now();
            stream.write_all(request)
        };
        let mut take = |stream: &mut dyn Connection| take(stream, *answer, buffer);
        let (start, mut took) = (Instant::now(), Vec::new());
        connections.iter_mut().try_for_each(ask)?;
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
        Ok(Load::of(took, start.elapsed()))
    }

    /// Asks `rate` times a second, whether there are answers or not: an answer counts from when its request was due,
    /// also if that could not be sent as the one before was not answered yet. So a server that stands still for a
    /// moment is late with all that was due in it.
    fn load_at(&mut self, rate: u32, time: Duration) -> Result<Load> {
        let Self { connections, request, answer, .. } = self;
        let count = u32::try_from(connections.len())?;
        let (each, start) = (Duration::from_secs(1) / rate, Instant::now());
        let all = thread::scope(|scope| {
            let threads = connections.iter_mut().zip(0..).map(|((stream, _), place)| {
                let (request, answer) = (&*request, *answer);
                scope.spawn(move || -> Result<Vec<Duration>> {
                    let (mut took, mut buffer) = (Vec::new(), vec![0; answer]);
                    let mut due = start + each * place;
                    while due < start + time {
                        thread::sleep(due.saturating_duration_since(Instant::now()));
                        stream.write_all(request)?;
                        take(&mut **stream, answer, &mut buffer)?;
                        took.push(due.elapsed());
                        due += each * count;
                    }
                    Ok(took)
                })
            });
            let threads: Vec<_> = threads.collect();
            let ended = threads.into_iter().map(|thread| thread.join().expect("no panic"));
            ended.collect::<Result<Vec<_>>>()
        })?;
        Ok(Load::of(all.concat(), start.elapsed()))
    }

    fn load_http2(&self, time: Duration) -> Result<Load> {
        let scheme = if self.is_secure { "https" } else { "http" };
        let output = Command::new("h2load")
            .args(["-c16", "-m32", "-D", &time.as_secs().max(1).to_string()])
            .arg(format!("{scheme}://{}/some/path?a=b", self.address))
            .stderr(Stdio::null())
            .output()?;
        let text = String::from_utf8(output.stdout)?;
        let line = text.lines().find_map(|line| line.strip_prefix("requests: "));
        let number = |word: &str| -> Option<u64> {
            line?.split(", ").find_map(|part| part.strip_suffix(word)?.parse().ok())
        };
        match (number(" succeeded"), number(" failed")) {
            (Some(answers), Some(0)) => {
                Ok(Load { answers, seconds: time.as_secs().max(1) as f64, late: None })
            }
            _ => Err(format!("h2load says:\n{text}").into()),
        }
    }
}

impl Load {
    fn of(mut took: Vec<Duration>, time: Duration) -> Self {
        took.sort_unstable();
        let within =
            |part: usize| took[(took.len() * part / 1000).min(took.len() - 1)].as_secs_f64();
        let late = Some([within(990), within(999)]);
        Self { answers: took.len() as u64, seconds: time.as_secs_f64(), late }
    }
}

/// The request of a part.
fn request(part: &Part) -> Vec<u8> {
    const START: &str = "/some/path?a=b HTTP/1.1\r\nHost: localhost\r\n";
    if part.work == Work::WebSocket {
        let change = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
        let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        return format!("GET {START}{change}{key}\r\n").into_bytes();
    }
    if part.upload == 0 {
        return format!("GET {START}\r\n").into_bytes();
    }
    let mut request = format!("POST {START}Content-Length: {}\r\n\r\n", part.upload).into_bytes();
    request.resize(request.len() + part.upload, b'x');
    request
}

/// What trusts this certificate.
fn trusting(certificate: &Certificate) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&certificate.path)?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn connect(address: SocketAddr, config: Option<&Arc<ClientConfig>>) -> Result<Box<dyn Connection>> {
    let socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    let Some(config) = config else { return Ok(Box::new(socket)) };
    let connection = ClientConnection::new(Arc::clone(config), ServerName::try_from("localhost")?)?;
    Ok(Box::new(StreamOwned::new(connection, socket)))
}

/// Reads so much, and drops it.
fn take(stream: &mut dyn Connection, mut left: usize, buffer: &mut [u8]) -> Result<()> {
    while left > 0 {
        let most = left.min(buffer.len());
        match stream.read(&mut buffer[..most])? {
            0 => return Err("the server closed the connection".into()),
            read => left -= read,
        }
    }
    Ok(())
}

/// Asks once, and gives how long the answer is, whose body has to be of this size.
fn ask(stream: &mut dyn Connection, request: &[u8], size: usize) -> Result<usize> {
    stream.write_all(request)?;
    let mut answer = Vec::new();
    loop {
        more(stream, &mut answer)?;
        let Some(end) = end_of_head(&answer) else { continue };
        let head = std::str::from_utf8(&answer[..end])?;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let told = format!("content-length: {size}\r\n");
        assert!(head.to_ascii_lowercase().contains(&told), "{head}");
        let whole = end + size;
        if answer.len() == whole {
            let body = &answer[end..];
            assert!(body.iter().enumerate().all(|(at, it)| *it == (at % 251) as u8));
            return Ok(whole);
        }
    }
}

/// Asks for the change to WebSocket, and sends a message; how long what comes back of it is.
fn change_protocol(stream: &mut dyn Connection, request: &[u8]) -> Result<usize> {
    stream.write_all(request)?;
    let mut answer = Vec::new();
    while end_of_head(&answer).is_none() {
        more(stream, &mut answer)?;
    }
    let head = std::str::from_utf8(&answer)?;
    assert!(head.starts_with("HTTP/1.1 101 ") && head.ends_with("\r\n\r\n"), "{head}");
    stream.write_all(&MESSAGE)?;
    let mut echo = [0; ECHO];
    stream.read_exact(&mut echo)?;
    assert!(echo[..2] == [0x82, 100] && echo[2..] == MESSAGE[6..], "{echo:?}");
    Ok(ECHO)
}

fn more(stream: &mut dyn Connection, answer: &mut Vec<u8>) -> Result<()> {
    let mut piece = vec![0; 64 * 1024];
    match stream.read(&mut piece)? {
        0 => Err("the server closed the connection".into()),
        length => {
            answer.extend_from_slice(&piece[..length]);
            Ok(())
        }
    }
}

fn end_of_head(answer: &[u8]) -> Option<usize> {
    answer.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}
