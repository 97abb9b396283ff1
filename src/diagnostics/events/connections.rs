//! Connections: accepted, served, refused, waited for.

use std::time::Duration;

use tracing::Level;

use super::categories::{BAD_REQUESTS, CONNECTIONS, OUR_SERVER, SOCKETS};
use crate::diagnostics::repeated::Telling;

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
