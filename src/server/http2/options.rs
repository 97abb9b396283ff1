//! What the server's options are to connections of HTTP/2: made ready once for all of them.

use std::time::Duration;

use hyper::rt::Executor;
use hyper::server::conn::http2::Builder;
use hyper_util::rt::TokioTimer;

use crate::diagnostics::LogContext;
use crate::server::options::ServerOptions;
use crate::server::task;

/// What a connection needs of the options.
#[derive(Debug)]
pub(in crate::server) struct Options {
    /// hyper's side of every connection.
    pub(super) builder: Builder<Streams>,
    pub(super) keep_alive_timeout: Duration,
}

impl From<&ServerOptions> for Options {
    fn from(options: &ServerOptions) -> Self {
        let keep_alive_timeout = options.limits.keep_alive_timeout;
        Self { builder: builder(options), keep_alive_timeout }
    }
}

/// What a PING of the server waits beyond its delay. Kestrel looks once a second and adds one:
/// this is the middle.
const PING_TICK: Duration = Duration::from_millis(1500);

/// Starts a task for each stream.
#[derive(Clone, Debug)]
pub(super) struct Streams(LogContext);

impl<F> Executor<F> for Streams
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, stream: F) {
        task::spawn(&self.0, stream);
    }
}

/// hyper's side of every HTTP/2 connection.
fn builder(options: &ServerOptions) -> Builder<Streams> {
    // The values of the specification.
    const MAX_FRAME_SIZE: usize = 16 * 1024;
    const HEADER_TABLE_SIZE: u32 = 4096;
    // Unlike zero, no limit is none.
    const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

    let limits = &options.limits;
    let own = &limits.http2;
    let mut builder = Builder::new(Streams(LogContext::current()));
    builder
        .timer(TokioTimer::new())
        .auto_date_header(false)
        .enable_connect_protocol()
        .max_concurrent_streams(own.max_streams_per_connection)
        .initial_stream_window_size(own.initial_stream_window_size)
        .initial_connection_window_size(own.initial_connection_window_size)
        // The gate measures, and tells the client the limit: the library's answer to a list that is
        // too long is none of ours, and ends the connection soon after.
        .max_header_list_size(u32::MAX)
        // As many as Kestrel keeps track of; the gate counts resets over time.
        .max_pending_accept_reset_streams(
            (own.max_streams_per_connection as usize).saturating_mul(2).max(100),
        )
        // hyper takes the PINGs out; how long to wait for an answer is the gate's to know.
        .keep_alive_interval(
            own.keep_alive_ping_delay.map(|delay| delay.saturating_add(PING_TICK).min(NEVER)),
        )
        .keep_alive_timeout(NEVER);
    builder.max_frame_size(own.max_frame_size);
    if own.header_table_size != HEADER_TABLE_SIZE {
        builder.header_table_size(own.header_table_size);
    }
    if let Some(size) = limits.max_response_buffer_size {
        // With less than a frame, hyper's library would cut answers into tiny ones, or never send.
        builder.max_send_buf_size(size.clamp(MAX_FRAME_SIZE, u32::MAX as usize));
    }
    builder
}
