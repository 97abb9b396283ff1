//! One connection, from the first byte to the last.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::Router;
use hyper_util::rt::TokioExecutor;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::activity::Activity;
use super::drain::{Phase, Watch};
use super::io::{Socket, Stream};
use super::clock::TICK;
use super::options::ServerOptions;
use super::protocol::{self, FirstBytes};
use super::slot::Slot;
use super::request::RequestService;
use super::{http1, http2};
use crate::addresses::HttpProtocols;
use crate::diagnostics::events;
use crate::features::Connection;

/// What all connections share.
#[derive(Debug)]
pub(super) struct Context {
    options: ServerOptions,
    app: Router,
    /// How many connections are upgraded.
    upgraded: Arc<AtomicU64>,
    pub(super) http1: hyper::server::conn::http1::Builder,
    pub(super) http2: hyper::server::conn::http2::Builder<TokioExecutor>,
}

impl Context {
    pub(super) fn new(options: ServerOptions, app: Router) -> Arc<Self> {
        // Makes the app's handlers into services now, and not again for every request.
        let app = app.with_state(());
        let (http1, http2) = (http1::builder(&options), http2::builder(&options));
        Arc::new(Self { options, app, upgraded: Arc::default(), http1, http2 })
    }

    pub(super) fn options(&self) -> &ServerOptions {
        &self.options
    }

    pub(super) fn upgraded(&self) -> &Arc<AtomicU64> {
        &self.upgraded
    }

    pub(super) fn app(&self) -> &Router {
        &self.app
    }
}

/// Serves a connection until it ends. The stop waits for `watch`, the endpoint's limit for `slot`.
pub(super) async fn serve<S: Socket>(
    socket: S,
    facts: Connection,
    protocols: HttpProtocols,
    context: Arc<Context>,
    mut watch: Watch,
    slot: Slot,
) {
    let id = facts.id();
    events::connection_started(&id);
    let mut stream = Stream::new(socket, watch.clone());
    // A connection that has not said what it wants yet is idle: the stop ends it at once.
    let spoken = tokio::select! {
        biased;
        () = watch.reached(Phase::Stopping) => None,
        spoken = spoken(&mut stream, protocols, &context) => spoken,
    };
    match spoken {
        Some(Spoken::Http1) => {
            http1::serve(stream, facts, Arc::clone(&context), watch, slot).await;
        }
        Some(Spoken::Http2) => {
            let (service, activity) = service(facts, &context, &watch);
            http2::serve(stream, service, &activity, &context, &mut watch, &id).await;
        }
        Some(Spoken::Wrong(answer)) => {
            if answer == protocol::GOAWAY_HTTP_1_1_REQUIRED {
                events::wrong_version(&id, "HTTP/1.x", "HTTP/2");
            } else {
                events::wrong_version(&id, "HTTP/2", "HTTP/1.x");
            }
            let written = async {
                stream.socket().write_all(answer).await?;
                stream.socket().shutdown().await
            };
            // The peer may be gone; there is nobody else to tell.
            let _ = timeout(context.options.limits.request_headers_timeout, written).await;
        }
        None => {}
    }
    events::connection_stopped(&id);
}

fn service(
    facts: Connection,
    context: &Arc<Context>,
    watch: &Watch,
) -> (RequestService, Arc<Activity>) {
    let activity = Activity::new(facts.id(), false, Arc::clone(context));
    let phase = watch.phase().clone();
    let service = RequestService::new(facts, phase, Arc::clone(&activity));
    (service, activity)
}

/// What a connection speaks.
enum Spoken {
    Http1,
    Http2,
    /// The wrong version for this endpoint, and what to answer.
    Wrong(&'static [u8]),
}

/// Finds out what a connection speaks, or `None` if it ended, or took too long to say.
async fn spoken<S: Socket>(
    stream: &mut Stream<S>,
    protocols: HttpProtocols,
    context: &Context,
) -> Option<Spoken> {
    if protocols == HttpProtocols::None {
        events::no_protocol();
        return None;
    }
    let limits = &context.options.limits;
    if !timeout(limits.keep_alive_timeout + TICK, stream.read_first()).await.ok()?.ok()? {
        return None;
    }
    timeout(limits.request_headers_timeout + TICK, async {
        loop {
            if let Some(spoken) = decide(stream.first(), protocols) {
                return Some(spoken);
            }
            if !stream.read_first().await.ok()? {
                // The peer sent no more: what is there is for hyper to refuse.
                return Some(if protocols == HttpProtocols::Http2 {
                    Spoken::Http2
                } else {
                    Spoken::Http1
                });
            }
        }
    })
    .await
    .ok()?
}

/// What the first bytes say, or `None` until they are enough.
fn decide(first: &[u8], protocols: HttpProtocols) -> Option<Spoken> {
    match (protocols, protocol::first_bytes(first)) {
        (HttpProtocols::Http1, _) if protocol::is_preface_line(first) => {
            Some(Spoken::Wrong(protocol::GOAWAY_HTTP_1_1_REQUIRED))
        }
        (_, FirstBytes::Undecided) => None,
        (HttpProtocols::Http1, _) => Some(Spoken::Http1),
        (_, FirstBytes::Http2) => Some(Spoken::Http2),
        (HttpProtocols::Http2, FirstBytes::Other) => {
            protocol::is_http1_request(first).map(|is_http1| match is_http1 {
                true => Spoken::Wrong(protocol::HTTP1_ON_HTTP2),
                false => Spoken::Http2,
            })
        }
        (_, FirstBytes::Other) => Some(Spoken::Http1),
    }
}
