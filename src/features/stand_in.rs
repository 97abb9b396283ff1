//! Pages that this server has by itself.

/// Says of an answer, in its extensions, that its page is one that this server shows for want of a better one: a
/// page that the settings name stands in its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StandIn;
