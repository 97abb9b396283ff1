//! The fields of an answer that nobody has to take apart.

use bytes::Bytes;

/// The fields of an answer as lines: those that go on, and the length of the body among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldLines {
    /// `Name: value` in printable ASCII, each with its end.
    pub(crate) bytes: Bytes,
    /// What `Content-Length` says, which is more than 0.
    pub(crate) length: u64,
    pub(crate) has_date: bool,
    pub(crate) has_server: bool,
}
