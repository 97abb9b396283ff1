//! What the page tells about the server it runs on.

use crate::features::ServerAddresses;

/// What the page tells about the server it runs on.
#[derive(Clone, Debug)]
pub struct Welcome {
    /// The name of the environment, such as `Development`.
    pub environment: String,
    /// The bound addresses. They are read anew for each request, so an app that is built before
    /// the server binds still shows them.
    pub addresses: ServerAddresses,
    /// The version of the server.
    pub version: &'static str,
}
