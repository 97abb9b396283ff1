//! Every limit of the server, with its default and its reason. `limit_rules` has their
//! ranges.

use std::fmt::Display;
use std::time::Duration;

use crate::features::MinDataRate;

/// Limits of connections and requests. The defaults are Kestrel's.
///
/// Source: "KestrelServerLimits Class" in the ASP.NET Core API reference.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// How many connections one socket may have open at once; one more is closed without a byte.
    /// Each endpoint has a socket of its own, `localhost` one per loopback. A connection that was
    /// upgraded is not counted. Default: `None`, no limit.
    /// Key: `Kestrel:Limits:MaxConcurrentConnections`, at least 1.
    pub max_concurrent_connections: Option<u64>,
    /// How many upgraded connections (WebSockets and the like) the server may have at once; an
    /// upgrade beyond is answered with 503, and the connection goes on. Default: `None`, no limit.
    /// Key: `Kestrel:Limits:MaxConcurrentUpgradedConnections`, at least 0.
    pub max_concurrent_upgraded_connections: Option<u64>,
    /// The largest request body, in bytes as they are on the wire; a larger one is answered with
    /// 413 when the app reads it. A request can have a limit of its own, see
    /// [`RequestBodyLimits`](crate::features::RequestBodyLimits). `None` is no limit.
    /// Default: 30,000,000. Key: `Kestrel:Limits:MaxRequestBodySize`, at least 0.
    pub max_request_body_size: Option<u64>,
    /// The slowest a request body may come while the app waits for it; a slower one is answered
    /// with 408. `None` lets it take for ever. Default: 240 bytes per second after 5 seconds.
    /// Keys: `Kestrel:Limits:MinRequestBodyDataRate:BytesPerSecond` and `:GracePeriod`.
    pub min_request_body_data_rate: Option<MinDataRate>,
    /// The slowest a client may take an answer; the connection of a slower one is reset, on HTTP/2
    /// the stream if it is only that which the client does not let go on. `None` lets it take for
    /// ever. Default: 240 bytes per second after 5 seconds.
    /// Keys: `Kestrel:Limits:MinResponseDataRate:BytesPerSecond` and `:GracePeriod`.
    pub min_response_data_rate: Option<MinDataRate>,
    /// The longest request line, in bytes with its line end; a longer one is answered with 414.
    /// Default: 8192. Key: `Kestrel:Limits:MaxRequestLineSize`, at least 1.
    pub max_request_line_size: usize,
    /// The most bytes of all header lines of a request together; more is answered with 431.
    /// Trailers draw on what is left. Default: 32,768.
    /// Key: `Kestrel:Limits:MaxRequestHeadersTotalSize`, at least 1.
    pub max_request_headers_total_size: usize,
    /// The most header lines of a request, trailers included; more is answered with 431. On HTTP/2,
    /// where trailers are counted by themselves, all its cookies are one (RFC 9113 section 8.2.3).
    /// Default: 100. Key: `Kestrel:Limits:MaxRequestHeaderCount`, at least 1.
    pub max_request_header_count: usize,
    /// The most bytes of a connection that are read before the app has taken what came first.
    /// `None` leaves it to the server. Default: 1,048,576.
    /// Key: `Kestrel:Limits:MaxRequestBufferSize`, at least the two limits above.
    pub max_request_buffer_size: Option<usize>,
    /// The most bytes of an answer that may wait to be sent before the app has to wait, in the
    /// server and in the system. `None` leaves it to the system. Default: 65,536. It does not hold for
    /// files that the system sends by itself: nothing waits for them, and no bytes are copied.
    /// Key: `Kestrel:Limits:MaxResponseBufferSize`, at least 0.
    pub max_response_buffer_size: Option<usize>,
    /// How long an open connection may wait for a request. Default: 130 seconds, a little above
    /// the two minutes .NET clients keep pooled connections idle.
    /// Key: `Kestrel:Limits:KeepAliveTimeout`, more than zero.
    pub keep_alive_timeout: Duration,
    /// How long the head of a request may take from its first byte; a slower one is answered with
    /// 408. Default: 30 seconds. Key: `Kestrel:Limits:RequestHeadersTimeout`, more than zero.
    pub request_headers_timeout: Duration,
    /// Limits of HTTP/2 connections.
    pub http2: Http2Limits,
}

impl Limits {
    /// A timeout that never comes: 100 years, which a clock can still count to. What .NET calls
    /// `Timeout.InfiniteTimeSpan`, and the configuration `-00:00:00.0010000`.
    pub const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

    /// These limits with no timeout above [`NEVER`](Self::NEVER): adding a longer one to the time
    /// of day could overflow.
    pub(super) fn bounded(mut self) -> Self {
        let pings = &mut self.http2;
        let always = [
            &mut self.keep_alive_timeout,
            &mut self.request_headers_timeout,
            &mut pings.keep_alive_ping_timeout,
        ];
        for timeout in always.into_iter().chain(pings.keep_alive_ping_delay.as_mut()) {
            *timeout = Self::NEVER.min(*timeout);
        }
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_concurrent_connections: None,
            max_concurrent_upgraded_connections: None,
            // As IIS has had it for years.
            max_request_body_size: Some(30_000_000),
            min_request_body_data_rate: Some(MinDataRate::DEFAULT),
            min_response_data_rate: Some(MinDataRate::DEFAULT),
            max_request_line_size: 8 * 1024,
            max_request_headers_total_size: 32 * 1024,
            max_request_header_count: 100,
            max_request_buffer_size: Some(1024 * 1024),
            max_response_buffer_size: Some(64 * 1024),
            keep_alive_timeout: Duration::from_secs(130),
            request_headers_timeout: Duration::from_secs(30),
            http2: Http2Limits::default(),
        }
    }
}

/// Limits of HTTP/2 connections. The defaults are Kestrel's.
///
/// Source: "Http2Limits Class" in the ASP.NET Core API reference; RFC 9113 section 6.5.2.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Http2Limits {
    /// How many requests one connection may run at once; one more is refused
    /// (REFUSED_STREAM). Default: 100. Key: `Kestrel:Limits:Http2:MaxStreamsPerConnection`, at
    /// least 1.
    pub max_streams_per_connection: u32,
    /// The size of the table that compresses headers, in bytes. Default: 4096.
    /// Key: `Kestrel:Limits:Http2:HeaderTableSize`, at least 0.
    pub header_table_size: u32,
    /// The largest frame that is taken, in bytes. Default: 16,384.
    /// Key: `Kestrel:Limits:Http2:MaxFrameSize`, 16,384 to 16,777,215.
    pub max_frame_size: u32,
    /// The longest name or value of a header, in bytes; a longer one is answered with 431.
    /// Default: 32,768.
    /// Key: `Kestrel:Limits:Http2:MaxRequestHeaderFieldSize`, at least 1.
    pub max_request_header_field_size: u32,
    /// How many bytes of all request bodies of a connection may be on their way before the apps
    /// have read some. Default: 1,048,576.
    /// Key: `Kestrel:Limits:Http2:InitialConnectionWindowSize`, 65,535 to 2,147,483,647.
    pub initial_connection_window_size: u32,
    /// The same for one request body. Default: 786,432.
    /// Key: `Kestrel:Limits:Http2:InitialStreamWindowSize`, 65,535 to 2,147,483,647.
    pub initial_stream_window_size: u32,
    /// After how long a silence the client is asked for a sign of life (PING). Default: `None`,
    /// never. Key: `Kestrel:Limits:Http2:KeepAlivePingDelay`, at least a second.
    pub keep_alive_ping_delay: Option<Duration>,
    /// How long it then has to send anything, before the connection is closed. Default: 20
    /// seconds. Key: `Kestrel:Limits:Http2:KeepAlivePingTimeout`, at least a second.
    pub keep_alive_ping_timeout: Duration,
}

impl Default for Http2Limits {
    fn default() -> Self {
        Self {
            max_streams_per_connection: 100,
            header_table_size: 4096,
            max_frame_size: 16 * 1024,
            max_request_header_field_size: 32 * 1024,
            initial_connection_window_size: 1024 * 1024,
            initial_stream_window_size: 768 * 1024,
            keep_alive_ping_delay: None,
            keep_alive_ping_timeout: Duration::from_secs(20),
        }
    }
}

/// A limit that cannot be as it is; see [`Limits::validate`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {rule}")]
#[non_exhaustive]
pub struct InvalidLimit {
    /// Which, by its key below `Kestrel:Limits`, such as `Http2:MaxFrameSize`.
    pub name: &'static str,
    /// The other limit that it does not go with, where there is one.
    pub against: Option<&'static str>,
    /// What it has to be, in Kestrel's words.
    pub rule: String,
    /// What it is.
    pub value: String,
    /// How to put it right.
    pub fix: String,
}

impl InvalidLimit {
    pub(super) fn new(name: &'static str, rule: &str, value: impl Display, fix: String) -> Self {
        Self { name, against: None, rule: rule.to_owned(), value: value.to_string(), fix }
    }
}
