//! The clients: rustls of our own for HTTP/1.1, h2load for HTTP/2.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::certificates::Certificate;
use crate::process::Server;
use crate::{Result, Work};

const CONNECTIONS: usize = 64;

/// Asks a server for the same thing again and again.
pub(crate) struct Client {
    address: SocketAddr,
    path: String,
    request: Vec<u8>,
    config: Arc<ClientConfig>,
}

type Stream = StreamOwned<ClientConnection, TcpStream>;

impl Client {
    /// A client that trusts `certificate` alone and never resumes a session.
    pub(crate) fn new(server: &Server, path: &str, certificate: &Certificate) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&certificate.path)?)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes();
        Ok(Self {
            address: server.address,
            path: path.to_owned(),
            request,
            config: Arc::new(config),
        })
    }

    /// The body of an answer.
    pub(crate) fn body(&self) -> Result<String> {
        let (_, answer) = self.first()?;
        let text = String::from_utf8(answer)?;
        Ok(text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
    }

    /// Loads the server for `time`, and counts what it did.
    pub(crate) fn load(&self, work: Work, time: Duration) -> Result<u64> {
        match work {
            Work::Handshake => self.handshakes(time),
            Work::KeepAlive => self.requests(time),
            Work::Http2 => self.http2(time),
        }
    }

    fn handshakes(&self, time: Duration) -> Result<u64> {
        let (start, mut done) = (Instant::now(), 0);
        while start.elapsed() < time {
            self.first()?;
            done += 1;
        }
        Ok(done.max(1))
    }

    fn requests(&self, time: Duration) -> Result<u64> {
        let mut connections = (0..CONNECTIONS).map(|_| self.first()).collect::<Result<Vec<_>>>()?;
        let (start, mut done) = (Instant::now(), 0);
        for (stream, _) in &mut connections {
            stream.write_all(&self.request)?;
        }
        while start.elapsed() < time {
            // In turn: while one is read, the server works on all the others.
            for (stream, answer) in &mut connections {
                stream.read_exact(answer)?;
                stream.write_all(&self.request)?;
                done += 1;
            }
        }
        for (stream, answer) in &mut connections {
            stream.read_exact(answer)?;
            done += 1;
        }
        Ok(done)
    }

    fn http2(&self, time: Duration) -> Result<u64> {
        let output = Command::new("h2load")
            .args(["-c16", "-m32", "-D", &time.as_secs().max(1).to_string()])
            .arg(format!("https://{}{}", self.address, self.path))
            .stderr(Stdio::null())
            .output()?;
        let text = String::from_utf8(output.stdout)?;
        let succeeded = text.lines().find_map(|line| line.strip_prefix("requests: "));
        let count = succeeded
            .and_then(|line| line.split(", ").find_map(|part| part.strip_suffix(" succeeded")));
        Ok(count.ok_or_else(|| format!("h2load says:\n{text}"))?.parse()?)
    }

    /// A new connection and its first answer, whose length all others have.
    fn first(&self) -> Result<(Stream, Vec<u8>)> {
        let socket = TcpStream::connect(self.address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(10)))?;
        let name = ServerName::try_from("localhost")?;
        let connection = ClientConnection::new(Arc::clone(&self.config), name)?;
        let mut stream = StreamOwned::new(connection, socket);
        stream.write_all(&self.request)?;
        let mut answer = Vec::new();
        while !complete(&answer)? {
            let mut piece = [0; 4096];
            let length = stream.read(&mut piece)?;
            if length == 0 {
                return Err("the server closed the connection".into());
            }
            answer.extend_from_slice(&piece[..length]);
        }
        Ok((stream, answer))
    }
}

/// Whether an answer is here to the end of its body.
fn complete(answer: &[u8]) -> Result<bool> {
    let text = std::str::from_utf8(answer)?;
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return Ok(false);
    };
    if !head.starts_with("HTTP/1.1 200 OK") {
        return Err(format!("not the answer that was expected: {text}").into());
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then_some(value)
    });
    let length: usize = length.ok_or("the answer has no length")?.parse()?;
    Ok(body.len() >= length)
}
