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
    /// Which certificate stands for each: sites with one number have the same.
    certificates: Box<[Option<usize>]>,
    /// Whether nothing answers what is for none of them: then it is not found.
    is_last: bool,
}

impl Sites {
    /// With what requests go through for each of the sites of the table, and the number of its certificate, if it has
    /// one of its own.
    pub(crate) fn new(
        table: SiteTable,
        sites: impl IntoIterator<Item = (Box<[Box<dyn Stage>]>, Option<usize>)>,
        is_last: bool,
    ) -> Self {
        let way = |(stages, certificate)| {
            let responder = Responder::Handler(Arc::new(Nothing));
            let (nothing, _) = InUse::new(responder, ClientAddress::InConnection);
            (Arc::new(Pipeline::new(stages, nothing)), certificate)
        };
        let (ways, certificates): (Vec<_>, Vec<_>) = sites.into_iter().map(way).unzip();
        let (ways, certificates) = (ways.into(), certificates.into());
        Self { table, ways, certificates, is_last }
    }

    fn of(&self, request: &Request) -> Option<&Arc<Pipeline>> {
        self.ways.get(self.table.site_of(request)?)
    }

    /// Whether the client was shown the certificate of another site: what its handshake had to come to there, such as
    /// a certificate of its own, it has not come to for this one. (RFC 9110 section 15.5.20.)
    fn is_misdirected(&self, request: &Request, site: usize) -> bool {
        let certificate = |site: usize| self.certificates.get(site).copied().flatten();
        let shown = || {
            let connection = request.extensions().get::<Connection>()?;
            let name = connection.tls()?.server_name()?;
            let port = connection.local().map_or(0, |Local(local)| local.port());
            certificate(self.table.of_host(name, port)?)
        };
        certificate(site).is_some_and(|own| shown().is_some_and(|shown| shown != own))
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
        let Some(site) = self.table.site_of(request) else {
            return match self.is_last {
                true => Enter::Answer(empty(StatusCode::NOT_FOUND)),
                false => Enter::Next,
            };
        };
        if self.is_misdirected(request, site) {
            return Enter::Answer(empty(StatusCode::MISDIRECTED_REQUEST));
        }
        let Some(way) = self.ways.get(site).map(Arc::clone) else { return Enter::Next };
        Enter::Taken(way.call(std::mem::take(request)))
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
        Answering::Ready(empty(StatusCode::NOT_FOUND))
    }
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    response
}

#[cfg(test)]
mod tests;
