//! Stages of the pipeline, and limits of routes.

use super::categories::{
    CORS, DEVELOPER_PAGE, EXCEPTION_HANDLER, FORWARDED_HEADERS, HOST_FILTERING, HSTS,
    HTTPS_REDIRECTION, IIS_INTEGRATION, OUR_PIPELINE, RATE_LIMITING, REQUEST_DECOMPRESSION,
    REQUEST_TIMEOUTS, REWRITE, ROUTING,
};
use crate::diagnostics::repeated::Telling;

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

/// A request names no host, and passes.
pub(crate) fn missing_host_allowed(version: http::Version) {
    emit!(HOST_FILTERING, DEBUG, 4, "{Protocol} request allowed with missing or empty host header.";
        Protocol = protocol_name(version));
}

/// A version of HTTP as ASP.NET Core names it.
pub(crate) fn protocol_name(version: http::Version) -> &'static str {
    match version {
        http::Version::HTTP_09 => "HTTP/0.9",
        http::Version::HTTP_10 => "HTTP/1.0",
        http::Version::HTTP_2 => "HTTP/2",
        http::Version::HTTP_3 => "HTTP/3",
        _ => "HTTP/1.1",
    }
}

pub(crate) fn host_allowed(host: &str) {
    emit!(HOST_FILTERING, TRACE, 5, "The host '{Host}' matches an allowed host."; Host = host);
}

pub(crate) fn host_not_allowed(host: &str) {
    emit!(HOST_FILTERING, INFO, 6, "The host '{Host}' does not match an allowed host."; Host = host);
}

/// A request does not come from the process manager that has started this process. Neither token is told: that of
/// the process is a secret, and what was sent may be the one of another.
pub(crate) fn pairing_token_does_not_match() {
    emit!(
        IIS_INTEGRATION,
        ERROR,
        0,
        "'MS-ASPNETCORE-TOKEN' does not match the expected pairing token, request rejected."
    );
}

/// Who tells of a request is none of the proxies that are believed.
pub(crate) fn unknown_proxy(address: &dyn std::fmt::Display) {
    emit!(FORWARDED_HEADERS, DEBUG, 1, "Unknown proxy: {RemoteIpAndPort}";
        RemoteIpAndPort = tracing::field::display(address));
}

/// The same, once for each that connects: it may be a proxy that nobody has named.
pub(crate) fn stranger_not_believed(address: std::net::IpAddr, header: &str) {
    emit!(OUR_PIPELINE, INFO, 5,
        "{Address} is no known proxy, and what it tells in {Header} is not believed. If it is one of yours, add it to ForwardedHeaders:KnownProxies.";
        Address = tracing::field::display(address), Header = header);
}

pub(crate) fn forwarded_address_not_read(text: &str) {
    emit!(FORWARDED_HEADERS, DEBUG, 1, "Unparsable IP: {IpAndPortText}"; IpAndPortText = text);
}

/// Two headers of proxies have not as many members, and have to.
pub(crate) fn forwarded_headers_mismatch(one: &str, other: &str, telling: Telling) {
    match telling {
        Telling::Now { more } => emit!(FORWARDED_HEADERS, WARN, 1,
            "Parameter count mismatch between {Other} and {One}: nothing of it is believed. Told since this was told last: {More}.";
            Other = other, One = one, More = more),
        Telling::Counted => emit!(FORWARDED_HEADERS, DEBUG, 1,
            "Parameter count mismatch between {Other} and {One}: nothing of it is believed."; Other = other, One = one),
    }
}

/// A proxy's header has a member that cannot be meant, and each has to be good.
pub(crate) fn forwarded_header_not_taken(name: &str, telling: Telling) {
    match telling {
        Telling::Now { more } => emit!(FORWARDED_HEADERS, WARN, 3,
            "{Header} has a value that is not taken, and RequireHeaderSymmetry is set: nothing of it is believed. Told since this was told last: {More}.";
            Header = name, More = more),
        Telling::Counted => emit!(FORWARDED_HEADERS, DEBUG, 3,
            "{Header} has a value that is not taken, and RequireHeaderSymmetry is set: nothing of it is believed.";
            Header = name),
    }
}

pub(crate) fn hsts_is_not_for_clear_text() {
    emit!(HSTS, DEBUG, 1, "The request is insecure. Skipping HSTS header.");
}

pub(crate) fn hsts_excludes_host(host: &str) {
    emit!(HSTS, DEBUG, 2, "The host '{host}' is excluded. Skipping HSTS header."; host = host);
}

pub(crate) fn redirected_to_https(location: &str) {
    emit!(HTTPS_REDIRECTION, DEBUG, 1, "Redirecting to '{redirect}'."; redirect = location);
}

pub(crate) fn https_port_of_configuration(port: u16) {
    emit!(HTTPS_REDIRECTION, DEBUG, 2, "Https port '{port}' loaded from configuration."; port = port);
}

/// Nothing is redirected, because nobody knows where to.
pub(crate) fn https_port_unknown() {
    emit!(
        HTTPS_REDIRECTION,
        WARN,
        3,
        "Failed to determine the https port for redirect: requests are served in clear text. \
         Set HttpsRedirection:HttpsPort, or listen on an address of https."
    );
}

pub(crate) fn https_port_of_endpoint(port: u16) {
    emit!(HTTPS_REDIRECTION, DEBUG, 5, "Https port '{httpsPort}' discovered from server endpoints."; httpsPort = port);
}

/// Endpoints speak https on several ports, and requests are sent to the first.
pub(crate) fn several_https_ports(port: u16) {
    emit!(OUR_PIPELINE, WARN, 1,
        "Endpoints speak https on several ports: requests in clear text are sent to {Port}, the first. \
         HttpsRedirection:HttpsPort names another one."; Port = port);
}

/// A client gave a user and a password that do not belong together.
pub(crate) fn not_let_in(client: &str, user: &str) {
    emit!(OUR_PIPELINE, INFO, 4, "{Client} was not let in as '{User}'."; Client = client, User = user);
}

/// The address of a client is not one that passes. Anybody may bring it about, so it is told once a minute.
pub(crate) fn address_not_let_in(client: &str, telling: Telling) {
    match telling {
        Telling::Now { more } => emit!(OUR_PIPELINE, INFO, 6,
            "{Client} is not let in by its address. Told since this was told last: {More}.";
            Client = client, More = more),
        Telling::Counted => {
            emit!(OUR_PIPELINE, DEBUG, 6, "{Client} is not let in by its address."; Client = client)
        }
    }
}

/// Somebody who is believed tells of a client in a way that cannot be taken, and an address is asked for.
pub(crate) fn unread_client_not_let_in(proxy: &str, telling: Telling) {
    match telling {
        Telling::Now { more } => emit!(OUR_PIPELINE, INFO, 7,
            "{Proxy} tells of a client in a way that cannot be taken: it is not let in, as nobody knows its address (AddressFilter). Told since this was told last: {More}.";
            Proxy = proxy, More = more),
        Telling::Counted => emit!(OUR_PIPELINE, DEBUG, 7,
            "{Proxy} tells of a client in a way that cannot be taken: it is not let in.";
            Proxy = proxy),
    }
}

/// Who tells of clients is not believed, and clients pass by their addresses: all of them have the one of the proxy, if
/// it is one. Once for each.
pub(crate) fn stranger_is_filtered(proxy: &str, remedy: &str, header: &str) {
    emit!(OUR_PIPELINE, WARN, 8,
        "AddressFilter goes by the address of {Proxy}, and not by that of the client that it tells in {Header}: it is not believed. If it is a proxy of yours, {Remedy}.";
        Proxy = proxy, Header = header, Remedy = remedy);
}

/// Who tells that a client came by https is not believed, and the client is sent there once more: it comes the same
/// way again. Once for each.
pub(crate) fn stranger_is_redirected(proxy: &str, remedy: &str, header: &str) {
    emit!(OUR_PIPELINE, WARN, 10,
        "HttpsRedirection sends a request of {Proxy} to https, although it tells in {Header} that its client came by it: it is not believed, and the client is sent in a circle. If it is a proxy of yours, {Remedy}.";
        Proxy = proxy, Header = header, Remedy = remedy);
}

/// The app failed, and another answer stands in the place of its own.
pub(crate) fn unhandled_by_app(error: &str) {
    emit!(EXCEPTION_HANDLER, ERROR, 1, "An unhandled exception has occurred while executing the request.", detail: error);
}

pub(crate) fn unhandled_for_developer(error: &str) {
    emit!(DEVELOPER_PAGE, ERROR, 1, "An unhandled exception has occurred while executing the request.", detail: error);
}

/// The page for failures is not there.
pub(crate) fn error_page_missing(path: &str) {
    emit!(OUR_PIPELINE, WARN, 2,
        "The app answers 404 at {Path}, which ExceptionHandler:Path names as the page for failures: clients get an empty 500.";
        Path = path);
}

/// The page for a status is not there, which may be meant so: of `/{0}.html`, not every file has to be.
pub(crate) fn status_page_missing(path: &str, found: u16, status: u16) {
    emit!(OUR_PIPELINE, DEBUG, 9,
        "There is no page at {Path} for the status {StatusCode} (StatusCodePages:ReExecute): it answers {Found}, and the answer is sent without.";
        Path = path, StatusCode = u64::from(status), Found = u64::from(found));
}

/// The page for failures has failed.
pub(crate) fn error_page_failed(path: &str, error: &str) {
    emit!(OUR_PIPELINE, ERROR, 3,
        "The page for failures at {Path} (ExceptionHandler:Path) has failed, too: clients get an empty 500.",
        detail: error; Path = path);
}

/// A request is beyond a limit, which anybody can bring about as often as they like.
pub(crate) fn rate_limit_exceeded(policy: &str, status: u16, telling: Telling) {
    match telling {
        Telling::Now { more } => emit!(RATE_LIMITING, WARN, 1,
            "Rate limit exceeded, rejecting this request with {StatusCode}: {Policy}. Told since this was told last: {More}.";
            StatusCode = u64::from(status), Policy = policy, More = more),
        Telling::Counted => emit!(RATE_LIMITING, DEBUG, 1,
            "Rate limit exceeded, rejecting this request with {StatusCode}: {Policy}.";
            StatusCode = u64::from(status), Policy = policy),
    }
}

/// An app took too long to begin its answer. Clients may bring it about, so it is told once a minute.
pub(crate) fn request_timed_out(path: &str, seconds: f64, telling: Telling) {
    match telling {
        Telling::Now { more } => emit!(REQUEST_TIMEOUTS, WARN, 1,
            "Timeout exception handled. There was no answer to {Path} within {Seconds} seconds. Told since this was told last: {More}.";
            Path = path, Seconds = seconds, More = more),
        Telling::Counted => emit!(REQUEST_TIMEOUTS, DEBUG, 1,
            "Timeout exception handled. There was no answer to {Path} within {Seconds} seconds.";
            Path = path, Seconds = seconds),
    }
}

pub(crate) fn preflight_request() {
    emit!(CORS, DEBUG, 1, "The request is a preflight request.");
}

pub(crate) fn request_of_origin(origin: &str) {
    emit!(CORS, DEBUG, 2, "The request has an origin header: '{origin}'."; origin = origin);
}

/// A page may read the answer. (Information on ASP.NET Core, for every request.)
pub(crate) fn origin_allowed() {
    emit!(CORS, DEBUG, 4, "CORS policy execution successful.");
}

/// A page may not. (Information on ASP.NET Core; any client could fill the log with it.)
pub(crate) fn origin_not_allowed(origin: &str) {
    emit!(CORS, DEBUG, 6, "Request origin {origin} does not have permission to access the resource."; origin = origin);
}

pub(crate) fn request_not_compressed() {
    emit!(
        REQUEST_DECOMPRESSION,
        TRACE,
        1,
        "The Content-Encoding header is empty or not specified. Skipping request decompression."
    );
}

pub(crate) fn request_compressed_several_times() {
    emit!(
        REQUEST_DECOMPRESSION,
        DEBUG,
        2,
        "Request decompression is not supported for multiple Content-Encodings."
    );
}

pub(crate) fn request_compressed_otherwise() {
    emit!(REQUEST_DECOMPRESSION, DEBUG, 3, "No matching request decompression provider found.");
}

pub(crate) fn request_is_decompressed(coding: &'static str) {
    emit!(REQUEST_DECOMPRESSION, DEBUG, 4, "The request will be decompressed with '{ContentEncoding}'.";
        ContentEncoding = coding);
}

pub(crate) fn redirected_by_rule(location: &str, status: u16) {
    emit!(REWRITE, DEBUG, 2,
        "Request is done processing. Location header '{Location}' with status code '{StatusCode}'.";
        Location = location, StatusCode = status);
}

pub(crate) fn rewritten(path: &str) {
    emit!(REWRITE, DEBUG, 3, "Request is done applying rules. Url was rewritten to {rewrittenUrl}"; rewrittenUrl = path);
}
