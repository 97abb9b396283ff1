//! One connection, from the first byte to the last.

use std::sync::Arc;

use tokio::time::{Instant, timeout};

use super::activity::{Http1Activity, Http2Activity};
use super::clock::TICK;
use super::context::Context;
use super::drain::{Phase, Watch};
use super::handshake::handshake;
use super::io::{Socket, Stream};
use super::protocol::{self, FirstBytes};
use super::proxied::proxied;
use super::ready::Ready;
use super::rejection::Reason;
use super::serving::Serving;
use super::slot::Slot;
use super::{http1, http2};
use crate::diagnostics::events;
use crate::features::{Connection, ConnectionId, HttpProtocols};

/// Serves a connection until it ends. The stop waits for `watch`, the endpoint's limit for `slot`. (Each connection has the
/// room of this future.)
#[expect(clippy::manual_async_fn, reason = "an `async fn` has room for what it is given twice")]
pub(super) fn serve<S: Socket>(
    mut socket: S,
    mut facts: Connection,
    serving: Arc<Serving>,
    mut watch: Watch,
    slot: Slot,
) -> impl Future<Output = ()> + Send + 'static {
    async move {
        let id = facts.id();
        let _open = Open(Arc::clone(&serving.context));
        events::connection_started(&id);
        if let Some(proxies) = &serving.proxies {
            let told = proxied(&mut socket, facts, proxies, &serving, &mut watch);
            match Box::pin(told).await {
                Some(told) => facts = told,
                None => return events::connection_stopped(&id),
            }
        }
        if let Some(tls) = &serving.tls {
            // Boxed, or every connection would keep the room of its handshake.
            let handshake = handshake(socket, facts, tls, &serving, &mut watch);
            if let Some(ready) = Box::pin(handshake).await {
                speak(ready, &serving, watch, slot).await;
            }
        } else {
            let stream = Stream::new(socket, watch.clone());
            let protocols = serving.protocols;
            speak(Ready { stream, facts, protocols }, &serving, watch, slot).await;
        }
        events::connection_stopped(&id);
    }
}

/// Speaks HTTP on a connection.
fn speak<S: Socket>(
    ready: Ready<S>,
    serving: &Serving,
    mut watch: Watch,
    slot: Slot,
) -> impl Future<Output = ()> + Send {
    let Ready { mut stream, facts, protocols } = ready;
    async move {
        let id = facts.id();
        // A connection that has not said what it wants yet is idle: the stop ends it after a moment.
        let mut since = Instant::now();
        let spoken = loop {
            tokio::select! {
                biased;
                spoken = spoken(&mut stream, protocols, serving) => break spoken,
                () = watch.lingered(since) => {}
            }
            if watch.phase().get() == Phase::Aborting || !stream.has_unread() {
                break unspoken(protocols);
            }
            since = Instant::now();
        };
        if serving.tls.is_none() && protocol::is_tls(stream.first()) {
            serving.tell_mix_up(events::tls_on_http);
        }
        let context = &serving.context;
        match spoken {
            Some(Spoken::Http1) => {
                let activity = Http1Activity::new(id, Arc::clone(context));
                let service = http1::Service::new(facts, activity);
                http1::serve(stream, service, Arc::clone(&serving.http1), watch, slot).await;
            }
            Some(Spoken::Http2) => {
                let activity = Http2Activity::new(id, Arc::clone(context));
                let service = http2::Service::new(facts, activity);
                // Boxed, or every connection of HTTP/1 would have its size, too.
                Box::pin(http2::serve(stream, service, &serving.http2, &mut watch)).await;
            }
            Some(Spoken::Wrong(answer)) => {
                tell_wrong(&id, answer);
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
}

/// Tells why a connection is answered so.
fn tell_wrong(id: &ConnectionId, answer: &[u8]) {
    match answer {
        protocol::GOAWAY_HTTP_1_1_REQUIRED => {
            events::bad_request(id, &Reason::UnrecognizedHttpVersion.with(b"HTTP/2.0"));
            events::wrong_version(id, "HTTP/1.x", "HTTP/2");
        }
        protocol::GOAWAY_PROTOCOL_ERROR => {
            events::http2_connection_error(id, &"The connection preface is invalid.");
        }
        _ => {}
    }
}

/// A connection that is counted as open, whatever becomes of its task.
struct Open(Arc<Context>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.counters().count_closed();
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
    serving: &Serving,
) -> Option<Spoken> {
    if protocols == HttpProtocols::None {
        if serving.is_first_failure() {
            events::no_protocol();
        }
        return None;
    }
    let limits = &serving.context.options().limits;
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
