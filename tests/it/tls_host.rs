//! Hosts with one https endpoint, and an app that says what it knows of a connection.

use axum::Router;
use axum::routing::get;
use kestrel::tls::{SniOptions, TlsOptions};
use kestrel::{Connection, RunningHost, TlsHandshake};
use rustls::version::{TLS12, TLS13};

use crate::http2_frames::{DATA, Http2};
use crate::support::{Wire, started};
use crate::tls_client::{Tls, serving};

pub(crate) const VERSIONS: [(&[&rustls::SupportedProtocolVersion], &str); 2] =
    [(&[&TLS12], "Tls12"), (&[&TLS13], "Tls13")];

/// Says what it knows: scheme, version, name, protocol, whether there is a client's certificate.
async fn facts(connection: Connection, handshake: Option<TlsHandshake>) -> String {
    let Some(tls) = handshake else {
        return connection.scheme().as_str().to_owned();
    };
    assert_eq!(connection.tls(), Some(&tls));
    format!(
        "{} {} {} {} {}",
        connection.scheme().as_str(),
        tls.protocol(),
        tls.server_name().unwrap_or("-"),
        tls.application_protocol().unwrap_or("-"),
        tls.client_certificate_chain().count(),
    )
}

pub(crate) fn app() -> Router {
    Router::new().route("/", get(facts))
}

pub(crate) async fn host(options: TlsOptions) -> RunningHost {
    // The frames of these tests say `http`.
    let builder = serving(options).configure_kestrel(|options| {
        options.allow_alternate_schemes = true;
    });
    started(builder.app(app())).await
}

pub(crate) fn address(host: &RunningHost) -> String {
    host.addresses()[0].clone()
}

/// The body of an answer over HTTP/2.
pub(crate) async fn http2_body(wire: Wire<Tls>) -> String {
    let mut http2 = Http2::over(wire).await;
    http2.request(1, "/").await;
    let body = http2.next_of_kind(DATA).await.payload;
    String::from_utf8(body).expect("a text")
}

/// What is said of single names, and nothing of the others.
pub(crate) fn sections(sections: Vec<SniOptions>) -> TlsOptions {
    let mut options = TlsOptions::default();
    options.sni = sections;
    options
}

pub(crate) fn section(name: &str, change: impl FnOnce(&mut SniOptions)) -> SniOptions {
    let mut section = SniOptions::default();
    section.name = name.to_owned();
    change(&mut section);
    section
}
