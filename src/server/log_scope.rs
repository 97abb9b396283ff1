//! The log scope of a request: its ids, for the lines written while it is answered.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use http::Request;
use tracing::Span;

use crate::diagnostics::events;
use crate::features::Connection;

/// The scope of a request; nothing is made where no scopes are logged.
pub(super) fn of_request<B>(
    connection_scope: &Span,
    request: &Request<B>,
    connection: &Connection,
    number: u32,
) -> Span {
    if !events::scopes_are_logged() {
        return Span::none();
    }
    let told =
        request.headers().get("traceparent").and_then(|value| trace_parent(value.to_str().ok()?));
    let (trace_id, parent_id) = match told {
        Some((trace, parent)) => (trace.to_owned(), parent.to_owned()),
        None => (format!("{:016x}{:016x}", random(), random()), "0".repeat(16)),
    };
    let span_id = format!("{:016x}", random());
    let request_id = format!("{}:{number:08X}", connection.id());
    events::request_scope(
        connection_scope,
        [&trace_id, &span_id, &parent_id],
        request.uri().path(),
        &request_id,
    )
}

/// The trace and the parent that a W3C `traceparent` header names (version 00).
fn trace_parent(header: &str) -> Option<(&str, &str)> {
    let mut parts = header.split('-');
    let (version, trace, parent, _flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hexadecimal = |text: &str, length| {
        text.len() == length
            && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            && text.bytes().any(|byte| byte != b'0')
    };
    (version == "00" && hexadecimal(trace, 32) && hexadecimal(parent, 16))
        .then_some((trace, parent))
}

/// A number that no other process or request has: enough for telling traces apart, not a secret.
fn random() -> u64 {
    static STATE: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    STATE.hash_one(COUNTER.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_parent_is_taken_only_if_it_is_well_formed() {
        let (trace, parent) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
        for (header, taken) in [
            (format!("00-{trace}-{parent}-01"), true),
            (format!("ff-{trace}-{parent}-01"), false),
            (format!("00-{}-{parent}-01", "0".repeat(32)), false),
            (format!("00-{trace}-{parent}"), false),
            (format!("00-{}-{parent}-01", trace.to_uppercase()), false),
            (String::new(), false),
        ] {
            assert_eq!(trace_parent(&header), taken.then_some((trace, parent)), "{header}");
        }
    }
}
