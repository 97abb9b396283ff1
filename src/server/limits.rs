//! Every limit of the server, with its default and its reason.

use std::time::Duration;

/// Limits of connections and requests. The defaults are Kestrel's.
///
/// Source: "KestrelServerLimits Class" in the ASP.NET Core API reference.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many connections one endpoint may have open at once; one more is closed without a byte.
    /// Default: `None`, no limit. Key: `Kestrel:Limits:MaxConcurrentConnections`, at least 1.
    pub max_concurrent_connections: Option<u64>,
    /// The longest request line, in bytes with its line end; a longer one is answered with 414.
    /// Default: 8192. Key: `Kestrel:Limits:MaxRequestLineSize`, at least 1.
    pub max_request_line_size: usize,
    /// The most bytes of all header lines of a request together; more is answered with 431.
    /// Default: 32,768. Key: `Kestrel:Limits:MaxRequestHeadersTotalSize`, at least 1.
    pub max_request_headers_total_size: usize,
    /// The most header lines of a request; more is answered with 431.
    /// Default: 100. Key: `Kestrel:Limits:MaxRequestHeaderCount`, at least 1.
    pub max_request_header_count: usize,
    /// How long an open connection may wait for a request, and for now how long the request's head
    /// may take. Default: 130 seconds, a little above the two minutes .NET clients keep pooled
    /// connections idle. Key: `Kestrel:Limits:KeepAliveTimeout`, more than zero.
    pub keep_alive_timeout: Duration,
    /// How long the first bytes of a connection may take, once one is there, until they tell which
    /// version of HTTP they are. Default: 30 seconds. Key: `Kestrel:Limits:RequestHeadersTimeout`,
    /// more than zero.
    pub request_headers_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_concurrent_connections: None,
            max_request_line_size: 8 * 1024,
            max_request_headers_total_size: 32 * 1024,
            max_request_header_count: 100,
            keep_alive_timeout: Duration::from_secs(130),
            request_headers_timeout: Duration::from_secs(30),
        }
    }
}
