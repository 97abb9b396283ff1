//! Several sites on one address, told apart by host and path (`Sites`).
//!
//! A site is a pipeline of its own: its stages, and behind them nothing, so that what none of them answers is
//! not found. Which site a request is for is decided by [`SiteTable`], by the precedence that HTTP.sys has. A request
//! for none of them goes on.

mod site_host;
mod site_table;

use std::sync::Arc;

use axum::body::Body;
use http::StatusCode;
use http::header::{CONTENT_LENGTH, HeaderValue};

pub(crate) use self::site_host::{HostPattern, SiteHost};
use self::site_table::AskedSite;
pub(crate) use self::site_table::{SitePlace, SiteTable};
use crate::features::{Connection, EffectiveRequest, Local, RequestTarget, without_port};
use crate::pipeline::{
    Answering, ClientAddress, Enter, Handler, InUse, Pipeline, Request, Responder, Response, Stage,
};

/// Sends a request to the site that it is for.
#[derive(Debug)]
pub(crate) struct Sites {
    table: SiteTable,
    /// What requests for each site go through, in the order of the table's numbers.
    ways: Box<[Arc<Pipeline>]>,
    /// Whether nothing answers what is for none of them: then it is not found.
    is_last: bool,
}

impl Sites {
    /// With what requests go through, for each of the sites of the table.
    pub(crate) fn new(
        table: SiteTable,
        stages: impl IntoIterator<Item = Box<[Box<dyn Stage>]>>,
        is_last: bool,
    ) -> Self {
        let way = |stages| {
            let responder = Responder::Handler(Arc::new(Nothing));
            let (nothing, _) = InUse::new(responder, ClientAddress::InConnection);
            Arc::new(Pipeline::new(stages, nothing))
        };
        Self { table, ways: stages.into_iter().map(way).collect(), is_last }
    }

    fn of(&self, request: &Request) -> Option<&Arc<Pipeline>> {
        self.ways.get(self.table.site_of(request)?)
    }
}

impl SiteTable {
    /// The number of the site that a request is for.
    pub(crate) fn site_of(&self, request: &Request) -> Option<usize> {
        let host = EffectiveRequest::of(request).host();
        let bare = without_port(host);
        let local = request
            .extensions()
            .get::<Connection>()
            .and_then(Connection::local)
            .map(|Local(local)| local);
        // Where the connection has no port, as on a Unix socket, the one that was asked for counts.
        let asked = || host.get(bare.len() + 1..).and_then(|port| port.parse().ok());
        self.find(AskedSite {
            host: bare,
            port: local.map(|it| it.port()).or_else(asked),
            address: local.map(|it| it.ip()),
            path: &|| RequestTarget::of(request).lent_path(),
        })
    }
}

impl Stage for Sites {
    fn enter(&self, request: &mut Request) -> Enter {
        match self.of(request).map(Arc::clone) {
            Some(way) => Enter::Around(Box::new(move |request, _| way.call(request))),
            None if self.is_last => Enter::Answer(not_found()),
            None => Enter::Next,
        }
    }

    fn is_noise(&self, request: &Request) -> bool {
        self.of(request).is_some_and(|way| way.is_noise(request))
    }

    /// The stages of the site do.
    fn knows_files(&self) -> bool {
        true
    }
}

/// What answers where no stage of a site does.
struct Nothing;

impl Handler for Nothing {
    fn call(&self, _: Request) -> Answering {
        Answering::Ready(not_found())
    }
}

fn not_found() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    response
}

#[cfg(test)]
mod tests;
