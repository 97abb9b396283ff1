//! What the server's options are to connections of HTTP/1: made ready once for all of them.

use std::time::Duration;

use hyper::server::conn::http1::Builder;

use super::head::{MOST_HEADERS, Rules};
use crate::features::MinDataRate;
use crate::server::options::ServerOptions;

/// What a connection needs of the options.
#[derive(Debug)]
pub(in crate::server) struct Options {
    /// hyper's side of every connection.
    pub(super) builder: Builder,
    pub(super) rules: Rules,
    pub(super) keep_alive_timeout: Duration,
    pub(super) headers_timeout: Duration,
    pub(super) response_rate: Option<MinDataRate>,
    /// How much is read ahead of a request that is being answered.
    pub(super) read_ahead: usize,
    /// How much of an answer the system may hold unsent.
    pub(super) bound: Option<usize>,
}

/// Enough for a deep pipeline of small requests.
const READ_AHEAD: usize = 64 * 1024;

impl From<&ServerOptions> for Options {
    fn from(options: &ServerOptions) -> Self {
        let limits = &options.limits;
        Self {
            builder: builder(options),
            rules: Rules::from(options),
            keep_alive_timeout: limits.keep_alive_timeout,
            headers_timeout: limits.request_headers_timeout,
            response_rate: limits.min_response_data_rate,
            read_ahead: limits
                .max_request_buffer_size
                .map_or(READ_AHEAD, |most| most.min(READ_AHEAD)),
            bound: limits.max_response_buffer_size,
        }
    }
}

/// How much hyper reads of a body at once, and holds of an answer: more of it does not stay in the caches until it is
/// handed on, and comes in memory that the allocator takes from the system and gives back.
const MOST_AT_ONCE: usize = 128 * 1024;

/// How many headers hyper has room for without an allocation.
const HYPERS_HEADER_COUNT: usize = 100;

/// hyper's side of every HTTP/1 connection.
pub(super) fn builder(options: &ServerOptions) -> Builder {
    let limits = &options.limits;
    // The gate keeps both limits; hyper's are above them, for what the gate writes anew.
    let head = 4 * (limits.max_request_line_size + limits.max_request_headers_total_size) + 64;
    let mut builder = Builder::new();
    builder
        // Ours is cheaper, see `activity`.
        .header_read_timeout(None)
        // The gate looks for clients that are gone.
        .half_close(true)
        .max_header_size(head)
        .title_case_headers(true)
        // Ours stands before the framing headers, where Kestrel has it.
        .auto_date_header(false);
    let most = limits.max_request_buffer_size.map_or(MOST_AT_ONCE, |most| most.min(MOST_AT_ONCE));
    builder.max_buf_size(most.max(head).max(8192));
    if limits.max_request_header_count > HYPERS_HEADER_COUNT {
        // Setting it moves hyper's header table to the heap, even for its own default.
        builder.max_headers(limits.max_request_header_count.min(MOST_HEADERS));
    }
    builder
}
