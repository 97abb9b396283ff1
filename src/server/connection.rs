//! One connection, from the first byte to the last.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::Router;
use hyper_util::rt::TokioExecutor;
use tokio::time::{Instant, timeout};

use super::activity::Activity;
use super::clock::TICK;
use super::counters::Counters;
use super::date;
use super::drain::{Phase, Watch};
use super::endpoint::Serving;
use super::handshake::{Secured, handshake};
use super::io::{Socket, Stream};
use super::options::ServerOptions;
use super::protocol::{self, FirstBytes};
use super::rejection::Reason;
use super::request::RequestService;
use super::slot::Slot;
use super::{http1, http2};
use crate::addresses::HttpProtocols;
use crate::diagnostics::events;
use crate::features::Connection;

/// What all connections share.
#[derive(Debug)]
pub(super) struct Context {
    options: ServerOptions,
    app: Router,
    counters: Counters,
    /// How many connections are upgraded.
    upgraded: Arc<AtomicU64>,
    pub(super) gate: http1::GateOptions,
    pub(super) http1: hyper::server::conn::http1::Builder,
    pub(super) http2: hyper::server::conn::http2::Builder<TokioExecutor>,
}

impl Context {
    pub(super) fn new(options: ServerOptions, app: Router, counters: Counters) -> Arc<Self> {
        // Makes the app's handlers into services now, and not again for every request.
        let app = app.with_state(());
        let (http1, http2) = (http1::builder(&options), http2::builder(&options));
        let gate = http1::GateOptions::from(&options);
        Arc::new(Self { options, app, counters, gate, upgraded: Arc::default(), http1, http2 })
    }

    /// The same app with other options; what is counted goes on.
    pub(super) fn with_options(&self, options: ServerOptions) -> Arc<Self> {
        Arc::new(Self {
            http1: http1::builder(&options),
            http2: http2::builder(&options),
            gate: http1::GateOptions::from(&options),
            options,
            app: self.app.clone(),
            counters: self.counters.clone(),
            upgraded: Arc::clone(&self.upgraded),
        })
    }

    pub(super) fn options(&self) -> &ServerOptions {
        &self.options
    }

    /// The answer 400 to what is no request that hyper could answer.
    pub(super) fn bad_request(&self, text: &str) -> Vec<u8> {
        protocol::bad_request(text, &date::header_value(), self.options.add_server_header)
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
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
    serving: Arc<Serving>,
    mut watch: Watch,
    slot: Slot,
) {
    let id = facts.id();
    let context = Arc::clone(&serving.context);
    let _open = Open(Arc::clone(&context));
    events::connection_started(&id);
    if let Some(tls) = &serving.tls {
        // Boxed, or every connection would keep the room of its handshake.
        let handshake = handshake(socket, facts, tls, &serving, &mut watch);
        if let Some(Secured { stream, facts, protocols }) = Box::pin(handshake).await {
            speak(stream, facts, protocols, None, context, watch, slot).await;
        }
    } else {
        let stream = Stream::new(socket, watch.clone());
        let protocols = serving.protocols;
        speak(stream, facts, protocols, Some(serving), context, watch, slot).await;
    }
    events::connection_stopped(&id);
}

/// Speaks HTTP on a connection. It is one of an `open` endpoint if it is in clear text.
async fn speak<S: Socket>(
    mut stream: Stream<S>,
    facts: Connection,
    protocols: HttpProtocols,
    open: Option<Arc<Serving>>,
    context: Arc<Context>,
    mut watch: Watch,
    slot: Slot,
) {
    let id = facts.id();
    // A connection that has not said what it wants yet is idle: the stop ends it after a moment.
    let mut since = Instant::now();
    let spoken = loop {
        tokio::select! {
            biased;
            spoken = spoken(&mut stream, protocols, &context, open.as_deref()) => break spoken,
            () = watch.lingered(since) => {}
        }
        if watch.phase().get() == Phase::Aborting || !stream.has_unread() {
            break unspoken(protocols);
        }
        since = Instant::now();
    };
    if let Some(open) = open.filter(|_| protocol::is_tls(stream.first())) {
        open.tell_mix_up(events::tls_on_http);
    }
    match spoken {
        Some(Spoken::Http1) => {
            http1::serve(stream, facts, Arc::clone(&context), watch, slot).await;
        }
        Some(Spoken::Http2) => {
            let activity = Activity::new(id, false, Arc::clone(&context));
            let service = RequestService::new(facts, watch.phase().clone(), Arc::clone(&activity));
            // Boxed, or every connection of HTTP/1 would have its size, too.
            Box::pin(http2::serve(stream, service, &context, &mut watch, activity)).await;
        }
        Some(Spoken::Wrong(answer)) => {
            match answer {
                protocol::GOAWAY_HTTP_1_1_REQUIRED => {
                    events::bad_request(&id, &Reason::UnrecognizedHttpVersion.with(b"HTTP/2.0"));
                    events::wrong_version(&id, "HTTP/1.x", "HTTP/2");
                }
                protocol::GOAWAY_PROTOCOL_ERROR => {
                    events::http2_connection_error(&id, &"The connection preface is invalid.");
                }
                _ => {}
            }
            Box::pin(stream.end_with(answer)).await;
        }
        Some(Spoken::Http1OnHttp2) => {
            events::wrong_version(&id, "HTTP/2", "HTTP/1.x");
            let answer = context.bad_request(protocol::HTTP1_ON_HTTP2);
            Box::pin(stream.end_with(&answer)).await;
        }
        None => {
            if protocols == HttpProtocols::Http2 {
                events::http2_connection_closed(&id, 0);
            }
            // TLS says goodbye; clear text has nothing to say.
            Box::pin(stream.end()).await.unwrap_or_default();
        }
    }
}

/// A connection that is counted as open, whatever becomes of its task.
struct Open(Arc<Context>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.counters.count_closed();
    }
}

/// What a connection speaks.
enum Spoken {
    Http1,
    Http2,
    /// The wrong version for this endpoint, and what to answer.
    Wrong(&'static [u8]),
    /// HTTP/1 where only HTTP/2 is spoken.
    Http1OnHttp2,
}

/// Finds out what a connection speaks, or `None` if it ended, or took too long to say.
async fn spoken<S: Socket>(
    stream: &mut Stream<S>,
    protocols: HttpProtocols,
    context: &Context,
    open: Option<&Serving>,
) -> Option<Spoken> {
    if protocols == HttpProtocols::None {
        if open.is_none_or(Serving::is_first_failure) {
            events::no_protocol();
        }
        return None;
    }
    let limits = &context.options.limits;
    if protocols == HttpProtocols::Http2 {
        // As on Kestrel: its HTTP/2 has begun, without a stream, and says goodbye.
        let limit = limits.keep_alive_timeout.saturating_add(TICK);
        let spoken = timeout(limit, first_spoken(stream, protocols)).await;
        return spoken.unwrap_or_else(|_| unspoken(protocols));
    }
    if !timeout(limits.keep_alive_timeout.saturating_add(TICK), stream.read_first())
        .await
        .ok()?
        .ok()?
    {
        return None;
    }
    let limit = limits.request_headers_timeout.saturating_add(TICK);
    // What is no more by then is a head that took too long, which HTTP/1 has an answer for.
    timeout(limit, first_spoken(stream, protocols)).await.unwrap_or(Some(Spoken::Http1))
}

async fn first_spoken<S: Socket>(
    stream: &mut Stream<S>,
    protocols: HttpProtocols,
) -> Option<Spoken> {
    loop {
        if let Some(spoken) = decide(stream.first(), protocols) {
            return Some(spoken);
        }
        if !stream.read_first().await.ok()? {
            // The peer sent no more: what is there is for hyper to refuse, or half a preface.
            return (protocols != HttpProtocols::Http2).then_some(Spoken::Http1);
        }
    }
}

/// How a connection ends that has not said what it speaks.
fn unspoken(protocols: HttpProtocols) -> Option<Spoken> {
    (protocols == HttpProtocols::Http2).then_some(Spoken::Wrong(protocol::GOAWAY_NO_ERROR))
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
                true => Spoken::Http1OnHttp2,
                false => Spoken::Wrong(protocol::GOAWAY_PROTOCOL_ERROR),
            })
        }
        (_, FirstBytes::Other) => Some(Spoken::Http1),
    }
}
