//! Stages of the pipeline, and limits of routes.

use super::categories::{HOST_FILTERING, HSTS, ROUTING};

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
pub(crate) fn missing_host_allowed() {
    emit!(HOST_FILTERING, DEBUG, 4, "The request passed: it names no host.");
}

pub(crate) fn host_allowed(host: &str) {
    emit!(HOST_FILTERING, TRACE, 5, "The host '{Host}' matches an allowed host."; Host = host);
}

pub(crate) fn host_not_allowed(host: &str) {
    emit!(HOST_FILTERING, INFO, 6, "The host '{Host}' does not match an allowed host."; Host = host);
}

pub(crate) fn hsts_is_not_for_clear_text() {
    emit!(HSTS, DEBUG, 1, "The request is insecure. Skipping HSTS header.");
}

pub(crate) fn hsts_excludes_host(host: &str) {
    emit!(HSTS, DEBUG, 2, "The host '{host}' is excluded. Skipping HSTS header."; host = host);
}
