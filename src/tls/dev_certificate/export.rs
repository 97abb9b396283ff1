//! The forms in which a certificate leaves the store.

use der::pem::{LineEnding, encode_string};

/// PEM form (RFC 7468) as .NET writes it: lines of 64 columns, no line end after the last one.
pub(super) fn pem(label: &'static str, der: &[u8]) -> String {
    // It fails only for labels that no label of ours is.
    let text = encode_string(label, LineEnding::LF, der).unwrap_or_default();
    text.trim_end().to_owned()
}
