//! What stands for secured connections to other servers in a build without the feature `tls`: there are none.

/// How connections to other servers are secured.
#[derive(Debug)]
pub(crate) enum ClientTls {}
