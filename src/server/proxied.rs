//! A connection that a proxy hands on: who the client is, before TLS or HTTP begins.

use tokio::time::{Instant, timeout};

use super::drain::Watch;
use super::io::Socket;
use super::proxy_protocol::{self, Failure, Proxied};
use super::serving::Serving;
use crate::diagnostics::events;
use crate::features::{Connection, Local, Proxies, Remote};

/// Finds out who the client is, or ends the connection.
///
/// Who is none of the proxies could claim to be anybody, and is not served: what it says counts for
/// nothing, and without it it would be taken for a proxy's own request.
pub(super) async fn proxied<S: Socket>(
    socket: &mut S,
    facts: Connection,
    proxies: &Proxies,
    serving: &Serving,
    watch: &mut Watch,
) -> Option<Connection> {
    let telling = || serving.context.told().refused_proxies.happened(Instant::now().into_std());
    // Who connects to a Unix socket is on this machine, and was let at its file.
    if let Some(Remote(peer)) = facts.remote()
        && !proxies.have(peer.ip())
    {
        events::unknown_proxy_refused(&peer.ip(), serving.address(), telling());
        return None;
    }
    let limit = serving.context.options().handshake_timeout;
    let _counted = watch.count();
    let since = Instant::now();
    let read = tokio::select! {
        biased;
        read = timeout(limit, proxy_protocol::read(socket)) => read,
        () = watch.lingered(since) => return None,
    };
    let failure = match read {
        Ok(Ok(Proxied::Itself)) => return Some(facts),
        Ok(Ok(Proxied::Client { client, server })) => {
            return Some(facts.handed_on(Remote(client), Local(server)));
        }
        // A check whether the port is open.
        Ok(Err(Failure::Gone)) => return None,
        Ok(Err(failure)) => failure.to_string(),
        Err(_) => format!("its PROXY header was not whole within {} s", limit.as_secs_f64()),
    };
    events::proxy_header_refused(&facts.id(), serving.address(), &failure, telling());
    None
}
