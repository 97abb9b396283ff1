//! Where an app finds the client's address.

use axum::extract::ConnectInfo;

use super::responder::Request;
use crate::features::EffectiveRequest;

/// Where an app looks for the client's address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ClientAddress {
    /// In the facts of the connection, or in what stages have put over them.
    #[default]
    InConnection,
    /// In axum's own extension, too, as rate limiters and other layers do: an allocation for each request.
    AsConnectInfo,
}

/// Tells the client's address in axum's own way. There is none to tell on a Unix socket.
pub(super) fn tell_client(request: &mut Request) {
    if let Some(client) = EffectiveRequest::of(request).client() {
        request.extensions_mut().insert(ConnectInfo(client));
    }
}
