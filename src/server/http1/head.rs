//! The head of a request: request line and header lines (RFC 9112 sections 2 to 6).
//!
//! In go the bytes as they arrive and the rules; out comes where the head ends and how its body is
//! framed, or why it is rejected. The scan goes over the bytes once, however they are split, and
//! copies none, unless hyper has to be given another head than the client sent. It accepts nothing
//! that hyper would frame differently.

mod characters;
mod framing;
mod scan;

#[cfg(feature = "proxy")]
pub(crate) use characters::plain_length;
pub(crate) use characters::{is_token, trimmed};
pub(crate) use framing::Framing;
pub(super) use scan::MOST_HEADERS;
#[cfg(any(test, fuzzing))]
pub(crate) use scan::Rewritten;
pub(crate) use scan::{Head, Progress, Rules, Scan, Upgrade};

#[cfg(test)]
mod tests;
