//! Where a stage behind another leaves who the client is.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use http::Request;

/// A place in a request for what is known of it later, for stages that the request has gone through before: the
/// address that a proxy tells of, and the user who was let in.
#[derive(Clone, Debug, Default)]
pub(crate) struct LateFacts(Arc<Told>);

#[derive(Debug, Default)]
struct Told {
    client: OnceLock<SocketAddr>,
    user: OnceLock<Arc<str>>,
}

impl LateFacts {
    /// The place of a request, which is made for the first who asks.
    pub(crate) fn of<B>(request: &mut Request<B>) -> Self {
        request.extensions_mut().get_or_insert_default::<Self>().clone()
    }

    /// Tells whoever asked before; of each fact, the first that is told counts.
    pub(crate) fn tell<B>(
        request: &Request<B>,
        client: Option<SocketAddr>,
        user: Option<&Arc<str>>,
    ) {
        let Some(Self(told)) = request.extensions().get() else { return };
        if let Some(client) = client {
            let _ = told.client.set(client);
        }
        if let Some(user) = user {
            let _ = told.user.set(Arc::clone(user));
        }
    }

    pub(crate) fn client(&self) -> Option<SocketAddr> {
        self.0.client.get().copied()
    }

    pub(crate) fn user(&self) -> Option<&str> {
        self.0.user.get().map(|it| &**it)
    }
}
