//! Hands requests of routes on, and gives the answers of destinations.
//!
//! ```text
//! forward        one request, from its route to its answer
//! facts, fields, changed_fields, target
//!                what the destination is told: for whom it is, its fields, path and query. Pure
//! cluster, destination, load_balancing, slow_start, health, affinity
//!                which destination that is
//! unavailable    why there is none, and what to do about it
//! probes         destinations are asked how they do
//! upstreams      the clusters of a host, which outlive reloads
//! answer, error_answer, tunnel
//!                what comes back
//! one_server     a process of the host in the place of routes and clusters
//! policies       which ones routes name, for the stages before
//! lookout        answers of which clients take nothing
//! ```

mod affinity;
mod answer;
mod changed_fields;
mod cluster;
mod destination;
mod error_answer;
mod facts;
mod fields;
mod forward;
mod forwarding;
mod health;
#[cfg(any(test, fuzzing))]
pub(crate) mod invariants;
mod load_balancing;
mod lookout;
#[cfg(feature = "child-process")]
mod one_server;
mod policies;
mod probes;
mod route;
mod slow_start;
mod target;
mod tunnel;
mod unavailable;
mod upgrade;
mod upstreams;

use std::sync::Arc;

use axum::body::Body;
use http::header::{ALLOW, CONTENT_LENGTH};
use http::{HeaderValue, StatusCode};

use self::cluster::Cluster;
#[cfg(feature = "child-process")]
pub(crate) use self::error_answer::explained_answer;
use self::forward::forward;
#[cfg(feature = "child-process")]
pub(crate) use self::one_server::{OneServer, Speaking, Unanswered};
pub(crate) use self::policies::PoliciesOfRoutes;
use self::route::Route;
pub(crate) use self::upstreams::{Material, Upstreams};
use crate::apps::reverse_proxy::options::{ProxyOptions, RouteOptions};
use crate::apps::reverse_proxy::route_table::{Asked, Found, RouteTable};
use crate::diagnostics::events;
use crate::features::{AsItIs, RequestTarget};
use crate::pipeline::{Enter, Request, Responding, Response, Stage};

/// Hands requests on to other servers; those that match no route go on to the app. (What YARP's
/// `MapReverseProxy` is in ASP.NET Core.)
#[derive(Debug)]
pub(crate) struct ReverseProxy {
    table: RouteTable,
    routes: Box<[Arc<Route>]>,
    is_last: bool,
    marks_answers: bool,
}

impl ReverseProxy {
    /// With the clusters of the options, in their order.
    pub(crate) fn new(options: &ProxyOptions, clusters: &[Arc<Cluster>]) -> Self {
        let shown = options.shows_details;
        let route = |route: &RouteOptions| Route::new(route.clone(), clusters, shown);
        let routes = options.routes.iter().map(route);
        Self {
            table: RouteTable::new(&options.routes),
            routes: routes.collect(),
            is_last: options.is_last,
            marks_answers: options.marks_answers,
        }
    }
}

impl Stage for ReverseProxy {
    fn enter(&self, request: &mut Request) -> Enter {
        let path = RequestTarget::of(request).lent_path();
        let found = match self.table.find(Asked::of(request, &path)) {
            Found::Nothing if self.is_last => {
                return Enter::Answer(empty(StatusCode::NOT_FOUND, None));
            }
            Found::Nothing => return Enter::Next,
            Found::Route(place) => self.routes.get(place),
            Found::MethodNotAllowed(allow) => {
                return Enter::Answer(empty(StatusCode::METHOD_NOT_ALLOWED, Some(allow)));
            }
            Found::Ambiguous(places) => {
                let ids = places.iter().filter_map(|place| self.routes.get(*place));
                let ids: Vec<&str> = ids.map(|route| &*route.options.id).collect();
                events::ambiguous_routes(request.uri().path(), &ids.join(", "));
                return Enter::Answer(empty(StatusCode::INTERNAL_SERVER_ERROR, None));
            }
        };
        let Some(route) = found.map(Arc::clone) else { return Enter::Next };
        let request = std::mem::take(request);
        Enter::Taken(match self.marks_answers {
            true => Responding::later_parts(async {
                let (mut response, head) = forward(route, request).await;
                response.extensions_mut().insert(AsItIs);
                (response, head)
            }),
            false => Responding::later_parts(forward(route, request)),
        })
    }
}

fn empty(status: StatusCode, allow: Option<HeaderValue>) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    if let Some(allow) = allow {
        response.headers_mut().insert(ALLOW, allow);
    }
    response
}

#[cfg(test)]
mod tests;
