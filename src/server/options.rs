//! The options of the server.

use std::time::Duration;

use super::limits::Limits;

/// How the server behaves. The defaults are Kestrel's.
///
/// Source: "KestrelServerOptions Class" in the ASP.NET Core API reference.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ServerOptions {
    /// Whether answers carry `Server: Kestrel`, unless the app sets a server of its own.
    /// Default: yes. Key: `Kestrel:AddServerHeader`.
    pub add_server_header: bool,
    /// Whether an HTTP/2 request may name another scheme than its connection has, as it does
    /// behind a proxy that takes TLS off; if not, its stream is reset. Default: no.
    /// Key: `Kestrel:AllowAlternateSchemes`.
    pub allow_alternate_schemes: bool,
    /// Whether an HTTP/1.1 request whose target names another host than its Host header is
    /// served, with the target's; if not, it is answered with 400. Default: no.
    /// Key: `Kestrel:AllowHostHeaderOverride`.
    pub allow_host_header_override: bool,
    /// Whether HTTP/2 answers may use the client's compression table for their headers.
    /// Default: yes. Key: `Kestrel:AllowResponseHeaderCompression`.
    pub allow_response_header_compression: bool,
    /// Whether a line of an HTTP/1 head has to end with CR LF. A bare LF is taken by default, as
    /// RFC 9112 section 2.2 allows. Default: no. Key: `Kestrel:DisableHttp1LineFeedTerminators`.
    pub disable_http1_line_feed_terminators: bool,
    /// How long a client of an https endpoint has for its handshake, from the accepted connection
    /// to where HTTP begins. Default: 10 seconds; [`Limits::NEVER`] waits for ever. As on Kestrel,
    /// there is no key for it.
    pub handshake_timeout: Duration,
    /// The limits.
    pub limits: Limits,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            add_server_header: true,
            allow_alternate_schemes: false,
            allow_host_header_override: false,
            allow_response_header_compression: true,
            disable_http1_line_feed_terminators: false,
            // `HttpsConnectionAdapterOptions.HandshakeTimeout` in the ASP.NET Core API reference.
            handshake_timeout: Duration::from_secs(10),
            limits: Limits::default(),
        }
    }
}
