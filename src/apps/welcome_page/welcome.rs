//! What the page tells about the server it runs on.

use crate::features::ServerAddresses;

/// What the page tells about the server it runs on.
#[derive(Clone, Debug)]
pub(crate) struct Welcome {
    /// The name of the environment, such as `Development`.
    pub(crate) environment: String,
    /// The bound addresses. They are read anew for each request, so an app that is built before
    /// the server binds still shows them.
    pub(crate) addresses: ServerAddresses,
    /// The version of the server.
    pub(crate) version: &'static str,
}
