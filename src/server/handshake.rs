//! The TLS handshake of a connection, before anybody knows what it speaks.

use tokio::time::{Instant, timeout};

use super::drain::Watch;
use super::io::{Socket, Stream};
use super::protocol;
use super::ready::Ready;
use super::serving::Serving;
use crate::diagnostics::events;
use crate::features::{Connection, HttpProtocols};
use crate::tls::{EndpointTls, Failure, TlsStream};

/// Does the handshake, or ends the connection.
pub(super) async fn handshake<S: Socket>(
    mut socket: S,
    facts: Connection,
    tls: &EndpointTls,
    serving: &Serving,
    watch: &mut Watch,
) -> Option<Ready<TlsStream<S>>> {
    let limit = serving.context.options().handshake_timeout;
    let _counted = watch.count();
    let since = Instant::now();
    let accepted = tokio::select! {
        biased;
        // The exact time: it is not worth a second.
        accepted = timeout(limit, tls.accept(&mut socket)) => accepted,
        // Nothing was asked yet, and nothing is on its way.
        () = watch.lingered(since) => return None,
    };
    let accepted = match accepted {
        Ok(Ok(accepted)) => accepted,
        Ok(Err(failure)) => {
            events::tls_authentication_failed(&failure);
            let mut stream = Stream::new(socket, watch.clone());
            tell(&mut stream, serving, failure).await;
            return None;
        }
        Err(_) => {
            events::tls_authentication_timed_out();
            return None;
        }
    };
    events::tls_established(&facts.id(), &accepted.handshake.protocol());
    let agreed = accepted.handshake.application_protocol();
    let protocols = match (accepted.protocols, agreed) {
        (_, Some("h2")) => Some(HttpProtocols::Http2),
        (HttpProtocols::None | HttpProtocols::Http3, _) => {
            if serving.is_first_failure() {
                events::no_protocol();
            }
            None
        }
        (HttpProtocols::Http2, _) => {
            if serving.is_first_failure() {
                events::http2_not_negotiated();
            }
            None
        }
        _ => Some(HttpProtocols::Http1),
    };
    let facts = facts.secured(accepted.handshake.clone());
    let mut stream = Stream::new(accepted.into_stream(socket), watch.clone());
    let Some(protocols) = protocols else {
        stream.end_with(&[]).await;
        return None;
    };
    Some(Ready { stream, facts, protocols })
}

/// Tells the client why, as far as it understands it.
async fn tell<S: Socket>(stream: &mut Stream<S>, serving: &Serving, failure: Failure) {
    match failure {
        Failure::Gone(_) => {}
        Failure::Refused { alert, .. } => stream.end_with(&alert).await,
        Failure::ClearText(bytes) => {
            if !protocol::is_http1_request(&bytes).unwrap_or(false) {
                return stream.end_with(&[]).await;
            }
            serving.tell_mix_up(events::clear_text_on_https);
            stream.end_with(&serving.context.bad_request(protocol::USE_HTTPS)).await;
        }
    }
}
