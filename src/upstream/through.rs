//! A way through another proxy: it is asked for a tunnel (CONNECT, RFC 9110 section 9.3.6), and what goes through that
//! is between this side and the server.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::failure::{Failure, FailureKind};
use super::stream::Socket;

/// How long the head of its answer may be.
const MOST: usize = 16 * 1024;

/// Lets the proxy behind `socket` connect it to a server, `host:port`.
///
/// # Errors
///
/// It does not.
pub(super) async fn connect(mut socket: Socket, authority: &str) -> Result<Socket, Failure> {
    let failure = |what: String| {
        let text = format!("the proxy on the way to {authority} {what}");
        Failure::new(FailureKind::Unreachable, text)
    };
    let request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
    let sent = socket.write_all(request.as_bytes()).await;
    sent.map_err(|error| failure(format!("cannot be asked: {error}")))?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= MOST {
            return Err(failure("answers without an end".to_owned()));
        }
        // One byte at a time: what comes behind the head is not the proxy's.
        let byte = socket.read_u8().await;
        head.push(byte.map_err(|error| failure(format!("breaks off: {error}")))?);
    }
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let status = line.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1));
    match status.and_then(|status| status.parse::<u16>().ok()) {
        Some(200..=299) => Ok(socket),
        _ => Err(failure(format!("does not connect to it: '{}'", line.escape_debug()))),
    }
}
