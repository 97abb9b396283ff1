//! What stands for the TLS handshake in a build without the feature `tls`: no endpoint is secured.

use super::drain::Watch;
use super::io::Socket;
use super::ready::Ready;
use super::serving::Serving;
use crate::features::Connection;
use crate::tls::EndpointTls;

/// There is nobody to do one for.
pub(super) async fn handshake<S: Socket>(
    _: S,
    _: Connection,
    tls: &EndpointTls,
    _: &Serving,
    _: &mut Watch,
) -> Option<Ready<S>> {
    match *tls {}
}
