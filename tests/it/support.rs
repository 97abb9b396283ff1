//! What the tests share: hosts on free ports, and a client that sees every byte.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum::{Router, routing::get};
use kestrel::{Host, HostBuilder, RunningHost};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than any test runs: whoever waits for it fails.
pub(crate) const NEVER: Duration = Duration::from_secs(24 * 3600);

/// How long an event may take before its test is given up. No test passes by waiting.
const LIMIT: Duration = Duration::from_secs(60);

/// The result of `event`; a test whose event never comes fails instead of hanging.
pub(crate) async fn soon<T>(what: &str, event: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, event).await {
        Ok(result) => result,
        Err(_) => panic!("{what}: nothing happened"),
    }
}

/// Lets the clock of the runtime go on, for a test whose tasks are all idle.
pub(crate) async fn pass(time: Duration) {
    // Everybody sets an alarm before, and has a turn after it.
    let turns = async || {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
    };
    turns().await;
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
    turns().await;
}

/// A builder that sees no variable and no file of this machine, and leaves the log alone.
pub(crate) fn builder() -> HostBuilder {
    configured(&[])
}

/// Whatever the tests themselves run in.
const NO_CONTAINER: [(&str, &str); 1] = [("DOTNET_RUNNING_IN_CONTAINER", "false")];

/// The same with these variables. Its stop has no end but the one of its connections.
pub(crate) fn configured(variables: &[(&str, &str)]) -> HostBuilder {
    Host::builder()
        .environment_variables(NO_CONTAINER.iter().chain(variables).copied())
        .current_directory(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it"))
        .shutdown_timeout(NEVER)
        .without_logging()
}

/// A builder for one endpoint on a free port of 127.0.0.1 that speaks `protocols`.
pub(crate) fn speaking(protocols: &str) -> HostBuilder {
    configured(&[
        ("Kestrel__Endpoints__A__Url", "http://127.0.0.1:0"),
        ("Kestrel__Endpoints__A__Protocols", protocols),
    ])
}

/// A builder for a host on a free port of 127.0.0.1 with these limits, by their keys, and an app
/// that says `hello`.
pub(crate) fn limited(limits: &[(&str, &str)]) -> HostBuilder {
    let mut variables = vec![("ASPNETCORE_URLS".to_owned(), "http://127.0.0.1:0")];
    for (name, value) in limits {
        variables.push((format!("Kestrel__Limits__{name}"), value));
    }
    let variables: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    configured(&variables).app(saying("hello"))
}

/// An app that says `text` at `/`.
pub(crate) fn saying(text: &'static str) -> Router {
    Router::new().route("/", get(move || async move { text }))
}

pub(crate) async fn started(builder: HostBuilder) -> RunningHost {
    let host = builder.build().expect("the configuration is right");
    soon("start", host.start()).await.expect("the host starts")
}

/// Stops a host. Only a connection that is busy can hold it up, and then the test fails: see
/// [`configured`].
pub(crate) async fn stopped(host: RunningHost) {
    soon("the stop", host.stop()).await;
}

/// The socket behind an announced address.
pub(crate) fn socket_address(announced: &str) -> SocketAddr {
    let authority = announced.strip_prefix("http://").expect("an http address");
    authority.parse().expect("an IP address with its port")
}

/// A port of 127.0.0.1 that the system gives to nobody else, and that a host can bind none the
/// less: two sockets that allow reuse share a port as long as only one of them listens.
#[cfg(target_os = "linux")]
pub(crate) struct ReservedPort(socket2::Socket);

#[cfg(target_os = "linux")]
impl ReservedPort {
    pub(crate) fn new() -> Self {
        use socket2::{Domain, Socket, Type};

        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_reuse_address(true).expect("reuse is allowed");
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        socket.bind(&any_port.into()).expect("a free port");
        Self(socket)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        let address = self.0.local_addr().expect("it is bound");
        address.as_socket().expect("an IP address")
    }
}

/// A port that somebody listens on for as long as the listener lives.
#[expect(clippy::disallowed_methods, reason = "somebody else has to have the port")]
pub(crate) fn taken_port() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    (listener, address)
}

/// Says that a test cannot run here, and what it needs; a failure where that is not allowed.
pub(crate) fn skipped(test: &str, needs: &str) {
    use std::io::Write;

    #[expect(clippy::disallowed_methods, reason = "a test has no other way to be told")]
    let allowed = std::env::var_os("KESTREL_TEST_NO_SKIP").is_none_or(|value| value != "1");
    assert!(allowed, "{test} needs {needs}");
    // Not by a macro: libtest would keep the line to itself.
    let _ = writeln!(io::stderr(), "skipped: {test}: needs {needs}");
}

/// Lets a time pass that a behaviour is made of. Not for events: those are waited for.
pub(crate) async fn really(time: Duration) {
    tokio::time::sleep(time).await;
}

/// A connection, as bytes.
pub(crate) struct Wire<S> {
    stream: S,
    /// Read, but not yet asked for.
    ahead: Vec<u8>,
}

/// One answer of HTTP/1.
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

impl Wire<TcpStream> {
    /// Connects to an announced address.
    pub(crate) async fn connect(announced: &str) -> Self {
        let stream = TcpStream::connect(socket_address(announced)).await;
        let stream = stream.expect("somebody listens");
        // What is sent is there at once, and not when the system sees fit.
        stream.set_nodelay(true).expect("it is connected");
        Self::new(stream)
    }

    /// Breaks the connection off.
    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().expect("it is connected");
    }

    pub(crate) fn local_address(&self) -> SocketAddr {
        self.stream.local_addr().expect("it is connected")
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, ahead: Vec::new() }
    }

    pub(crate) fn stream(&self) -> &S {
        &self.stream
    }

    pub(crate) fn stream_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// The stream; nothing that was read may be left.
    pub(crate) fn into_stream(self) -> S {
        assert!(self.ahead.is_empty(), "{:?}", self.ahead);
        self.stream
    }

    /// Sends no more, but reads on.
    pub(crate) async fn finish(&mut self) {
        self.stream.shutdown().await.expect("the peer is there");
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let sent = self.stream.write_all(bytes.as_ref()).await;
        sent.expect("the peer takes bytes");
        self.stream.flush().await.expect("the peer takes bytes");
    }

    /// Whether the peer, or its system, takes the bytes.
    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        soon("a peer that reads", self.stream.write_all(bytes.as_ref())).await.is_ok()
    }

    /// Whether a byte or the end comes within `time`.
    pub(crate) async fn has_bytes(&mut self, time: Duration) -> bool {
        let read = tokio::time::timeout(time, self.stream.read_buf(&mut self.ahead)).await;
        read.is_ok()
    }

    /// Sends as much as is taken: the peer may answer and close before it has read everything.
    pub(crate) async fn send_until_closed(&mut self, bytes: impl AsRef<[u8]>) {
        // What the peer answered can still be read.
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// Sends a `GET` that leaves the connection open, and reads its answer.
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n")).await;
        self.answer().await
    }

    /// Reads a head, with the empty line that ends it.
    pub(crate) async fn head(&mut self) -> String {
        let end = loop {
            match self.ahead.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(end) => break end + 4,
                None => self.read_more("the head of an answer").await,
            }
        };
        String::from_utf8(self.take(end).await).expect("a head is text")
    }

    /// Reads one answer of HTTP/1.
    pub(crate) async fn answer(&mut self) -> Answer {
        let head = self.head().await;
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .unwrap_or_else(|| panic!("no status line: {head}"));
        let mut answer = Answer { status, head, body: String::new() };
        let length = answer.header("Content-Length").expect("a length");
        let body = self.take(length.parse().expect("a number")).await;
        answer.body = String::from_utf8(body).expect("the body is text");
        answer
    }

    /// Reads one answer, unless the peer ends the stream, or resets it, before one byte.
    pub(crate) async fn answer_or_end(&mut self) -> io::Result<Answer> {
        let read = soon("an answer or the end", self.stream.read_buf(&mut self.ahead)).await?;
        match read {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(self.answer().await),
        }
    }

    /// Exactly so many bytes.
    pub(crate) async fn take(&mut self, length: usize) -> Vec<u8> {
        while self.ahead.len() < length {
            self.read_more("more bytes").await;
        }
        self.ahead.drain(..length).collect()
    }

    async fn read_more(&mut self, what: &str) {
        let read = soon(what, self.stream.read_buf(&mut self.ahead)).await;
        let read = read.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(read > 0, "{what}: the end came after {:?}", self.ahead);
    }

    /// Whether the stream has ended; else at least one byte is there.
    pub(crate) async fn at_end(&mut self) -> bool {
        if !self.ahead.is_empty() {
            return false;
        }
        let read = soon("a byte or the end", self.stream.read_buf(&mut self.ahead)).await;
        read.expect("the end of the stream, not an error") == 0
    }

    /// All bytes up to the end of the stream.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let rest = self.end().await;
        rest.expect("the end of the stream, not an error")
    }

    /// All bytes up to the end of the stream, or the error it ends with.
    ///
    /// # Errors
    ///
    /// The peer does not end the stream but resets it.
    pub(crate) async fn end(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = std::mem::take(&mut self.ahead);
        soon("the end", self.stream.read_to_end(&mut rest)).await?;
        Ok(rest)
    }
}
