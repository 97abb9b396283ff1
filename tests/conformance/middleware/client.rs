//! One request on a connection of its own.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use serde_json::Value;

use super::host::Host;
use crate::suite::anybody::Anybody;
use crate::suite::app::is_timeout;

/// How long nothing may come until the answer counts as all that comes.
const PATIENCE: Duration = Duration::from_secs(8);

/// Everything that came back.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) bytes: Vec<u8>,
    /// When how many of them were there.
    pub(super) marks: Vec<(Duration, usize)>,
}

/// Sends the request of a case, and reads until the server closes.
pub(super) fn talk(host: &Host, scheme: &str, request: &Value) -> Result<Heard> {
    let socket = TcpStream::connect_timeout(&host.address(scheme), PATIENCE)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    let message = message(host, request);
    match scheme {
        "https" => {
            let connection =
                ClientConnection::new(configuration()?, ServerName::try_from("localhost")?)?;
            exchange(StreamOwned::new(connection, socket), &message)
        }
        _ => exchange(socket, &message),
    }
}

fn configuration() -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let configuration = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        .with_no_client_auth();
    Ok(Arc::new(configuration))
}

fn exchange(mut stream: impl Read + Write, message: &[u8]) -> Result<Heard> {
    stream.write_all(message)?;
    stream.flush()?;
    let begin = Instant::now();
    let mut heard = Heard::default();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(heard),
            Ok(read) => {
                heard.bytes.extend_from_slice(&buffer[..read]);
                heard.marks.push((begin.elapsed(), heard.bytes.len()));
            }
            Err(error) if is_timeout(&error) => return Ok(heard),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // A connection that was reset, or ended without the goodbye of TLS.
            Err(_) => return Ok(heard),
        }
    }
}

/// The bytes of a request.
fn message(host: &Host, request: &Value) -> Vec<u8> {
    let text = |name: &str| request[name].as_str();
    let mut headers: Vec<(String, String)> = Vec::new();
    for header in request["headers"].as_array().into_iter().flatten() {
        let part = |at: usize| header[at].as_str().unwrap_or_default().to_owned();
        headers.push((part(0), part(1)));
    }
    let body = match text("body_hex") {
        Some(digits) => from_hex(digits),
        None => text("body").unwrap_or_default().as_bytes().to_vec(),
    };
    let has = |name: &str, headers: &[(String, String)]| {
        headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
    };
    let method = text("method").unwrap_or("GET");
    if !has("host", &headers) && request["nohost"] != true {
        headers.insert(0, ("Host".to_owned(), "example.com".to_owned()));
    }
    if !has("connection", &headers) {
        headers.push(("Connection".to_owned(), "close".to_owned()));
    }
    let has_length = has("content-length", &headers) || has("transfer-encoding", &headers);
    if !has_length && (!body.is_empty() || ["POST", "PUT", "PATCH"].contains(&method)) {
        headers.push(("Content-Length".to_owned(), body.len().to_string()));
    }
    let target = host.filled_in(text("target").unwrap_or("/"));
    let mut head = format!("{method} {target} {}\r\n", text("version").unwrap_or("HTTP/1.1"));
    for (name, value) in headers {
        head.push_str(&format!("{name}: {}\r\n", host.filled_in(&value)));
    }
    head.push_str("\r\n");
    let mut message = crate::http1::latin1(&head);
    message.extend(body);
    message
}

fn from_hex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.filter_map(byte).collect()
}
