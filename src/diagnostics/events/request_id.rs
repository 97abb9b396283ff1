//! How a request is named in a line.

/// The id of a request, as Kestrel makes it.
pub(super) struct RequestId<'a>(pub(super) &'a dyn std::fmt::Display, pub(super) u32);

impl std::fmt::Display for RequestId<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{:08X}", self.0, self.1)
    }
}
