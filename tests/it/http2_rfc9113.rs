//! What a client may and may not send, section by section (RFC 9113; RFC 7541 for headers).
//!
//! One table: the frames, and how a server has to react. Each row is played on a connection of its
//! own, in one piece and byte by byte. Sections that RFC 9113 has no more are named as in RFC 7540,
//! whose numbers outside judges use.

mod case;
mod compression;
mod frame_types;
mod framing;
mod requests;
mod shorthand;
mod streams;
mod windows;

use axum::Router;
use axum::body::Bytes;
use axum::routing::any;
use kestrel::ServerOptions;

use case::{Case, Pieces};

use crate::http2_frames::{GOAWAY, frame};
use crate::support::{Wire, soon, speaking, started, stopped};
use crate::tls_client::{Client, options, serving};

fn all() -> Vec<Case> {
    let mut all = framing::starting();
    all.extend(framing::frames());
    all.extend(streams::streams());
    all.extend(frame_types::data_and_headers());
    all.extend(frame_types::settings_and_pings());
    all.extend(windows::windows());
    all.extend(requests::requests());
    all.extend(compression::compression());
    all
}

/// Reads what it is sent, and says a little.
fn app() -> Router {
    Router::new().fallback(any(|body: Bytes| async move { format!("{} bytes came", body.len()) }))
}

/// Bodies that stand still, as those of a hundred open streams do, may do so for as long as a slow
/// machine needs.
fn patient(options: &mut ServerOptions) {
    options.limits.min_request_body_data_rate = None;
}

#[tokio::test]
async fn every_section_is_kept() {
    let host = started(speaking("Http2").app(app()).configure_kestrel(patient)).await;
    let address = host.addresses()[0].clone();
    let mut playing = tokio::task::JoinSet::new();
    for pieces in [Pieces::One, Pieces::Bytes] {
        for case in all() {
            let address = address.clone();
            playing.spawn(async move { case.play(Wire::connect(&address).await, pieces).await });
        }
    }
    let played = soon("all cases", playing.join_all()).await;
    let wrong: Vec<_> = played.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    stopped(host).await;
}

#[tokio::test]
async fn every_section_is_kept_over_tls() {
    let builder = serving(options()).configure_kestrel(|options| {
        patient(options);
        // The frames say `http`.
        options.allow_alternate_schemes = true;
    });
    let host = started(builder.app(app())).await;
    let address = host.addresses()[0].clone();
    let mut playing = tokio::task::JoinSet::new();
    for pieces in [Pieces::One, Pieces::Bytes] {
        for case in all() {
            let address = address.clone();
            playing.spawn(async move {
                let wire = Client::offering(&["h2"]).connect(&address).await;
                case.play(wire, pieces).await
            });
        }
    }
    let played = soon("all cases", playing.join_all()).await;
    let wrong: Vec<_> = played.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    stopped(host).await;
}

#[tokio::test]
async fn what_is_no_preface_ends_the_connection() {
    let host = started(speaking("Http2").app(app())).await;
    let mut wire = Wire::connect(&host.addresses()[0]).await;
    wire.send("INVALID CONNECTION PREFACE\r\n\r\n").await;
    let goaway = frame(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(wire.rest().await, goaway);
    stopped(host).await;
}
