//! What stands for secured endpoints in a build without the feature `tls`: there are none.

/// How the connections of an https endpoint are secured.
#[derive(Debug)]
pub(crate) enum EndpointTls {}
