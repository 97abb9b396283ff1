//! A client of one request per connection, and one that keeps an answer waiting.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use socket2::{Domain, Socket, Type};

use crate::process::LIMIT;

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// The socket behind an announced address.
pub(crate) fn socket_address(announced: &str) -> SocketAddr {
    let authority = announced.strip_prefix("http://").expect("an http address");
    authority.parse().expect("an IP address with its port")
}

/// Gets `path` with header lines such as `Accept: text/html`.
pub(crate) fn get(announced: &str, path: &str, headers: &[&str]) -> Answer {
    get_over(connect(announced), path, headers)
}

/// The same over any stream.
pub(crate) fn get_over(stream: impl Read + Write, path: &str, headers: &[&str]) -> Answer {
    get_of(stream, "a.test", path, headers)
}

/// The same of a host.
pub(crate) fn get_of(
    stream: impl Read + Write,
    host: &str,
    path: &str,
    headers: &[&str],
) -> Answer {
    asked(stream, host, &format!("GET {path}"), headers)
}

/// The answer to a request without a body, by its method and path, such as `POST /a`.
pub(crate) fn asked(
    mut stream: impl Read + Write,
    host: &str,
    what: &str,
    headers: &[&str],
) -> Answer {
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let request = format!("{what} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut all = String::new();
    stream.read_to_string(&mut all).expect("the server answers in text");
    let (head, body) = all.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Answer { status: status.expect("a status"), head: head.to_owned(), body: body.to_owned() }
}

pub(crate) fn connect(announced: &str) -> TcpStream {
    let stream = TcpStream::connect(socket_address(announced)).expect("somebody listens");
    stream.set_read_timeout(Some(LIMIT)).expect("a time that is not zero");
    stream
}

/// A scheme, by its field in the static table of HPACK.
#[derive(Clone, Copy)]
pub(crate) enum Scheme {
    Http = 0x86,
    Https = 0x87,
}

/// A request that is answered but for its body, for which the client leaves no room: it holds a
/// stop up for as long as it is there. (HTTP/2, by hand, see RFC 9113.)
#[must_use = "the request ends with it"]
pub(crate) struct StuckRequest<S> {
    _stream: S,
}

impl StuckRequest<TcpStream> {
    pub(crate) fn new(announced: &str) -> Self {
        Self::over(connect(announced), Scheme::Http)
    }
}

impl<S: Read + Write> StuckRequest<S> {
    /// The same over any stream that speaks HTTP/2.
    pub(crate) fn over(mut stream: S, scheme: Scheme) -> Self {
        const HEADERS: u8 = 1;
        const SETTINGS: u8 = 4;
        /// SETTINGS_INITIAL_WINDOW_SIZE, 0.
        const NO_ROOM: [u8; 6] = [0, 4, 0, 0, 0, 0];
        // `GET http://a/`, in fields of the static table and one of plain letters.
        let request = [0x82, scheme as u8, 0x84, 0x01, 1, b'a'];
        const END_STREAM_AND_HEADERS: u8 = 5;

        let frame = |kind: u8, flags: u8, stream: u8, payload: [u8; 6]| {
            let mut frame = vec![0, 0, 6, kind, flags, 0, 0, 0, stream];
            frame.extend(payload);
            frame
        };
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        bytes.extend(frame(SETTINGS, 0, 0, NO_ROOM));
        bytes.extend(frame(HEADERS, END_STREAM_AND_HEADERS, 1, request));
        stream.write_all(&bytes).expect("the server reads");
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).expect("a frame");
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; usize::try_from(length).expect("24 bits")];
            stream.read_exact(&mut payload).expect("a whole frame");
            if head[3] == HEADERS {
                return Self { _stream: stream };
            }
        }
    }
}

/// An address at which nobody listens, and nobody else will as long as this process lives.
pub(crate) fn nobody() -> SocketAddr {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a port");
    let address = socket.local_addr().expect("an address").as_socket().expect("one of IP");
    // It keeps the port.
    std::mem::forget(socket);
    address
}
