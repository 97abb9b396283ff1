//! A server that gets whole requests, without routes, and without others beside it: a process of this host.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};

use super::cluster::Cluster;
use super::destination::Destination;
use super::forwarding::Forwarding;
use super::route::Route;
use crate::apps::reverse_proxy::options::{
    AvailableDestinations, ClientOptions, ClusterOptions, DestinationAddress, DestinationOptions,
    HttpVersion, LoadBalancing, Metadata, RequestOptions, RouteMatch, RouteOptions, VersionPolicy,
};
use crate::apps::reverse_proxy::transform_options::Transforms;
use crate::pipeline::{Request, Response};
use crate::upstream::{Answer, Client, ClientSettings, Failure, FailureKind, Outgoing, Owner};

/// One server, with its connections.
#[derive(Debug)]
pub(crate) struct OneServer {
    route: Arc<Route>,
    cluster: Arc<Cluster>,
    destination: Arc<Destination>,
}

/// A request that has no answer.
#[derive(Debug)]
pub(crate) struct Unanswered {
    pub(crate) failure: Failure,
    /// The request, if it may be sent elsewhere: nothing of it has left; or it may be asked for twice, has no body,
    /// and the connection was lost.
    pub(crate) request: Option<Request>,
    /// Whether nothing of it has left.
    pub(crate) is_unsent: bool,
}

/// How a server is spoken to.
#[derive(Clone, Debug)]
pub(crate) struct Speaking {
    /// Whether in HTTP/2 by prior knowledge. Else in HTTP/1.1.
    pub(crate) http2: bool,
    /// How long nothing may happen.
    pub(crate) activity_timeout: Duration,
    /// Whose a Unix socket has to be, if that is not known by its place.
    pub(crate) unix_user: Option<u32>,
    /// Who says at each connection whether it is still there.
    pub(crate) owner: Option<Arc<dyn Owner>>,
}

impl OneServer {
    /// The server at an address. Its name is for the log. It is told the host that the client named, and who that is.
    pub(crate) fn new(name: &str, address: DestinationAddress, speaking: Speaking) -> Self {
        let transforms = Transforms { original_host: true, ..Transforms::default() };
        let settings = ClientSettings {
            unix_user: speaking.unix_user,
            owner: speaking.owner.clone(),
            ..ClientSettings::default()
        };
        let cluster = Cluster::new(
            cluster_options(name, &speaking),
            Client::new(settings, Arc::default()),
            Box::new([]),
            &[],
        );
        let options = DestinationOptions {
            name: name.to_owned(),
            address,
            health: None,
            host: None,
            metadata: Metadata::default(),
        };
        let destination = Arc::new(Destination::new(options, &cluster.client, None));
        let options = route_options(name, transforms);
        // Whoever asks it explains what becomes of a request.
        let route = Route::new(options, std::slice::from_ref(&cluster), false);
        Self { route, cluster, destination }
    }

    /// Hands a request on.
    ///
    /// # Errors
    ///
    /// The server gave no answer, which nobody was told.
    pub(crate) fn forward(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<Response, Unanswered>> + Send + 'static + use<> {
        let forwarding = Forwarding {
            route: Arc::clone(&self.route),
            cluster: Arc::clone(&self.cluster),
            destination: Arc::clone(&self.destination),
            takes_lines: false,
        };
        let (mut parts, body) = request.into_parts();
        let is_repeatable = parts.method.is_idempotent() && http_body::Body::is_end_stream(&body);
        async move {
            let mut failure = match pin!(forwarding.run_here(&mut parts, body)).await {
                Ok(response) => return Ok(response),
                Err(failure) => failure,
            };
            let is_unsent = failure.is_unsent();
            let body = failure.take_body().unwrap_or_default();
            let kinds = [FailureKind::Reset, FailureKind::Ended, FailureKind::Refused];
            let again = is_unsent || is_repeatable && kinds.contains(&failure.kind());
            let request = again.then(|| Request::from_parts(parts, body));
            Err(Unanswered { failure, request, is_unsent })
        }
    }

    /// Asks for a path with these fields, and gives the status.
    ///
    /// # Errors
    ///
    /// There is no answer.
    pub(crate) async fn ask(
        &self,
        (method, path): (&Method, &str),
        fields: &HeaderMap,
        timeout: Duration,
    ) -> Result<StatusCode, String> {
        let mut outgoing = Outgoing {
            method,
            target: path.as_bytes(),
            host: self.destination.host.as_bytes(),
            fields,
            content: None,
            upgrade: None,
            version: self.cluster.version,
            activity_timeout: timeout,
            takes: &|_| false,
            leaves_lines: None,
        };
        match self.destination.server.send(&mut outgoing, &mut |_, _| {}).await {
            Ok(Answer::Response(response)) => Ok(response.status()),
            Ok(Answer::Lines(response, _)) => Ok(response.status()),
            Ok(Answer::Upgraded(..)) => Err("it answered with another protocol".to_owned()),
            Err(failure) => Err(failure.to_string()),
        }
    }

    /// How many requests it has, to the ends of their answers.
    pub(crate) fn under_way(&self) -> usize {
        self.destination.kept.under_way.load(Ordering::Relaxed)
    }

    /// Ends the connections that nobody uses; the others end with their requests.
    pub(crate) fn close(&self) {
        self.destination.server.close();
    }
}

fn cluster_options(name: &str, speaking: &Speaking) -> ClusterOptions {
    let version = if speaking.http2 { HttpVersion::Http2 } else { HttpVersion::Http11 };
    ClusterOptions {
        id: name.to_owned(),
        destinations: Vec::new(),
        load_balancing: LoadBalancing::default(),
        slow_start: None,
        retry: false,
        affinity: None,
        available: AvailableDestinations::default(),
        active_check: None,
        passive_check: None,
        client: ClientOptions::default(),
        request: RequestOptions {
            activity_timeout: speaking.activity_timeout,
            version,
            version_policy: VersionPolicy::Exact,
        },
        metadata: Metadata::default(),
    }
}

fn route_options(name: &str, transforms: Transforms) -> RouteOptions {
    RouteOptions {
        id: name.to_owned(),
        order: 0,
        cluster: Some(0),
        matching: RouteMatch::default(),
        timeout: None,
        timeout_policy: None,
        rate_limiter_policy: None,
        cors_policy: None,
        max_request_body_size: None,
        metadata: Metadata::default(),
        transforms,
    }
}
