//! Which endpoints there are, and what comes to them that they do not speak.

use super::categories::{HOSTING, KESTREL, OUR_ENDPOINTS};
use crate::diagnostics::notice::Notice;

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

pub(crate) fn no_protocol() {
    emit!(KESTREL, ERROR, 0, "An endpoint must be configured to serve at least one protocol.");
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
