//! What a handshake leaves, for the stream that goes on with it.

use bytes::BytesMut;
use rustls::server::UnbufferedServerConnection;

use crate::features::{HttpProtocols, TlsHandshake};

/// A handshake that is done.
pub(crate) struct Accepted {
    pub(super) session: Box<UnbufferedServerConnection>,
    /// What came behind it and is not looked at: half a record.
    pub(super) incoming: BytesMut,
    /// What came behind it and is decrypted.
    pub(super) plaintext: BytesMut,
    /// The client will send no more.
    pub(super) ended: bool,
    /// What it settled.
    pub(crate) handshake: TlsHandshake,
    /// The versions of HTTP of the section of `Sni` that is meant, or of the endpoint.
    pub(crate) protocols: HttpProtocols,
}
