//! The options of the server.

use super::limits::Limits;

/// How the server behaves. The defaults are Kestrel's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerOptions {
    /// Whether answers carry `Server: Kestrel`, unless the app sets a server of its own.
    /// Default: yes. Key: `Kestrel:AddServerHeader`.
    pub add_server_header: bool,
    /// The limits.
    pub limits: Limits,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self { add_server_header: true, limits: Limits::default() }
    }
}
