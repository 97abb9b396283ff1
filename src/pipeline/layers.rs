//! Layers of tower's around whatever app there is.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::Route;
use tower_layer::Layer;
use tower_service::Service;

use super::client_address::ClientAddress;
use super::responder::{Handler, Request, Responder, Responding, Response};

/// The layers that a program puts around its app, the innermost first. Every app that is made gets them,
/// as it is put to use; without any, an app stays what it is.
#[derive(Clone, Default)]
pub(crate) struct Layers {
    layers: Vec<Arc<dyn Fn(Router) -> Router + Send + Sync>>,
    /// Where they, and the app, look for the client's address.
    pub(crate) client: ClientAddress,
}

impl Layers {
    /// Adds one around those that are there: whatever `Router::layer` takes.
    pub(crate) fn add<L>(&mut self, layer: L)
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        self.layers.push(Arc::new(move |app: Router| app.layer(layer.clone())));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// The app with the layers around it. They are around the app as a whole, not around each of its
    /// routes, as the layers of a router are: so each is there once, and sees a request before a route is
    /// chosen.
    pub(crate) fn around(&self, app: Responder) -> Responder {
        if self.is_empty() {
            return app;
        }
        let app = match app {
            Responder::Router(router) => Router::new().fallback_service(router),
            Responder::Handler(handler) => Router::new().fallback_service(OfHandler(handler)),
        };
        Responder::router(self.layers.iter().fold(app, |app, layer| layer(app)))
    }
}

/// A handler as a service of tower's.
#[derive(Clone)]
struct OfHandler(Arc<dyn Handler>);

impl Service<Request> for OfHandler {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let responding = Responding::from(self.0.call(request));
        Box::pin(async move { Ok(responding.await) })
    }
}
