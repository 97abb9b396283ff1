//! Every event the host logs.
//!
//! An event carries its id and its message template as fields, so that the console formatters can
//! print what .NET's do; see `logging`. The lists of ids per category stand at the end.

use std::time::Duration;

use tracing::{Level, event};

use super::notice::Notice;
use super::repeated::Telling;

const LIFETIME: &str = "Microsoft.Hosting.Lifetime";
const HOST: &str = "Microsoft.Extensions.Hosting.Internal.Host";
const HOSTING: &str = "Microsoft.AspNetCore.Hosting.Diagnostics";
const KESTREL: &str = "Microsoft.AspNetCore.Server.Kestrel";
const CONNECTIONS: &str = "Microsoft.AspNetCore.Server.Kestrel.Connections";
const BAD_REQUESTS: &str = "Microsoft.AspNetCore.Server.Kestrel.BadRequests";
const ROUTING: &str = "Microsoft.AspNetCore.Routing.EndpointRoutingMiddleware";
const SOCKETS: &str = "Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets";
const HTTPS: &str = "Microsoft.AspNetCore.Server.Kestrel.Https.Internal.HttpsConnectionMiddleware";
const CORE: &str = "Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServer";
const OUR_CONFIGURATION: &str = "Kestrel.Configuration";
const OUR_ENDPOINTS: &str = "Kestrel.Endpoints";
const OUR_SERVER: &str = "Kestrel.Server";

/// One event: category, level, id, template, optional detail, then the template's fields.
macro_rules! emit {
    ($category:expr, $level:ident, $id:literal, $template:literal
     $(, detail: $detail:expr)? $(; $($name:ident = $value:expr),+)?) => {
        event!(target: $category, Level::$level, event.id = $id as u64, event.template = $template
               $(, event.detail = $detail)? $($(, $name = $value)+)?)
    };
}

/// The same as data, for what is printed or judged as well as logged.
macro_rules! notice {
    ($category:expr, $level:ident, $id:literal, $template:literal
     $(, detail: $detail:expr)? $(; $($name:ident = $value:expr),+)?) => {
        Notice {
            level: Level::$level,
            category: $category,
            id: $id,
            template: $template,
            fields: vec![$($((stringify!($name), $value.to_string())),+)?],
            detail: {
                let detail: &[&str] = &[$($detail)?];
                detail.concat()
            },
            // One that needs no field does not look at it.
            log: |_notice| {
                emit!($category, $level, $id, $template, detail: _notice.detail()
                      $(; $($name = _notice.field(stringify!($name))),+)?);
            },
        }
    };
}

// ---- The life of the host -------------------------------------------------------------------

pub(crate) fn hosting_starting() {
    emit!(HOST, DEBUG, 1, "Hosting starting");
}

pub(crate) fn hosting_started() {
    emit!(HOST, DEBUG, 2, "Hosting started");
}

pub(crate) fn hosting_stopping() {
    emit!(HOST, DEBUG, 3, "Hosting stopping");
}

pub(crate) fn hosting_stopped() {
    emit!(HOST, DEBUG, 4, "Hosting stopped");
}

/// The start was refused, and `detail` says where the reasons are told.
pub(crate) fn hosting_failed_to_start(detail: &str) {
    emit!(HOST, ERROR, 11, "Hosting failed to start", detail: detail);
}

/// A reason why the start was refused, for a log that tells all of it.
#[derive(Debug)]
pub(crate) struct StartFailure<'a> {
    /// The exit code of its kind.
    pub(crate) code: u64,
    pub(crate) problem: &'a str,
    pub(crate) key: Option<&'a str>,
    pub(crate) origin: Option<&'a str>,
    pub(crate) fix: Option<&'a str>,
    /// All of it, as text.
    pub(crate) text: &'a str,
}

pub(crate) fn hosting_failed_because(failure: &StartFailure<'_>) {
    emit!(HOST, ERROR, 11, "Hosting failed to start", detail: failure.text;
        code = failure.code, problem = failure.problem, key = failure.key,
        origin = failure.origin, fix = failure.fix);
}

/// Whether a refused start is told to the log at all.
pub(crate) fn start_failures_are_logged() -> bool {
    tracing::enabled!(target: HOST, Level::ERROR)
}

/// An endpoint is bound, with its real port.
pub(crate) fn listening(address: &str) {
    emit!(LIFETIME, INFO, 14, "Now listening on: {address}"; address = address);
}

pub(crate) fn application_started() {
    emit!(LIFETIME, INFO, 0, "Application started. Press Ctrl+C to shut down.");
}

pub(crate) fn hosting_environment(environment: &str) {
    emit!(LIFETIME, INFO, 0, "Hosting environment: {EnvName}"; EnvName = environment);
}

pub(crate) fn content_root_path(content_root: &str) {
    emit!(LIFETIME, INFO, 0, "Content root path: {ContentRoot}"; ContentRoot = content_root);
}

pub(crate) fn application_stopping() {
    emit!(LIFETIME, INFO, 0, "Application is shutting down...");
}

/// A second signal came before the stop was complete.
pub(crate) fn stop_forced() {
    emit!(
        OUR_SERVER,
        WARN,
        4,
        "A second signal came during the stop: it ends at once, running requests are cut off."
    );
}

/// A signal to stop came while the stop was going on, and does not end it.
pub(crate) fn stop_repeated() {
    emit!(
        OUR_SERVER,
        DEBUG,
        8,
        "A signal to stop came while the stop was beginning: it is the same wish. A later one ends at once."
    );
}

/// SIGHUP came, and the terminal that the process was started on cannot be opened any more.
pub(crate) fn terminal_gone() {
    emit!(OUR_SERVER, INFO, 7, "The terminal is gone (SIGHUP): the host stops.",
        detail: "fix: start it with nohup, or as a service, to let it outlive its terminal");
}

/// SIGUSR1 came: it has no meaning yet.
pub(crate) fn nothing_to_reopen() {
    emit!(
        OUR_SERVER,
        INFO,
        6,
        "SIGUSR1 came. It is kept for opening log files anew; there are none, and nothing changes."
    );
}

/// SIGHUP came too late for a reload. It ends the reference; a host that stops cleanly must not die
/// of a closed terminal.
pub(crate) fn hangup_ignored() {
    emit!(
        OUR_SERVER,
        INFO,
        3,
        "A hang-up signal (SIGHUP) came during the stop; it changes nothing."
    );
}

// ---- The choice of endpoints ----------------------------------------------------------------

pub(crate) fn ports_overridden(http: &str, https: &str, urls: &str, detail: &str) -> Notice {
    notice!(HOSTING, WARN, 15,
        "Overriding HTTP_PORTS '{http}' and HTTPS_PORTS '{https}'. Binding to values defined by URLS instead '{urls}'.",
        detail: detail; http = http, https = https, urls = urls)
}

pub(crate) fn addresses_overridden(addresses: &str, detail: &str) -> Notice {
    notice!(KESTREL, WARN, 0,
        "Overriding address(es) '{addresses}'. Binding to endpoints defined via IConfiguration and/or UseKestrel() instead.",
        detail: detail; addresses = addresses)
}

pub(crate) fn endpoints_overridden(addresses: &str, detail: &str) -> Notice {
    notice!(KESTREL, INFO, 0,
        "Overriding endpoints defined via IConfiguration and/or UseKestrel() because {settingName} is set to true. Binding to address(es) '{addresses}' instead.",
        detail: detail; settingName = "PreferHostingUrls", addresses = addresses)
}

pub(crate) fn default_address(address: &str) -> Notice {
    notice!(KESTREL, DEBUG, 0, "No listening endpoints were configured. Binding to {address} by default.";
        address = address)
}

pub(crate) fn http3_not_enabled(endpoint: &str) -> Notice {
    notice!(KESTREL, WARN, 65,
        "HTTP/3 is not enabled for {Endpoint}. HTTP/3 requires TLS. Connections to this endpoint will use HTTP/1.1.";
        Endpoint = endpoint)
}

/// One loopback family is missing. Kestrel logs this at Information since 5.0; its documentation
/// promises a warning, and an operator wants to see it.
pub(crate) fn loopback_unavailable(address: &str, interface: &str, error: &str) -> Notice {
    notice!(KESTREL, WARN, 0, "Unable to bind to {address} on the {interfaceName} interface: '{error}'.";
        address = address, interfaceName = interface, error = error)
}

pub(crate) fn any_ipv6_unavailable(address: &str, fallback: &str, error: &str) {
    emit!(KESTREL, TRACE, 0, "Failed to bind to {address} (IPv6Any).", detail: error; address = address);
    emit!(KESTREL, DEBUG, 0, "Failed to bind to {address} (IPv6Any). Attempting to bind to {fallback} instead.";
        address = address, fallback = fallback);
}

/// A host name is no filter.
pub(crate) fn name_binds_all(address: &str, host: &str, detail: &str) -> Notice {
    notice!(OUR_ENDPOINTS, INFO, 1,
        "'{host}' in {address} is neither an IP address nor localhost: bound to all interfaces.",
        detail: detail; host = host, address = address)
}

/// A weaker source gave other addresses.
pub(crate) fn urls_shadowed(detail: &str) -> Notice {
    notice!(OUR_ENDPOINTS, INFO, 2, "Two sources give different addresses; the stronger one is used.", detail: detail)
}

/// In a container nobody outside reaches a loopback.
pub(crate) fn inside_only(addresses: &str, detail: &str) -> Notice {
    notice!(OUR_ENDPOINTS, INFO, 6, "{addresses} can be reached only from inside this container.",
        detail: detail; addresses = addresses)
}

pub(crate) fn blank_trimmed(address: &str, detail: &str) -> Notice {
    notice!(OUR_ENDPOINTS, WARN, 3, "Blanks around the address {address} are left out.", detail: detail;
        address = address)
}

// ---- Configuration --------------------------------------------------------------------------

/// Something about the configuration is odd but does not stop the start.
pub(crate) fn configuration_warning(message: &str, detail: &str) -> Notice {
    notice!(OUR_CONFIGURATION, WARN, 1, "{problem}", detail: detail; problem = message)
}

/// Something about the configuration may not be what was meant.
pub(crate) fn configuration_note(message: &str, detail: &str) -> Notice {
    notice!(OUR_CONFIGURATION, INFO, 4, "{note}", detail: detail; note = message)
}

pub(crate) fn configuration_file(path: &str, found: bool) {
    let outcome = if found { "read" } else { "not there" };
    emit!(OUR_CONFIGURATION, DEBUG, 2, "Configuration file {path}: {outcome}"; path = path, outcome = outcome);
}

/// What a start would do about a web root that is not there.
pub(crate) fn web_root_missing(path: &str) -> Notice {
    notice!(OUR_CONFIGURATION, INFO, 10, "The web root {path} does not exist: the start creates it."; path = path)
}

pub(crate) fn web_root_created(path: &str) -> Notice {
    notice!(OUR_CONFIGURATION, INFO, 3, "The web root {path} did not exist and was created."; path = path)
}

// ---- Connections ----------------------------------------------------------------------------

pub(crate) fn connection_accepted(id: &dyn std::fmt::Display) {
    emit!(CONNECTIONS, DEBUG, 39, "Connection id \"{ConnectionId}\" accepted."; ConnectionId = tracing::field::display(id));
}

pub(crate) fn connection_started(id: &dyn std::fmt::Display) {
    emit!(CONNECTIONS, DEBUG, 1, "Connection id \"{ConnectionId}\" started."; ConnectionId = tracing::field::display(id));
}

pub(crate) fn connection_stopped(id: &dyn std::fmt::Display) {
    emit!(CONNECTIONS, DEBUG, 2, "Connection id \"{ConnectionId}\" stopped."; ConnectionId = tracing::field::display(id));
}

/// One more than `MaxConcurrentConnections`.
pub(crate) fn connection_rejected(id: &dyn std::fmt::Display, telling: Telling) {
    match telling {
        Telling::Now { .. } => emit!(CONNECTIONS, WARN, 24,
            "Connection id \"{ConnectionId}\" rejected because the maximum number of concurrent connections has been reached.";
            ConnectionId = tracing::field::display(id)),
        Telling::Counted => emit!(CONNECTIONS, DEBUG, 24,
            "Connection id \"{ConnectionId}\" rejected because the maximum number of concurrent connections has been reached.";
            ConnectionId = tracing::field::display(id)),
    }
}

/// So many more were rejected, which were only counted.
pub(crate) fn more_connections_rejected(address: &str, count: u64) {
    emit!(OUR_SERVER, WARN, 9,
        "More connections to {address} were rejected because of MaxConcurrentConnections: {count} since this was told last.";
        count = count, address = address);
}

/// Whether it is wanted to know that connections go on; costs one atomic load.
pub(crate) fn kept_connections_are_logged() -> bool {
    tracing::enabled!(target: CONNECTIONS, Level::DEBUG)
}

/// The connection goes on behind an answer.
pub(crate) fn connection_kept_alive(id: &dyn std::fmt::Display) {
    emit!(CONNECTIONS, DEBUG, 9, "Connection id \"{ConnectionId}\" completed keep alive response."; ConnectionId = tracing::field::display(id));
}

/// The client ends the connection.
pub(crate) fn connection_disconnecting(id: &dyn std::fmt::Display) {
    emit!(CONNECTIONS, DEBUG, 10, "Connection id \"{ConnectionId}\" disconnecting."; ConnectionId = tracing::field::display(id));
}

pub(crate) fn received_end(id: &dyn std::fmt::Display) {
    emit!(SOCKETS, DEBUG, 6, "Connection id \"{ConnectionId}\" received FIN."; ConnectionId = tracing::field::display(id));
}

pub(crate) fn sending_end(id: &dyn std::fmt::Display) {
    emit!(SOCKETS, DEBUG, 7, "Connection id \"{ConnectionId}\" sending FIN because: \"{Reason}\"";
        ConnectionId = tracing::field::display(id), Reason = "The Socket transport's send loop completed gracefully.");
}

/// A request is not served, or its body cannot be.
pub(crate) fn bad_request(id: &dyn std::fmt::Display, message: &dyn std::fmt::Display) {
    emit!(BAD_REQUESTS, DEBUG, 17, "Connection id \"{ConnectionId}\" bad request data: \"{message}\"";
        ConnectionId = tracing::field::display(id), message = tracing::field::display(message));
}

/// A connection ended in the middle of a request.
pub(crate) fn request_processing_ended(id: &dyn std::fmt::Display, error: &dyn std::fmt::Display) {
    emit!(BAD_REQUESTS, DEBUG, 20, "Connection id \"{ConnectionId}\" request processing ended abnormally.",
        detail: tracing::field::display(error); ConnectionId = tracing::field::display(id));
}

pub(crate) fn sending_reset(id: &dyn std::fmt::Display, reason: &str) {
    emit!(SOCKETS, DEBUG, 8, "Connection id \"{ConnectionId}\" sending RST because: \"{Reason}\"";
        ConnectionId = tracing::field::display(id), Reason = reason);
}

/// The client speaks another version of HTTP than the endpoint.
pub(crate) fn wrong_version(id: &dyn std::fmt::Display, expected: &str, detected: &str) {
    emit!(BAD_REQUESTS, DEBUG, 54,
        "Connection id \"{ConnectionId}\": Invalid content received on connection. Possible incorrect HTTP version detected. Expected {ExpectedHttpVersion} but received {DetectedHttpVersion}.";
        ConnectionId = tracing::field::display(id), ExpectedHttpVersion = expected, DetectedHttpVersion = detected);
}

pub(crate) fn no_protocol() {
    emit!(KESTREL, ERROR, 0, "An endpoint must be configured to serve at least one protocol.");
}

/// Accepting failed, as it does when the process is out of file descriptors.
pub(crate) fn accept_failed(address: &str, error: &str, pause: Duration, telling: Telling) {
    let milliseconds = pause.as_millis() as u64;
    match telling {
        Telling::Now { .. } => emit!(OUR_SERVER, WARN, 1,
            "Connections to {address} cannot be accepted: {error}. Trying again every {milliseconds} ms; open connections go on.",
            detail: if cfg!(windows) {
                "fix: end what holds so many sockets ('netstat -ano' lists them), or give the machine more memory"
            } else {
                "fix: raise the limit of open files (ulimit -n, or LimitNOFILE= in a systemd unit)"
            };
            address = address, error = error, milliseconds = milliseconds),
        Telling::Counted => emit!(OUR_SERVER, DEBUG, 1,
            "Connections to {address} cannot be accepted: {error}. Trying again every {milliseconds} ms; open connections go on.";
            address = address, error = error, milliseconds = milliseconds),
    }
}

/// A stop has waited for a second. `requests` are those that it waits for, a line each.
pub(crate) fn stop_waits(connections: usize, seconds: u64, requests: &str) {
    emit!(OUR_SERVER, INFO, 5,
        "The stop waits for requests that are still open, up to {seconds} s more (connections: {connections}):",
        detail: requests; seconds = seconds, connections = connections as u64);
}

pub(crate) fn connections_did_not_close(count: usize) {
    emit!(
        CONNECTIONS,
        DEBUG,
        16,
        "Some connections failed to close gracefully during server shutdown."
    );
    let count = count as u64;
    match count {
        1 => emit!(OUR_SERVER, WARN, 2,
            "{count} connection was still busy when the shutdown timeout ended; it is aborted.";
            count = count),
        _ => emit!(OUR_SERVER, WARN, 2,
            "{count} connections were still busy when the shutdown timeout ended; they are aborted.";
            count = count),
    }
}

// ---- Scopes: only made where the console wants them (IncludeScopes) ---------------------------

const SCOPE: &str = "Kestrel.Scope";

pub(crate) fn connection_scope(id: &dyn std::fmt::Display) -> tracing::Span {
    tracing::info_span!(target: SCOPE, "connection", ConnectionId = tracing::field::display(id))
}

/// Whether scopes are wanted; costs one atomic load.
pub(crate) fn scopes_are_logged() -> bool {
    tracing::span_enabled!(target: SCOPE, Level::INFO)
}

pub(crate) fn request_scope(
    connection: &tracing::Span,
    [trace_id, span_id, parent_id]: [&str; 3],
    path: &str,
    request_id: &str,
) -> tracing::Span {
    tracing::info_span!(target: SCOPE, parent: connection, "request", SpanId = span_id, TraceId = trace_id,
        ParentId = parent_id, RequestPath = path, RequestId = request_id)
}

// ---- Requests -------------------------------------------------------------------------------

/// Whether the lines of requests are wanted at all; costs one atomic load.
pub(crate) fn requests_are_logged() -> bool {
    tracing::enabled!(target: HOSTING, Level::INFO)
}

/// The parts of a request that its log lines tell.
#[derive(Debug)]
pub(crate) struct RequestFacts {
    pub(crate) protocol: &'static str,
    pub(crate) method: String,
    pub(crate) scheme: &'static str,
    pub(crate) host: String,
    /// Decoded.
    pub(crate) path: String,
    /// With its `?`, as it was sent.
    pub(crate) query: String,
}

impl std::fmt::Display for RequestFacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { protocol, method, scheme, host, path, query } = self;
        write!(f, "{protocol} {method} {scheme}://{host}{path}{query}")
    }
}

/// Missing values are `-`, and a blank in a content type is `+`, so that the line splits at blanks.
fn shown(value: Option<&str>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.replace(' ', "+"))
}

pub(crate) fn request_starting(
    request: &RequestFacts,
    content_type: Option<&str>,
    content_length: Option<u64>,
) {
    let length = content_length.map(|length| length.to_string());
    event!(target: HOSTING, Level::INFO, event.id = 1u64,
        event.template = "Request starting {Protocol} {Method} {Scheme}://{Host}{PathBase}{Path}{QueryString} - {ContentType} {ContentLength}",
        Protocol = request.protocol, Method = request.method, ContentType = content_type,
        ContentLength = content_length, Scheme = request.scheme, Host = request.host, PathBase = "",
        Path = request.path, QueryString = request.query,
        "Request starting {request} - {} {}", shown(content_type), shown(length.as_deref()));
}

pub(crate) fn request_finished(
    request: &RequestFacts,
    status: u16,
    content_type: Option<&str>,
    content_length: Option<u64>,
    elapsed: Duration,
) {
    let milliseconds = elapsed.as_secs_f64() * 1000.0;
    let length = content_length.map(|length| length.to_string());
    event!(target: HOSTING, Level::INFO, event.id = 2u64,
        event.template = "Request finished {Protocol} {Method} {Scheme}://{Host}{PathBase}{Path}{QueryString} - {StatusCode} {ContentLength} {ContentType} {ElapsedMilliseconds}ms",
        ElapsedMilliseconds = milliseconds, StatusCode = u64::from(status), ContentType = content_type,
        ContentLength = content_length, Protocol = request.protocol, Method = request.method,
        Scheme = request.scheme, Host = request.host, PathBase = "", Path = request.path,
        QueryString = request.query,
        "Request finished {request} - {status} {} {} {milliseconds:.4}ms", shown(length.as_deref()), shown(content_type));
}

/// The id of a request, as Kestrel makes it.
struct RequestId<'a>(&'a dyn std::fmt::Display, u32);

impl std::fmt::Display for RequestId<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{:08X}", self.0, self.1)
    }
}

/// One event about a request, with its connection and its id in front.
macro_rules! emit_request {
    ($category:expr, $level:ident, $id:literal, $template:literal, $connection:expr, $request:expr
     $(, detail: $detail:expr)? $(; $($name:ident = $value:expr),+)?) => {
        event!(target: $category, Level::$level, event.id = $id as u64,
               event.template = concat!("Connection id \"{ConnectionId}\", Request id \"{TraceIdentifier}\": ", $template)
               $(, event.detail = $detail)?,
               ConnectionId = tracing::field::display($connection),
               TraceIdentifier = tracing::field::display(RequestId($connection, $request))
               $($(, $name = $value)+)?)
    };
}

/// The app failed, or panicked, while it answered.
pub(crate) fn application_failed(id: &dyn std::fmt::Display, request: u32, error: &str) {
    emit_request!(KESTREL, ERROR, 13, "An unhandled exception was thrown by the application.",
        id, request, detail: error);
}

pub(crate) fn application_aborted(id: &dyn std::fmt::Display, request: u32) {
    emit_request!(CONNECTIONS, INFO, 34, "the application aborted the connection.", id, request);
}

/// The app wanted to change the protocol of one connection more than
/// `MaxConcurrentUpgradedConnections`.
pub(crate) fn upgrade_refused(
    id: &dyn std::fmt::Display,
    request: u32,
    limit: Option<u64>,
    telling: Telling,
) {
    match telling {
        Telling::Now { more } => emit_request!(OUR_SERVER, WARN, 10,
            "an upgrade was refused with 503 because of MaxConcurrentUpgradedConnections ({limit}). Refused since this was told last: {more}.",
            id, request; more = more, limit = limit),
        Telling::Counted => emit_request!(OUR_SERVER, DEBUG, 10,
            "an upgrade was refused with 503 because of MaxConcurrentUpgradedConnections ({limit}).",
            id, request; limit = limit),
    }
}

/// The client is gone, or the stop took its connection.
pub(crate) fn request_aborted(id: &dyn std::fmt::Display, request: u32) {
    emit_request!(KESTREL, DEBUG, 66, "The request was aborted by the client.", id, request);
}

pub(crate) fn request_body_start(id: &dyn std::fmt::Display, request: u32) {
    emit_request!(KESTREL, DEBUG, 25, "started reading request body.", id, request);
}

pub(crate) fn request_body_done(id: &dyn std::fmt::Display, request: u32) {
    emit_request!(KESTREL, DEBUG, 26, "done reading request body.", id, request);
}

pub(crate) fn request_body_too_slow(id: &dyn std::fmt::Display, request: u32, rate: f64) {
    emit_request!(BAD_REQUESTS, DEBUG, 27,
        "the request timed out because it was not sent by the client at a minimum of {Rate} bytes/second.",
        id, request; Rate = rate);
}

pub(crate) fn response_too_slow(id: &dyn std::fmt::Display, request: u32) {
    emit_request!(
        BAD_REQUESTS,
        DEBUG,
        28,
        "the connection was closed because the response was not read by the client at the specified minimum data rate.",
        id,
        request
    );
}

pub(crate) fn request_body_not_read(id: &dyn std::fmt::Display, request: u32) {
    emit_request!(
        KESTREL,
        INFO,
        32,
        "the application completed without reading the entire request body.",
        id,
        request
    );
}

pub(crate) fn request_body_drain_timed_out(id: &dyn std::fmt::Display, request: u32) {
    emit_request!(
        KESTREL,
        INFO,
        33,
        "automatic draining of the request body timed out after taking over 5 seconds.",
        id,
        request
    );
}

/// An app sets what only HTTP/1 has.
pub(crate) fn response_headers_removed(telling: Telling) {
    match telling {
        Telling::Now { .. } => emit!(
            KESTREL,
            WARN,
            41,
            "One or more of the following response headers have been removed because they are invalid for HTTP/2 and HTTP/3 responses: 'Connection', 'Transfer-Encoding', 'Keep-Alive', 'Upgrade' and 'Proxy-Connection'."
        ),
        Telling::Counted => emit!(
            KESTREL,
            DEBUG,
            41,
            "One or more of the following response headers have been removed because they are invalid for HTTP/2 and HTTP/3 responses: 'Connection', 'Transfer-Encoding', 'Keep-Alive', 'Upgrade' and 'Proxy-Connection'."
        ),
    }
}

// ---- HTTP/2 ---------------------------------------------------------------------------------

const HTTP2: &str = "Microsoft.AspNetCore.Server.Kestrel.Http2";

/// The client broke the rules of the connection, and it ends.
pub(crate) fn http2_connection_error(id: &dyn std::fmt::Display, error: &dyn std::fmt::Display) {
    emit!(HTTP2, DEBUG, 29, "Connection id \"{ConnectionId}\": HTTP/2 connection error.",
        detail: tracing::field::display(error); ConnectionId = tracing::field::display(id));
}

/// The headers of a client cannot be decompressed, and the connection ends.
pub(crate) fn http2_compression_error(
    id: &dyn std::fmt::Display,
    stream: u32,
    error: &dyn std::fmt::Display,
) {
    emit!(HTTP2, DEBUG, 31,
        "Connection id \"{ConnectionId}\": HPACK decoding error while decoding headers for stream ID {StreamId}.",
        detail: tracing::field::display(error);
        ConnectionId = tracing::field::display(id), StreamId = u64::from(stream));
}

/// The client broke the rules of one stream, or opened one too many, and it is reset.
pub(crate) fn http2_stream_error(id: &dyn std::fmt::Display, stream: u32, error: &str) {
    emit!(HTTP2, DEBUG, 30, "Connection id \"{ConnectionId}\": HTTP/2 stream error.",
        detail: tracing::field::display(format_args!("HTTP/2 stream ID {stream} error ({error})"));
        ConnectionId = tracing::field::display(id));
}

/// A request is malformed, or the app wants its end, and its stream is reset. `number` is that of
/// the request on its connection, or of the stream where there is no request.
pub(crate) fn http2_stream_reset(id: &dyn std::fmt::Display, number: u32, error: &str, why: &str) {
    emit!(HTTP2, DEBUG, 35,
        "Trace id \"{TraceIdentifier}\": HTTP/2 stream error \"{error}\". A Reset is being sent to the stream.",
        detail: why;
        TraceIdentifier = tracing::field::display(RequestId(id, number)), error = error);
}

/// The server stops, and the client has been told.
pub(crate) fn http2_connection_closing(id: &dyn std::fmt::Display) {
    emit!(HTTP2, DEBUG, 36, "Connection id \"{ConnectionId}\" is closing.";
        ConnectionId = tracing::field::display(id));
}

pub(crate) fn http2_connection_closed(id: &dyn std::fmt::Display, highest_stream: u32) {
    emit!(HTTP2, DEBUG, 48,
        "Connection id \"{ConnectionId}\" is closed. The last processed stream ID was {HighestOpenedStreamId}.";
        ConnectionId = tracing::field::display(id), HighestOpenedStreamId = u64::from(highest_stream));
}

pub(crate) fn http2_frame_received(
    id: &dyn std::fmt::Display,
    kind: &dyn std::fmt::Display,
    stream: u32,
    length: u32,
    flags: &dyn std::fmt::Display,
) {
    emit!(HTTP2, TRACE, 37,
        "Connection id \"{ConnectionId}\" received {type} frame for stream ID {id} with length {length} and flags {flags}.";
        ConnectionId = tracing::field::display(id), r#type = tracing::field::display(kind),
        id = u64::from(stream), length = u64::from(length), flags = tracing::field::display(flags));
}

pub(crate) fn http2_frame_sending(
    id: &dyn std::fmt::Display,
    kind: &dyn std::fmt::Display,
    stream: u32,
    length: u32,
    flags: &dyn std::fmt::Display,
) {
    emit!(HTTP2, TRACE, 49,
        "Connection id \"{ConnectionId}\" sending {type} frame for stream ID {id} with length {length} and flags {flags}.";
        ConnectionId = tracing::field::display(id), r#type = tracing::field::display(kind),
        id = u64::from(stream), length = u64::from(length), flags = tracing::field::display(flags));
}

pub(crate) fn http2_max_streams_reached(id: &dyn std::fmt::Display) {
    emit!(HTTP2, DEBUG, 40,
        "Connection id \"{ConnectionId}\" reached the maximum number of concurrent HTTP/2 streams allowed.";
        ConnectionId = tracing::field::display(id));
}

/// The client takes what we send too slowly, and the connection is reset.
pub(crate) fn http2_response_too_slow(id: &dyn std::fmt::Display) {
    emit!(BAD_REQUESTS, DEBUG, 28,
        "Connection id \"{ConnectionId}\", Request id \"{TraceIdentifier}\": the connection was closed because the response was not read by the client at the specified minimum data rate.";
        ConnectionId = tracing::field::display(id), TraceIdentifier = "(null)");
}

// ---- The development certificate ---------------------------------------------------------------

/// The application's development file is served.
pub(crate) fn development_certificate_used(subject: &str, thumbprint: &str) -> Notice {
    notice!(CORE, DEBUG, 0,
        "Using development certificate: {certificateSubjectName} (Thumbprint: {certificateThumbprint})";
        certificateSubjectName = subject, certificateThumbprint = thumbprint)
}

/// An endpoint needs a development certificate, and there is none.
pub(crate) fn development_certificate_missing() -> Notice {
    notice!(CORE, DEBUG, 1, "Unable to locate an appropriate development https certificate.")
}

pub(crate) fn development_file_missing(path: &str) -> Notice {
    notice!(CORE, DEBUG, 2,
        "Failed to locate the development https certificate at '{certificatePath}'."; certificatePath = path)
}

pub(crate) fn development_file_unreadable(path: &str) -> Notice {
    notice!(CORE, DEBUG, 3,
        "Failed to load the development https certificate at '{certificatePath}'."; certificatePath = path)
}

pub(crate) fn development_certificate_not_trusted() -> Notice {
    notice!(
        CORE,
        WARN,
        8,
        "The ASP.NET Core developer certificate is not trusted. For information about trusting the ASP.NET Core developer certificate, see https://aka.ms/aspnet/https-trust-dev-cert",
        detail: "fix: kestrel dev-certs https --trust"
    )
}

pub(crate) fn development_certificate_partly_trusted(command: Option<&str>) -> Notice {
    let fix = match command {
        Some(command) => {
            format!("OpenSSL does not look where it lies; before the start: {command}")
        }
        None => "kestrel dev-certs https --trust".to_owned(),
    };
    notice!(
        CORE,
        WARN,
        9,
        "The ASP.NET Core developer certificate is only trusted by some clients. For information about trusting the ASP.NET Core developer certificate, see https://aka.ms/aspnet/https-trust-dev-cert",
        detail: &format!("fix: {fix}")
    )
}

// ---- Limits of routes -------------------------------------------------------------------------

pub(crate) fn request_size_limit_read_only() {
    emit!(
        ROUTING,
        WARN,
        10,
        "A request body size limit could not be applied. The IHttpMaxRequestBodySizeFeature for the server is read-only."
    );
}

pub(crate) fn request_size_limit_set(size: u64) {
    emit!(ROUTING, DEBUG, 11, "The maximum request body size has been set to {RequestSize}."; RequestSize = size);
}

pub(crate) fn request_size_limit_disabled() {
    emit!(ROUTING, DEBUG, 12, "The maximum request body size has been disabled.");
}

// ---- Handshakes ---------------------------------------------------------------------------------

/// There was no handshake: the client is gone, does not speak TLS, or cannot agree with us.
pub(crate) fn tls_authentication_failed(reason: &dyn std::fmt::Display) {
    emit!(HTTPS, DEBUG, 1, "Failed to authenticate HTTPS connection.",
        detail: tracing::field::display(reason));
}

pub(crate) fn tls_authentication_timed_out() {
    emit!(HTTPS, DEBUG, 2, "Authentication of the HTTPS connection timed out.");
}

pub(crate) fn tls_established(id: &dyn std::fmt::Display, protocol: &dyn std::fmt::Display) {
    emit!(HTTPS, DEBUG, 3,
        "Connection {ConnectionId} established using the following protocol: {Protocol}";
        ConnectionId = tracing::field::display(id), Protocol = tracing::field::display(protocol));
}

/// A client of an endpoint that only speaks HTTP/2 did not offer it.
pub(crate) fn http2_not_negotiated() {
    emit!(KESTREL, ERROR, 0, "HTTP/2 over TLS was not negotiated on an HTTP/2-only endpoint.");
}

/// Told once per endpoint: who does it does it often.
pub(crate) fn clear_text_on_https(address: &str) {
    emit!(OUR_ENDPOINTS, WARN, 4,
        "A client sent a request in clear text to {address}, which speaks HTTPS, and was answered with 400. This is told once.",
        detail: "fix: let the client use the URL with https://"; address = address);
}

/// Told once per endpoint.
pub(crate) fn tls_on_http(address: &str) {
    emit!(OUR_ENDPOINTS, WARN, 5,
        "A client began a TLS handshake with {address}, which speaks clear text, and was refused. This is told once.",
        detail: "fix: let the client use the URL with http://, or give the endpoint an https:// URL and a certificate";
        address = address);
}

/// The file of a Unix socket was in the way, and nobody accepted on it.
#[cfg(unix)]
pub(crate) fn stale_socket_replaced(path: &str) {
    emit!(OUR_ENDPOINTS, INFO, 15,
        "The socket {path} was left behind by a process that is gone, and is replaced."; path = path);
}

// ---- Certificates: what an operator wants to know of one that is served -----------------------

const OUR_CERTIFICATES: &str = "Kestrel.Certificates";

/// Browsers read names only from the extension that this certificate has not.
pub(crate) fn certificate_without_names(thumbprint: &str) -> Notice {
    notice!(HTTPS, INFO, 9,
        "Certificate with thumbprint {Thumbprint} lacks the subjectAlternativeName (SAN) extension and may not be accepted by browsers.";
        Thumbprint = thumbprint)
}

/// It is served all the same, as Kestrel does: clients will complain, and this says why.
pub(crate) fn certificate_expired(source: &str, subject: &str, since: &str) -> Notice {
    notice!(OUR_CERTIFICATES, WARN, 1,
        "The certificate of {Source} ({Subject}) expired on {Since}: clients will not accept it. Renew it.";
        Source = source, Subject = subject, Since = since)
}

pub(crate) fn certificate_not_yet_valid(source: &str, subject: &str, from: &str) -> Notice {
    notice!(OUR_CERTIFICATES, WARN, 2,
        "The certificate of {Source} ({Subject}) is not valid before {From}: clients will not accept it. Is the clock right?";
        Source = source, Subject = subject, From = from)
}

pub(crate) fn certificate_expires_soon(source: &str, subject: &str, at: &str) -> Notice {
    notice!(OUR_CERTIFICATES, WARN, 3,
        "The certificate of {Source} ({Subject}) expires on {At}. Renew it in time.";
        Source = source, Subject = subject, At = at)
}

/// OpenSSL's `x509 -req` makes such ones where nobody says otherwise.
pub(crate) fn certificate_of_old_version(source: &str, subject: &str, version: u32) -> Notice {
    notice!(OUR_CERTIFICATES, WARN, 4,
        "The certificate of {Source} ({Subject}) is of X.509 version {Version}: some clients take version 3 only. Make it with extensions, such as a subjectAltName.";
        Source = source, Subject = subject, Version = version)
}

/// A part of a chain is missing from what is served.
pub(crate) fn certificate_file_read_in_part(source: &str, skipped: &str) -> Notice {
    notice!(OUR_CERTIFICATES, WARN, 5,
        "The file with the certificate of {Source} was read in part: {Skipped}. Clients may miss an issuer.";
        Source = source, Skipped = skipped)
}

/// A client showed a certificate that is not taken. Told once of each, and of so many only.
pub(crate) fn client_certificate_refused(endpoint: &str, subject: &str, reason: &str, fix: &str) {
    emit!(OUR_CERTIFICATES, INFO, 6,
        "A client of {Endpoint} was refused for its certificate ({Subject}): {Reason}.",
        detail: fix; Endpoint = endpoint, Subject = subject, Reason = reason);
}

// ---- Reload -----------------------------------------------------------------------------------

const OUR_RELOAD: &str = "Kestrel.Reload";

/// Running requests of an endpoint that went outlived their time.
pub(crate) fn removed_endpoint_did_not_drain(address: &str, count: usize) {
    emit!(
        CONNECTIONS,
        DEBUG,
        16,
        "Some connections failed to close gracefully during server shutdown."
    );
    let count = count as u64;
    match count {
        1 => emit!(OUR_RELOAD, WARN, 1,
            "{count} connection to {address} was still busy 5 seconds after the endpoint was removed; it is aborted.";
            count = count, address = address),
        _ => emit!(OUR_RELOAD, WARN, 1,
            "{count} connections to {address} were still busy 5 seconds after the endpoint was removed; they are aborted.";
            count = count, address = address),
    }
}

/// The sockets of an endpoint were closed for a new one that could not be bound, and somebody took
/// them in between.
pub(crate) fn endpoint_lost(address: &str, error: &str) {
    event!(target: OUR_RELOAD, Level::ERROR, event.critical = true, event.id = 2u64,
        event.template = "The endpoint {address} could not be taken back and does not listen any more; the next reload tries again.",
        event.detail = error, address = address);
}

/// The sockets of an endpoint that was lost are open again.
pub(crate) fn endpoint_found(address: &str) {
    emit!(OUR_RELOAD, INFO, 10, "The endpoint {address} listens again."; address = address);
}

/// A change of the configuration is looked at.
pub(crate) fn reload_token_fired() {
    emit!(KESTREL, DEBUG, 0, "Config reload token fired. Checking for changes...");
}

pub(crate) fn endpoints_stopping(endpoints: &str) {
    emit!(KESTREL, INFO, 0, "Config changed. Stopping the following endpoints: '{endpoints}'"; endpoints = endpoints);
}

pub(crate) fn endpoints_starting(endpoints: &str) {
    emit!(KESTREL, INFO, 0, "Config changed. Starting the following endpoints: '{endpoints}'"; endpoints = endpoints);
}

/// A reload was refused: everything is as it was.
pub(crate) fn reload_refused(detail: &str) {
    event!(target: KESTREL, Level::ERROR, event.critical = true, event.id = 0u64,
        event.template = "Unable to reload configuration.", event.detail = detail);
}

/// A new endpoint could not be bound: everything is as it was.
pub(crate) fn reload_bind_failed(url: &str, detail: &str) {
    event!(target: KESTREL, Level::ERROR, event.critical = true, event.id = 0u64,
        event.template = "Unable to bind to '{url}' on config reload.", event.detail = detail, url = url);
}

/// A reload changed what the host does; a line of `detail` for each endpoint and setting.
pub(crate) fn reloaded(detail: &str) {
    emit!(OUR_RELOAD, INFO, 3, "The configuration was reloaded:", detail: detail);
}

/// A reload changed nothing that the host itself uses.
pub(crate) fn reloaded_without_effect() {
    emit!(
        OUR_RELOAD,
        DEBUG,
        4,
        "The configuration was reloaded; nothing that the host itself uses is different."
    );
}

/// What was edited but is only read at the start.
pub(crate) fn restart_needed(keys: &[&str]) {
    let listed = keys.join(", ");
    match keys.len() {
        1 => {
            emit!(OUR_RELOAD, INFO, 5, "A change that takes effect at the next start: {keys}"; keys = listed)
        }
        _ => {
            emit!(OUR_RELOAD, INFO, 5, "Changes that take effect at the next start: {keys}"; keys = listed)
        }
    }
}

/// The system tells of no changes: files are looked at instead.
pub(crate) fn watching_by_polling(why: &str, detail: &str) -> Notice {
    notice!(OUR_RELOAD, WARN, 6,
        "Files are watched by looking at them every second: {reason}.", detail: detail; reason = why)
}

/// Files are not watched at all.
pub(crate) fn not_watching(error: &str) -> Notice {
    notice!(OUR_RELOAD, WARN, 7, "Changes of configuration files go unnoticed: {error}.",
        detail: if cfg!(windows) {
            "fix: start the server again after a change; hostBuilder:reloadConfigOnChange=false says that it is meant"
        } else {
            "fix: raise the limit of threads, or send SIGHUP after a change; hostBuilder:reloadConfigOnChange=false says that it is meant"
        };
        error = error)
}

/// A certificate's file is not there any more.
pub(crate) fn certificate_file_gone(path: &str) {
    emit!(OUR_RELOAD, WARN, 8,
        "The certificate file {path} is gone: what was loaded from it serves on, until the file is back."; path = path);
}

/// It is there again, after it was told that it is not; a reload follows.
pub(crate) fn certificate_file_back(path: &str) {
    emit!(OUR_RELOAD, INFO, 13, "The certificate file {path} is back, and read again."; path = path);
}

/// After one that was refused, a reload has found nothing to do: what is configured is what runs.
pub(crate) fn reload_works_again() {
    emit!(
        OUR_RELOAD,
        INFO,
        14,
        "The configuration can be reloaded again, and is as it is in effect: nothing that was refused is left in it."
    );
}

/// SIGHUP came, and the configuration was read again.
pub(crate) fn reloaded_by_hangup(outcome: &str) {
    emit!(OUR_RELOAD, INFO, 9, "The configuration was read again on SIGHUP: {outcome}."; outcome = outcome);
}

/// Certificates cannot be read: perhaps somebody is replacing them.
pub(crate) fn certificates_not_ready(seconds: u64, problems: &str) {
    emit!(OUR_RELOAD, WARN, 11,
        "A certificate cannot be served as its files are now. If they are being replaced, that passes: it is tried again for {seconds} seconds, and what runs goes on.",
        detail: problems; seconds = seconds);
}

/// They can be read after all.
pub(crate) fn certificates_ready() {
    emit!(OUR_RELOAD, INFO, 12, "The certificates can be served now.");
}

// ---- Stages of the pipeline -----------------------------------------------------------------

const HOST_FILTERING: &str = "Microsoft.AspNetCore.HostFiltering.HostFilteringMiddleware";

/// A request names no host, and passes.
pub(crate) fn missing_host_allowed() {
    emit!(HOST_FILTERING, DEBUG, 4, "The request passed: it names no host.");
}

pub(crate) fn host_allowed(host: &str) {
    emit!(HOST_FILTERING, TRACE, 5, "The host '{Host}' matches an allowed host."; Host = host);
}

pub(crate) fn host_not_allowed(host: &str) {
    emit!(HOST_FILTERING, INFO, 6, "The host '{Host}' does not match an allowed host."; Host = host);
}

const HSTS: &str = "Microsoft.AspNetCore.HttpsPolicy.HstsMiddleware";

pub(crate) fn hsts_is_not_for_clear_text() {
    emit!(HSTS, DEBUG, 1, "The request is insecure. Skipping HSTS header.");
}

pub(crate) fn hsts_excludes_host(host: &str) {
    emit!(HSTS, DEBUG, 2, "The host '{host}' is excluded. Skipping HSTS header."; host = host);
}

// ---- The app --------------------------------------------------------------------------------

const OUR_APP: &str = "Kestrel.App";

/// The app has ended by itself, and the host with it.
pub(crate) fn application_exited() {
    emit!(OUR_APP, INFO, 1, "The app has ended: the host stops.");
}

/// A task that runs beside the app panicked. Requests are answered as before.
pub(crate) fn background_task_panicked(message: &str) {
    emit!(OUR_APP, ERROR, 2, "A background task of the app panicked; it does not run any more.",
        detail: message);
}

/// Tasks of an app that is over did not end in time.
pub(crate) fn background_tasks_cut_off(count: usize) {
    emit!(OUR_APP, WARN, 3, "{Count} background task(s) of the app did not end in time and were cut off."; Count = count);
}

// Next free ids of our own: Kestrel.App 4, Kestrel.Certificates 7, Kestrel.Configuration 5, Kestrel.Endpoints 7,
// Kestrel.Logging 2, Kestrel.Reload 15, Kestrel.Server 11.
