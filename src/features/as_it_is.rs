//! Answers that another server has given.

/// Says of an answer, in its extensions, that it is meant as it is: whatever its status, no page of a site
/// stands in its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AsItIs;
